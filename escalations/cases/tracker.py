"""Actions, execution proofs and commitments."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from accounts.models import User
from approvals.requests.ask import FARTHEST
from escalations import states
from escalations.cases import conditions, notifications
from escalations.cases.access import check, check_inside
from escalations.cases.duties import check_named
from escalations.cases.files import Place, attach, noted
from escalations.cases.log import Entry, lock, lock_with_requests, record
from escalations.cases.seal import seal_granted
from escalations.cases.thread import first_act
from escalations.clocks import verbs as clocks
from escalations.clocks.targets import business_day, end_of_business
from escalations.models import Action, CaseFile, Clock, Commitment, Escalation
from ledger.errors import AlreadyDone, Invalid
from ledger.files.uploads import Upload
from ledger.now import now
from ledger.reading import has_words


@transaction.atomic
def add_action(*, case_id: int, by: User, title: str, owner: User, due_at: datetime, execution: bool = False) -> Action:
    """A new action with an owner and a due time. Raises Invalid for an empty title, and for a due time that has passed or is
    more than ten years away."""
    if not has_words(title):
        raise Invalid("Enter what is to be done.", field="title")
    check_named(owner, field="owner")
    at, case = now(), lock(case_id)
    if due_at <= at:
        raise Invalid("The due time must be in the future. Enter a later date and time.", field="due_at")
    if due_at > at + FARTHEST:
        raise Invalid("Enter a due time within ten years.", field="due_at")
    check(case, by, "action")
    return _add(case, by, title, owner, due_at, execution, at)


def _add(
    case: Escalation, by: User | None, title: str, owner: User, due_at: datetime, execution: bool, at: datetime
) -> Action:
    action = Action.objects.create(
        case=case, title=title[:200], owner=owner, due_at=due_at, execution=execution, made_at=at
    )
    data = {"action": action.pk, "owner": owner.pk, "execution": execution}
    record(case, [Entry(kind="action", summary=f"Action for {owner.name}: {title}", actor=by, data=data)], at=at)
    notifications.action_given(case, action, by)
    return action


@transaction.atomic
def finish_action(*, action_id: int, by: User, proof: str = "", files: Sequence[Upload] = ()) -> Action:
    """Mark an action done. An execution action needs a proof (credit note number, ticket, a file such as the signed page);
    then the grant is carried out and cannot be undone. Raises Invalid without that proof, AlreadyDone if it is done or was
    cancelled, NotStored for a file that cannot be kept.
    """
    check_inside(by)
    at = now()
    action = Action.objects.select_related("case").get(pk=action_id)
    case = lock_with_requests(action.case_id) if action.execution else lock(action.case_id)
    action.refresh_from_db()
    if by.pk != action.owner_id:
        check(case, by, "action")
    if action.state == Action.DONE:
        raise AlreadyDone(f"“{action.title}” is already done.")
    if action.state == Action.CANCELLED:
        raise AlreadyDone(f"“{action.title}” was cancelled. Do not carry it out.")
    if action.execution and not has_words(proof) and not files:
        raise Invalid("Enter the proof: a credit note, ticket or document number, or attach a file.", field="proof")
    action.state, action.done_at, action.done_by, action.proof = Action.DONE, at, by, proof[:300]
    action.save()
    done = f"Done: {action.title}" + (f" ({proof})" if proof else "")
    entry = Entry(kind="action.done", summary=done, actor=by, data={"action": action.pk, **noted(files)})
    [event] = record(case, [entry], at=at)
    attach(case, files, Place(CaseFile.PROOF, by, at, event=event, action=action))
    first_act(case, by, at)
    if action.execution:
        seal_granted(case)
    return action


@transaction.atomic
def promise(*, case_id: int, by: User, text: str, owner: User, due_on: date, who: str = Commitment.US) -> Commitment:
    """Make a commitment on this case. It outlives the case, with its clock to the end of business on that day. If it is
    ours, the customer knows what was granted, so that cannot be undone. Raises Invalid if text or side is missing, and for
    a day that is over or more than ten years away.
    """
    if not has_words(text):
        raise Invalid("Enter the commitment.", field="text")
    if who not in dict(Commitment.BY):
        raise Invalid("Choose who made the commitment: us or them.", field="by")
    check_named(owner, field="owner")
    at, case = now(), lock_with_requests(case_id)
    _check_day(due_on, at)
    check(case, by, "action")
    made = Commitment.objects.create(
        account=case.account, case=case, by=who, text=text[:300], owner=owner, due_on=due_on, made_at=at
    )
    conditions.start(case, made, by=by, at=at)
    if who == Commitment.US:
        seal_granted(case)
    return made


@transaction.atomic
def move_day(*, commitment_id: int, by: User, due_on: date, reason: str) -> Commitment:
    """Give a condition of an approval another day, with the reason. Raises NotAllowed for people who have no part in it,
    AlreadyDone if it is not open any more, Invalid for a promise, a day that is over, the same or more than ten years away,
    and without a reason.
    """
    made = Commitment.objects.select_for_update(of=("self",)).select_related("case").get(pk=commitment_id)
    if made.case is None or made.by != Commitment.CONDITION:
        raise Invalid("Only the day of a condition can be changed. A promise keeps its day.", field="due_on")
    if by.pk != made.owner_id:
        check(made.case, by, "action")
    if made.state != Commitment.OPEN:
        raise AlreadyDone(f"This condition is already {made.get_state_display().lower()}.")
    at = now()
    if due_on == made.due_on:
        raise Invalid("This is already the day of the condition. Enter another day.", field="due_on")
    _check_day(due_on, at)
    if not has_words(reason):
        raise Invalid("Enter why the day changes.", field="reason")
    conditions.move_day(lock(made.case.pk), made, due_on, by=by, reason=reason, at=at)
    return made


def _check_day(due_on: date, at: datetime) -> None:
    """Raises Invalid for a day that is over, or too far away for the pages to show it in every zone."""
    if due_on > (at + FARTHEST).date():
        raise Invalid("Enter a day within ten years.", field="due_on")
    # A day of long ago is compared as it stands: the first days of the calendar have no moment in every zone.
    if due_on < business_day(at) or end_of_business(due_on) <= at:
        raise Invalid("The end of business on that day has passed. Enter a later day.", field="due_on")


@transaction.atomic
def keep(*, commitment_id: int, by: User, kept: bool = True) -> Commitment:
    """Mark a commitment as kept or broken; its clock ends met or missed. Raises NotAllowed for people who have no part
    in it, AlreadyDone if it is marked already.
    """
    check_inside(by)
    # The case before what hangs on it, as every other verb locks them.
    case_id = Commitment.objects.values_list("case", flat=True).get(pk=commitment_id)
    case = lock(case_id) if case_id else None
    made = Commitment.objects.select_for_update(of=("self",)).select_related("case").get(pk=commitment_id)
    if made.case and by.pk != made.owner_id:
        check(made.case, by, "action")
    if made.state != Commitment.OPEN:
        raise AlreadyDone(f"This commitment is already {made.get_state_display().lower()}.")
    at = now()
    made.state, made.kept_at = (Commitment.KEPT if kept else Commitment.BROKEN), at
    made.save(update_fields=["state", "kept_at"])
    if case:
        record(case, [Entry(kind="commitment", summary=f"{made.get_state_display()}: {made.text}", actor=by)], at=at)
        clocks.stop(case, states.COMMITMENT, at=at, outcome="" if kept else Clock.MISSED, about=made.pk)
    return made
