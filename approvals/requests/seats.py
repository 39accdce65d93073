"""Seats of a request: opened with their links and mails when their stage comes, closed when nothing waits for them."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import Max

from accounts.models import Role, User
from approvals.absence.rules.delegation import covers
from approvals.mail import links
from approvals.mail import messages as mail
from approvals.models import ApprovalRequest, ApprovalStep, Delegation
from approvals.queries import what_happened
from approvals.requests.conflicts import conflict
from approvals.requests.rules import seats as rules
from approvals.requests.stages import chain_of
from ledger.errors import AlreadyDone, NotThere

DECIDE, WAITING = ApprovalStep.DECIDE, ApprovalStep.WAITING


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


def waiting(request: ApprovalRequest) -> list[ApprovalStep]:
    """Every seat that is asked now, the consulted ones too."""
    return list(request.steps.filter(state=WAITING).select_related("approver", "role").order_by("order"))


def open_stage(request: ApprovalRequest, at: datetime) -> list[ApprovalStep]:
    """Seats of the present stage: a row, a link and a mail each."""
    groups = chain_of(request)[request.stage - 1]["groups"]
    return open_groups(request, groups, at)


def open_groups(request: ApprovalRequest, groups: Iterable[rules.Group], at: datetime) -> list[ApprovalStep]:
    """The same for some groups of it."""
    seats = [(group, seat) for group in groups for seat in group["seats"]]
    roles = {role.slug: role for role in Role.objects.filter(slug__in={group["role"] for group, _ in seats})}
    people = User.objects.in_bulk([seat["person"] for _, seat in seats])
    made = [
        ApprovalStep.objects.create(
            request=request,
            order=seat["order"],
            stage=request.stage,
            part=group["part"],
            approver=people[seat["person"]],
            role=roles[group["role"]],
            limit=(request.rule.get("limit") or "")[:80] if rules.is_authority(group) else "",
            asked_at=at,
        )
        for group, seat in seats
    ]
    for step in made:
        ask(request, step, at)
    return made


def ask(request: ApprovalRequest, step: ApprovalStep, at: datetime, *, nth: int = 0, again: str = "") -> None:
    """Mail the question to the approver and to whoever stands in for them now, each with a link of their own."""
    mail.ask(request, step, links.issue(request, step), at, nth=nth, again=again)
    for person in stand_ins(request, step, at):
        mail.ask(request, step, links.issue(request, step, to=person), at, nth=nth, again=again, to=person)


def stand_ins(request: ApprovalRequest, step: ApprovalStep, at: datetime) -> list[User]:
    """Who may decide in the approver's place at this moment. Nobody for a delegated seat, or a consulted one."""
    if step.delegated_from_id or step.part != DECIDE or not step.approver.is_active:
        return []
    total = request.total_usd if request.total_usd is not None else request.amount_usd
    given = Delegation.objects.in_force(at).filter(user=step.approver_id, to__is_active=True).select_related("to")
    return [
        each.to
        for each in given
        if covers(each.concessions, each.up_to_usd, request.concession, request.unit, total)
        and not conflict(request, each.to, at)
    ]


def close(
    request: ApprovalRequest, state: str, at: datetime, seats: Collection[int] | None = None
) -> list[ApprovalStep]:
    """End the waiting seats (of these orders), with their links. Returns them as they were."""
    ended = [seat for seat in waiting(request) if seats is None or seat.order in seats]
    orders = [seat.order for seat in ended]
    request.steps.filter(order__in=orders, state=WAITING).update(state=state, ended_at=at)
    links.end(request, orders, at)
    return ended


def hand_over(
    request: ApprovalRequest,
    seat: ApprovalStep,
    to: User,
    state: str,
    at: datetime,
    *,
    delegated_from: User | None = None,
) -> ApprovalStep:
    """The old seat ends in that state, a new one carries its role, limit and place in the chain. Nobody is asked yet."""
    order = next_order(request)
    chain = chain_of(request)
    planned = [each for stage in chain for group in stage["groups"] for each in group["seats"]]
    next(each for each in planned if each["order"] == seat.order).update(person=to.pk, name=to.name, order=order)
    close(request, state, at, [seat.order])
    request.version += 1
    request.chain = chain
    if request.step == seat.order:
        request.step, request.approver, request.step_since = order, to, at
    request.save(update_fields=["version", "chain", "step", "approver", "step_since"])
    links.carry(request)
    return ApprovalStep.objects.create(
        request=request,
        order=order,
        stage=seat.stage,
        approver=to,
        role=seat.role,
        limit=seat.limit,
        asked_at=at,
        delegated_from=delegated_from,
    )


def next_order(request: ApprovalRequest) -> int:
    """The number the next seat gets."""
    last = request.steps.aggregate(last=Max("order"))["last"] or 0
    planned = rules.orders(group for stage in chain_of(request) for group in stage["groups"])
    return max([last, request.step, *planned]) + 1
