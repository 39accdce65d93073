"""Seats of people who cannot decide any more go to the next holder of the same role.

Between the ask and the moment a seat opens, or while it waits, somebody may leave, lose the role, or come to stand in for the
requester. Their seat would wait for nobody; the frozen chain keeps its roles, stages and quorums, only the name changes.
"""

from collections.abc import Iterable
from datetime import datetime

from accounts.models import User
from approvals.mail import messages as mail
from approvals.models import ApprovalRequest, ApprovalStep, DecisionEntry
from approvals.requests import log
from approvals.requests import seats as seating
from approvals.requests.conflicts import barred
from approvals.requests.permissions import standing
from approvals.requests.rules import seats as rules
from approvals.requests.stages import chain_of, group_of, holders


def spent(request: ApprovalRequest, at: datetime) -> set[int]:
    """Who cannot take another seat: the requester, those left out, whoever would decide for themselves by now (somebody
    who stands in for the requester since), everybody asked before and everybody with a seat."""
    seated = {seat["person"] for stage in chain_of(request) for group in stage["groups"] for seat in group["seats"]}
    asked = set(request.steps.values_list("approver_id", flat=True))
    said = set(request.steps.exclude(said_by=None).values_list("said_by_id", flat=True))
    return seated | asked | said | _left_out(request, at)


def _left_out(request: ApprovalRequest, at: datetime) -> set[int]:
    """The requester, those left out, whoever would decide for themselves, and whoever has spoken for another seat."""
    named = {*(request.rule.get("exclude") or []), request.requester_id}
    votes = request.steps.filter(state=ApprovalStep.DECIDED, part=ApprovalStep.DECIDE)
    return (
        named
        | set(votes.values_list("said_by_id", flat=True))
        | set(barred(request.requester, request.beneficiary, at))
    )


def fill_stage(request: ApprovalRequest, at: datetime) -> None:
    """Before the present stage is asked: each deciding seat in it gets somebody who can decide, where there is one."""
    chain = chain_of(request)
    for group in chain[request.stage - 1]["groups"]:
        if group["part"] != rules.DECIDE:
            continue
        able = {person.id for person in holders(group["role"], request.account, _left_out(request, at))}
        for seat in (seat for seat in group["seats"] if seat["person"] not in able):
            if found := _next(request, group["role"], at):
                old = User.objects.get(pk=seat["person"])
                seat.update(person=found.pk, name=found.name)
                _keep(request, chain, seat["order"], found)
                _log(request, group["name"], old, found, seat["order"], at)


def _keep(request: ApprovalRequest, chain: list[rules.Stage], order: int, found: User) -> None:
    request.chain = chain
    if request.step == order:
        request.approver = found
    request.save(update_fields=["chain", "approver"])


def reassign(request: ApprovalRequest, seats: Iterable[ApprovalStep], at: datetime) -> list[ApprovalStep]:
    """Hand those of the waiting seats whose person cannot decide any more to the next holder of their role, who is asked;
    the old ones are told. Returns the seats that stay as they are."""
    return [seat for seat in seats if not _reassigned(request, seat, at)]


def _reassigned(request: ApprovalRequest, seat: ApprovalStep, at: datetime) -> bool:
    _, group = group_of(request, seat.order)
    if _can_decide(request, seat, at) or not (found := _heir(request, seat, at)):
        return False
    made = seating.hand_over(request, seat, found, ApprovalStep.REASSIGNED, at)
    _log(request, group["name"], seat.approver, found, made.order, at)
    seating.ask(request, made, at)
    mail.settled(request, seat, f"{found} is asked in your place.", at)
    if seat.delegated_from and seat.delegated_from != found:
        lead = f"{seat.approver}, to whom you delegated this, cannot decide it any more, so {found} is asked."
        mail.word(request, request.log.latest("seq"), [seat.delegated_from], subject="Reassigned", lead=lead)
    return True


def _heir(request: ApprovalRequest, seat: ApprovalStep, at: datetime) -> User | None:
    """Whoever delegated it, where they still can; else the next holder of the role."""
    giver = seat.delegated_from
    if giver and giver.pk in {person.id for person in holders(seat.role.slug, request.account, _left_out(request, at))}:
        return giver
    return _next(request, seat.role.slug, at)


def _can_decide(request: ApprovalRequest, seat: ApprovalStep, at: datetime) -> bool:
    return seat.approver.is_active and standing(request, seat.approver, at, seat.order).may_decline


def _next(request: ApprovalRequest, role: str, at: datetime) -> User | None:
    free = holders(role, request.account, spent(request, at))
    return User.objects.get(pk=free[0].id) if free else None


def _log(request: ApprovalRequest, role: str, old: User, new: User, order: int, at: datetime) -> None:
    log.write(
        request,
        DecisionEntry.REASSIGNED,
        at,
        channel=DecisionEntry.RULE,
        role=role,
        rationale=f"{old} cannot decide this as {role} any more, so {new} is asked.",
        step=order,
        facts={"from": old.pk, "from_name": str(old), "to": new.pk, "to_name": str(new), "seat": order},
    )
