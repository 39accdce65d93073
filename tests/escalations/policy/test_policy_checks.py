"""The checks before publishing, on plain values."""

import pytest

from escalations.rules import policy_checks as checks
from escalations.rules.routing import Row
from escalations.rules.targets import TargetRow
from escalations.rules.triage import TierBand


def band(slug: str, low: int, high: int, score: int = 0) -> TierBand:
    return TierBand(slug, low, high, score, None, None, False)


def row(issue_type: str = "", tier: str = "", level: int = 1, number: int = 1) -> Row:
    return Row(number, issue_type, tier, level, "hierarchical", "team-lead", "team-lead", "")


def decision(amount: int, issue_type: str = "") -> TargetRow:
    return TargetRow("decision", "", None, issue_type, amount, "clock", 75, "escalate")


GOOD = (band("red", 0, 40, 70), band("yellow", 40, 70, 40), band("green", 70, 101))


def test_bands_that_take_in_every_health_once_pass():
    assert checks.bands(GOOD) == []


@pytest.mark.parametrize(
    ("bands", "problem"),
    [
        ((GOOD[0], band("yellow", 45, 70, 40), GOOD[2]), "No tier takes in health 40 to 44."),
        ((GOOD[0], band("yellow", 35, 70, 40), GOOD[2]), "Yellow tier overlaps another one at health 35."),
        ((GOOD[0], GOOD[1], band("green", 70, 100)), "No tier takes in health 100 to 100."),
        ((GOOD[0], GOOD[1], band("green", 70, 70)), "Green tier: health to 70 must be above health from 70."),
        ((band("red", 0, 40, 40), *GOOD[1:]), "The score of Red tier must be above the score of Yellow tier."),
        (GOOD[:2], "Green tier has no band of health. Add one."),
    ],
)
def test_a_hole_an_overlap_or_a_missing_tier_is_named(bands, problem):
    assert problem in checks.bands(bands)


def test_a_row_for_every_tier_serves_all_three():
    assert checks.general_rows([row()]) == []
    assert checks.general_rows([row("billing-dispute"), row(tier="red")]) == [
        "The matrix has no general row for Green tier. Add a row without an issue type.",
        "The matrix has no general row for Yellow tier. Add a row without an issue type.",
    ]


def test_a_row_behind_a_wider_one_is_named_because_it_never_applies():
    assert checks.unreachable_rows([row("a", "red"), row("a"), row()]) == []
    assert "never applies" in checks.unreachable_rows([row(), row("a", "red", number=2)])[0]


def test_two_accountable_roles_or_none_are_refused():
    letters = [("red", "A"), ("red", "A"), ("yellow", "A"), ("yellow", "R"), ("green", "I")]
    assert checks.one_accountable(letters) == [
        "Green tier has no Accountable. Exactly one role must be.",
        "Red tier has 2 Accountable. Exactly one role must be.",
    ]


@pytest.mark.parametrize("percent", [0, 100, 150])
def test_a_warning_comes_before_the_breach(percent):
    target = TargetRow("response", "", None, "", 60, "clock", percent, "remind")
    assert checks.positive_targets([target]) == [
        f"First response: the warning must come at 1 to 99 percent, not {percent}."
    ]


def test_a_waiting_time_that_differs_from_its_decision_clock_is_named():
    matrix = [(row("a"), 120), (row(), 1440)]
    assert checks.same_times(matrix, [decision(1440), decision(120, "a")]) == []
    [problem] = checks.same_times(matrix, [decision(1440), decision(240, "a")])
    assert problem == "Matrix row “a, every tier” waits 2 hours, but its decision clock runs 4 hours."


@pytest.mark.parametrize("params", [{}, {"days": 0}, {"days": "60"}, {"days": True}, {"amount_usd": 5}, [60]])
def test_a_trigger_without_its_threshold_is_named(params):
    assert "needs the threshold “days”" in checks.thresholds([("Near renewal", "risk_language_renewal", params)])[0]


def test_score_parts_are_known_and_count():
    assert checks.weights([("arr", 15)]) == []
    assert "“mood” is not known" in checks.weights([("mood", 5)])[0]
    assert checks.weights([("arr", 0)]) == ["Score part “arr” must have points above 0."]


def test_words_in_braces_are_words_that_are_filled_in():
    assert checks.braces([("Update", "{account} hears by {next_update}")]) == []
    assert "{manager} is not filled in" in checks.braces([("Update", "Ask {manager}")])[0]
    assert checks.braces([("Update", "{account")]) == ["Text “Update” has a brace without its partner."]
