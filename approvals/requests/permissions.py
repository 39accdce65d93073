"""What a person may do with a request: decide a seat of it, decide over the head of the authority, or only read, and why."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from accounts.models import Account, Role, RoleHolding, User
from accounts.people.queries import person_of
from approvals.absence.rules.delegation import covers
from approvals.matrix.rules import limits as rules
from approvals.matrix.rules.units import amount_words
from approvals.matrix.weighing import Weighed, chain_of_request
from approvals.models import ApprovalRequest, ApprovalStep, Delegation
from approvals.requests.conflicts import conflict
from approvals.requests.rules import seats as chains
from approvals.requests.stages import chain_of
from ledger.format import listed, moment

OWN, OUTSIDE, NOT_ASKED, DECIDED, ROLE_ENDED = "own", "outside", "not_asked", "decided", "role_ended"


@dataclass(frozen=True)
class Standing:
    """Whether a person may decide. `words` says why not; `may_decline` holds when only the amount is too large.

    `seat` is the order of the seat it is about, `on_behalf_of` whose authority it is when somebody stands in, `function` that
    the seat is one of a required function, not of the authority.
    """

    may_decide: bool
    may_decline: bool
    override: bool
    kind: str = ""
    words: str = ""
    role: Role | None = None
    limit: str = ""
    granted: Decimal = Decimal(0)
    total: Decimal | None = None
    seat: int | None = None
    on_behalf_of: User | None = None
    function: bool = False


@dataclass(frozen=True)
class _Scene:
    """A request as it stands: the roles that cover it, what was weighed, the seats that wait, and which are the authority's."""

    request: ApprovalRequest
    chain: rules.Chain
    weighed: Weighed
    seats: list[ApprovalStep]
    authority: list[int]
    at: datetime


def standing(request: ApprovalRequest, user: User, at: datetime, step: int | None = None) -> Standing:
    """Rights of a person on an open request, by the version the request runs on and the roles held at that moment.

    `step` asks about one seat; without it the person's own seat comes first, then one they stand in for, then the authority's,
    the first of them in which they may decide.
    """
    seats = waiting_seats(request)
    if user.kind == User.SERVICE:
        return _none(NOT_ASKED, f"A service decides nothing. This waits for {_whom(request, seats)}.")
    if request.requester_id == user.pk:
        return _none(OWN, f"This is your own request. It waits for {_whom(request, seats)}.")
    if why := conflict(request, user, at):
        return _none(OWN, why)
    if user.pk in (request.rule.get("exclude") or []):
        return _none(NOT_ASKED, "You were left out of this decision.")
    if request.steps.filter(said_by=user, state=ApprovalStep.DECIDED, part=ApprovalStep.DECIDE).exists():
        return _none(NOT_ASKED, f"You have decided your part of this. It waits for {_whom(request, seats)}.")
    chain, weighed = chain_of_request(request, at)
    authority = chains.orders([chains.authority_group(chain_of(request))])
    wanted = [seat for seat in seats if seat.order == step] if step else seats
    scene = _Scene(request, chain, weighed, wanted, authority, at)
    return _right(scene, user, seats)


def _right(scene: _Scene, user: User, seats: list[ApprovalStep]) -> Standing:
    """Of one's own seat, else in somebody's place, else over the head of the authority. Whoever was handed a seat that covers
    too little by now may still have authority of their own."""
    own = _own(scene, user) or _stand_in(scene, user)
    if own and own.may_decide:
        return own
    over = _over_the_head(scene, user, seats)
    return over if own is None or over.may_decide else own


def waiting_seats(request: ApprovalRequest) -> list[ApprovalStep]:
    """The deciding seats that wait, in order."""
    rows = request.steps.filter(state=ApprovalStep.WAITING, part=ApprovalStep.DECIDE)
    return list(rows.select_related("approver", "role", "delegated_from").order_by("order"))


def chain_and_weight(request: ApprovalRequest, at: datetime) -> tuple[rules.Chain, Weighed]:
    """For passing up: the chain of the request as it stands now."""
    return chain_of_request(request, at)


def _roles(scene: _Scene, user: User) -> dict[str, Role]:
    """What somebody may decide with: nothing once they have left, and as CSM or AE for their own account only."""
    account = scene.request.account
    held = Role.objects.filter(holdings__in=RoleHolding.objects.in_force(scene.at).filter(user=user)).distinct()
    return {role.slug: role for role in held if user.is_active and _for_account(role, user, account)}


def _for_account(role: Role, user: User, account: Account) -> bool:
    """Whether the role may be used on this account: one whose person the account names, by that person only."""
    return not role.account_person or person_of(role, account) == user


def _limits(scene: _Scene, held: dict[str, Role]) -> list[rules.Limit]:
    return [limit for limit in (*scene.chain.covering, *scene.chain.below) if limit.role in held]


def _own(scene: _Scene, user: User) -> Standing | None:
    """The seat addressed to the person, the authority's first. One that was delegated carries the delegator's authority."""
    mine = [seat for seat in scene.seats if seat.approver_id == user.pk]
    seat = next((seat for seat in mine if seat.order in scene.authority), next(iter(mine), None))
    if seat is None:
        return None
    found = _addressed(scene, seat, seat.delegated_from or user, user)
    return replace(found, on_behalf_of=seat.delegated_from)


def _stand_in(scene: _Scene, user: User) -> Standing | None:
    """A seat of somebody who has put it into this person's hands for now: one hop, in scope, never above the delegator."""
    given = {
        each.user_id: each for each in Delegation.objects.in_force(scene.at).filter(to=user).select_related("user")
    }
    for seat in scene.seats:
        delegation = given.get(seat.approver_id)
        if delegation is None or seat.delegated_from_id or not _in_scope(scene, delegation):
            continue
        if conflict(scene.request, seat.approver, scene.at):
            continue
        return replace(_addressed(scene, seat, seat.approver, user), on_behalf_of=seat.approver)
    return None


def _in_scope(scene: _Scene, delegation: Delegation) -> bool:
    request = scene.request
    total = scene.weighed.total
    return covers(delegation.concessions, delegation.up_to_usd, request.concession, request.unit, total)


def _addressed(scene: _Scene, seat: ApprovalStep, whose: User, user: User) -> Standing:
    """What the seat's role may do for the user, as far as the person whose authority it is still holds it."""
    held, asked_as = _roles(scene, whose), seat.role.slug
    if seat.order not in scene.authority:
        return _of_function(scene, seat, held, _ended(seat, whose, user))
    mine = _limits(scene, held)
    if asked_as not in held and not any(limit in scene.chain.covering for limit in mine):
        return _none(ROLE_ENDED, _ended(seat, whose, user), seat=seat.order)
    best = _best(mine, scene.chain, asked_as)
    if best in scene.chain.covering:
        return _granted(scene, held, best, seat.order, override=False)
    return Standing(
        may_decide=False,
        may_decline=True,
        override=False,
        kind=OUTSIDE,
        words=_too_much(scene, best),
        role=seat.role if best is None else held[best.role],
        limit=best.words if best else "none",
        granted=scene.weighed.granted,
        total=scene.weighed.total,
        seat=seat.order,
    )


def _of_function(scene: _Scene, seat: ApprovalStep, held: dict[str, Role], ended: str) -> Standing:
    """A function answers for its subject, not for an amount: holding its role is all."""
    if seat.role.slug not in held:
        return _none(ROLE_ENDED, ended, seat=seat.order)
    return Standing(
        may_decide=True,
        may_decline=True,
        override=False,
        function=True,
        role=seat.role,
        granted=scene.weighed.granted,
        total=scene.weighed.total,
        seat=seat.order,
    )


def _ended(seat: ApprovalStep, whose: User, user: User) -> str:
    who = "You do" if whose.pk == user.pk else f"{whose} does"
    where = " for this account" if seat.role.account_person else ""
    return f"{who} not hold the role {seat.role}{where} any more."


def _best(mine: list[rules.Limit], chain: rules.Chain, asked_as: str) -> rules.Limit | None:
    """The role asked for when it covers, else the most modest role that covers, else the largest limit held."""
    covering = [limit for limit in mine if limit in chain.covering]
    asked = next((limit for limit in covering if limit.role == asked_as), None)
    return asked or next(iter(covering), None) or max(mine, key=lambda limit: limit.rank, default=None)


def _over_the_head(scene: _Scene, user: User, seats: list[ApprovalStep]) -> Standing:
    """A higher authority decides in the authority's place once it is asked. Required functions stay required."""
    held, role = _roles(scene, user), _asked_role(scene.request)
    mine = _limits(scene, held)
    seat = next((seat for seat in scene.seats if seat.order in scene.authority), None)
    asked = next((each for each in (*scene.chain.covering, *scene.chain.below) if each.role == role), None)
    for limit in mine:
        higher = limit in scene.chain.covering and (asked is None or limit.rank > asked.rank) and limit.role != role
        if higher and seat:
            return _granted(scene, held, limit, seat.order, override=True)
    if mine and not any(limit in scene.chain.covering for limit in mine):
        return _none(OUTSIDE, _too_much(scene, mine[-1]))
    return _none(NOT_ASKED, f"This waits for {_whom(scene.request, seats)}.")


def _asked_role(request: ApprovalRequest) -> str:
    return request.approver_role.slug if request.approver_role else ""


def _granted(scene: _Scene, held: dict[str, Role], limit: rules.Limit, seat: int, *, override: bool) -> Standing:
    return Standing(
        may_decide=True,
        may_decline=True,
        override=override,
        role=held[limit.role],
        limit=limit.words,
        granted=scene.weighed.granted,
        total=scene.weighed.total,
        seat=seat,
    )


def _too_much(scene: _Scene, limit: rules.Limit | None) -> str:
    request, weighed = scene.request, scene.weighed
    asked = amount_words(request.unit, weighed.total)
    if weighed.granted:
        asked += (
            f" with the {amount_words(request.unit, weighed.granted)} granted in the last {weighed.window_days} days"
        )
    own = f"{limit.role_name} {limit.stops}" if limit else "you have no limit for this"
    higher = scene.chain.covering[0].role_name if scene.chain.covering else "nobody in the matrix"
    if _asked_role(request) in {each.role for each in scene.chain.covering}:
        higher = f"{request.approver} as {request.approver_role}"
    return f"This is outside your authority: {own}, and it comes to {asked}. It goes to {higher}."


def not_covered(request: ApprovalRequest, role: str, at: datetime) -> str:
    """Why a role that agreed does not cover the request at this moment; empty when it does."""
    chain, weighed = chain_of_request(request, at)
    if any(limit.role == role for limit in chain.covering):
        return ""
    scene = _Scene(request, chain, weighed, [], [], at)
    return _too_much(scene, next((limit for limit in chain.below if limit.role == role), None))


def _none(kind: str, words: str, seat: int | None = None) -> Standing:
    return Standing(may_decide=False, may_decline=False, override=False, kind=kind, words=words, seat=seat)


def _whom(request: ApprovalRequest, seats: list[ApprovalStep]) -> str:
    """`Lena Ortiz as Director`, everybody who is asked now."""
    names = [f"{seat.approver} as {seat.role}" for seat in seats]
    return listed(names) if names else "nobody yet"


STATE_WORDS = {
    ApprovalRequest.APPROVED: "approved",
    ApprovalRequest.CONDITIONS: "approved with conditions",
    ApprovalRequest.DECLINED: "declined",
    ApprovalRequest.REPLACED: "replaced by new terms",
}


def what_happened(request: ApprovalRequest, viewer: User, at: datetime) -> str:
    """How a request ended, for somebody who comes too late: "Already approved by Dana Whitfield at 2:05 PM ET"."""
    if request.state in (ApprovalRequest.RECALLED, ApprovalRequest.REPLACED):
        entry = request.log.select_related("actor").filter(kind=request.state).last()
        who = f" by {entry.actor}" if entry and entry.actor else ""
        word = "Recalled" if request.state == ApprovalRequest.RECALLED else "Replaced by new terms"
        return f"{word}{who}{_at(entry.at, viewer, at) if entry else ''}. Nothing is left to decide"
    who = "rule" if request.by_rule else str(request.decided_by)
    when = _at(request.decided_at, viewer, at) if request.decided_at else ""
    return f"Already {STATE_WORDS.get(request.state, request.state)} by {who}{when}"


def _at(when: datetime, viewer: User, now: datetime) -> str:
    words = moment(when, viewer.zone, now)
    return f" at {words}" if words[0].isdigit() else f" on {words}"
