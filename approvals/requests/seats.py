"""Seats of a request: asked when their stage opens, handed over if their person cannot decide, closed if not needed."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Max, Q, Subquery

from accounts.models import Role, User
from approvals.absence.rules.delegation import covers
from approvals.events import seats_asked
from approvals.mail import links
from approvals.mail import messages as mail
from approvals.matrix.authority import Answer, approver_above
from approvals.matrix.totals import AskTotal, total_of
from approvals.models import ApprovalRequest, DecisionEntry, Delegation, Seat
from approvals.requests import log, plan
from approvals.requests.conflicts import barred, conflict
from approvals.requests.permissions import check_inside, for_user, what_happened
from approvals.requests.rules import seats as rules
from ledger.errors import AlreadyDone, Invalid, NotThere
from ledger.now import now


def locked(request_id: int) -> ApprovalRequest:
    """Lock the request and the other open requests of its case, in ascending order, and return the request. A verb on one of
    them may move the decision clock, which changes the deadline of all. Raises NotThere.
    """
    key = ApprovalRequest.objects.filter(pk=request_id).exclude(case_key="").values("case_key")
    rows = ApprovalRequest.objects.select_for_update(of=("self",)).with_people()
    together = rows.filter(Q(pk=request_id) | Q(case_key=Subquery(key), state=ApprovalRequest.OPEN)).order_by("pk")
    request = next((each for each in together if each.pk == request_id), None)
    if request is None:
        raise NotThere("There is no such request.")
    return request


def locked_open(request_id: int, by: User | None, at: datetime) -> ApprovalRequest:
    """The same, for verbs that need an open request. Raises AlreadyDone with who decided it and when, NotAllowed for an
    external party."""
    check_inside(by)
    request = locked(request_id)
    if not request.is_open:
        raise AlreadyDone(f"{what_happened(request, by or request.requester, at)}.")
    return request


def asked(request: ApprovalRequest) -> list[Seat]:
    """All seats that are asked now, including consulted ones."""
    return [seat for seat in request.all_seats() if seat.state == Seat.ASKED]


def coming(request: ApprovalRequest) -> list[Seat]:
    """The planned seats of the next stage."""
    planned = [seat for seat in request.all_seats() if seat.state == Seat.PLANNED]
    first = min((seat.stage for seat in planned), default=0)
    return [seat for seat in planned if seat.stage == first]


def deciding(request: ApprovalRequest) -> list[Seat]:
    """All seats whose decision is waited for."""
    return [seat for seat in request.all_seats() if seat.waits]


def open_stage(request: ApprovalRequest, total: AskTotal) -> None:
    """Ask all people of the next stage: each gets a link and a mail."""
    open_seats(request, coming(request), total)


def open_seats(request: ApprovalRequest, wanted: Collection[Seat], total: AskTotal) -> None:
    """The same for some planned seats of the request."""
    request.seats.planned().filter(pk__in=[seat.pk for seat in wanted]).update(state=Seat.ASKED, asked_at=total.at)
    for seat in wanted:
        seat.state, seat.asked_at = Seat.ASKED, total.at
    seats_asked.send(sender=ApprovalRequest, request=request)
    for seat in wanted:
        ask(request, seat, total)


def ask(request: ApprovalRequest, seat: Seat, total: AskTotal, *, nth: int = 0, again: str = "") -> None:
    """Mail the question to the person and to the current stand-ins, each with a separate link."""
    mail.ask(request, seat, links.issue(request, seat), total, nth=nth, again=again)
    for person in stand_ins(request, seat, total.at):
        mail.ask(request, seat, links.issue(request, seat, to=person), total, nth=nth, again=again, to=person)


def remind(request: ApprovalRequest, seats: Iterable[Seat], total: AskTotal) -> None:
    """Mail the question again."""
    for seat in seats:
        seat.reminded += 1
        seat.save(update_fields=["reminded"])
        ask(request, seat, total, nth=seat.reminded)


def stand_ins(request: ApprovalRequest, seat: Seat, at: datetime) -> list[User]:
    """The people who may decide in the person's place at this moment. None for a delegated or a consulted seat."""
    if seat.stands_for_id or seat.part != Seat.DECIDE or not seat.person.is_active:
        return []
    total = request.total_usd if request.total_usd is not None else request.amount_usd
    given = Delegation.objects.in_force(at).filter(user=seat.person_id).select_related("to")
    return [
        each.to
        for each in given
        if each.to.is_colleague
        and covers(each.concessions, each.up_to_usd, request.concession, request.unit, total)
        and not conflict(request, each.to, at)
    ]


def close(request: ApprovalRequest, state: str, at: datetime, numbers: Collection[int] | None = None) -> list[Seat]:
    """End the asked seats (of these numbers), with their links. Returns them with their previous values."""
    ended = [seat for seat in asked(request) if numbers is None or seat.number in numbers]
    if ended:
        request.seats.asked().filter(pk__in=[seat.pk for seat in ended]).update(state=state, ended_at=at)
        links.end(ended, at)
        request.forget_seats()
    return ended


def hand_over(
    request: ApprovalRequest, seat: Seat, to: User, state: str, at: datetime, *, stands_for: User | None = None
) -> Seat:
    """End the old seat in that state and create a new one with its role, limit and place in the plan. Nobody is asked
    yet."""
    number = next_number(request)
    close(request, state, at, [seat.number])
    request.version += 1
    changed = ["version"]
    if seat.authority:
        request.asked_since = at
        changed.append("asked_since")
    request.save(update_fields=changed)
    links.carry(request)
    place = {name: getattr(seat, name) for name in ("stage", "group", "part", "authority", "quorum", "role", "limit")}
    made = Seat.objects.create(
        request=request, number=number, person=to, stands_for=stands_for, state=Seat.ASKED, asked_at=at, **place
    )
    request.forget_seats()
    return made


def next_number(request: ApprovalRequest) -> int:
    """The number of the next seat."""
    return (request.seats.aggregate(last=Max("number"))["last"] or 0) + 1


# Reassigning. Between the ask and the decision a person may leave, lose the role, or become the requester's stand-in.
# Nobody could decide the seat then, so the next holder of the role gets it. Role, stage and quorum of the seat stay.


def spent(request: ApprovalRequest, at: datetime) -> set[int]:
    """People who cannot take another seat: those with a seat, now or before, and those who are excluded."""
    seats = request.all_seats()
    named = {seat.person_id for seat in seats} | {seat.said_by_id for seat in seats if seat.said_by_id}
    return named | left_out(request, at)


def left_out(request: ApprovalRequest, at: datetime) -> set[int]:
    """The requester, excluded people, people for whom it would be self-approval now, and people who have decided a
    seat."""
    named = {*(request.rule.get("exclude") or []), request.requester_id}
    votes = [seat for seat in request.all_seats() if seat.state == Seat.DECIDED and seat.part == Seat.DECIDE]
    spoke = {seat.said_by_id for seat in votes if seat.said_by_id}
    return named | spoke | set(barred(request.requester, request.beneficiary, at))


def fill_stage(request: ApprovalRequest, at: datetime) -> None:
    """Before the next stage is asked: give each deciding seat in it a person who can decide, if there is one."""
    wanted = [seat for seat in coming(request) if seat.part == Seat.DECIDE]
    for role in dict.fromkeys(seat.role for seat in wanted):
        able = {person.id for person in plan.holders(role, request.account, left_out(request, at))}
        for seat in (seat for seat in wanted if seat.role == role and seat.person_id not in able):
            if found := _next(request, role, at):
                old, seat.person = seat.person, found
                seat.save(update_fields=["person"])
                _log_reassigned(request, seat, old, found, at)


def reassign(request: ApprovalRequest, seats: Iterable[Seat], total: AskTotal) -> list[Seat]:
    """Hand asked seats whose person cannot decide any more to the next holder of their role. The new people are asked
    and the old ones notified. Returns the seats that do not change.
    """
    return [seat for seat in seats if not _reassigned(request, seat, total)]


def _reassigned(request: ApprovalRequest, seat: Seat, total: AskTotal) -> bool:
    at = total.at
    can = seat.person.is_active and for_user(request, seat.person, at, seat.number, total=total).may_decline
    if can or not (found := _heir(request, seat, at)):
        return False
    made = hand_over(request, seat, found, Seat.REASSIGNED, at)
    _log_reassigned(request, made, seat.person, found, at)
    ask(request, made, total)
    mail.settled(request, seat, f"{found} is asked in your place.", at)
    if seat.stands_for and seat.stands_for != found:
        lead = f"{seat.person}, to whom you delegated this, can no longer decide it, so {found} is asked."
        mail.word(request, request.log.latest("seq"), [seat.stands_for], subject="Reassigned", lead=lead)
    return True


def plan_another(request: ApprovalRequest, seat: Seat, at: datetime) -> bool:
    """Plan the next holder of the role for a planned seat. False if there is none: then it is tried again when the stage
    opens."""
    found = _next(request, seat.role, at)
    if found:
        old, seat.person = seat.person, found
        seat.save(update_fields=["person"])
        _log_reassigned(request, seat, old, found, at)
    return bool(found)


def leave_to_the_others(request: ApprovalRequest, seat: Seat, at: datetime) -> bool:
    """End the asked seat of a committee whose other members can still reach its quorum. False if they cannot."""
    others = [
        each
        for each in request.all_seats()
        if (each.stage, each.group) == (seat.stage, seat.group)
        and each.number != seat.number
        and each.state in (Seat.ASKED, Seat.DECIDED)
        and each.person.is_colleague
    ]
    if len(others) < seat.quorum:
        return False
    close(request, Seat.REASSIGNED, at, [seat.number])
    rationale = f"{seat.person} can no longer decide this as {seat.role}; the others of the committee decide it."
    log.write(
        request,
        DecisionEntry.REASSIGNED,
        at,
        channel=DecisionEntry.RULE,
        role=seat.role.name,
        rationale=rationale,
        seat=seat.number,
    )
    return True


def _heir(request: ApprovalRequest, seat: Seat, at: datetime) -> User | None:
    """The delegator, if that person can still decide; else the next holder of the role."""
    giver, role = seat.stands_for, seat.role
    if giver and giver.pk in {person.id for person in plan.holders(role, request.account, left_out(request, at))}:
        return giver
    return _next(request, role, at)


def _next(request: ApprovalRequest, role: Role, at: datetime) -> User | None:
    free = plan.holders(role, request.account, spent(request, at))
    return User.objects.get(pk=free[0].id) if free else None


def _log_reassigned(request: ApprovalRequest, seat: Seat, old: User, new: User, at: datetime) -> None:
    log.write(
        request,
        DecisionEntry.REASSIGNED,
        at,
        channel=DecisionEntry.RULE,
        role=seat.role.name,
        rationale=f"{old} can no longer decide this as {seat.role}, so {new} is asked.",
        seat=seat.number,
        facts={"from": old.pk, "from_name": str(old), "to": new.pk, "to_name": str(new), "seat": seat.number},
    )


@transaction.atomic
def pass_up(*, request_id: int, reason: str, at: datetime | None = None) -> ApprovalRequest:
    """Escalate the authority's seat of an open request to the next higher authority that covers it. The previous people
    are notified. The requester, excluded people and people asked before are skipped. Required functions stay required:
    one that is still waited for is reminded, and the higher authority is asked after it. People who cannot decide any
    more are replaced by the next holder of their role, also if there is no higher authority. Raises AlreadyDone if it
    has ended, Invalid if there is no higher authority, nobody holds it, or the authority has already agreed.
    """
    at = at or now()
    request = locked_open(request_id, None, at)
    total = total_of(request, at)
    stages = plan.stages_of(request)
    stage, group = next((stage, group) for stage in stages for group in stage.groups if group.authority)
    now_asked = request.stage
    if now_asked > stage.number:
        if _some_reassigned(request, total):
            return request
        names = " and ".join(str(seat.person) for seat in asked(request))
        raise Invalid(f"The authority has agreed. This waits for {names}.")
    skipped, old = spent(request, at), request.authority_seat
    limits = (*total.coverage.covering, *total.coverage.below)
    before = next((limit for limit in limits if old and limit.role == old.role.slug), None)
    try:
        found = approver_above(total, before, exclude=skipped, near=old.person if old else None)
    except Invalid:
        if _some_reassigned(request, total):
            return request
        raise
    passed = _replace_authority(request, (stage, group), found, total, skipped)
    log.write(
        request,
        DecisionEntry.PASSED_UP,
        at,
        on_behalf_of=old.person if old else None,
        channel=DecisionEntry.CLOCK,
        role=found.role.name,
        limit=found.limit_text,
        rationale=reason,
        seat=old.number if old else None,
    )
    if now_asked == stage.number:
        beside = deciding(request)
        higher = [seat for seat in request.all_seats() if seat.state == Seat.PLANNED and seat.authority]
        open_seats(request, higher, total)
        reassign(request, beside, total)
    else:
        remind(request, reassign(request, deciding(request), total), total)
    for seat in passed:
        mail.passed_over(request, seat, found.person, at, reason)
    return request


def _some_reassigned(request: ApprovalRequest, total: AskTotal) -> bool:
    """If there is no higher authority: whether a seat was reassigned to another holder of its role instead."""
    waiting = deciding(request)
    return len(reassign(request, waiting, total)) < len(waiting)


def _replace_authority(
    request: ApprovalRequest,
    place: tuple[rules.Stage, rules.Group],
    found: Answer,
    total: AskTotal,
    skipped: set[int],
) -> list[Seat]:
    """End the seats of the authority, including decided ones; the higher authority gets planned seats instead. Returns
    the seats that were asked.
    """
    stage, group = place
    first, numbers = next_number(request), [seat.number for seat in group.seats]
    wanted = plan.authority_of(total, found, skipped)
    # A committee gets a seat for each holder, any other authority one seat, as in a new plan.
    made = rules.stages_for([wanted], first=first)[0].groups[0]
    passed = close(request, Seat.PASSED_UP, total.at, numbers)
    ended = request.seats.filter(number__in=numbers)
    ended.filter(state__in=(Seat.DECIDED, Seat.SETTLED)).update(state=Seat.PASSED_UP)
    ended.planned().delete()
    request.rule = {**found.rule, "exclude": request.rule.get("exclude") or []}
    request.version, request.asked_since = request.version + 1, total.at
    request.save(update_fields=["version", "asked_since", "rule"])
    nth = stage.groups.index(group) + 1
    Seat.objects.bulk_create(plan.seats_for(request, stage.number, nth, made, found.role, found.limit_text))
    request.forget_seats()
    links.carry(request)
    return passed
