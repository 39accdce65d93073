"""The plan of an ask: who decides, in which order, with which quorum. The same for the preview and for the request."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from accounts.models import Account, Role, User
from accounts.people.queries import Managers, may_decide_as, nearest
from approvals.matrix.authority import Answer, approver_for
from approvals.matrix.totals import Ask, AskTotal, ask_total
from approvals.models import ApprovalRequest, ChainRule, Seat
from approvals.requests.conflicts import barred
from approvals.requests.rules import seats as rules
from approvals.requests.rules.seats import Person, Stage, Wanted
from ledger.now import now


@dataclass(frozen=True)
class Plan:
    """The person who decides by the authority matrix and why, and the stages with all their seats."""

    answer: Answer
    stages: list[Stage]
    roles: dict[str, Role]


def holders(
    role: Role, account: Account | None, exclude: Collection[int], managers: Managers | None = None
) -> tuple[Person, ...]:
    """All active people who hold the role and may have a seat, the best first. A CSM or AE for their own account only."""
    found = [user for user in may_decide_as(role, account) if user.pk not in exclude]
    return _seated(found, nearest(found, account, managers=managers))


def _seated(people: Collection[User], first: User | None) -> tuple[Person, ...]:
    return tuple(Person(user.pk, user.name) for user in sorted(people, key=lambda user: user != first))


def plan(total: AskTotal, *, exclude: Collection[int] = (), first: int = 1) -> Plan:
    """The authority and all stages, seats numbered from `first`.

    A person whom a function needs is not also the authority: then the next holder, or the next role, is the authority.
    Raises Invalid where a seat that must be filled cannot be.
    """
    answer = approver_for(total, exclude=exclude)
    wanted, roles = functions(total, answer.needs_function, exclude)
    must = rules.sole_holders(each for each in wanted if each.role != answer.role.slug)
    if answer.person.pk in must:
        answer = approver_for(total, exclude={*exclude, *must})
    group = rules.without(authority_of(total, answer, exclude), must)
    return Plan(answer, rules.stages_for([group, *wanted], first=first), {**roles, answer.role.slug: answer.role})


def preview(
    ask: Ask,
    *,
    requester: User,
    beneficiary: User | None = None,
    at: datetime | None = None,
    total: AskTotal | None = None,
) -> Plan:
    """The people who would take part if this were requested now; nothing is sent. Raises Invalid like a request."""
    at = at or now()
    total = total or ask_total(ask, at)
    return plan(total, exclude={requester.pk, *barred(requester, beneficiary, at)})


def functions(total: AskTotal, needs: str, exclude: Collection[int]) -> tuple[list[Wanted], dict[str, Role]]:
    """The functions that take part by the rules of the version, and the function that the limit names."""
    slug = total.concession.slug
    rows = total.version.chain_rules.select_related("role").filter(Q(concession=None) | Q(concession__slug=slug))
    applying = [rule for rule in rows if _applies(rule, total)]
    roles = {rule.role.slug: rule.role for rule in applying}
    found = [
        Wanted(
            role=rule.role.slug,
            role_name=rule.role.name,
            holders=holders(rule.role, total.account, exclude, total.managers),
            place=rule.place,
            part=rules.CONSULT if rule.part == ChainRule.CONSULT else rules.DECIDE,
            quorum=rule.quorum,
            quorum_of=rule.quorum_of,
            sort=rule.sort,
        )
        for rule in applying
    ]
    # The role of that name, else all roles of that function.
    needed = list(Role.objects.filter(slug=needs) or Role.objects.filter(function=needs)) if needs else []
    for role in (role for role in needed if role.slug not in roles):
        people = holders(role, total.account, exclude, total.managers)
        found.append(Wanted(role.slug, role.name, people, place=rules.BESIDE, part=rules.CONSULT))
    return found, {**roles, **{role.slug: role for role in needed}}


def _applies(rule: ChainRule, total: AskTotal) -> bool:
    """Whether the rule applies to this ask. Unknown facts never leave a function out."""
    account = total.account
    small = rule.above is not None and total.total is not None and total.total <= rule.above
    segment, region = (account.segment, account.region) if account else ("", "")
    return not small and _fits(rule.segment, segment) and _fits(rule.region, region)


def _fits(wanted: str, found: str) -> bool:
    return not wanted or not found or wanted.strip().casefold() == found.strip().casefold()


def authority_of(total: AskTotal, answer: Answer, exclude: Collection[int]) -> Wanted:
    """The authority as a group: a committee with all its holders, else one seat."""
    people = _seated([user for user in answer.holders if user.pk not in exclude], answer.person)
    rule = total.version.committees.filter(role=answer.role).first()
    if rule is None:
        return Wanted(answer.role.slug, answer.role.name, people, single=True)
    return Wanted(answer.role.slug, answer.role.name, people, quorum=rule.quorum, quorum_of=rule.quorum_of)


def write(request: ApprovalRequest, found: Plan) -> None:
    """Make a planned seat for every place of the plan."""
    Seat.objects.bulk_create(
        seat
        for stage in found.stages
        for place, group in enumerate(stage.groups, 1)
        for seat in seats_for(request, stage.number, place, group, found.roles[group.role], found.answer.limit_text)
    )
    request.forget_seats()


def seats_for(
    request: ApprovalRequest, stage: int, place: int, group: rules.Group, role: Role, limit: str
) -> list[Seat]:
    """The planned seats of one group, not saved yet."""
    return [
        Seat(
            request=request,
            number=seat.number,
            stage=stage,
            group=place,
            part=group.part,
            authority=group.authority,
            quorum=group.quorum,
            role=role,
            person_id=seat.person,
            limit=limit[:80] if group.authority else "",
        )
        for seat in group.seats
    ]


def stages_of(request: ApprovalRequest, states: Collection[str] = Seat.CURRENT) -> list[Stage]:
    """The stages of a request with its current seats; seats that were handed over, escalated or void are left out."""
    stages: dict[int, dict[int, list[Seat]]] = {}
    for seat in request.all_seats():
        if seat.state in states:
            stages.setdefault(seat.stage, {}).setdefault(seat.group, []).append(seat)
    return [
        Stage(number, tuple(_group(seats) for _, seats in sorted(groups.items())))
        for number, groups in sorted(stages.items())
    ]


def last_states(request: ApprovalRequest) -> Collection[str]:
    """The states of the seats that counted when the request ended by a recall or by new terms."""
    ended = {ApprovalRequest.RECALLED: Seat.RECALLED, ApprovalRequest.REPLACED: Seat.VOIDED}
    return (*Seat.CURRENT, ended[request.state]) if request.state in ended else Seat.CURRENT


def _group(seats: list[Seat]) -> rules.Group:
    one = seats[0]
    return rules.Group(
        role=one.role.slug,
        name=one.role.name,
        part=one.part,
        quorum=one.quorum,
        seats=tuple(rules.SeatPlan(seat.number, seat.person_id, str(seat.person)) for seat in seats),
        authority=one.authority,
        override=next((seat.number for seat in seats if seat.override), None),
    )
