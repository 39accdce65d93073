"""Policy simulator: the effect of the policy in force on an issue. Nothing is written."""

from dataclasses import dataclass

from accounts.models import Account, Role, User
from escalations import states
from escalations.cases import intake
from escalations.models import PolicyVersion
from escalations.policy.rows import plain_rows
from escalations.triage import routing
from escalations.triage.asked import Asked, measure
from escalations.triage.rules import routing as rules
from ledger.errors import Invalid
from ledger.now import now


@dataclass(frozen=True)
class Simulation:
    """The row that fires and its effects; people are known if an account is given."""

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


def simulate(
    policy: PolicyVersion,
    *,
    by: User,
    issue_type: str,
    asked: Asked,
    tier: str = "",
    account: Account | None = None,
) -> Simulation:
    """The row that fires for a tier, or for an account whose facts give the tier. Raises Invalid without either."""
    if tier:
        return _for_tier(policy, issue_type, tier, account, asked)
    if account is None:
        raise Invalid("Choose a tier, or an account whose facts give the tier.", field="tier")
    data = intake.Intake(
        account=account,
        issue_type=issue_type,
        issue="",
        concession=asked.concession,
        amount=asked.amount,
        currency=asked.currency,
    )
    seen = intake.preview(data, by=by)
    where, route = seen.destination, seen.destination.route
    role, owner_role = _role_names(route)
    return Simulation(
        tier=seen.assessment.tier,
        level=_level(policy, route),
        role=role,
        owner_role=owner_role,
        row_id=route.row.id,
        why=(*seen.assessment.tier_reasons, *route.reasons),
        lane=seen.assessment.lane,
        owner=where.owner,
        authority=where.authority,
    )


def _for_tier(policy: PolicyVersion, issue_type: str, tier: str, account: Account | None, asked: Asked) -> Simulation:
    need, _ = routing.authority_need(policy.ladder, measure(asked, account, now()))
    try:
        route = rules.route(plain_rows(policy), policy.ladder, issue_type=issue_type, tier=tier, need=need)
    except rules.NoRoute as error:
        raise Invalid(str(error), field="issue_type") from error
    role, owner_role = _role_names(route)
    return Simulation(tier, _level(policy, route), role, owner_role, route.row.id, route.reasons)


def _level(policy: PolicyVersion, route: rules.Route) -> str:
    """Level 3; External."""
    return policy.ladder.label(route.level).partition(",")[0]


def _role_names(route: rules.Route) -> tuple[str, str]:
    names = dict(Role.objects.filter(slug__in=[route.role, route.owner_role]).values_list("slug", "name"))
    return names.get(route.role, route.role), names.get(route.owner_role, route.owner_role)
