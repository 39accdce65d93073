"""The effects of signals and mail: signals update health, triggers and cases; mail is assigned to its case or account."""

import re
from collections.abc import Sequence
from decimal import Decimal

from django.db import transaction

from accounts.customers.queries import account_for_address
from accounts.customers.rates import usd
from accounts.models import Account, Contact, Signal, User
from accounts.signals import kinds
from accounts.signals import record as signal_verbs
from accounts.signals.rules.tone import asks_money_back, money_asked
from approvals.matrix.concessions import money_back_slug
from escalations import states
from escalations.cases import intake
from escalations.cases.duplicates import original_of
from escalations.cases.log import Entry, lock, record
from escalations.models import Escalation, Event, PolicyVersion, TriggerRule
from escalations.triage import health
from escalations.triage.rules import triggers
from ledger.errors import Invalid, NotAllowed
from ledger.now import now
from messaging.inbound import receive as inbound
from messaging.models import InboundMail

CASE_ADDRESS = re.compile(r"\bcase\+(\d{1,12})@", re.IGNORECASE)
MAIL = "email"


def on_signals(signals: Sequence[Signal], *, written_to: Escalation | None = None) -> None:
    """Compute health again and show the text in an open case of the account; if there is none, a trigger may open one.
    `written_to` is the case of the account to which the mail behind the signals was addressed."""
    for signal in signals:
        health.recompute(signal.account, at=now())
        fired = evaluate(signal)
        related = _open_case(signal, fired, written_to)
        if related is not None:
            _show(related, signal, fired)
        elif fired is not None:
            rule, reason = fired
            open_by_trigger(signal, rule, reason)


def facts_of(signal: Signal) -> triggers.SignalFacts:
    """The facts of a signal for triggers."""
    rounds = 0
    if signal.kind == Signal.COUNTERPROPOSAL:
        series = Signal.objects.filter(account=signal.account, kind=Signal.COUNTERPROPOSAL).order_by("at", "pk")
        rounds = triggers.rounds_without_concession(list(series.values_list("with_concession", flat=True)))
    phrases = tuple((phrase["kind"], phrase["text"], phrase["weight"]) for phrase in signal.phrases)
    renewal, asked = signal.account.renewal_date, money_back(signal)
    try:
        amount = usd(*asked, now().date()) if asked else None
    except Invalid:
        amount = None
    return triggers.SignalFacts(
        kind=signal.kind,
        phrases=phrases,
        amount=amount,
        renewal_days=(renewal - now().date()).days if renewal else None,
        rounds_without_concession=rounds,
        asks_refund=asked is not None,
    )


def money_back(signal: Signal) -> tuple[Decimal, str] | None:
    """The amount that this customer asks back, with its currency: by words, or by the kind of the signal. Another amount of a
    signal, such as the price in a counterproposal, is not asked back."""
    kind = kinds.BY_SLUG[signal.kind]
    given = (signal.amount, signal.currency) if signal.amount is not None else None
    if kind.money_back and given:
        return given
    if words := money_asked(signal.text):
        return words
    return given if given and not kind.commercial and asks_money_back(signal.text) else None


def evaluate(signal: Signal) -> tuple[triggers.Rule, str] | None:
    """The trigger of the policy in force that fires for this signal, with its reason."""
    rows = TriggerRule.objects.filter(version=PolicyVersion.objects.in_force(now()), active=True)
    names = ("slug", "name", "condition", "threshold", "issue_type")
    rules = [triggers.Rule(**{name: getattr(row, name) for name in names}) for row in rows]
    return triggers.first_fired(rules, facts_of(signal))


def _open_case(
    signal: Signal, fired: tuple[triggers.Rule, str] | None, written_to: Escalation | None
) -> Escalation | None:
    """The case of this signal: the one its mail was addressed to, if it is open (or no trigger fired); else an open
    case, with the trigger's issue type if one fired, otherwise the newest of the account."""
    if written_to is not None and (written_to.is_open or fired is None):
        return written_to
    cases = Escalation.objects.open().filter(account=signal.account).order_by("-opened_at")
    if fired is not None:
        cases = cases.filter(issue_type__slug=fired[0].issue_type)
    return cases.first()


def _show(case: Escalation, signal: Signal, fired: tuple[triggers.Rule, str] | None) -> None:
    case = lock(case.pk)
    entry = Entry(
        kind=Event.CUSTOMER_MESSAGE if signal.contact else "signal",
        audience=Event.CUSTOMER if signal.contact else Event.INTERNAL,
        actor=None if signal.contact else signal.logged_by,
        actor_name=signal.contact.name if signal.contact else "",
        summary=signal.get_kind_display() + (f". Would have opened a case: {fired[1]}" if fired else ""),
        text=signal.text,
        data={"signal": signal.pk, "phrases": signal.phrases, "sentiment": signal.sentiment},
    )
    record(case, [entry], at=signal.recorded_at)
    if case.waiting_on == states.CUSTOMER and signal.contact:
        notice = "The customer answered; the clocks may resume."
        record(case, [Entry(kind="waiting", summary=notice)], at=signal.recorded_at)


def open_by_trigger(signal: Signal, rule: triggers.Rule, reason: str) -> Escalation:
    """Open a case automatically, filled from the signal; its impasse began with the signal. Words set no flag: only a signal
    that was logged as a flag does."""
    flagged = kinds.BY_SLUG[signal.kind].security
    asked = money_back(signal)
    refund = money_back_slug(now()) if rule.asks_money_back else ""
    data = intake.Intake(
        account=signal.account,
        issue_type=rule.issue_type,
        title=f"{rule.name}: {signal.account.name}",
        issue=signal.text.strip()[:600] or reason,
        impact=reason,
        impasse_at=min(signal.at, now()),
        concession=refund,
        amount=asked[0] if refund and asked else None,
        currency=asked[1] if asked else signal.currency or signal.account.currency,
        legal=flagged and any(phrase["kind"] == "legal" for phrase in signal.phrases),
        security=flagged,
        blocker=not rule.asks_money_back,
        signal=signal,
    )
    return intake.open_case(data, by=None, trigger=rule.slug, trigger_text=f"{rule.name}: {reason}")


def on_mail(mail: InboundMail) -> None:
    """Mail to a case's address goes to its thread; mail from a known sender becomes a signal; other mail waits."""
    known = account_for_address(mail.sender)
    case = _addressed_case(mail) if known else None
    if known is None or (case is not None and case.account_id != known[0].pk):
        return
    account, contact = known
    with transaction.atomic(savepoint=False):
        _attach(mail, account, contact, None, case)


@transaction.atomic
def place(*, mail: InboundMail, account: Account, by: User) -> Signal:
    """Attach a mail to an account as a signal and mark it placed, for a person who sees the account.

    Raises NotAllowed, and AlreadyDone if it was placed before.
    """
    if not Account.objects.visible_to(by).filter(pk=account.pk).exists():
        raise NotAllowed("You cannot place mail on this account.")
    case = _addressed_case(mail)
    return _attach(mail, account, None, by, case if case and case.account_id == account.pk else None)


def _addressed_case(mail: InboundMail) -> Escalation | None:
    found = CASE_ADDRESS.search(" ".join(str(address) for address in mail.recipients))
    case = Escalation.objects.filter(pk=int(found[1])).first() if found else None
    return original_of(case) if case else None


def _attach(
    mail: InboundMail, account: Account, contact: Contact | None, by: User | None, case: Escalation | None
) -> Signal:
    inbound.claim(mail=mail, note=f"Placed on {account.name}", by=by)
    return signal_verbs.record(
        signal_verbs.Observed(
            kind=Signal.EMAIL,
            text=mail.visible_text or mail.text,
            at=mail.sent_at if mail.sent_at and mail.sent_at <= now() else now(),
            contact=contact,
        ),
        account=account,
        source=MAIL,
        external_id=mail.message_id,
        logged_by=by,
        origin=case,
    )
