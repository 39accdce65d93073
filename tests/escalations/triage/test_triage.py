"""Tier, lane and score, at each edge of the shipped numbers."""

from dataclasses import replace
from decimal import Decimal

import pytest

from escalations.triage.rules import triage
from escalations.triage.rules.triage import Facts, TierBand

BANDS = [
    TierBand("red", 0, 40, 70, 30, Decimal(500_000), False),
    TierBand("yellow", 40, 70, 40, 60, Decimal(250_000), True),
    TierBand("green", 70, 101, 0, None, None, False),
]
WEIGHTS = {
    "arr": ("ARR at risk", 20),
    "renewal": ("Renewal", 20),
    "sentiment": ("Tone", 15),
    "phrases": ("Risk phrases", 15),
    "health": ("Health", 10),
    "flags": ("Flags", 10),
    "blocker": ("Blocker", 10),
}
CALM = Facts(arr=Decimal(20_000), health=85, renewal_days=200)


def assess(facts: Facts, usual: str = "guardrailed", minimum: str = "green") -> triage.Assessment:
    """Assess with the shipped bands."""
    return triage.assess(facts, bands=BANDS, weights=WEIGHTS, usual_lane=usual, minimum_tier=minimum)


@pytest.mark.parametrize(
    ("health", "tier"), [(0, "red"), (39, "red"), (40, "yellow"), (69, "yellow"), (70, "green"), (100, "green")]
)
def test_health_alone_sets_the_tier_at_its_edges(health: int, tier: str) -> None:
    assert assess(replace(CALM, health=health)).tier == tier


@pytest.mark.parametrize(("days", "tier"), [(30, "red"), (31, "yellow"), (60, "yellow"), (61, "green")])
def test_a_blocker_near_the_renewal_raises_the_tier(days: int, tier: str) -> None:
    assert assess(replace(CALM, renewal_days=days, blocker=True)).tier == tier


def test_a_near_renewal_without_a_blocker_does_not_raise_the_tier() -> None:
    assert assess(replace(CALM, renewal_days=20)).tier == "green"


@pytest.mark.parametrize(("arr", "tier"), [("499999.99", "green"), ("500000", "red")])
def test_half_a_million_at_risk_is_red(arr: str, tier: str) -> None:
    assert assess(replace(CALM, arr=Decimal(arr))).tier == tier


@pytest.mark.parametrize(
    ("arr", "sentiment", "tier"),
    [("250000", -0.2, "yellow"), ("250000", -0.19, "green"), ("249999.99", -0.9, "green")],
)
def test_a_quarter_million_is_yellow_only_with_a_negative_tone(arr: str, sentiment: float, tier: str) -> None:
    assert assess(replace(CALM, arr=Decimal(arr), sentiment=sentiment)).tier == tier


@pytest.mark.parametrize("flag", ["legal", "security", "executive_complaint"])
def test_a_flag_is_red_whatever_else_is_known(flag: str) -> None:
    found = assess(replace(CALM, **{flag: True}))
    assert (found.tier, found.lane) == ("red", "human_first")


def test_a_hard_threshold_is_red_and_says_so() -> None:
    found = assess(replace(CALM, hard_threshold="Refund of $12,400 is above $10,000"))
    assert found.tier == "red"
    assert "12,400" in found.sentence


def test_unknown_health_is_no_reason_for_any_tier() -> None:
    assert assess(replace(CALM, health=None)).tier == "green"


def test_an_issue_type_may_never_be_below_its_tier() -> None:
    found = assess(CALM, minimum="red")
    assert found.tier == "red"
    assert "never below" in found.tier_reasons[-1]


def test_parts_are_named_and_add_up_to_the_score() -> None:
    found = assess(replace(CALM, blocker=True, sentiment=-0.8, phrases=(("legal", "our lawyers"),)))
    assert found.score == sum(part.points for part in found.parts)
    assert {"Blocker", "Tone", "Risk phrases"} <= {part.name for part in found.parts}
    assert all(part.why and part.points <= part.of for part in found.parts)


def test_more_trouble_never_lowers_the_score() -> None:
    facts, last = CALM, 0
    for change in (
        {"blocker": True},
        {"sentiment": -0.5},
        {"renewal_days": 20},
        {"arr": Decimal(300_000)},
        {"legal": True},
    ):
        facts = replace(facts, **change)  # type: ignore[arg-type]
        assert assess(facts).score >= last
        last = assess(facts).score


def test_a_band_on_a_green_case_runs_by_rule() -> None:
    assert assess(replace(CALM, in_band=True)).lane == "autonomous"


def test_a_band_on_a_yellow_case_does_not_run_by_rule() -> None:
    assert assess(replace(CALM, health=50, in_band=True)).lane == "guardrailed"


def test_an_autonomous_issue_outside_every_band_goes_to_a_person() -> None:
    assert assess(CALM, usual="autonomous").lane == "guardrailed"


def test_legal_words_alone_make_people_own_the_case() -> None:
    found = assess(replace(CALM, phrases=(("legal", "legal action"),)))
    assert found.lane == "human_first"


@pytest.mark.parametrize(("arr", "share"), [("49999", 0.1), ("50000", 0.4), ("250000", 0.7), ("500000", 1.0)])
def test_arr_bands_are_half_open(arr: str, share: float) -> None:
    assert triage.arr_share(Decimal(arr)) == share


@pytest.mark.parametrize(("days", "share"), [(None, 0.0), (-5, 1.0), (30, 1.0), (60, 0.7), (90, 0.3), (91, 0.0)])
def test_renewal_weighs_more_the_nearer_it_is(days: int | None, share: float) -> None:
    assert triage.renewal_share(days) == share
