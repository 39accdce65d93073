"""Deciding: the only verb for a decision, and recalling a request or undoing a decision."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from accounts.models import Role, User
from approvals.mail import links
from approvals.mail import messages as mail
from approvals.matrix.totals import AskTotal, total_of
from approvals.models import ApprovalRequest, DecisionEntry, Seat
from approvals.requests import log, votes
from approvals.requests import seats as seating
from approvals.requests import suggest as suggesting
from approvals.requests.permissions import OWN, Permission, check_inside, for_user, what_happened
from approvals.requests.rules.conflicts import OWN as OWN_WORDS
from approvals.requests.rules.verdicts import (
    CONDITIONS,
    DECLINED,
    VERDICTS,
    as_recommended,
    check_words,
    goes_against,
    what_is_missing,
)
from ledger.errors import AlreadyDone, Invalid, NotAllowed, NotThere, Stale
from ledger.format import moment
from ledger.now import now
from ledger.reading import words_of

UNDO_WINDOW = timedelta(minutes=10)


@dataclass(frozen=True)
class Words:
    """The texts that a person adds to a verdict."""

    reason: str = ""
    conditions: str = ""


@transaction.atomic
def decide(
    *,
    request_id: int,
    by: User,
    verdict: str,
    version: int,
    seat: int | None = None,
    words: Words = Words(),
    channel: str = DecisionEntry.WEB,
) -> ApprovalRequest:
    """Approve, approve with conditions or decline, for every door. `version` (and `seat`, its number) is what the
    person saw. Each seat is decided exactly once, also if several people decide at the same time; the last one needed
    ends the request. Raises AlreadyDone if it has ended, Stale if it changed since, NotAllowed for self-approval, for
    people who are not asked (unless of higher authority) and if the ask total is beyond the limit; Invalid if the
    verdict is unknown or a reason or the conditions are missing.
    """
    if verdict not in VERDICTS:
        raise Invalid(f"Choose one of {', '.join(VERDICTS)}.", field="verdict")
    at = now()
    request = _claim(request_id, by, version, seat, at)
    total = total_of(request, at)
    right = _right(request, by, verdict, seat, total)
    against = goes_against(verdict, request.options, words.conditions)
    field, missing = what_is_missing(
        verdict=verdict,
        reason=words.reason,
        conditions=words.conditions,
        override=right.override,
        against=against,
        suggested=suggesting.goes_against(request, verdict, words.conditions),
        recommended=as_recommended(verdict, request.options, words.conditions),
    )
    if missing:
        raise Invalid(missing, field=field)
    kept = words_of(words.conditions) if verdict == CONDITIONS else ""
    said = votes.Said(by, verdict, right, words_of(words.reason), kept, channel, against)
    votes.settle(request, votes.take_seat(request, said, at), said, total)
    if request.state in ApprovalRequest.GRANTED:
        votes.weigh_again(request, total)
    return request


def _claim(request_id: int, by: User, version: int, seat: int | None, at: datetime) -> ApprovalRequest:
    """The conditional UPDATE that makes a decision unique: it succeeds only on the version that was read, and locks the
    row until the end."""
    rows = ApprovalRequest.objects.filter(pk=request_id, state=ApprovalRequest.OPEN, version=version)
    if not rows.update(version=F("version")):
        raise _why_not(request_id, by, at)
    request = ApprovalRequest.objects.filter(pk=request_id).with_seats().prefetch_related("suggestions").get()
    if seat is not None:
        found = next((each for each in request.all_seats() if each.number == seat), None)
        if found is None or found.state != Seat.ASKED:
            raise _seat_gone(request_id, found, by, at)
    return request


def _seat_gone(request_id: int, seat: Seat | None, by: User, at: datetime) -> Exception:
    if seat is None or seat.state != Seat.DECIDED or seat.ended_at is None:
        return _why_not(request_id, by, at)
    when = moment(seat.ended_at, by.zone, at)
    return AlreadyDone(f"This part was decided by {seat.said_by} at {when}. There is nothing left for you to decide.")


def _why_not(request_id: int, by: User, at: datetime) -> Exception:
    request = ApprovalRequest.objects.filter(pk=request_id).with_people().first()
    if request is None:
        return NotThere("There is no such request.")
    if not request.is_open:
        return AlreadyDone(f"{what_happened(request, by, at)}.")
    return Stale(_what_changed(request, by, at))


def _what_changed(request: ApprovalRequest, by: User, at: datetime) -> str:
    talk = (DecisionEntry.REMINDED, DecisionEntry.QUESTION, DecisionEntry.ANSWER, DecisionEntry.COMMENT)
    entry = request.log.exclude(kind__in=talk).last()
    since = moment(entry.at if entry else request.asked_since, by.zone, at)
    mine = request.seats.exclude(state=Seat.PLANNED).filter(person=by).last()
    if mine and mine.state == Seat.PASSED_UP:
        return f"This was escalated to {request.approver} at {since}. There is nothing left for you to decide."
    if mine and mine.state == Seat.DELEGATED:
        return "You delegated this. There is nothing left for you to decide."
    if mine and mine.state == Seat.REASSIGNED:
        return f"{mine.role} was reassigned to another person. There is nothing left for you to decide."
    if entry and entry.kind in (DecisionEntry.DELEGATED, DecisionEntry.REASSIGNED):
        return f"Another part of this was reassigned at {since}. Read it again before you decide."
    return f"Terms changed at {since}. Read the request again before you decide."


def _right(request: ApprovalRequest, by: User, verdict: str, seat: int | None, total: AskTotal) -> Permission:
    """The person's permission. Raises NotAllowed unless it allows the verdict."""
    right = for_user(request, by, total.at, seat, total=total)
    if right.kind == OWN and request.requester_id == by.pk:
        raise NotAllowed(OWN_WORDS)
    if not (right.may_decline if verdict == DECLINED else right.may_decide):
        raise NotAllowed(right.words)
    if right.override and not ApprovalRequest.objects.visible_to(by).filter(pk=request.pk).exists():
        raise NotAllowed(f"This waits for {request.approver}.")
    return right


@transaction.atomic
def recall(*, request_id: int, by: User, reason: str, channel: str = DecisionEntry.WEB) -> ApprovalRequest:
    """Recall an open request, with a reason. All people who are asked are notified. Raises AlreadyDone if it has ended;
    NotAllowed unless `by` is the requester, a manager of the requester, or represents the account.
    """
    at = now()
    request = seating.locked_open(request_id, by, at)
    if not may_recall(request, by):
        raise NotAllowed(f"Only {request.requester}, their managers or the account's CSM and AE may recall this.")
    check_words(reason, "reason", "Enter a reason for recalling the request.")
    request.state, request.version, request.reason = ApprovalRequest.RECALLED, request.version + 1, words_of(reason)
    request.save(update_fields=["state", "version", "reason"])
    asked = seating.close(request, Seat.RECALLED, at)
    links.end_all(request, at)
    entry = log.write(request, DecisionEntry.RECALLED, at, actor=by, channel=channel, rationale=words_of(reason))
    told = list({seat.person_id: seat.person for seat in asked}.values())
    mail.word(
        request,
        entry,
        told,
        subject="Recalled",
        lead=f"{by} recalled this request. There is nothing left for you to do.",
    )
    return request


def may_recall(request: ApprovalRequest, by: User) -> bool:
    """The requester, the account's CSM and AE, operations, and managers whose role sees the requests of their team. A
    manager who lost that role cannot. Only people named on a confidential request may recall it.
    """
    account = request.account
    if by.is_external:
        return False
    if by.is_ops or by.pk in (request.requester_id, account.csm_id, account.ae_id):
        return True
    leads = by.sees in (Role.TREE, Role.ALL) and request.requester_id in by.tree_ids
    return leads and ApprovalRequest.objects.visible_to(by).filter(pk=request.pk).exists()


@transaction.atomic
def seal(*, request_id: int) -> ApprovalRequest:
    """Something outside has happened (the customer was told, money moved), so the decision can no longer be undone.
    Sealing twice has no further effect. Raises Stale while the request is open, or if it was recalled or replaced.
    """
    at = now()
    request = seating.locked(request_id)
    if request.sealed_at:
        return request
    if request.decided_at is None or request.state == ApprovalRequest.REPLACED:
        raise Stale("This request is not decided, so it cannot be carried out.")
    request.sealed_at, request.version = at, request.version + 1
    request.save(update_fields=["sealed_at", "version"])
    log.write(request, DecisionEntry.SEALED, at, channel=DecisionEntry.RULE)
    return request


@transaction.atomic
def undo(*, request_id: int, by: User, channel: str = DecisionEntry.WEB) -> ApprovalRequest:
    """Undo one's own decision or vote within 10 minutes. A decision: until it is sealed; the request is then open
    again, with a new version. A vote that did not end the request: while its stage is still being decided. Raises Stale
    if there is nothing to undo or it is too late, NotAllowed for anybody but the person who decided.
    """
    check_inside(by)
    at = now()
    request = seating.locked(request_id)
    if request.is_open:
        return _undo_vote(request, by, channel, at)
    if request.decided_at is None or request.by_rule or request.state not in ApprovalRequest.DECIDED:
        raise Stale("There is no decision to undo.")
    if request.decided_by_id != by.pk:
        raise NotAllowed(f"Only {request.decided_by} may undo this decision.")
    if not may_undo(request, by, at):
        raise Stale("It is too late to undo this. To reverse it, ask for a new decision.")
    decided_at, stage = request.decided_at, request.stage
    request.state, request.version = ApprovalRequest.OPEN, request.version + 1
    request.decided_at = request.decided_by = None
    request.decided_level = ""
    request.reason = request.conditions = ""
    request.save(
        update_fields=["state", "version", "decided_at", "decided_by", "decided_level", "reason", "conditions"]
    )
    suggesting.take_back(request)
    entry = log.write(request, DecisionEntry.UNDONE, at, actor=by, channel=channel)
    _reopen(request, decided_at, stage, by, at)
    mail.word(request, entry, [request.requester], subject="Decision undone", lead=f"{by} undid the decision.")
    return request


def _reopen(request: ApprovalRequest, ended_at: datetime, stage: int, by: User, at: datetime) -> None:
    """Ask the seat that decided last again, and the seats that were closed by it."""
    back = []
    for seat in (each for each in request.all_seats() if each.ended_at == ended_at):
        spoke = seat.state == Seat.DECIDED and seat.said_by_id == by.pk and seat.stage == stage
        # Consulted people of earlier stages may comment again.
        settled = seat.state == Seat.SETTLED and (seat.stage == stage or seat.part == Seat.CONSULT)
        back += [seat.number] if spoke or settled else []
    blank = {"verdict": "", "said_by": None, "override": False, "reason": "", "conditions": ""}
    request.seats.filter(number__in=back).update(state=Seat.ASKED, ended_at=None, **blank)
    request.forget_seats()
    if not any(seat.authority and seat.state == Seat.DECIDED for seat in request.all_seats()):
        request.rule = {key: value for key, value in request.rule.items() if key != "decided_role"}
        request.save(update_fields=["rule"])
    total = total_of(request, at)
    for seat in seating.asked(request):
        if seat.number in back and seat.person_id != by.pk:
            seating.ask(request, seat, total, again=f":v{request.version}:{request.log_count}")


def _undo_vote(request: ApprovalRequest, by: User, channel: str, at: datetime) -> ApprovalRequest:
    seat = _last_vote(request, by)
    if seat is None:
        raise Stale("There is no decision to undo.")
    if not _vote_may_go(request, seat, at):
        raise Stale("It is too late to undo this: the next stage was asked, or 10 minutes have passed.")
    facts = {"seat": seat.number, "verdict": seat.verdict}
    log.write(request, DecisionEntry.UNDONE, at, actor=by, channel=channel, seat=seat.number, facts=facts)
    _reopen(request, seat.ended_at or at, seat.stage, by, at)
    return request


def _last_vote(request: ApprovalRequest, by: User) -> Seat | None:
    seats = [seat for seat in request.all_seats() if seat.said_by_id == by.pk and seat.ended_at]
    voted = [seat for seat in seats if seat.state == Seat.DECIDED and seat.part == Seat.DECIDE]
    return max(voted, key=lambda seat: (seat.ended_at, seat.number), default=None)


def may_undo(request: ApprovalRequest, by: User, at: datetime) -> bool:
    """Whether the undo bar is shown: one's own decision, at most 10 minutes old, not sealed, next stage not asked."""
    if request.is_open:
        seat = _last_vote(request, by)
        return seat is not None and _vote_may_go(request, seat, at)
    if (
        request.decided_at is None
        or request.by_rule
        or request.sealed_at
        or request.state not in ApprovalRequest.DECIDED
    ):
        return False
    return request.decided_by_id == by.pk and at <= request.decided_at + UNDO_WINDOW


def _vote_may_go(request: ApprovalRequest, seat: Seat, at: datetime) -> bool:
    young = seat.ended_at is not None and at <= seat.ended_at + UNDO_WINDOW
    return young and seat.stage == request.stage
