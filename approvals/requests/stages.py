"""The chain of an ask: who decides, in which order, with which quorum. The same for the preview and for the request."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q

from accounts.models import Account, Role, User
from accounts.people.queries import best_holder, person_of, personal_role
from approvals.matrix.authority import Answer, concession_of, route, version_at
from approvals.matrix.running_totals import Without
from approvals.matrix.weighing import Weighed, weigh
from approvals.models import ApprovalRequest, AuthorityVersion, ChainRule
from approvals.requests.conflicts import barred
from approvals.requests.rules import seats as rules
from approvals.requests.rules.seats import Person, Stage, Wanted
from ledger.errors import Invalid
from ledger.now import now


def holders(
    role: str, account: Account | None, exclude: Collection[int], first: User | None = None
) -> tuple[Person, ...]:
    """Everybody active who holds the role and may sit, the one to turn to first. A CSM or AE for their own account only."""
    if personal := personal_role(role):
        own = person_of(personal, account)
        found = [own] if own and own.is_active and own.has_role(role) else []
    else:
        best = first or best_holder(role, account=account, exclude=exclude)
        found = [best] if best else []
        found += [user for user in User.objects.holding([role]).filter(kind=User.PERSON) if user != best]
    return tuple(Person(user.pk, user.name) for user in found if user.pk not in exclude)


def functions(
    version: AuthorityVersion, weighed: Weighed, account: Account | None, needs: str, exclude: Collection[int]
) -> list[Wanted]:
    """The functions the chain rules of a version name for this ask, and the one the limit says must be consulted."""
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
    """What is not known of an ask never takes a function out of its chain."""
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


def stages(
    version: AuthorityVersion,
    weighed: Weighed,
    account: Account | None,
    at: datetime,
    *,
    exclude: Collection[int] = (),
    first: int = 1,
) -> tuple[Answer, list[Stage]]:
    """The authority and the whole chain. Somebody a function cannot do without is not the authority too: that is then the next
    holder or the next role. Raises Invalid where a seat that must be filled cannot be."""
    answer = route(version, weighed, account, at, exclude=exclude)
    wanted = functions(version, weighed, account, answer.needs_function, exclude)
    must = rules.sole_holders(each for each in wanted if each.role != answer.role.slug)
    if answer.person.pk in must:
        answer = route(version, weighed, account, at, exclude={*exclude, *must})
    group = rules.without(authority_of(version, answer, account, exclude), must)
    chain = rules.stages_for([group, *wanted], first=first)
    return answer, chain


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
) -> tuple[Answer, list[Stage]]:
    """Who would take part if this were asked now; nothing is sent. Raises Invalid as asking would."""
    at = at or now()
    version = version_at(at)
    asked: dict[str, Any] = {"amount": amount, "currency": currency, "account": account}
    weighed = weigh(concession=concession_of(version, concession), at=at, renewal=renewal, without=without, **asked)
    left_out = {*exclude, *barred(requester, beneficiary, at)}
    return stages(version, weighed, account, at, exclude=left_out)


def lines(chain: list[Stage]) -> list[dict[str, Any]]:
    """A chain for people: stage by stage, each group with its names and what settles it."""
    return [
        {
            "number": number,
            "name": stage["name"],
            "groups": [
                {
                    "name": group["name"],
                    "words": rules.quorum_words(group),
                    "consulted": group["part"] == rules.CONSULT,
                    "people": [seat["name"] for seat in group["seats"]],
                }
                for group in stage["groups"]
            ],
        }
        for number, stage in enumerate(chain, 1)
    ]


def chain_of(request: ApprovalRequest) -> list[Stage]:
    """The frozen chain of a request; for one from before chains were frozen, the authority alone."""
    if request.chain:
        chain: list[Stage] = request.chain
        return chain
    role, name = (request.approver_role.slug, request.approver_role.name) if request.approver_role else ("", "")
    person = Person(request.approver_id or 0, str(request.approver or ""))
    return rules.stages_for([Wanted(role, name, (person,), single=True)], first=request.step)


def group_of(request: ApprovalRequest, order: int) -> tuple[int, rules.Group]:
    """The stage (from 1) and the group a seat belongs to. Raises Invalid for a seat the chain does not know."""
    for number, stage in enumerate(chain_of(request), 1):
        for group in stage["groups"]:
            if order in rules.orders([group]):
                return number, group
    raise Invalid("There is no such seat in the chain of this request.", field="step")
