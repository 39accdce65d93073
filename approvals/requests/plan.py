"""The plan of an ask: who decides, in which order, with which quorum. The same for the preview and for the request."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q

from accounts.models import Account, Role, User
from accounts.people.queries import best_holder
from approvals.matrix.authority import PERSONAL_ROLES, Answer, concession_of, route, version_at
from approvals.matrix.running_totals import Without
from approvals.matrix.weighing import Weighed, weigh
from approvals.models import ApprovalRequest, AuthorityVersion, ChainRule, Seat
from approvals.requests.conflicts import barred
from approvals.requests.rules import seats as rules
from approvals.requests.rules.seats import Person, Stage, Wanted
from ledger.now import now


@dataclass(frozen=True)
class Plan:
    """Who decides by the authority matrix and why, and the stages with all their seats."""

    answer: Answer
    stages: list[Stage]


def holders(
    role: str, account: Account | None, exclude: Collection[int], first: User | None = None
) -> tuple[Person, ...]:
    """Everybody active who holds the role and may sit, the one to turn to first. A CSM or AE for their own account only."""
    if role in PERSONAL_ROLES:
        own = None if account is None else (account.csm if role == "csm" else account.ae)
        found = [own] if own and own.is_active and own.has_role(role) else []
    else:
        best = first or best_holder(role, account=account, exclude=exclude)
        found = [best] if best else []
        found += [user for user in User.objects.holding([role]).filter(kind=User.PERSON) if user != best]
    return tuple(Person(user.pk, user.name) for user in found if user.pk not in exclude)


def functions(
    version: AuthorityVersion, weighed: Weighed, account: Account | None, needs: str, exclude: Collection[int]
) -> list[Wanted]:
    """The functions that take part by the rules of a version, and the one that the limit says must be consulted."""
    found = [_wanted(rule, account, exclude) for rule in _applying(version, weighed, account)]
    named = {each.role for each in found}
    for role in _roles_of(needs):
        if role.slug not in named:
            people = holders(role.slug, account, exclude)
            found.append(Wanted(role.slug, role.name, people, place=rules.BESIDE, part=rules.CONSULT))
    return found


def _roles_of(needs: str) -> list[Role]:
    """The role of that name, else every role of that function."""
    return list(Role.objects.filter(slug=needs) or Role.objects.filter(function=needs)) if needs else []


def _applying(version: AuthorityVersion, weighed: Weighed, account: Account | None) -> list[ChainRule]:
    slug = weighed.concession.slug
    rows = version.chain_rules.select_related("role").filter(Q(concession=None) | Q(concession__slug=slug))
    return [rule for rule in rows if _holds(rule, weighed, account)]


def _holds(rule: ChainRule, weighed: Weighed, account: Account | None) -> bool:
    """Whether the rule is for this ask. What is not known of the ask never leaves a function out."""
    total = weighed.total
    small = rule.above is not None and total is not None and total <= rule.above
    segment, region = (account.segment, account.region) if account else ("", "")
    return not small and _fits(rule.segment, segment) and _fits(rule.region, region)


def _fits(wanted: str, found: str) -> bool:
    return not wanted or not found or wanted.strip().casefold() == found.strip().casefold()


def _wanted(rule: ChainRule, account: Account | None, exclude: Collection[int]) -> Wanted:
    return Wanted(
        role=rule.role.slug,
        role_name=rule.role.name,
        holders=holders(rule.role.slug, account, exclude),
        place=rule.place,
        part=rules.CONSULT if rule.part == ChainRule.CONSULT else rules.DECIDE,
        quorum=rule.quorum,
        quorum_of=rule.quorum_of,
        sort=rule.sort,
    )


def authority_of(
    version: AuthorityVersion, answer: Answer, account: Account | None, exclude: Collection[int]
) -> Wanted:
    """The authority as a group: a committee with all its holders, else one seat."""
    people = holders(answer.role.slug, account, exclude, first=answer.person)
    rule = version.committees.filter(role=answer.role).first()
    if rule is None:
        return Wanted(answer.role.slug, answer.role.name, people, single=True)
    return Wanted(answer.role.slug, answer.role.name, people, quorum=rule.quorum, quorum_of=rule.quorum_of)


def plan(
    version: AuthorityVersion,
    weighed: Weighed,
    account: Account | None,
    at: datetime,
    *,
    exclude: Collection[int] = (),
    first: int = 1,
) -> Plan:
    """The authority and all stages, seats numbered from `first`.

    Somebody a function cannot do without is not the authority too: that is then the next holder, or the next role. Raises
    Invalid where a seat that must be filled cannot be.
    """
    answer = route(version, weighed, account, at, exclude=exclude)
    wanted = functions(version, weighed, account, answer.needs_function, exclude)
    must = rules.sole_holders(each for each in wanted if each.role != answer.role.slug)
    if answer.person.pk in must:
        answer = route(version, weighed, account, at, exclude={*exclude, *must})
    group = rules.without(authority_of(version, answer, account, exclude), must)
    return Plan(answer, rules.stages_for([group, *wanted], first=first))


def preview(
    *,
    concession: str,
    amount: Decimal | None,
    currency: str,
    account: Account | None,
    requester: User,
    beneficiary: User | None = None,
    at: datetime | None = None,
    exclude: Collection[int] = (),
    renewal: str = "",
    without: Without = None,
) -> Plan:
    """Who would take part if this were asked now; nothing is sent. Raises Invalid as asking would."""
    at = at or now()
    version = version_at(at)
    asked: dict[str, Any] = {"amount": amount, "currency": currency, "account": account}
    weighed = weigh(concession=concession_of(version, concession), at=at, renewal=renewal, without=without, **asked)
    left_out = {*exclude, *barred(requester, beneficiary, at)}
    return plan(version, weighed, account, at, exclude=left_out)


def write(request: ApprovalRequest, stages: Iterable[Stage], *, limit: str) -> None:
    """Make a planned seat for every place of the plan. `limit`: of the authority, in words."""
    placed = [(stage, place, group) for stage in stages for place, group in enumerate(stage.groups, 1)]
    roles = {role.slug: role for role in Role.objects.filter(slug__in={group.role for _, _, group in placed})}
    Seat.objects.bulk_create(
        seat
        for stage, place, group in placed
        for seat in seats_for(request, stage.number, place, group, roles[group.role], limit)
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
    """The stages of a request as its seats stand now; seats that were handed over, passed up or void are left out."""
    stages: dict[int, dict[int, list[Seat]]] = {}
    for seat in request.all_seats():
        if seat.state in states:
            stages.setdefault(seat.stage, {}).setdefault(seat.group, []).append(seat)
    return [
        Stage(number, tuple(_group(seats) for _, seats in sorted(groups.items())))
        for number, groups in sorted(stages.items())
    ]


def last_states(request: ApprovalRequest) -> Collection[str]:
    """States of the seats that made up the request when it ended by a recall or by new terms."""
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
