"""The conversation with the customer on a case: what they say is shown, somebody is told, and a person may move it."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from django.db import transaction

from accounts.customers import contacts as customer_people
from accounts.models import Contact, Signal, User
from accounts.signals.record import RECEIVED_MAIL
from escalations import states
from escalations.cases import mail_files, notifications
from escalations.cases.access import check
from escalations.cases.log import Entry, lock_together, lock_with_requests, record
from escalations.cases.rules.addressing import BY_HAND, OPENED, is_answer
from escalations.cases.rules.thanks import only_thanks
from escalations.cases.which_case import Arrival
from escalations.clocks import verbs as clocks
from escalations.clocks.book import together
from escalations.models import CustomerMessage, Escalation, Event
from ledger import chain
from ledger.errors import AlreadyDone, Invalid, NotThere
from ledger.now import now
from messaging.inbound.rules.mail_auth import is_disproved, is_proven
from messaging.models import InboundMail

STILL_WAITS = "Our mail server says that the sender is not who the mail says, so the case still waits on the customer"


@dataclass(frozen=True)
class Said:
    """What is shown on a case: the signal, how it came, and a line of the system beside its kind."""

    signal: Signal
    arrival: Arrival
    aside: str = ""
    by: User | None = None

    @property
    def from_customer(self) -> bool:
        """Whether the customer's side said it: a contact, or the sender of a mail."""
        return bool(self.signal.contact_id or self.signal.sender)

    @property
    def who(self) -> str:
        """The name on the entry."""
        signal = self.signal
        if signal.contact:
            return signal.contact.name
        return signal.sender_name or signal.sender


@dataclass(frozen=True)
class Effect:
    """What a message does to its case. `thanks`: the rule that found only thanks in it."""

    thanks: str = ""
    came_back: bool = False
    ended_wait: bool = False


NO_EFFECT = Effect()


def show(case_id: int, said: Said, *, at: datetime) -> CustomerMessage:
    """Write a customer's message or a signal on a case, in the caller's transaction, and tell the owner and the communication
    lead. If the case waits on the customer, their words end the wait, but not those of a mail whose sender our mail server
    disproves. On an ended case they ask to be looked at, unless they are only thanks."""
    case = lock_with_requests(case_id)
    late = said.from_customer and not case.is_open
    thanks = only_thanks(_written(said), _names(case, said)) if late else ""
    ends_wait = said.from_customer and case.is_open and case.waiting_on == states.CUSTOMER
    if ends_wait and _disproved(said.arrival):
        said, ends_wait = replace(said, aside=f"{said.aside}. {STILL_WAITS}"), False
    with together(case):
        [event] = record(case, [entry_of(said)], at=at)
        if ends_wait:
            _end_wait(case, said.who, at)
    effect = Effect(thanks=thanks, came_back=late and not thanks, ended_wait=ends_wait)
    message = keep(case, said, event, effect)
    notifications.customer_wrote(case, message, who=said.who, by=said.by or said.signal.logged_by)
    return message


def keep(case: Escalation, said: Said, event: Event, effect: Effect = NO_EFFECT) -> CustomerMessage:
    """Keep how a message came to its case, beside the entry that shows it (`entry_of`). The words of a confidential case are
    read on the case alone from now on."""
    if case.confidential:
        Signal.objects.filter(pk=said.signal.pk).update(confidential=True)
    return CustomerMessage.objects.create(
        event=event,
        case=case,
        signal=said.signal,
        mail=said.arrival.mail,
        at=event.at,
        placed=said.arrival.how,
        came_from=said.arrival.came_from,
        proven=_proven(said.arrival),
        thanks=effect.thanks,
        came_back=effect.came_back,
        ended_wait=effect.ended_wait,
    )


def opening(signal: Signal) -> Said:
    """The signal that a case is opened from, with its mail if it is one."""
    mail = InboundMail.objects.filter(message_id=signal.external_id).first() if signal.source == RECEIVED_MAIL else None
    return Said(signal, Arrival(mail, how=OPENED))


def _written(said: Said) -> str:
    """What was written now: the subject of an answer was written before."""
    mail = said.arrival.mail
    return mail.visible_text if mail and is_answer(mail.subject) else said.signal.text


def entry_of(said: Said) -> Entry:
    """The entry that shows it."""
    signal, mail = said.signal, said.arrival.mail
    came_from = f", sent to {said.arrival.came_from}, a duplicate of this case" if said.arrival.came_from else ""
    data = {"signal": signal.pk, "phrases": signal.phrases, "sentiment": signal.sentiment, "placed": said.arrival.how}
    if mail is not None:
        data |= {"mail": mail.pk, "from": signal.sender}
    return Entry(
        kind=Event.CUSTOMER_MESSAGE if said.from_customer else "signal",
        audience=Event.CUSTOMER if said.from_customer else Event.INTERNAL,
        actor=None if said.from_customer else signal.logged_by,
        actor_name=said.who[:120],
        summary=signal.get_kind_display() + came_from + said.aside,
        text=signal.text,
        data=data,
    )


def _proven(arrival: Arrival) -> bool | None:
    mail = arrival.mail
    return is_proven(mail.single_from, mail.auth_results, settings.AUTHSERV_ID) if mail else None


def _disproved(arrival: Arrival) -> bool:
    return arrival.mail is not None and is_disproved(arrival.mail.auth_results, settings.AUTHSERV_ID)


def _names(case: Escalation, said: Said) -> list[str]:
    people = [row.user.name for row in case.people.select_related("user")]
    return [said.who, said.signal.sender_name, case.account.name, "Escalation Desk", *people]


def _end_wait(case: Escalation, who: str, at: datetime) -> None:
    case.waiting_on, case.version = states.NOBODY, case.version + 1
    chain.save(case, ["waiting_on", "version"])
    clocks.resume_all(case, at=at)
    record(case, [Entry(kind="waiting", summary=f"{who} answered. The case no longer waits on the customer.")], at=at)


@transaction.atomic
def move(*, message_id: int, by: User, to: Escalation) -> CustomerMessage:
    """Move a message to another case of the same account, for a person who may work on its case and sees the other one. Both
    logs keep an entry with who moved it; the words stay readable on both. A wait that it ended begins again.

    Raises NotAllowed, NotThere for a case that the person does not see, Invalid for a case of another account, the same case,
    erased words, or words of a confidential case that would go to an open one, AlreadyDone if it was moved.
    """
    found = CustomerMessage.objects.get(pk=message_id)
    at = now()
    cases = lock_together({found.case_id, to.pk})
    source, target = cases[found.case_id], cases[to.pk]
    message = CustomerMessage.objects.select_related("event__text", "signal__contact", "mail").get(pk=message_id)
    check(source, by, "move_message")
    if not Escalation.objects.visible_to(by, few=True).filter(pk=target.pk).exists():
        raise NotThere("There is no such case. Choose another case of the same account.", field="to")
    if message.moved_to_id:
        raise AlreadyDone("This message has been moved already. Reload the case.")
    if source.pk == target.pk or source.account_id != target.account_id or target.state == states.DUPLICATE:
        raise Invalid("Choose another case of the same account.", field="to")
    if source.confidential and not target.confidential:
        raise Invalid(
            f"{source.key} is confidential and {target.key} is not. More people would read the words.", field="to"
        )
    if message.event.text is None or message.event.text.erased_at:
        raise Invalid("The words of this message were erased, so it cannot be moved.", field="to")
    arrival = Arrival(message.mail, target, BY_HAND)
    said = Said(message.signal, arrival, aside=f". Moved here from {source.key} by {by.name}", by=by)
    moved = show(target.pk, said, at=at)
    if message.mail is not None:
        mail_files.take_after_commit(message.mail)
    note = Entry(kind="message.moved", summary=f"Message of {said.who or 'a signal'} moved to {target.key}", actor=by)
    record(source, [note], at=at)
    _leave(message, moved, by, at)
    if message.ended_wait and source.is_open and source.waiting_on == states.NOBODY:
        _wait_again(source, target, at)
    return moved


def _leave(message: CustomerMessage, moved: CustomerMessage, by: User, at: datetime) -> None:
    message.moved_to = moved
    if message.came_back and message.answered_at is None:
        message.answer, message.answered_at, message.answered_by = CustomerMessage.MOVED, at, by
    message.save(update_fields=["moved_to", "answer", "answered_at", "answered_by"])


def _wait_again(case: Escalation, other: Escalation, at: datetime) -> None:
    reason = f"the answer belonged to {other.key}"
    with together(case):
        case.waiting_on, case.version = states.CUSTOMER, case.version + 1
        chain.save(case, ["waiting_on", "version"])
        clocks.pause_all(case, at=at, reason=f"Waiting on customer: {reason}")
        record(case, [Entry(kind="waiting", summary=f"Waiting on customer again: {reason}.")], at=at)


@transaction.atomic
def nothing_to_do(*, case_id: int, by: User) -> Escalation:
    """Say that what came back on an ended case needs nothing; it leaves the view “Came back”.

    Raises NotAllowed unless the person may reopen the case, AlreadyDone if nothing waits there.
    """
    at, case = now(), lock_with_requests(case_id)
    check(case, by, "reopen")
    answered = {"answer": CustomerMessage.NOTHING, "answered_at": at, "answered_by": by}
    count = CustomerMessage.objects.came_back().filter(case=case).update(**answered)
    if not count:
        raise AlreadyDone("Nothing waits on this case any more. Reload the page.")
    record(case, [Entry(kind="came_back", summary="Looked at what came back: nothing to do", actor=by)], at=at)
    return case


@transaction.atomic
def add_contact(*, message_id: int, by: User, name: str = "") -> Contact:
    """Make the sender of a message a contact of the account; their earlier messages get the name too.

    Raises NotAllowed unless the person owns or leads the case or serves the account, Invalid without a sender or if the
    address belongs to another account.
    """
    message = CustomerMessage.objects.select_related("signal").get(pk=message_id)
    at, case = now(), lock_with_requests(message.case_id)
    check(case, by, "contact")
    signal = message.signal
    contact = customer_people.add_sender(
        account=case.account, name=name.strip() or signal.sender_name, email=signal.sender
    )
    record(case, [Entry(kind="contact", summary=f"{contact.name} added as a contact", actor=by)], at=at)
    return contact


def mark_opened(message_ids: Collection[int], *, by: User) -> None:
    """Remember who opened these messages first, for the list of those that nobody has opened. Called when their page is read:
    this one statement changes nothing else, and without it a person would have to say that they read a message."""
    CustomerMessage.objects.unopened().filter(pk__in=message_ids).update(opened_at=now(), opened_by=by)
