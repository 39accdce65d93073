"""Records signals about an account."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction

from accounts.customers.rates import known_currencies
from accounts.events import signal_recorded
from accounts.models import Account, Contact, Signal, User
from accounts.signals.rules.tone import Tone, money_asked, read_tone
from ledger.errors import AlreadyDone, Invalid
from ledger.format import too_precise
from ledger.now import now

KEPT_CHARACTERS = 200_000
LARGEST_AMOUNT = Decimal(10) ** 12
RECEIVED_MAIL = "email"  # the source of mail that the desk receives; its external id is the Message-ID


@dataclass(frozen=True)
class Observed:
    """What a customer said or did; `sender` is the address of a mail. Without `at` it happened now; without `amount` the
    amount is read from the text."""

    kind: str
    text: str
    at: datetime | None = None
    contact: Contact | None = None
    amount: Decimal | None = None
    currency: str = ""
    with_concession: bool = False
    sender: str = ""
    sender_name: str = ""


def record(
    observed: Observed,
    *,
    account: Account,
    source: str = "manual",
    external_id: str | None = None,
    logged_by: User | None = None,
    origin: object = None,
) -> Signal:
    """Keeps a signal with its tone, flagged phrases and, if none is given, the amount in the text. The same (source,
    external_id) twice returns the first signal and sends no event. `signal_recorded` is sent inside the transaction
    with `origin`, the object to which an app above has assigned the signal. Text beyond 200,000 characters is cut.
    Raises Invalid for an unknown kind or currency, an amount that is not a positive sum below 10^12, an amount without
    a currency, or a contact of another account; AlreadyDone if a signal of another account has the external id.
    """
    _check_kind_and_contact(observed.kind, account, observed.contact)
    _check_money(observed.amount, observed.currency)
    text, amount, currency = _storable(observed.text), observed.amount, observed.currency
    if amount is None:
        amount, currency = _asked(text)
    signal = Signal(
        account=account,
        contact=observed.contact,
        kind=observed.kind,
        text=text,
        at=observed.at or now(),
        source=source[:40],
        external_id=external_id[:255] if external_id else None,
        amount=amount,
        currency=currency,
        with_concession=observed.with_concession and observed.kind == Signal.COUNTERPROPOSAL,
        sender=observed.sender[:254],
        sender_name=observed.sender_name[:200],
        logged_by=logged_by,
    )
    return _keep(_with_tone(signal, read_tone(text)), origin)


def _with_tone(signal: Signal, tone: Tone) -> Signal:
    signal.sentiment, signal.tone = tone.compound, tone.label
    signal.phrases = [phrase._asdict() for phrase in tone.phrases]
    return signal


def _keep(signal: Signal, origin: object) -> Signal:
    try:
        with transaction.atomic():
            signal.save()
            signal_recorded.send(sender=Signal, signals=[signal], origin=origin)
    except IntegrityError:
        # Most signals are new, so the same message is looked for only when the database refuses a second one.
        first = _known(signal)
        if first is None:
            raise
        if first.account_id != signal.account_id:
            taken = "This external id is taken by a signal of another account."
            raise AlreadyDone(taken, field="external_id") from None
        return first
    return signal


def _known(signal: Signal) -> Signal | None:
    if not signal.external_id:
        return None
    return Signal.objects.filter(source=signal.source, external_id=signal.external_id).first()


def _storable(text: str) -> str:
    """Databases refuse zero bytes and lone surrogates; each is replaced by one other character, so that positions do
    not change."""
    cut = text[:KEPT_CHARACTERS].replace("\x00", "\ufffd")
    return cut.encode("utf-8", "replace").decode("utf-8")


def _asked(text: str) -> tuple[Decimal | None, str]:
    found = money_asked(text)
    if found is None or not 0 < found[0] < LARGEST_AMOUNT:
        return None, ""
    return found[0].quantize(Decimal("0.01")), found[1]


def _check_kind_and_contact(kind: str, account: Account, contact: Contact | None) -> None:
    if kind not in dict(Signal.KINDS):
        raise Invalid(f"Choose a kind of signal: {', '.join(slug for slug, _ in Signal.KINDS)}.", field="kind")
    if contact and contact.account_id != account.pk:
        raise Invalid("Choose a contact of this account.", field="contact")


def _check_money(amount: Decimal | None, currency: str) -> None:
    if amount is None:
        return
    if not amount.is_finite() or not 0 < amount < LARGEST_AMOUNT:
        raise Invalid("Enter an amount above 0 and below 1,000,000,000,000.", field="amount")
    if not currency:
        raise Invalid("Choose the currency of the amount.", field="currency")
    if currency not in known_currencies():
        raise Invalid(f"There is no exchange rate for {currency}. Use a known 3-letter code.", field="currency")
    if problem := too_precise(amount, currency):
        raise Invalid(problem, field="amount")
