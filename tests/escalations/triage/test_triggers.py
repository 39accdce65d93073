"""The three shipped triggers at their thresholds."""

from decimal import Decimal

import pytest

from escalations.triage.rules import triggers
from escalations.triage.rules.triggers import NoConcession, RefundOver, RiskLanguageBeforeRenewal, Rule, SignalFacts


@pytest.mark.parametrize(("amount", "fires"), [("10000", False), ("10000.01", True), ("12400", True)])
def test_a_refund_fires_above_the_amount(amount: str, fires: bool) -> None:
    seen = SignalFacts(kind="email", amount=Decimal(amount), asks_refund=True)
    assert bool(RefundOver().reason(seen, Decimal(10_000))) is fires


def test_an_unknown_amount_fires_nothing() -> None:
    assert RefundOver().reason(SignalFacts(kind="email", asks_refund=True), Decimal(10_000)) == ""


@pytest.mark.parametrize(("days", "fires"), [(0, True), (60, True), (61, False), (-1, False), (None, False)])
def test_risk_language_fires_only_near_the_renewal(days: int | None, fires: bool) -> None:
    seen = SignalFacts(kind="email", phrases=(("cancellation", "cancel our contract", 0.9),), renewal_days=days)
    assert bool(RiskLanguageBeforeRenewal().reason(seen, Decimal(60))) is fires


@pytest.mark.parametrize(
    ("kind", "weight", "fires"), [("legal", 0.6, True), ("legal", 0.5, False), ("hostile", 1.0, False)]
)
def test_only_clear_legal_or_cancellation_words_count(kind: str, weight: float, fires: bool) -> None:
    seen = SignalFacts(kind="email", phrases=((kind, "words", weight),), renewal_days=10)
    assert bool(RiskLanguageBeforeRenewal().reason(seen, Decimal(60))) is fires


@pytest.mark.parametrize(("rounds", "fires"), [(2, False), (3, True), (4, True)])
def test_rounds_without_concession_fire_at_three(rounds: int, fires: bool) -> None:
    seen = SignalFacts(kind="counterproposal", rounds_without_concession=rounds)
    assert bool(NoConcession().reason(seen, Decimal(3))) is fires


@pytest.mark.parametrize(
    ("series", "rounds"), [([], 0), ([False], 1), ([True], 0), ([False, True, False, False], 2), ([False] * 3, 3)]
)
def test_rounds_count_from_the_last_concession(series: list[bool], rounds: int) -> None:
    assert triggers.rounds_without_concession(series) == rounds


def test_the_first_rule_that_fires_wins_and_unknown_conditions_never_fire() -> None:
    rules = [
        Rule("odd", "Odd", "no_such_condition", Decimal(1), "other"),
        Rule("refund", "Refund", "refund_over", Decimal(100), "refund-credit"),
        Rule("again", "Again", "refund_over", Decimal(10), "other"),
    ]
    found = triggers.first_fired(rules, SignalFacts(kind="email", amount=Decimal(500), asks_refund=True))
    assert found is not None
    assert found[0].slug == "refund"
    assert triggers.first_fired(rules[:1], SignalFacts(kind="email", amount=Decimal(500), asks_refund=True)) is None


def test_a_condition_looks_at_its_own_kinds_of_signal_only() -> None:
    rule = Rule("stuck", "Stuck", "no_concession", Decimal(3), "contract-exception")
    assert triggers.first_fired([rule], SignalFacts(kind="email", rounds_without_concession=5)) is None
    assert triggers.first_fired([rule], SignalFacts(kind="counterproposal", rounds_without_concession=5)) is not None


@pytest.mark.parametrize("threshold", [0, -1])
def test_a_trigger_without_its_threshold_is_named(threshold: int) -> None:
    [problem] = triggers.problems([("Near renewal", "risk_language_renewal", Decimal(threshold))])
    assert problem == "Trigger “Near renewal” needs a threshold above 0 in days, such as 60."


def test_a_trigger_with_an_unknown_condition_is_named() -> None:
    [problem] = triggers.problems([("Odd", "no_such_condition", Decimal(1))])
    assert "names the condition “no_such_condition”, which does not exist" in problem
