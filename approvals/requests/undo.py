"""Taking one's own word back: within 10 minutes, until something outside has happened or the next have been asked."""

from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import User
from approvals.mail import messages as mail
from approvals.models import ApprovalRequest, ApprovalStep, DecisionEntry
from approvals.requests import log
from approvals.requests import seats as seating
from approvals.requests import suggest as suggesting
from approvals.requests.rules import seats as rules
from approvals.requests.stages import chain_of
from ledger.errors import NotAllowed, Stale
from ledger.now import now

UNDO_WINDOW = timedelta(minutes=10)
GRANTED_OR_NOT = (ApprovalRequest.APPROVED, ApprovalRequest.CONDITIONS, ApprovalRequest.DECLINED)


@transaction.atomic
def undo(*, request_id: int, by: User, channel: str = DecisionEntry.WEB) -> ApprovalRequest:
    """Take one's own word back within 10 minutes. A decision: until it is sealed; the request is open again, with a new
    version. A vote that did not end the request: while its stage is still being decided.

    Raises Stale when there is nothing to undo or it is too late, NotAllowed for anybody but the one who decided.
    """
    at = now()
    request = seating.locked(request_id)
    if request.is_open:
        return _undo_vote(request, by, channel, at)
    if request.decided_at is None or request.by_rule or request.state not in GRANTED_OR_NOT:
        raise Stale("There is no decision to undo.")
    if request.decided_by_id != by.pk:
        raise NotAllowed(f"Only {request.decided_by} may undo this decision.")
    if not may_undo(request, by, at):
        raise Stale("It is too late to undo this. To reverse it, ask for a new decision.")
    moment = request.decided_at
    request.state, request.version = ApprovalRequest.OPEN, request.version + 1
    request.decided_at = request.decided_by = None
    request.decided_level = ""
    request.reason = request.conditions = ""
    request.save(
        update_fields=["state", "version", "decided_at", "decided_by", "decided_level", "reason", "conditions"]
    )
    suggesting.take_back(request)
    entry = log.write(request, DecisionEntry.UNDONE, at, actor=by, channel=channel)
    _reopen(request, moment, by, at)
    mail.word(request, entry, [request.requester], subject="Decision taken back", lead=f"{by} took the decision back.")
    return request


def _reopen(request: ApprovalRequest, moment: datetime, by: User, at: datetime) -> None:
    """The seat that spoke last and those it settled wait again, and are asked again."""
    ended = request.steps.filter(ended_at=moment, stage=request.stage)
    spoke = ended.filter(state=ApprovalStep.DECIDED, said_by=by)
    orders = [*spoke.values_list("order", flat=True)]
    orders += [*ended.filter(state=ApprovalStep.SETTLED).values_list("order", flat=True)]
    # The consulted of earlier stages may comment again.
    earlier = request.steps.filter(ended_at=moment, state=ApprovalStep.SETTLED, part=ApprovalStep.CONSULT)
    orders += [*earlier.exclude(order__in=orders).values_list("order", flat=True)]
    _wait_again(request, orders)
    for seat in seating.waiting(request):
        if seat.order in orders and seat.approver_id != by.pk:
            seating.ask(request, seat, at, again=f":v{request.version}:{request.log_count}")


def _wait_again(request: ApprovalRequest, orders: list[int]) -> None:
    blank = {"verdict": "", "said_by": None, "reason": "", "conditions": ""}
    request.steps.filter(order__in=orders).update(state=ApprovalStep.WAITING, ended_at=None, **blank)
    chain = chain_of(request)
    group = rules.authority_group(chain)
    if group.get("override") in orders:
        del group["override"]
        request.chain = chain
    request.rule = {
        key: value for key, value in request.rule.items() if key != "decided_role" or _stays(request, group)
    }
    request.save(update_fields=["chain", "rule"])


def _stays(request: ApprovalRequest, group: rules.Group) -> bool:
    """Whether another seat of the authority has agreed."""
    seats = request.steps.filter(order__in=rules.orders([group]), state=ApprovalStep.DECIDED)
    return seats.exists()


def _undo_vote(request: ApprovalRequest, by: User, channel: str, at: datetime) -> ApprovalRequest:
    votes = request.steps.filter(said_by=by, state=ApprovalStep.DECIDED, part=ApprovalStep.DECIDE)
    seat = votes.order_by("ended_at").last()
    if seat is None:
        raise Stale("There is no decision to undo.")
    if not _vote_may_go(request, seat, at):
        raise Stale("It is too late to undo this: the next have been asked, or 10 minutes have passed.")
    moment = seat.ended_at or at
    facts = {"seat": seat.order, "verdict": seat.verdict}
    log.write(request, DecisionEntry.UNDONE, at, actor=by, channel=channel, step=seat.order, facts=facts)
    _reopen(request, moment, by, at)
    return request


def may_undo(request: ApprovalRequest, by: User, at: datetime) -> bool:
    """Whether the undo bar shows: own word, at most 10 minutes old, not sealed, the next not asked."""
    if request.is_open:
        votes = request.steps.filter(said_by=by, state=ApprovalStep.DECIDED, part=ApprovalStep.DECIDE)
        seat = votes.order_by("ended_at").last()
        return seat is not None and _vote_may_go(request, seat, at)
    if request.decided_at is None or request.by_rule or request.sealed_at or request.state not in GRANTED_OR_NOT:
        return False
    return request.decided_by_id == by.pk and at <= request.decided_at + UNDO_WINDOW


def _vote_may_go(request: ApprovalRequest, seat: ApprovalStep, at: datetime) -> bool:
    young = seat.ended_at is not None and at <= seat.ended_at + UNDO_WINDOW
    return young and seat.stage == request.stage
