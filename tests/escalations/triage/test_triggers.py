"""The three shipped triggers at their thresholds."""

from decimal import Decimal

import pytest

from escalations.triage.rules import triggers
from escalations.triage.rules.triggers import Rule, Seen


@pytest.mark.parametrize(("amount", "fires"), [("10000", False), ("10000.01", True), ("12400", True)])
def test_a_refund_fires_above_the_amount(amount: str, fires: bool) -> None:
    seen = Seen(kind="email", amount=Decimal(amount), asks_refund=True)
    assert bool(triggers.refund_over(seen, {"amount_usd": 10_000})) is fires


def test_an_unknown_amount_fires_nothing() -> None:
    assert triggers.refund_over(Seen(kind="email", asks_refund=True), {}) is None


@pytest.mark.parametrize(("days", "fires"), [(0, True), (60, True), (61, False), (-1, False), (None, False)])
def test_risk_language_fires_only_near_the_renewal(days: int | None, fires: bool) -> None:
    seen = Seen(kind="email", phrases=(("cancellation", "cancel our contract", 0.9),), renewal_days=days)
    assert bool(triggers.risk_language_renewal(seen, {"days": 60})) is fires


@pytest.mark.parametrize(
    ("kind", "weight", "fires"), [("legal", 0.6, True), ("legal", 0.5, False), ("hostile", 1.0, False)]
)
def test_only_clear_legal_or_cancellation_words_count(kind: str, weight: float, fires: bool) -> None:
    seen = Seen(kind="email", phrases=((kind, "words", weight),), renewal_days=10)
    assert bool(triggers.risk_language_renewal(seen, {})) is fires


@pytest.mark.parametrize(("rounds", "fires"), [(2, False), (3, True), (4, True)])
def test_rounds_without_concession_fire_at_three(rounds: int, fires: bool) -> None:
    seen = Seen(kind="counterproposal", rounds_without_concession=rounds)
    assert bool(triggers.no_concession(seen, {"rounds": 3})) is fires


@pytest.mark.parametrize(
    ("series", "rounds"), [([], 0), ([False], 1), ([True], 0), ([False, True, False, False], 2), ([False] * 3, 3)]
)
def test_rounds_count_from_the_last_concession(series: list[bool], rounds: int) -> None:
    assert triggers.rounds_without_concession(series) == rounds


def test_the_first_rule_that_fires_wins_and_unknown_conditions_never_fire() -> None:
    rules = [
        Rule("odd", "Odd", "no_such_condition", {}, "other"),
        Rule("refund", "Refund", "refund_over", {"amount_usd": 100}, "refund-credit"),
        Rule("again", "Again", "refund_over", {"amount_usd": 10}, "other"),
    ]
    found = triggers.first_fired(rules, Seen(kind="email", amount=Decimal(500), asks_refund=True))
    assert found is not None
    assert found[0].slug == "refund"
    assert triggers.first_fired(rules[:1], Seen(kind="email", amount=Decimal(500), asks_refund=True)) is None
