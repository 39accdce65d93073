"""The thread: internal posts, customer updates, the pinned status, and when the next update is due."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import Contact, User
from escalations import states
from escalations.cases import notifications
from escalations.cases.access import check, lock_inside
from escalations.cases.files import Place, attach, check_mailable, noted
from escalations.cases.log import Entry, lock, lock_with_requests, record
from escalations.cases.seal import seal_decided
from escalations.clocks import verbs as clocks
from escalations.clocks.book import together
from escalations.models import CaseFile, Escalation, Event
from escalations.policy.rows import rows_of
from ledger import chain
from ledger.errors import Invalid, NotAllowed, Stale
from ledger.files.uploads import Upload
from ledger.format import listed, moment
from ledger.now import now
from ledger.reading import has_words

EDIT_WINDOW = timedelta(minutes=10)
# The same customer update to the same person within this time is a second press.
SAME_WORDS = timedelta(minutes=15)


@transaction.atomic
def post(
    *,
    case_id: int,
    by: User,
    text: str,
    next_update_at: datetime | None = None,
    files: Sequence[Upload] = (),
) -> Event:
    """Post an internal entry with its files; it never goes to the customer. It meets the internal update, and the next
    one follows the rhythm of the tier; if it sets the next update itself, it is also a check-in.

    Raises NotAllowed for an external party; Invalid without text, for a next update in the past, and for a case that has
    ended; NotStored for a file that cannot be kept.
    """
    _need(text, next_update_at)
    at, case = now(), lock_inside(case_id, by)
    _not_ended(case)
    entry = Entry(kind=Event.UPDATE, audience=Event.INTERNAL, actor=by, text=text, data=noted(files))
    with together(case):
        [event] = record(case, [entry], at=at)
        first_act(case, by, at)
        inside_told(case, at, next_update_at, check_in=next_update_at is not None)
        if next_update_at and case.is_open:
            _keep_next_update(case, next_update_at)
    attach(case, files, Place(CaseFile.THREAD, by, at, event=event))
    notifications.posted(case, event)
    return event


def inside_told(case: Escalation, at: datetime, due: datetime | None = None, *, check_in: bool) -> None:
    """An internal update of an open case was made: its clock is met and the next one runs, by the rhythm or to the
    given date. The same for the check-in, if a person checked the status of the case."""
    if not case.is_open:
        return
    why = "Next update promised on the thread" if due else ""
    clocks.stop(case, states.INTERNAL_UPDATE, at=at)
    clocks.start(case, states.INTERNAL_UPDATE, at=at, due_at=due, why=why)
    if check_in:
        clocks.stop(case, states.CHECK_IN, at=at)
        clocks.start(case, states.CHECK_IN, at=at)


def _need(text: str, next_update_at: datetime | None) -> None:
    if not has_words(text):
        raise Invalid("Write what changed, what it means and what happens next.", field="text")
    if next_update_at and next_update_at <= now():
        raise Invalid("The next update must be in the future. Enter a later date and time.", field="next_update_at")


@transaction.atomic
def customer_update(
    *,
    case_id: int,
    by: User,
    text: str,
    contacts: list[Contact],
    next_update_at: datetime | None = None,
    files: Sequence[Upload] = (),
) -> Event:
    """Mail a customer update with its files to the chosen contacts; only the communication lead may do this.

    Stops the customer-update clock and starts the next one by the policy's target and its calendar (or to the time given);
    meets the first response. Raises NotAllowed for others, Invalid without text or recipients, with contacts of another
    account, for files that a mail cannot carry and for a case that has ended; NotStored for a file that cannot be kept.
    """
    _need(text, next_update_at)
    at, case = now(), lock_with_requests(case_id)
    check(case, by, "customer_update")
    _not_ended(case)
    if not contacts:
        raise Invalid("Choose at least one contact who gets the update.", field="contacts")
    if any(contact.account_id != case.account_id for contact in contacts):
        raise Invalid("Contacts must belong to the account of the case.", field="contacts")
    _not_again(case, text, contacts, by, at)
    check_mailable(files)
    names = ", ".join(contact.name for contact in contacts)
    data = {"contacts": [contact.pk for contact in contacts], **noted(files)}
    entry = Entry(
        kind=Event.CUSTOMER_UPDATE, audience=Event.CUSTOMER, actor=by, text=text, summary=f"To {names}", data=data
    )
    with together(case):
        [event] = record(case, [entry], at=at)
        first_act(case, by, at)
        clocks.stop(case, states.RESPONSE, at=at)
        if case.is_open:
            _keep_next_update(case, _next_to_customer(case, next_update_at, at))
    attach(case, files, Place(CaseFile.THREAD, by, at, audience=Event.CUSTOMER, event=event))
    notifications.customer_update(case, event, contacts)
    seal_decided(case)
    return event


def _not_again(case: Escalation, text: str, contacts: list[Contact], by: User, at: datetime) -> None:
    """A page that is opened again with "Back" still has the words that were sent."""
    sent = case.events.filter(kind=Event.CUSTOMER_UPDATE, at__gte=at - SAME_WORDS, text__body=text).order_by("-seq")
    for event in sent:
        again = [contact.name for contact in contacts if contact.pk in event.data.get("contacts", [])]
        if again:
            when = moment(event.at, by.zone, at)
            words = (
                f"{event.actor_name} sent {listed(again)} the same text at {when}. Change it to send another update."
            )
            raise Invalid(words, field="text")


def _not_ended(case: Escalation) -> None:
    if case.state in states.ENDED:
        word = case.get_state_display().lower()
        raise Invalid(f"{case.key} is {word}, so it takes no updates. Reopen it first.", field="text")


def _next_to_customer(case: Escalation, given: datetime | None, at: datetime) -> datetime | None:
    """Start the clock of the next customer update: to the time that was given, else by the policy's target on its calendar, as
    the first one; without a target by the rhythm of the tier. Returns when it is due."""
    clocks.stop(case, states.CUSTOMER_UPDATE, at=at)
    if given is None:
        if clock := clocks.start(case, states.CUSTOMER_UPDATE, at=at):
            return clock.due_at
        row = rows_of(case.policy).cadences.get(case.tier)
        given = at + timedelta(minutes=row.customer_minutes) if row else None
    if given is not None:
        clocks.start(case, states.CUSTOMER_UPDATE, at=at, due_at=given, why="Next update promised to the customer")
    return given


def _keep_next_update(case: Escalation, due: datetime | None) -> None:
    case.next_update_at = due
    chain.save(case, ["next_update_at"])


@transaction.atomic
def set_status(*, case_id: int, by: User, text: str, version: int) -> Escalation:
    """Replace the pinned status: an internal update and a check-in. Raises Stale if another user changed the status
    since `version`.
    """
    if not has_words(text):
        raise Invalid("Write the current status in one to three sentences.", field="text")
    at, case = now(), lock(case_id)
    check(case, by, "status")
    if version != case.version:
        raise Stale(
            f"{case.status_by or 'Another user'} changed the case while you typed. Review both texts.", field="text"
        )
    with together(case):
        case.status_text, case.status_by, case.status_at, case.version = text, by, at, case.version + 1
        chain.save(case, ["status_text", "status_by", "status_at", "version"])
        record(
            case, [Entry(kind="status", audience=Event.INTERNAL, actor=by, text=text, summary="Status changed")], at=at
        )
        first_act(case, by, at)
        inside_told(case, at, check_in=True)
    return case


@transaction.atomic
def correct(*, case_id: int, event_id: int, by: User, text: str) -> Event:
    """Add an entry that replaces one's own entry: an edit within 10 minutes, a correction later. The earlier text is
    kept. To correct a correction is to correct the entry again, so all its versions name the first one."""
    if not has_words(text):
        raise Invalid("Write the corrected text.", field="text")
    at, case = now(), lock_inside(case_id, by)
    old = case.events.select_related("replaces").get(pk=event_id)
    if old.actor_id != by.pk or old.kind not in (Event.UPDATE, Event.NOTE_DECISION):
        raise NotAllowed("Only the author can correct an internal entry.")
    word = "edited" if at - old.at <= EDIT_WINDOW else "corrected"
    entry = Entry(
        kind=old.kind,
        audience=old.audience,
        actor=by,
        text=text,
        summary=word.capitalize(),
        replaces=old.replaces or old,
        data={"how": word},
    )
    return record(case, [entry], at=at)[0]


@transaction.atomic
def wait_on(*, case_id: int, by: User, whom: str, reason: str) -> Escalation:
    """Set what the case waits on. “Nobody” resumes the clocks; everything else pauses them.

    Raises Invalid without a reason or for an unknown value.
    """
    waiting = states.WAITING.get(whom)
    if waiting is None:
        raise Invalid(states.CHOOSE_WAITING, field="waiting_on")
    if waiting.pauses and not has_words(reason):
        raise Invalid("Enter why the clocks pause.", field="reason")
    at, case = now(), lock_with_requests(case_id)
    check(case, by, "pause")
    with together(case):
        case.waiting_on = whom
        case.version += 1
        chain.save(case, ["waiting_on", "version"])
        if waiting.pauses:
            clocks.pause_all(case, at=at, reason=f"Waiting on {waiting.words}: {reason}")
        else:
            clocks.resume_all(case, at=at)
        record(case, [Entry(kind="waiting", summary=f"Waiting on {waiting.words}: {reason}", actor=by)], at=at)
    return case


def first_act(case: Escalation, by: User, at: datetime) -> None:
    """The owner's first act after accepting stops its clock and is stored for hand-off quality."""
    if case.owner_id != by.pk:
        return
    handoff = case.handoffs.filter(to_user=by, state="accepted", first_act_at__isnull=True).last()
    if handoff:
        handoff.first_act_at = at
        handoff.save(update_fields=["first_act_at"])
        clocks.stop(case, states.FIRST_ACT, at=at)
