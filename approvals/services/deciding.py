"""The one door for a decision."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from accounts.models import User
from approvals import mail
from approvals.models import ApprovalRequest, ApprovalStep, DecisionEntry
from approvals.queries import what_happened, with_people
from approvals.queries.standing import OWN, Standing, standing
from approvals.rules.verdicts import CONDITIONS, DECLINED, VERDICTS, goes_against, what_is_missing
from approvals.rules.words import moment_words
from approvals.services import links, log, steps
from approvals.services.holding import hold
from approvals.services.steps import answer, pass_up, question, remind
from ledger.errors import AlreadyDone, Invalid, NotAllowed, NotThere, Stale
from ledger.now import now

UNDO_WINDOW = timedelta(minutes=10)

__all__ = ["answer", "decide", "may_recall", "may_undo", "pass_up", "question", "recall", "remind", "seal", "undo"]


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
    """Approve, approve with conditions or decline, for every door. `version` (and `step`) is what the person saw.

    Exactly one of any number of decisions at once is taken. Raises AlreadyDone when it is over, Stale when it changed since,
    NotAllowed for the requester, for people it was not put to (unless of higher authority) and beyond the limit with what was
    granted in the last 90 days; Invalid when the verdict is unknown or a reason or the conditions are missing.
    """
    if verdict not in VERDICTS:
        raise Invalid(f"Choose one of {', '.join(VERDICTS)}.", field="verdict")
    at = now()
    _claim(request_id, by, verdict, version, step, at)
    request = with_people(ApprovalRequest.objects.filter(pk=request_id)).get()
    right = _right(request, by, verdict, at)
    against = goes_against(verdict, request.options)
    field, missing = what_is_missing(
        verdict=verdict, reason=reason, conditions=conditions, override=right.override, against=against
    )
    if missing:
        raise Invalid(missing, field=field)
    _record(
        request,
        right,
        at,
        reason=reason.strip(),
        conditions=conditions.strip() if verdict == CONDITIONS else "",
        channel=channel,
        against=against,
    )
    _weigh_again(request, by, at)
    return request


def _weigh_again(request: ApprovalRequest, by: User, at: datetime) -> None:
    """Grants of one family, of one renewal and of a role with a quarter cap are weighed one after the other, so that two
    halves at once are added up too (services.holding names the order of locks). Refusing undoes all of it."""
    if request.state == DECLINED:
        return
    hold(account=request.account, concession=request.concession, renewal=request.renewal)
    right = standing(request, by, at)
    if not right.may_decide:
        raise NotAllowed(right.words)


def _claim(request_id: int, by: User, state: str, version: int, step: int | None, at: datetime) -> None:
    """The conditional UPDATE everything hangs on: of many at once, one finds the row."""
    rows = ApprovalRequest.objects.filter(pk=request_id, state=ApprovalRequest.OPEN, version=version)
    if step is not None:
        rows = rows.filter(step=step)
    if not rows.update(state=state, decided_by=by, decided_at=at, version=F("version") + 1):
        raise _why_not(request_id, by, at)


def _why_not(request_id: int, by: User, at: datetime) -> Exception:
    request = with_people(ApprovalRequest.objects.filter(pk=request_id)).first()
    if request is None:
        return NotThere("There is no such request.")
    if not request.is_open:
        return AlreadyDone(f"{what_happened(request, by, at)}.")
    entry = request.log.last()
    since = moment_words(entry.at if entry else request.step_since, by.zone, at)
    if request.step > 1 and request.approver_id != by.pk:
        return Stale(f"This was passed up to {request.approver} at {since}. There is nothing left for you to decide.")
    return Stale(f"Terms changed at {since}. Read the request again before you decide.")


def _right(request: ApprovalRequest, by: User, verdict: str, at: datetime) -> Standing:
    """The person's standing. Raises NotAllowed unless it carries the verdict."""
    right = standing(request, by, at)
    if right.kind == OWN:
        raise NotAllowed("You asked for this, so somebody else decides it.")
    if not (right.may_decline if verdict == DECLINED else right.may_decide):
        raise NotAllowed(right.words)
    if right.override and not ApprovalRequest.objects.visible_to(by).filter(pk=request.pk).exists():
        raise NotAllowed(f"This waits for {request.approver}.")
    return right


def _record(
    request: ApprovalRequest,
    right: Standing,
    at: datetime,
    *,
    reason: str,
    conditions: str,
    channel: str,
    against: bool,
) -> None:
    request.reason, request.conditions = reason, conditions
    request.decided_level = right.role.level if right.role else None
    request.rule = {**request.rule, "decided_role": right.role.slug if right.role else ""}
    request.save(update_fields=["reason", "conditions", "decided_level", "rule"])
    steps.end(request, ApprovalStep.DECIDED, at)
    links.end_all(request, at)
    entry = log.write(
        request,
        request.state,
        at,
        actor=request.decided_by,
        channel=channel,
        role=right.role.name if right.role else "",
        limit=right.limit,
        options=request.options,
        rationale=reason,
        conditions=conditions,
        override=right.override or against,
    )
    mail.decided(request, entry, at)


@transaction.atomic
def recall(*, request_id: int, by: User, reason: str, channel: str = DecisionEntry.WEB) -> ApprovalRequest:
    """Take an open request back, with a reason. The approver is told that nothing is left to do.

    Raises AlreadyDone when it is over; NotAllowed unless `by` asked, leads the requester, or has the account.
    """
    at = now()
    request = steps.locked_open(request_id, by, at)
    if not may_recall(request, by):
        raise NotAllowed(f"Only {request.requester}, their managers or the account's CSM and AE may recall this.")
    if not reason.strip():
        raise Invalid("Enter a reason for recalling the request.", field="reason")
    request.state, request.version, request.reason = ApprovalRequest.RECALLED, request.version + 1, reason.strip()
    request.save(update_fields=["state", "version", "reason"])
    steps.end(request, ApprovalStep.RECALLED, at)
    links.end_all(request, at)
    entry = log.write(request, DecisionEntry.RECALLED, at, actor=by, channel=channel, rationale=reason.strip())
    told = [request.approver] if request.approver else []
    mail.word(
        request, entry, told, subject="Recalled", lead=f"{by} took this back. There is nothing left for you to do."
    )
    return request


def may_recall(request: ApprovalRequest, by: User) -> bool:
    """The requester, their managers, the account's CSM and AE, operations."""
    account = request.account
    own = by.pk in (request.requester_id, account.csm_id, account.ae_id)
    return own or by.is_ops or request.requester_id in by.tree_ids


@transaction.atomic
def seal(*, request_id: int) -> ApprovalRequest:
    """Something outside has happened (the customer was told, money moved): no undo from now on. Doing it twice is once.

    Raises Stale while the request is still open or when it was recalled.
    """
    at = now()
    request = steps.locked(request_id)
    if request.sealed_at:
        return request
    if request.decided_at is None:
        raise Stale("This request is not decided, so nothing of it can be carried out.")
    request.sealed_at, request.version = at, request.version + 1
    request.save(update_fields=["sealed_at", "version"])
    log.write(request, DecisionEntry.SEALED, at, channel=DecisionEntry.RULE)
    return request


@transaction.atomic
def undo(*, request_id: int, by: User, channel: str = DecisionEntry.WEB) -> ApprovalRequest:
    """Take one's own decision back within 10 minutes, until it is sealed. The request is open again, with a new version.

    Raises Stale when there is nothing to undo or it is too late, NotAllowed for anybody but the one who decided.
    """
    at = now()
    request = steps.locked(request_id)
    if request.decided_at is None or request.by_rule:
        raise Stale("There is no decision to undo.")
    if request.decided_by_id != by.pk:
        raise NotAllowed(f"Only {request.decided_by} may undo this decision.")
    if not may_undo(request, by, at):
        raise Stale("It is too late to undo this. To reverse it, ask for a new decision.")
    request.state, request.version = ApprovalRequest.OPEN, request.version + 1
    request.decided_at = request.decided_by = request.decided_level = None
    request.reason = request.conditions = ""
    request.save(
        update_fields=["state", "version", "decided_at", "decided_by", "decided_level", "reason", "conditions"]
    )
    entry = log.write(request, DecisionEntry.UNDONE, at, actor=by, channel=channel)
    step = steps.reopen(request)
    if step.approver_id != by.pk:
        mail.ask(request, step, links.issue(request, step), at, again=f":v{request.version}")
    mail.word(request, entry, [request.requester], subject="Decision taken back", lead=f"{by} took the decision back.")
    return request


def may_undo(request: ApprovalRequest, by: User, at: datetime) -> bool:
    """Whether the undo bar shows: own decision, not sealed, at most 10 minutes old."""
    if request.decided_at is None or request.by_rule or request.sealed_at:
        return False
    return request.decided_by_id == by.pk and at <= request.decided_at + UNDO_WINDOW
