"""Which signals are an ask for money back, and that words alone set no flag and no Red."""

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.models import Signal
from accounts.signals import record as signals
from escalations import states
from escalations.cases import inbound, intake
from escalations.forms.intake import from_signal
from escalations.models import Escalation
from ledger.now import now
from tests.support.cast import Cast


def heard(cast: Cast, kind: str, text: str, amount: int | None = None) -> Signal:
    """A signal of Northwind."""
    values = {"amount": Decimal(amount), "currency": "USD"} if amount else {}
    observed = signals.Observed(kind=kind, text=text, contact=cast.contact, **values)  # type: ignore[arg-type]
    return signals.record(observed, account=cast.northwind)


@pytest.mark.parametrize(
    ("kind", "text", "amount", "opens"),
    [
        ("note", "Upsell agreed", 50_000, False),
        ("counterproposal", "Round 2: three years at this price", 120_000, False),
        ("counterproposal", "We sign at 120,000 with a credit for the outage", 120_000, False),
        ("email", "Our customers want refunds from us", 50_000, False),
        ("email", "We want our money back", 50_000, True),
        ("email", "We want our money back", 10_000, False),
        ("email", "We demand a refund of $12,400", None, True),
        ("refund", "See the form", 12_400, True),
    ],
)
def test_only_an_ask_for_money_back_is_a_refund(
    cast: Cast, kind: str, text: str, amount: int | None, opens: bool
) -> None:
    heard(cast, kind, text, amount)
    assert Escalation.objects.filter(issue_type__slug="refund-credit").exists() is opens


def test_the_amount_that_is_asked_back_is_the_one_in_the_words(cast: Cast) -> None:
    heard(cast, "email", "We pay 80,000 a year. We demand a refund of $12,400 for the outage.", 80_000)
    case = Escalation.objects.get()
    assert (case.concession, case.amount, case.currency) == ("refund", Decimal(12_400), "USD")


def test_legal_words_open_a_case_without_the_legal_flag(cast: Cast) -> None:
    signal = heard(cast, "email", "We will cancel our contract and take legal action.")
    case = Escalation.objects.get()
    assert (case.legal, case.security) == (False, False)
    assert "Legal flag" not in " ".join(case.triage_reasons)
    assert from_signal(signal)["legal"] is False


def test_a_signal_that_was_logged_as_a_flag_sets_it(cast: Cast) -> None:
    signal = heard(cast, "flag", "They will cancel our contract and take legal action.")
    assert from_signal(signal)["legal"] is True
    case = Escalation.objects.get()
    assert (case.legal, case.security, case.tier) == (True, True, states.RED)


@pytest.mark.both_databases
def test_an_amount_that_no_case_can_keep_opens_one_without_an_amount(cast: Cast) -> None:
    heard(cast, "email", "We demand a refund of USD 999,999,999,999 million.")
    case = Escalation.objects.get()
    assert (case.concession, case.amount) == ("refund", None)
    first = case.events.order_by("seq")[0]
    assert first.summary.endswith(inbound.LEFT_OUT)


@pytest.mark.both_databases
def test_an_old_ask_opens_a_case_with_the_oldest_impasse_that_the_form_takes(cast: Cast) -> None:
    long_ago = now() - timedelta(days=8 * 365)
    observed = signals.Observed(kind="note", text="They demand a refund of $12,400.", at=long_ago)
    signals.record(observed, account=cast.northwind)
    case = Escalation.objects.get()
    assert case.opened_at - intake.OLDEST_IMPASSE < case.impasse_at < long_ago + timedelta(days=3 * 365 + 3)
