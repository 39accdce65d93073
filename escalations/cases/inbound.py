"""The effects of signals and mail: signals update health, triggers and cases; mail is assigned to its case or account."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from accounts.customers.queries import account_for_address
from accounts.customers.rates import usd
from accounts.models import Account, Contact, Signal, User
from accounts.signals import kinds
from accounts.signals import record as signal_verbs
from accounts.signals.rules.tone import asks_money_back, money_asked
from approvals.matrix.concessions import money_back_slug
from escalations.cases import conversation, intake, notifications, which_case
from escalations.cases.access import check
from escalations.cases.conversation import Said
from escalations.cases.queries import mails
from escalations.cases.rules.addressing import BY_HAND, GUESS, keys_in, own_subject, whole_words
from escalations.cases.which_case import Arrival
from escalations.models import CustomerMessage, Escalation, PolicyVersion, TriggerRule
from escalations.triage import health
from escalations.triage.rules import triggers
from ledger.errors import Invalid, NotAllowed
from ledger.now import now
from messaging.inbound import receive as inbound
from messaging.models import InboundMail, Message

# A day less than the form allows, because the case is opened a moment later.
OLDEST_IMPASSE = intake.OLDEST_IMPASSE - timedelta(days=1)
# Mail servers try this long to deliver a mail (RFC 5321, 4.5.4.1).
LONGEST_DELIVERY = timedelta(days=5)
LEFT_OUT = "This amount cannot be kept, so the case names none. Read the message."


def on_signals(signals: Sequence[Signal], *, arrival: Arrival | None = None) -> None:
    """Compute health again and show the text on a case of the account; if none is open, a trigger may open one, else the CSM
    is told. `arrival`: the mail behind the signals, and its case if something tells it."""
    for signal in signals:
        health.recompute(signal.account, at=now())
        fired = evaluate(signal)
        related = _case_of(signal, fired, arrival)
        if related is not None:
            aside = f". Would have opened a case: {fired[1]}" if fired else ""
            said = Said(signal, arrival or Arrival(), aside)
            conversation.show(related.pk, said, at=signal.recorded_at)
        elif fired is not None:
            rule, reason = fired
            open_by_trigger(signal, rule, reason)
        else:
            notifications.wrote_without_case(signal)


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


def _case_of(signal: Signal, fired: tuple[triggers.Rule, str] | None, arrival: Arrival | None) -> Escalation | None:
    """The case of this signal: the one that its mail tells, even an ended one; else an open case, with the trigger's issue
    type if one fired, otherwise the newest of the account. A confidential one is guessed only if no other is open."""
    if arrival is not None and arrival.case is not None:
        return arrival.case
    cases = Escalation.objects.open().filter(account=signal.account).order_by("confidential", "-opened_at")
    if fired is not None:
        cases = cases.filter(issue_type__slug=fired[0].issue_type)
    return cases.first()


def open_by_trigger(signal: Signal, rule: triggers.Rule, reason: str) -> Escalation:
    """Open a case automatically, filled from the signal; its impasse began with the signal, at most as long ago as the form
    allows. Words set no flag: only a signal that was logged as a flag does. An amount that cannot be kept is left out, and the
    thread says so."""
    at, flagged = now(), kinds.BY_SLUG[signal.kind].security
    asked = money_back(signal)
    refund = money_back_slug(at) if rule.asks_money_back else ""
    data = intake.Intake(
        account=signal.account,
        issue_type=rule.issue_type,
        title=f"{rule.name}: {signal.account.name}",
        issue=signal.text.strip()[:600] or reason,
        impact=reason,
        impasse_at=max(min(signal.at, at), at - OLDEST_IMPASSE),
        concession=refund,
        amount=asked[0] if refund and asked else None,
        currency=asked[1] if asked else signal.currency or signal.account.currency,
        legal=flagged and any(phrase["kind"] == "legal" for phrase in signal.phrases),
        security=flagged,
        blocker=not rule.asks_money_back,
        signal=signal,
    )
    opened_by = f"{rule.name}: {reason}"
    if intake.amount_problem(data, at):
        data, opened_by = replace(data, amount=None), f"{opened_by}. {LEFT_OUT}"
    return intake.open_case(data, by=None, trigger=rule.slug, trigger_text=opened_by)


def on_mail(mail: InboundMail) -> None:
    """Mail of a known sender becomes a signal and stands on its case; other mail waits for a person, as does mail that only
    names a case of another account."""
    known = account_for_address(mail.sender)
    if known is None:
        return
    account, contact = known
    arrival, foreign = which_case.find(mail, account)
    if foreign is not None:
        inbound.keep_waiting(
            mail=mail, note=f"{mail.sender} of {account.name} wrote to {foreign.key}, a case of another account."
        )
        return
    with transaction.atomic(savepoint=False):
        _attach(mail, account, contact, None, arrival)


@transaction.atomic
def place(*, mail: InboundMail, account: Account, by: User) -> Signal:
    """Attach a mail to an account as a signal and mark it placed, for a person who sees the account.

    Raises NotAllowed, also for a mail of a confidential case that the person may not open, and AlreadyDone if it was placed
    before.
    """
    if mails.unreadable(by, [mail]):
        raise NotAllowed("This mail belongs to a confidential case. The people named on it place it.")
    if not Account.objects.visible_to(by).filter(pk=account.pk).exists():
        raise NotAllowed("You cannot place mail on this account.")
    arrival, _ = which_case.find(mail, account)
    return _attach(mail, account, _contact_of(mail, account), by, arrival)


@transaction.atomic
def file_on(*, mail: InboundMail, case: Escalation, by: User) -> Signal:
    """File a mail that was set aside as automatic on a case of its sender's account, for a person who may work on the case.

    Raises NotAllowed, Invalid for a case of another account and for a mail to another, confidential case, AlreadyDone if it
    was filed before.
    """
    check(case, by, "move_message")
    known = account_for_address(mail.sender)
    if known is None or known[0].pk != case.account_id or mail.state != InboundMail.AUTOMATIC:
        raise Invalid("Choose a case of the sender's account.", field="case")
    arrival, _ = which_case.find(mail, case.account)
    if arrival.case and arrival.case.confidential and arrival.case.pk != case.pk:
        raise Invalid("This mail was written to a confidential case of the account. File it there.", field="case")
    return _attach(mail, case.account, known[1], by, Arrival(mail, case, BY_HAND))


def _contact_of(mail: InboundMail, account: Account) -> Contact | None:
    known = account_for_address(mail.sender)
    return known[1] if known and known[0].pk == account.pk else None


def _words_of(mail: InboundMail) -> str:
    """What a case shows of a mail, and what is read for phrases and triggers."""
    subject = own_subject(mail.subject)
    return whole_words("" if _is_ours(subject) else subject, mail.visible_text or mail.text) or "The message is empty."


def _is_ours(subject: str) -> bool:
    """Whether we sent this subject: those of our mails name their case."""
    keys = keys_in(subject)
    return bool(keys) and Message.objects.filter(case_key__in=keys, subject__iexact=subject[:300]).exists()


def _written_at(mail: InboundMail) -> datetime:
    """The date in the mail; the time it was received if the date is later than that or older than a delivery takes, because
    a sender may write any date."""
    sent, received = mail.sent_at, mail.received_at
    return sent if sent and received - LONGEST_DELIVERY <= sent <= received else received


def _attach(mail: InboundMail, account: Account, contact: Contact | None, by: User | None, arrival: Arrival) -> Signal:
    placed = f"Placed on {account.name}"
    named = _named(arrival.case, arrival.how == GUESS) if arrival.case else ""
    inbound.claim(mail=mail, note=placed + named, by=by)
    made = signal_verbs.record(
        signal_verbs.Observed(
            kind=Signal.EMAIL,
            text=_words_of(mail),
            at=_written_at(mail),
            contact=contact,
            sender=mail.sender,
            sender_name=mail.sender_name,
        ),
        account=account,
        source=signal_verbs.RECEIVED_MAIL,
        external_id=mail.message_id,
        logged_by=by,
        origin=arrival,
    )
    if arrival.case is None:
        # A trigger may have opened a case, or chosen one.
        shown = CustomerMessage.objects.filter(signal=made).select_related("case").first()
        if shown is not None and (named := _named(shown.case, shown.is_guess)):
            inbound.note(mail=mail, note=placed + named)
    return made


def _named(case: Escalation, guessed: bool) -> str:
    """The case of a mail, for the list of received mail; nothing of a confidential one."""
    return "" if case.confidential else f", {case.key}{', by guess' if guessed else ''}"
