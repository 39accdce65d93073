"""What a person may do with a request: decide, decide over the head of the approver, or only read, and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from accounts.models import Role, RoleHolding, User
from approvals.models import ApprovalRequest, DecisionEntry
from approvals.queries.weighing import Weighed, chain_of_request
from approvals.rules import authority as rules
from approvals.rules.words import amount_words, moment_words

OWN, OUTSIDE, NOT_ASKED, DECIDED, ROLE_ENDED = "own", "outside", "not_asked", "decided", "role_ended"


@dataclass(frozen=True)
class Standing:
    """Whether a person may decide. `words` says why not; `may_decline` holds when only the amount is too large."""

    may_decide: bool
    may_decline: bool
    override: bool
    kind: str = ""
    words: str = ""
    role: Role | None = None
    limit: str = ""
    granted: Decimal = Decimal(0)
    total: Decimal | None = None


def standing(request: ApprovalRequest, user: User, at: datetime) -> Standing:
    """Rights of a person on an open request, by the version the request runs on and the roles held at that moment."""
    if request.requester_id == user.pk:
        return _none(OWN, f"This is your own request. It waits for {_approver(request)}.")
    chain, weighed = chain_of_request(request, at)
    held = {role.slug: role for role in _roles(user, at)}
    mine = [limit for limit in (*chain.covering, *chain.below) if limit.role in held]
    if request.approver_id == user.pk:
        return _addressed(request, held, mine, chain, weighed)
    return _over_the_head(request, held, mine, chain, weighed)


def _roles(user: User, at: datetime) -> Iterable[Role]:
    return Role.objects.filter(holdings__in=RoleHolding.objects.in_force(at).filter(user=user)).distinct()


def chain_and_weight(request: ApprovalRequest, at: datetime) -> tuple[rules.Chain, Weighed]:
    """For passing up: the chain of the request as it stands now."""
    return chain_of_request(request, at)


def _addressed(
    request: ApprovalRequest, held: dict[str, Role], mine: list[rules.Limit], chain: rules.Chain, weighed: Weighed
) -> Standing:
    asked_as = request.approver_role.slug if request.approver_role else ""
    if asked_as not in held and not any(limit in chain.covering for limit in mine):
        return _none(ROLE_ENDED, f"You do not hold the role {request.approver_role} any more.")
    best = _best(mine, chain, asked_as)
    if best in chain.covering:
        return _granted(held, best, weighed, override=False)
    role = request.approver_role if best is None else held[best.role]
    return Standing(
        may_decide=False,
        may_decline=True,
        override=False,
        kind=OUTSIDE,
        words=_too_much(request, best, chain, weighed),
        role=role,
        limit=best.words if best else "none",
        granted=weighed.granted,
        total=weighed.total,
    )


def _best(mine: list[rules.Limit], chain: rules.Chain, asked_as: str) -> rules.Limit | None:
    """The role asked for when it covers, else the most modest role that covers, else the largest limit held."""
    covering = [limit for limit in mine if limit in chain.covering]
    asked = next((limit for limit in covering if limit.role == asked_as), None)
    return asked or next(iter(covering), None) or max(mine, key=lambda limit: limit.rank, default=None)


def _over_the_head(
    request: ApprovalRequest, held: dict[str, Role], mine: list[rules.Limit], chain: rules.Chain, weighed: Weighed
) -> Standing:
    asked = next((each for each in (*chain.covering, *chain.below) if each.role == _asked_role(request)), None)
    for limit in mine:
        if (
            limit in chain.covering
            and (asked is None or limit.rank > asked.rank)
            and limit.role != _asked_role(request)
        ):
            return _granted(held, limit, weighed, override=True)
    if mine and not any(limit in chain.covering for limit in mine):
        return _none(OUTSIDE, _too_much(request, mine[-1], chain, weighed))
    return _none(NOT_ASKED, f"This waits for {_approver(request)}.")


def _asked_role(request: ApprovalRequest) -> str:
    return request.approver_role.slug if request.approver_role else ""


def _granted(held: dict[str, Role], limit: rules.Limit, weighed: Weighed, *, override: bool) -> Standing:
    return Standing(
        may_decide=True,
        may_decline=True,
        override=override,
        role=held[limit.role],
        limit=limit.words,
        granted=weighed.granted,
        total=weighed.total,
    )


def _too_much(request: ApprovalRequest, limit: rules.Limit | None, chain: rules.Chain, weighed: Weighed) -> str:
    asked = amount_words(request.unit, weighed.total)
    if weighed.granted:
        asked += (
            f" with the {amount_words(request.unit, weighed.granted)} granted in the last {weighed.window_days} days"
        )
    own = f"{limit.role_name} {limit.stops}" if limit else "you have no limit for this"
    higher = chain.covering[0].role_name if chain.covering else "nobody in the matrix"
    if request.approver_role and request.approver_role.slug in {each.role for each in chain.covering}:
        higher = _approver(request)
    return f"This is outside your authority: {own}, and it comes to {asked}. It goes to {higher}."


def _none(kind: str, words: str) -> Standing:
    return Standing(may_decide=False, may_decline=False, override=False, kind=kind, words=words)


def _approver(request: ApprovalRequest) -> str:
    return f"{request.approver} as {request.approver_role}" if request.approver else "nobody yet"


STATE_WORDS = {
    ApprovalRequest.APPROVED: "approved",
    ApprovalRequest.CONDITIONS: "approved with conditions",
    ApprovalRequest.DECLINED: "declined",
}


def what_happened(request: ApprovalRequest, viewer: User, at: datetime) -> str:
    """How a request ended, for somebody who comes too late: "Already approved by Dana Whitfield at 2:05 PM ET"."""
    if request.state == ApprovalRequest.RECALLED:
        entry = request.log.select_related("actor").filter(kind=DecisionEntry.RECALLED).last()
        who = f" by {entry.actor}" if entry and entry.actor else ""
        return f"Recalled{who}{_at(entry.at, viewer, at) if entry else ''}. Nothing is left to decide"
    who = "rule" if request.by_rule else str(request.decided_by)
    when = _at(request.decided_at, viewer, at) if request.decided_at else ""
    return f"Already {STATE_WORDS.get(request.state, request.state)} by {who}{when}"


def _at(moment: datetime, viewer: User, now: datetime) -> str:
    words = moment_words(moment, viewer.zone, now)
    return f" at {words}" if words[0].isdigit() else f" on {words}"
