"""What a person may do with a request: decide a seat, decide in place of the authority, or only read, and why."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from accounts.models import Account, Role, RoleHolding, User
from accounts.people.queries import person_of
from approvals.absence.rules.delegation import covers
from approvals.matrix.rules import limits as rules
from approvals.matrix.rules.units import amount_words
from approvals.matrix.totals import AskTotal, total_of
from approvals.models import ApprovalRequest, Delegation, Seat
from approvals.requests.conflicts import conflict
from ledger.errors import NotAllowed
from ledger.format import listed, moment

OWN, OUTSIDE, NOT_ASKED, DECIDED, ROLE_ENDED = "own", "outside", "not_asked", "decided", "role_ended"


@dataclass(frozen=True)
class Permission:
    """Whether a person may decide. `words` says why not; `may_decline` is true if only the amount is too large. `seat`
    is the number of the seat, `on_behalf_of` the person for whom a stand-in decides, `function` says that the seat is
    one of a required function, not of the authority.
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
    """The current facts of a request: its total, and the deciding seats that are asked."""

    request: ApprovalRequest
    total: AskTotal
    seats: list[Seat]

    @property
    def at(self) -> datetime:
        """The moment for which the permission is checked."""
        return self.total.at


def check_inside(user: User | None) -> None:
    """Raise NotAllowed for an external party, in verbs of people who are named on a request."""
    if user is not None and user.is_external:
        raise NotAllowed("An external party decides nothing and reads no requests.")


def for_user(
    request: ApprovalRequest, user: User, at: datetime, seat: int | None = None, *, total: AskTotal | None = None
) -> Permission:
    """The permission of a person on an open request, by its version of the matrix and the roles held at that moment.

    `seat` limits the check to one seat, by its number. Without it the person's own seat comes first, then one they
    stand in for, then the authority's. `total` is the ask total, if the caller knows it.
    """
    seats = [each for each in request.all_seats() if each.waits]
    if user.kind == User.SERVICE:
        return _none(NOT_ASKED, f"A service decides nothing. This waits for {asked_as(seats)}.")
    if request.requester_id == user.pk:
        return _none(OWN, f"This is your own request. It waits for {asked_as(seats)}.")
    if why := conflict(request, user, at):
        return _none(OWN, why)
    if user.pk in (request.rule.get("exclude") or []):
        return _none(NOT_ASKED, "You were excluded from this decision.")
    voted = [each for each in request.all_seats() if each.state == Seat.DECIDED and each.part == Seat.DECIDE]
    if any(each.said_by_id == user.pk for each in voted):
        return _none(NOT_ASKED, f"You have decided your part. The request waits for {asked_as(seats)}.")
    wanted = [each for each in seats if each.number == seat] if seat else seats
    return _right(_Scene(request, total or total_of(request, at), wanted), user, seats)


def _right(scene: _Scene, user: User, seats: list[Seat]) -> Permission:
    """The permission by the person's own seat, else as a stand-in, else in place of the authority. A person whose seat
    no longer covers the amount may still have enough authority through another role."""
    own = _own(scene, user) or _stand_in(scene, user)
    if own and own.may_decide:
        return own
    over = _over_the_head(scene, user, seats)
    return over if own is None or over.may_decide else own


def _roles(scene: _Scene, user: User) -> dict[str, Role]:
    """The roles with which a person may decide: none after leaving or as an external party, and CSM or AE for their own
    account only."""
    account = scene.request.account
    held = Role.objects.filter(holdings__in=RoleHolding.objects.in_force(scene.at).filter(user=user)).distinct()
    held = held.exclude(sees=Role.SHARED)
    return {role.slug: role for role in held if user.is_active and _for_account(role, user, account)}


def _for_account(role: Role, user: User, account: Account) -> bool:
    """Whether the role may be used on this account: a role named on the account, only by that person."""
    return not role.account_person or person_of(role, account) == user


def _limits(scene: _Scene, held: dict[str, Role]) -> list[rules.Limit]:
    return [limit for limit in (*scene.total.coverage.covering, *scene.total.coverage.below) if limit.role in held]


def _own(scene: _Scene, user: User) -> Permission | None:
    """The seat addressed to the person, the authority's first. A delegated seat has the delegator's authority."""
    mine = [seat for seat in scene.seats if seat.person_id == user.pk]
    seat = next((seat for seat in mine if seat.authority), next(iter(mine), None))
    if seat is None:
        return None
    if seat.stands_for and user.is_external:
        return _none(
            NOT_ASKED, f"An external party decides nothing. {seat.stands_for} delegated this.", seat=seat.number
        )
    found = _addressed(scene, seat, seat.stands_for or user, user)
    return replace(found, on_behalf_of=seat.stands_for)


def _stand_in(scene: _Scene, user: User) -> Permission | None:
    """A seat of a person for whom this person stands in now: one step, in scope, never above the delegator's limit."""
    given = {
        each.user_id: each for each in Delegation.objects.in_force(scene.at).filter(to=user).select_related("user")
    }
    if given and user.is_external:
        return None
    for seat in scene.seats:
        delegation = given.get(seat.person_id)
        if delegation is None or seat.stands_for_id or not _in_scope(scene, delegation):
            continue
        if conflict(scene.request, seat.person, scene.at):
            continue
        return replace(_addressed(scene, seat, seat.person, user), on_behalf_of=seat.person)
    return None


def _in_scope(scene: _Scene, delegation: Delegation) -> bool:
    request = scene.request
    total = scene.total.total
    return covers(delegation.concessions, delegation.up_to_usd, request.concession, request.unit, total)


def _addressed(scene: _Scene, seat: Seat, whose: User, user: User) -> Permission:
    """The permission by the seat's role, if the person whose authority it is still holds the role."""
    held, asked_as = _roles(scene, whose), seat.role.slug
    if not seat.authority:
        return _of_function(scene, seat, held, _ended(seat, whose, user))
    mine = _limits(scene, held)
    if asked_as not in held and not any(limit in scene.total.coverage.covering for limit in mine):
        return _none(ROLE_ENDED, _ended(seat, whose, user), seat=seat.number)
    best = _best(mine, scene.total.coverage, asked_as)
    if best in scene.total.coverage.covering:
        return _granted(scene, held, best, seat.number, override=False)
    return Permission(
        may_decide=False,
        may_decline=True,
        override=False,
        kind=OUTSIDE,
        words=_too_much(scene, best),
        role=seat.role if best is None else held[best.role],
        limit=best.words if best else "none",
        granted=scene.total.granted,
        total=scene.total.total,
        seat=seat.number,
    )


def _of_function(scene: _Scene, seat: Seat, held: dict[str, Role], ended: str) -> Permission:
    """A function decides on its subject, not on an amount, so holding the role is enough."""
    if seat.role.slug not in held:
        return _none(ROLE_ENDED, ended, seat=seat.number)
    return Permission(
        may_decide=True,
        may_decline=True,
        override=False,
        function=True,
        role=seat.role,
        granted=scene.total.granted,
        total=scene.total.total,
        seat=seat.number,
    )


def _ended(seat: Seat, whose: User, user: User) -> str:
    who = "You do" if whose.pk == user.pk else f"{whose} does"
    where = " for this account" if seat.role.account_person else ""
    return f"{who} not hold the role {seat.role}{where} any more."


def _best(mine: list[rules.Limit], coverage: rules.Coverage, asked_as: str) -> rules.Limit | None:
    """The requested role if it covers the ask, else the lowest role that covers it, else the role with the largest
    limit."""
    covering = [limit for limit in mine if limit in coverage.covering]
    asked = next((limit for limit in covering if limit.role == asked_as), None)
    return asked or next(iter(covering), None) or max(mine, key=lambda limit: limit.rank, default=None)


def _over_the_head(scene: _Scene, user: User, seats: list[Seat]) -> Permission:
    """A higher authority may decide in the authority's place once the authority is asked. Required functions stay
    required."""
    held, role = _roles(scene, user), _asked_role(scene.request)
    mine = _limits(scene, held)
    seat = next((seat for seat in scene.seats if seat.authority), None)
    asked = next(
        (each for each in (*scene.total.coverage.covering, *scene.total.coverage.below) if each.role == role), None
    )
    for limit in mine:
        higher = (
            limit in scene.total.coverage.covering and (asked is None or limit.rank > asked.rank) and limit.role != role
        )
        if higher and seat:
            return _granted(scene, held, limit, seat.number, override=True)
    if mine and not any(limit in scene.total.coverage.covering for limit in mine):
        return _none(OUTSIDE, _too_much(scene, mine[-1]))
    return _none(NOT_ASKED, f"This waits for {asked_as(seats)}.")


def _asked_role(request: ApprovalRequest) -> str:
    return request.approver_role.slug if request.approver_role else ""


def _granted(scene: _Scene, held: dict[str, Role], limit: rules.Limit, seat: int, *, override: bool) -> Permission:
    return Permission(
        may_decide=True,
        may_decline=True,
        override=override,
        role=held[limit.role],
        limit=limit.words,
        granted=scene.total.granted,
        total=scene.total.total,
        seat=seat,
    )


def _too_much(scene: _Scene, limit: rules.Limit | None) -> str:
    request, total = scene.request, scene.total
    asked = amount_words(request.unit, total.total)
    if total.granted:
        asked += f" with the {amount_words(request.unit, total.granted)} granted in the last {total.window_days} days"
    own = f"{limit.role_name} {limit.stops}" if limit else "you have no limit for this"
    covering = total.coverage.covering
    higher = covering[0].role_name if covering else "nobody in the matrix"
    if _asked_role(request) in {each.role for each in covering}:
        higher = f"{request.approver} as {request.approver_role}"
    return f"This is outside your authority: {own}, and the total is {asked}. It goes to {higher}."


def not_covered(request: ApprovalRequest, role: str, total: AskTotal) -> str:
    """Why a role that agreed no longer covers the request; empty if it does."""
    if any(limit.role == role for limit in total.coverage.covering):
        return ""
    below = next((limit for limit in total.coverage.below if limit.role == role), None)
    return _too_much(_Scene(request, total, []), below)


def _none(kind: str, words: str, seat: int | None = None) -> Permission:
    return Permission(may_decide=False, may_decline=False, override=False, kind=kind, words=words, seat=seat)


def asked_as(seats: list[Seat]) -> str:
    """Whom a request waits for, in words: `Lena Ortiz as Director`, for all these seats, which are asked now."""
    names = [f"{seat.person} as {seat.role}" for seat in seats]
    return listed(names) if names else "nobody yet"


STATE_WORDS = {
    ApprovalRequest.APPROVED: "approved",
    ApprovalRequest.CONDITIONS: "approved with conditions",
    ApprovalRequest.DECLINED: "declined",
    ApprovalRequest.REPLACED: "replaced by new terms",
}


def what_happened(request: ApprovalRequest, viewer: User, at: datetime) -> str:
    """How a request ended, for a person who decides too late: "Already approved by Dana Whitfield at 2:05 PM ET"."""
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
