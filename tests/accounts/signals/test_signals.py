"""Keeping what was observed."""

from decimal import Decimal
from typing import Any

import pytest

from accounts.events import signal_recorded
from accounts.models import Contact, Signal
from accounts.signals.record import Observed, record
from ledger.errors import Invalid
from tests.support.cast import Cast

pytestmark = pytest.mark.django_db
ANGRY = "This is unacceptable. We will cancel our contract and take legal action."


@pytest.fixture
def heard() -> Any:
    """The ids that were announced."""
    ids: list[int] = []

    def listen(signals: list[Signal], **_: Any) -> None:
        ids.extend(signal.pk for signal in signals)

    signal_recorded.connect(listen, weak=False, dispatch_uid="test")
    yield ids
    signal_recorded.disconnect(dispatch_uid="test")


def test_tone_and_flagged_phrases_are_kept_with_their_places(cast: Cast) -> None:
    signal = record(Observed(kind="email", text=ANGRY), account=cast.northwind)
    assert signal.tone == "negative"
    assert signal.sentiment < -0.5
    assert {"cancellation", "legal"} <= {phrase["kind"] for phrase in signal.phrases}
    assert all(ANGRY[phrase["start"] : phrase["end"]] == phrase["text"] for phrase in signal.phrases)


def test_the_amount_asked_for_is_read_from_the_text(cast: Cast) -> None:
    signal = record(Observed(kind="email", text="We expect a refund of $12,400 this week."), account=cast.northwind)
    assert (signal.amount, signal.currency) == (Decimal("12400.00"), "USD")


def test_a_given_amount_is_not_overridden_by_the_text(cast: Cast) -> None:
    text = "We expect a refund of $12,400 this week."
    signal = record(Observed(kind="call", text=text, amount=Decimal(50), currency="EUR"), account=cast.northwind)
    assert (signal.amount, signal.currency) == (Decimal(50), "EUR")


def test_the_apps_above_hear_of_it_once(cast: Cast, heard: list[int]) -> None:
    signal = record(Observed(kind="email", text="Hi"), account=cast.northwind, source="mail", external_id="<1@x>")
    again = record(Observed(kind="email", text="Hi again"), account=cast.northwind, source="mail", external_id="<1@x>")
    assert again == signal
    assert again.text == "Hi"
    assert heard == [signal.pk]


def test_the_same_id_from_another_source_is_another_signal(cast: Cast) -> None:
    record(Observed(kind="ticket", text="a"), account=cast.northwind, source="zen", external_id="7")
    record(Observed(kind="ticket", text="b"), account=cast.northwind, source="crm", external_id="7")
    assert Signal.objects.count() == 2


def test_only_a_counterproposal_carries_a_concession(cast: Cast) -> None:
    assert record(
        Observed(kind="counterproposal", text="24", with_concession=True), account=cast.northwind
    ).with_concession
    assert not record(Observed(kind="note", text="24", with_concession=True), account=cast.northwind).with_concession


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "gossip"}, "kind"),
        ({"amount": Decimal(5)}, "currency"),
        ({"amount": Decimal(5), "currency": "XYZ"}, "currency"),
        ({"amount": Decimal(0), "currency": "USD"}, "amount"),
        ({"amount": Decimal("NaN"), "currency": "USD"}, "amount"),
        ({"amount": Decimal(10) ** 12, "currency": "USD"}, "amount"),
    ],
)
def test_bad_values_are_refused_by_field(cast: Cast, change: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        record(Observed(**{"kind": "note", "text": "x", **change}), account=cast.northwind)
    assert refusal.value.field == field
    assert not Signal.objects.exists()


def test_a_contact_of_another_account_is_refused(cast: Cast) -> None:
    stranger = Contact.objects.create(account=cast.elsewhere, name="S", email="s@harbor.example")
    with pytest.raises(Invalid, match="this account"):
        record(Observed(kind="note", text="x", contact=stranger), account=cast.northwind)


def test_zero_bytes_lone_surrogates_and_endless_text_are_stored(cast: Cast) -> None:
    signal = record(Observed(kind="email", text="a\x00b\ud800c" + "x" * 300_000), account=cast.northwind)
    signal.refresh_from_db()
    assert signal.text.startswith("a\ufffdb?c")
    assert len(signal.text) == 200_000
