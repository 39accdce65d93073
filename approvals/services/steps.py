"""What happens around a decision: questions, reminders, passing it up."""

from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import User
from approvals import mail
from approvals.models import ApprovalRequest, ApprovalStep, DecisionEntry
from approvals.queries import authority, what_happened
from approvals.queries.standing import chain_and_weight, standing
from approvals.services import links, log
from approvals.services.requesting import open_step
from ledger.errors import AlreadyDone, Invalid, NotAllowed, NotThere, Stale
from ledger.now import now

REMIND_EVERY = timedelta(minutes=10)


def locked(request_id: int) -> ApprovalRequest:
    """The request with its row locked. Raises NotThere."""
    rows = ApprovalRequest.objects.select_for_update(of=("self",)).select_related("account", "requester", "authority")
    request = rows.filter(pk=request_id).first()
    if request is None:
        raise NotThere("There is no such request.")
    return request


def locked_open(request_id: int, by: User | None, at: datetime) -> ApprovalRequest:
    """The same, for verbs that need it undecided. Raises AlreadyDone with who and when."""
    request = locked(request_id)
    if not request.is_open:
        raise AlreadyDone(f"{what_happened(request, by or request.requester, at)}.")
    return request


def end(request: ApprovalRequest, state: str, at: datetime) -> None:
    """Close the step the request is at."""
    request.steps.filter(order=request.step, state=ApprovalStep.WAITING).update(state=state, ended_at=at)


def reopen(request: ApprovalRequest) -> ApprovalStep:
    """Open the step again after an undo."""
    request.steps.filter(order=request.step).update(state=ApprovalStep.WAITING, ended_at=None)
    return _present(request)


def _present(request: ApprovalRequest) -> ApprovalStep:
    return request.steps.select_related("approver", "role").get(order=request.step)


@transaction.atomic
def question(*, request_id: int, by: User, text: str, channel: str = DecisionEntry.WEB) -> ApprovalRequest:
    """Ask the requester something. Pauses nothing. Raises NotAllowed unless `by` may decide, Invalid without words."""
    at = now()
    request = locked_open(request_id, by, at)
    if request.approver_id != by.pk and not standing(request, by, at).may_decline:
        raise NotAllowed("Only people who may decide this ask a question on the record.")
    entry = _said(request, DecisionEntry.QUESTION, by, text, channel, at)
    mail.word(request, entry, [request.requester], subject="Question", lead=f"{by} asks before deciding:")
    return request


@transaction.atomic
def answer(*, request_id: int, by: User, text: str, channel: str = DecisionEntry.WEB) -> ApprovalRequest:
    """Answer a question; the approver is told. Raises NotAllowed for the approver, Invalid without words."""
    at = now()
    request = locked_open(request_id, by, at)
    if request.approver_id == by.pk:
        raise NotAllowed("The answer comes from the people who ask for the decision.")
    entry = _said(request, DecisionEntry.ANSWER, by, text, channel, at)
    told = [request.approver] if request.approver else []
    mail.word(request, entry, told, subject="Answer", lead=f"{by} answers:")
    return request


def _said(request: ApprovalRequest, kind: str, by: User, text: str, channel: str, at: datetime) -> DecisionEntry:
    if not text.strip():
        raise Invalid("Enter the text.", field="text")
    return log.write(request, kind, at, actor=by, channel=channel, rationale=text.strip())


@transaction.atomic
def remind(*, request_id: int, by: User | None = None) -> ApprovalRequest:
    """Mail the question again with a new link. Without `by` it is the clock. Raises AlreadyDone when it is over, Stale when a
    person reminds again within 10 minutes, NotAllowed when people remind themselves."""
    at = now()
    request = locked_open(request_id, by, at)
    if by and request.approver_id == by.pk:
        raise NotAllowed("This waits for you. Decide it, or ask a question.")
    last = request.log.filter(kind=DecisionEntry.REMINDED).last()
    if by and last and at < last.at + REMIND_EVERY:
        raise Stale(f"{request.approver} was reminded less than 10 minutes ago.")
    step = _present(request)
    step.reminded += 1
    step.save(update_fields=["reminded"])
    channel = DecisionEntry.WEB if by else DecisionEntry.CLOCK
    log.write(request, DecisionEntry.REMINDED, at, actor=by, channel=channel)
    mail.ask(request, step, links.issue(request, step), at, nth=step.reminded)
    return request


@transaction.atomic
def pass_up(*, request_id: int, reason: str, at: datetime | None = None) -> ApprovalRequest:
    """Put an undecided request to the next higher authority that covers it; the person passed over is told.

    The requester, those excluded and everybody asked before are skipped. Raises AlreadyDone when it is over, Invalid when
    there is no higher authority or nobody holds it.
    """
    at = at or now()
    request = locked_open(request_id, None, at)
    old = _present(request)
    chain, weighed = chain_and_weight(request, at)
    limits = (*chain.covering, *chain.below)
    asked = next((limit for limit in limits if limit.role == old.role.slug), None)
    before = set(request.steps.values_list("approver_id", flat=True))
    excluded = before | set(request.rule.get("exclude") or []) | {request.requester_id}
    found = authority.answer(
        request.authority, chain, weighed, request.account, exclude=excluded, above=asked, near=old.approver
    )
    end(request, ApprovalStep.PASSED_UP, at)
    links.end_all(request, at)
    # Those who hear of the entry find the request with its new approver.
    _move(request, found, at)
    log.write(
        request,
        DecisionEntry.PASSED_UP,
        at,
        on_behalf_of=old.approver,
        channel=DecisionEntry.CLOCK,
        role=found.role.name,
        limit=found.limit_text,
        rationale=reason,
        step=old.order,
    )
    open_step(request, found, at)
    mail.passed_over(request, old, found.person, at, reason)
    return request


def _move(request: ApprovalRequest, found: authority.Answer, at: datetime) -> None:
    request.step, request.version, request.step_since = request.step + 1, request.version + 1, at
    request.approver, request.approver_role = found.person, found.role
    request.rule = {**found.rule, "exclude": request.rule.get("exclude") or []}
    request.save(update_fields=["step", "version", "step_since", "approver", "approver_role", "rule"])
