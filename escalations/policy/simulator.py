"""Test a case: what the policy in force would do with an issue. Nothing is written."""

from dataclasses import dataclass
from decimal import Decimal

from accounts.models import Account, Role, User
from escalations import states
from escalations.cases import intake
from escalations.models import PolicyVersion
from escalations.triage import routing
from escalations.triage.rules import routing as rules
from ledger.errors import Invalid
from ledger.now import now


@dataclass(frozen=True)
class Tried:
    """The row that fires and what follows; people are known when an account is."""

    tier: str
    level: str
    role: str
    owner_role: str
    row_id: int
    why: tuple[str, ...]
    lane: str = ""
    owner: User | None = None
    authority: User | None = None

    @property
    def lane_name(self) -> str:
        """Human-first."""
        return dict(states.LANES).get(self.lane, "")


def try_case(
    policy: PolicyVersion,
    *,
    by: User,
    issue_type: str,
    tier: str = "",
    account: Account | None = None,
    concession: str = "",
    amount: Decimal | None = None,
    currency: str = "USD",
) -> Tried:
    """The row that fires for a tier, or for an account whose facts give the tier. Raises Invalid without either."""
    if tier:
        need, _ = routing.authority_need(account, concession, amount, currency, now())
        return _by_tier(policy, issue_type, tier, need)
    if account is None:
        raise Invalid("Choose a tier, or an account whose facts give the tier.", field="tier")
    asked = intake.Intake(
        account=account, issue_type=issue_type, issue="", concession=concession, amount=amount, currency=currency
    )
    seen = intake.preview(asked, by=by)
    found, where = seen.assessment, seen.destination
    why = (*found.tier_reasons, *where.route.reasons)
    return _tried(where.route, found.tier, why, lane=found.lane, owner=where.owner, authority=where.authority)


def _by_tier(policy: PolicyVersion, issue_type: str, tier: str, need: rules.Need | None) -> Tried:
    try:
        route = rules.route(routing.matrix_rows(policy), issue_type=issue_type, tier=tier, need=need)
    except rules.NoRoute as error:
        raise Invalid(str(error), field="issue_type") from error
    return _tried(route, tier, route.reasons)


def _tried(
    route: rules.Route,
    tier: str,
    why: tuple[str, ...],
    *,
    lane: str = "",
    owner: User | None = None,
    authority: User | None = None,
) -> Tried:
    names = dict(Role.objects.filter(slug__in=[route.role, route.owner_role]).values_list("slug", "name"))
    return Tried(
        tier=tier,
        level=rules.level_name(route.level).partition(",")[0],
        role=names.get(route.role, route.role),
        owner_role=names.get(route.owner_role, route.owner_role),
        row_id=route.row.id,
        why=why,
        lane=lane,
        owner=owner,
        authority=authority,
    )
