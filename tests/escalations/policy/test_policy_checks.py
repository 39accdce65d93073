"""The checks before publishing, on plain values."""

from decimal import Decimal

import pytest

from escalations.clocks.rules.factors import Factor
from escalations.clocks.rules.targets import TargetRow
from escalations.policy.rules import checks, levels, target_checks
from escalations.policy.rules.levels import Level
from escalations.triage.rules.routing import Row
from escalations.triage.rules.triage import TierBand


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
        ((GOOD[0], band("yellow", 45, 70, 40), GOOD[2]), "No tier covers health 40 to 44."),
        ((GOOD[0], band("yellow", 35, 70, 40), GOOD[2]), "Yellow tier overlaps another one at health 35."),
        ((GOOD[0], GOOD[1], band("green", 70, 100)), "No tier covers health 100 to 100."),
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


def test_score_parts_are_known_and_count():
    assert checks.weights([("arr", 15)]) == []
    assert "“mood” is not known" in checks.weights([("mood", 5)])[0]
    assert checks.weights([("arr", 0)]) == ["Score part “arr” must have points above 0."]


TEAM = Level(1, "team", "Team lead", role="team-lead")
BOARD = Level(4, "board", "Board", counts_as_executive=True, role="board")


def test_levels_with_ranks_roles_and_an_executive_pass():
    assert levels.problems([TEAM, BOARD]) == []


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([TEAM, Level(4, "external", "External", True, "board")], "External: choose another slug"),
        ([], "There is no level"),
        ([TEAM], "No level counts as executive"),
        ([TEAM, BOARD, Level(4, "vp", "VP", role="vp")], "Two levels have rank 4"),
        ([Level(0, "team", "Team lead", role="team-lead"), BOARD], "Team lead: the rank must be above 0"),
        ([Level(1, "team", "Team lead"), BOARD], "Team lead: enter the role that decides"),
    ],
)
def test_wrong_levels_are_named(rows, problem):
    [found] = levels.problems(rows)
    assert found.startswith(problem)


def test_rows_and_roles_that_name_a_missing_level_are_named():
    ladder = levels.Ladder((TEAM, BOARD))
    assert levels.unknown_ranks(ladder, [("Matrix row 10", 2), ("Matrix row 20", 4)]) == [
        "Matrix row 10 names level 2, which does not exist."
    ]
    [problem] = levels.roles_without_level(ladder, [("Director", "director"), ("Board", "board"), ("Support", "")])
    assert problem == "The role Director decides at the level “director”, which this policy does not have."


@pytest.mark.parametrize("text", ["", "50", "50, 90", "1,2,99"])
def test_further_warnings_before_the_breach_in_order_pass(text):
    assert target_checks.warning_problem(text, 75) == ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("soon", "Write whole numbers from 1 to 99 with commas between, such as 50, 90."),
        ("50.5", "Write whole numbers from 1 to 99"),
        ("0, 50", "Write whole numbers from 1 to 99"),
        ("50, 100", "Write whole numbers from 1 to 99"),
        ("50,", "Write whole numbers from 1 to 99"),
        ("-5", "Write whole numbers from 1 to 99"),
        ("٥٠", "Write whole numbers from 1 to 99"),
        ("90, 50", "Write them in ascending order, each once: 50, 90."),
        ("50, 50", "Write them in ascending order, each once: 50."),
        ("50, 75", "75 is the main warning already. Leave it out here."),
    ],
)
def test_wrong_further_warnings_are_named_with_their_row_and_the_fix(text, problem):
    target = TargetRow("response", "red", 2, "billing-dispute", 60, "clock", 75, "remind", text)
    [found] = target_checks.further_warnings([target])
    assert found.startswith(f"First response, Red tier, level 2, billing-dispute: further warnings “{text}”.")
    assert problem in found


def factor(low: int | None, high: int | None, percent: int = 80, part: str = "renewal_days", clock: str = "") -> Factor:
    return Factor(part, None if low is None else Decimal(low), None if high is None else Decimal(high), percent, clock)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (factor(None, 30), factor(30, 60)),
        (factor(30, 60), factor(60, None)),
        (factor(None, 30), factor(None, 30, part="age_hours")),
        (factor(None, 30), factor(None, 30, clock="decision")),
    ],
)
def test_ranges_that_touch_or_concern_different_things_do_not_overlap(one, two):
    assert target_checks.factor_rows([one, two], [one, two]) == []


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (factor(None, 30), factor(29, 60)),
        (factor(10, 20), factor(None, None)),
        (factor(10, 20), factor(12, 15)),
        (factor(10, None), factor(50, None)),
    ],
)
def test_a_value_in_two_rows_is_named_with_the_fix(one, two):
    for pair in ([one, two], [two, one]):
        [problem] = target_checks.factor_rows(pair, pair)
        assert "of every clock overlaps" in problem
        assert "Let one end where the other starts." in problem
    assert target_checks.factor_rows([one, two], [one]) == []


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (factor(None, 30, 9), "the percent must be from 10 to 300, not 9."),
        (factor(None, 30, 301), "the percent must be from 10 to 300, not 301."),
        (factor(30, 30), "the end value must be above the start value."),
        (factor(40, 30, clock="decision"), "of Decision: the end value must be above"),
    ],
)
def test_a_factor_out_of_bounds_or_with_an_empty_range_is_named(row, problem):
    [found] = target_checks.factor_rows([row], [])
    assert found.startswith("Factor “Renewal ")
    assert problem in found
