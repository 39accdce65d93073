"""The one door for a decision."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from accounts.models import Role, User
from approvals.mail import links
from approvals.mail import messages as mail
from approvals.models import ApprovalRequest, ApprovalStep, DecisionEntry
from approvals.queries import what_happened, with_people
from approvals.requests import log
from approvals.requests import seats as seating
from approvals.requests import suggest as suggesting
from approvals.requests import votes as voting
from approvals.requests.permissions import OWN, Standing, standing
from approvals.requests.rules.conflicts import OWN as OWN_WORDS
from approvals.requests.rules.verdicts import CONDITIONS, DECLINED, VERDICTS, check_words, goes_against, what_is_missing
from approvals.requests.talk import answer, comment, pass_up, question, remind
from approvals.requests.undo import UNDO_WINDOW, may_undo, undo
from ledger.errors import AlreadyDone, Invalid, NotAllowed, NotThere, Stale
from ledger.format import moment
from ledger.now import now

__all__ = [
    "UNDO_WINDOW",
    "answer",
    "comment",
    "decide",
    "may_recall",
    "may_undo",
    "pass_up",
    "question",
    "recall",
    "remind",
    "seal",
    "undo",
]


@transaction.atomic
def decide(
    *,
    request_id: int,
    by: User,
    verdict: str,
    version: int,
    step: int | None = None,
    reason: str = "",
    conditions: str = "",
    channel: str = DecisionEntry.WEB,
) -> ApprovalRequest:
    """Approve, approve with conditions or decline, for every door. `version` (and `step`, the seat) is what the person saw.

    Each seat is decided once, by exactly one of any number at once; the last one needed ends the request. Raises AlreadyDone
    when it is over, Stale when it changed since, NotAllowed for whoever would approve for themselves, for people it was not put
    to (unless of higher authority) and beyond the limit with what was granted before; Invalid when the verdict is unknown or a
    reason or the conditions are missing.
    """
    if verdict not in VERDICTS:
        raise Invalid(f"Choose one of {', '.join(VERDICTS)}.", field="verdict")
    at = now()
    _claim(request_id, by, version, step, at)
    request = with_people(ApprovalRequest.objects.filter(pk=request_id)).get()
    right = _right(request, by, verdict, step, at)
    against = goes_against(verdict, request.options, conditions)
    words = {"verdict": verdict, "reason": reason, "conditions": conditions}
    suggested = suggesting.goes_against(request, verdict)
    field, missing = what_is_missing(**words, override=right.override, against=against, suggested=suggested)
    if missing:
        raise Invalid(missing, field=field)
    kept = conditions.strip() if verdict == CONDITIONS else ""
    said = voting.Said(by, verdict, right, reason.strip(), kept, channel, against)
    voting.settle(request, voting.take_seat(request, said, at), said, at)
    if request.state in (ApprovalRequest.APPROVED, ApprovalRequest.CONDITIONS):
        voting.weigh_again(request, at)
    return request


def _claim(request_id: int, by: User, version: int, step: int | None, at: datetime) -> None:
    """The conditional UPDATE everything hangs on: it finds the row as it was seen, and holds it until the end."""
    rows = ApprovalRequest.objects.filter(pk=request_id, state=ApprovalRequest.OPEN, version=version)
    if not rows.update(version=F("version")):
        raise _why_not(request_id, by, at)
    if step is None:
        return
    seat = ApprovalStep.objects.filter(request=request_id, order=step).select_related("said_by").first()
    if seat is None or seat.state != ApprovalStep.WAITING:
        raise _seat_gone(request_id, seat, by, at)


def _seat_gone(request_id: int, seat: ApprovalStep | None, by: User, at: datetime) -> Exception:
    if seat is None or seat.state != ApprovalStep.DECIDED or seat.ended_at is None:
        return _why_not(request_id, by, at)
    when = moment(seat.ended_at, by.zone, at)
    return AlreadyDone(f"This part was decided by {seat.said_by} at {when}. There is nothing left for you to decide.")


def _why_not(request_id: int, by: User, at: datetime) -> Exception:
    request = with_people(ApprovalRequest.objects.filter(pk=request_id)).first()
    if request is None:
        return NotThere("There is no such request.")
    if not request.is_open:
        return AlreadyDone(f"{what_happened(request, by, at)}.")
    return Stale(_what_changed(request, by, at))


def _what_changed(request: ApprovalRequest, by: User, at: datetime) -> str:
    talk = (DecisionEntry.REMINDED, DecisionEntry.QUESTION, DecisionEntry.ANSWER, DecisionEntry.COMMENT)
    entry = request.log.exclude(kind__in=talk).last()
    since = moment(entry.at if entry else request.step_since, by.zone, at)
    mine = request.steps.filter(approver=by).last()
    if mine and mine.state == ApprovalStep.PASSED_UP:
        return f"This was passed up to {request.approver} at {since}. There is nothing left for you to decide."
    if mine and mine.state == ApprovalStep.DELEGATED:
        return "You delegated this. There is nothing left for you to decide."
    if mine and mine.state == ApprovalStep.REASSIGNED:
        return f"{mine.role} was reassigned: somebody else is asked. There is nothing left for you to decide."
    if entry and entry.kind in (DecisionEntry.DELEGATED, DecisionEntry.REASSIGNED):
        return f"Another part of this was put to somebody else at {since}. Read it again before you decide."
    return f"Terms changed at {since}. Read the request again before you decide."


def _right(request: ApprovalRequest, by: User, verdict: str, step: int | None, at: datetime) -> Standing:
    """The person's standing. Raises NotAllowed unless it carries the verdict."""
    right = standing(request, by, at, step)
    if right.kind == OWN and request.requester_id == by.pk:
        raise NotAllowed(OWN_WORDS)
    if not (right.may_decline if verdict == DECLINED else right.may_decide):
        raise NotAllowed(right.words)
    if right.override and not ApprovalRequest.objects.visible_to(by).filter(pk=request.pk).exists():
        raise NotAllowed(f"This waits for {request.approver}.")
    return right


@transaction.atomic
def recall(*, request_id: int, by: User, reason: str, channel: str = DecisionEntry.WEB) -> ApprovalRequest:
    """Take an open request back, with a reason. Everybody who is asked hears that nothing is left to do.

    Raises AlreadyDone when it is over; NotAllowed unless `by` asked, leads the requester, or has the account.
    """
    at = now()
    request = seating.locked_open(request_id, by, at)
    if not may_recall(request, by):
        raise NotAllowed(f"Only {request.requester}, their managers or the account's CSM and AE may recall this.")
    check_words(reason, "reason", "Enter a reason for recalling the request.")
    request.state, request.version, request.reason = ApprovalRequest.RECALLED, request.version + 1, reason.strip()
    request.save(update_fields=["state", "version", "reason"])
    asked = seating.close(request, ApprovalStep.RECALLED, at)
    links.end_all(request, at)
    entry = log.write(request, DecisionEntry.RECALLED, at, actor=by, channel=channel, rationale=reason.strip())
    told = list({seat.approver_id: seat.approver for seat in asked}.values())
    mail.word(
        request, entry, told, subject="Recalled", lead=f"{by} took this back. There is nothing left for you to do."
    )
    return request


def may_recall(request: ApprovalRequest, by: User) -> bool:
    """The requester, the account's CSM and AE, operations; managers by a role that sees what their people do.

    Whoever lost that role stays their manager, and finds no page to do it on. What is confidential is for those named on it.
    """
    account = request.account
    if by.is_ops or by.pk in (request.requester_id, account.csm_id, account.ae_id):
        return True
    leads = by.sees in (Role.TREE, Role.ALL) and request.requester_id in by.tree_ids
    return leads and ApprovalRequest.objects.visible_to(by).filter(pk=request.pk).exists()


@transaction.atomic
def seal(*, request_id: int) -> ApprovalRequest:
    """Something outside has happened (the customer was told, money moved): no undo from now on. Doing it twice is once.

    Raises Stale while the request is still open, or when it was recalled or replaced.
    """
    at = now()
    request = seating.locked(request_id)
    if request.sealed_at:
        return request
    if request.decided_at is None or request.state == ApprovalRequest.REPLACED:
        raise Stale("This request is not decided, so nothing of it can be carried out.")
    request.sealed_at, request.version = at, request.version + 1
    request.save(update_fields=["sealed_at", "version"])
    log.write(request, DecisionEntry.SEALED, at, channel=DecisionEntry.RULE)
    return request
