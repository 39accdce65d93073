"""What a case's life looks up: policy, authority, people, calendars. Read once, then no query is made per case."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.calendars.queries import ALWAYS_OPEN, work_calendar
from accounts.calendars.rules.worktime import WorkCalendar, business_day_seconds
from accounts.customers.rates import rates
from accounts.models import Account, Calendar, Contact, Role, RoleHolding, User
from approvals.matrix.authority import PERSONAL_ROLES
from approvals.matrix.rules import limits as authority
from approvals.matrix.rules.units import MONEY, YES, unit_of
from approvals.matrix.weighing import limits_of
from approvals.models import AuthorityVersion, ConcessionType
from escalations import states
from escalations.clocks.rules import factors, targets
from escalations.models import Cadence, IssueType, MatrixRow, PolicyVersion, Stakeholder
from escalations.policy import rows as policy_rows
from escalations.triage.assess import policy_bands, policy_weights, refund_limit
from escalations.triage.routing import matrix_rows
from escalations.triage.rules import routing
from ledger.errors import Invalid

WINDOW = timedelta(days=90)
INTERNAL = states.INTERNAL_UPDATE


@dataclass(frozen=True)
class Promise:
    """A target as a clock takes it over: working seconds, words, what a breach does, on which calendar, and why."""

    seconds: int
    text: str
    warn_percent: int
    on_breach: str
    calendar_id: int | None
    why: list[str]
    row: targets.TargetRow | None = None
    also_warn_at: list[int] = field(default_factory=list)
    repeat_minutes: int = 0
    repeat_times: int = 0


@dataclass(frozen=True)
class Granter:
    """Who may grant an ask: the limit that covers it, the person, the limits that stop below, and the rule as it is kept."""

    limit: authority.Limit
    person: User
    chain: authority.Chain
    sentence: str
    granted: Decimal
    total: Decimal | None

    def rule(self, version: int, exclude: list[int]) -> dict[str, object]:
        """What a request keeps of the limit that applied."""
        return {
            "role": self.limit.role,
            "role_name": self.limit.role_name,
            "up_to": None if self.limit.up_to is None else str(self.limit.up_to),
            "limit": self.limit.words,
            "below": [{"role": x.role_name, "limit": x.words, "up_to": str(x.up_to)} for x in self.chain.below],
            "granted": str(self.granted),
            "total": None if self.total is None else str(self.total),
            "needs_function": self.limit.needs_function,
            "version": version,
            "sentence": self.sentence,
            "exclude": exclude,
        }


class World:
    """A picture of the configuration and the people at one moment. Raises Invalid without a policy or an authority matrix."""

    def __init__(self, at: datetime) -> None:
        policy, version = PolicyVersion.objects.current(at), AuthorityVersion.objects.current(at)
        if policy is None or version is None:
            raise Invalid("No policy or no authority matrix is in force. Run seed_demo on a migrated database.")
        self.now, self.policy, self.version = at, policy, version
        self.issue_types = {row.slug: row for row in IssueType.objects.filter(version=policy)}
        self.matrix = matrix_rows(policy)
        self.bands, self.weights = policy_bands(policy), policy_weights(policy)
        self.cadence = {
            row.tier: timedelta(minutes=row.customer_minutes) for row in Cadence.objects.filter(version=policy)
        }
        self.inside = {
            row.tier: timedelta(minutes=row.internal_minutes) for row in Cadence.objects.filter(version=policy)
        }
        self.usd, self.refund_limit = rates(at.date()), refund_limit(policy)
        self._read_people(at)
        self._read_targets(policy)
        self._read_authority(version, at)
        self.grants: dict[int, list[tuple[datetime, str, Decimal]]] = {}
        self.opened: dict[int, list[datetime]] = {}
        self.last_case: dict[int, int] = {}

    def _read_people(self, at: datetime) -> None:
        self.roles = {role.slug: role for role in Role.objects.all()}
        self.users = {user.id: user for user in User.objects.filter(is_active=True)}
        self._found: dict[Any, User | None] = {}
        self.holders: dict[str, dict[int, User]] = {slug: {} for slug in self.roles}
        held = RoleHolding.objects.in_force(at).order_by("user_id").values_list("role__slug", "user_id")
        for slug, user_id in held:
            if user_id in self.users:
                self.holders[slug][user_id] = self.users[user_id]

    def _read_targets(self, policy: PolicyVersion) -> None:
        self._targets = policy_rows.targets(policy)
        cadences = Cadence.objects.filter(version=policy)
        self._rhythm = {row.tier: targets.rhythm(INTERNAL, row.tier, row.internal_minutes) for row in cadences}
        self._factors = policy_rows.factors(policy, active=True)
        self._again = list(MatrixRow.objects.filter(version=policy))
        self.calendars = {row.id: row for row in Calendar.objects.all()}
        self.hours: dict[int | None, WorkCalendar | None] = {pk: work_calendar(x) for pk, x in self.calendars.items()}
        self.hours[None] = None
        self._business = next(row.id for row in self.calendars.values() if row.slug == "business")
        self.stakeholders: dict[str, list[tuple[str, str]]] = {}
        for row in Stakeholder.objects.filter(version=policy).select_related("role"):
            self.stakeholders.setdefault(row.tier, []).append((row.role.slug, row.letter))
        self._promises: dict[tuple[str, str, int, str], Promise | None] = {}
        self._factors_of: dict[str, list[factors.Factor]] = {}

    def _read_authority(self, version: AuthorityVersion, at: datetime) -> None:
        self.concessions: dict[str, ConcessionType] = {row.slug: row for row in version.concessions.all()}
        self._limits = {slug: limits_of(version, slug, at) for slug in self.concessions}
        bands = version.bands.select_related("concession")
        self._pre_approved = {(row.concession.slug, row.tier): row.up_to for row in bands}

    def promise(self, kind: str, tier: str, level: int, issue_type: IssueType) -> Promise | None:
        """The target that applies, as `services.clocks.promise` finds it; kept, since there are few."""
        key = (kind, tier, level, issue_type.slug)
        if key not in self._promises:
            row = targets.pick(self._targets, clock=kind, tier=tier, level=level, issue_type=issue_type.slug)
            row = self._rhythm.get(tier) if row is None and kind == INTERNAL else row
            self._promises[key] = self._promise(row, tier, issue_type) if row else None
        return self._promises[key]

    def factors_of(self, kind: str) -> list[factors.Factor]:
        """The factors that are switched on for a clock."""
        if kind not in self._factors_of:
            self._factors_of[kind] = factors.for_clock(self._factors, kind)
        return self._factors_of[kind]

    def _promise(self, row: targets.TargetRow, tier: str, issue_type: IssueType) -> Promise:
        calendar_id = None if row.unit == targets.CLOCK else self._calendar(row.unit, issue_type.calendar_id)
        hours = self.hours[calendar_id]
        words = [
            issue_type.name if row.issue_type else "",
            f"{row.tier} tier" if row.tier else "",
            f"level {row.level}" if row.level else "",
        ]
        scope = ", ".join(word for word in words if word) or "every case"
        calendar = self.calendars[calendar_id] if calendar_id else None
        why = [
            f"Target: {targets.in_words(row)}",
            f"Policy version {self.policy.number}, {'rhythm of updates' if row.from_rhythm else 'row'} for {scope}",
            f"Calendar: {calendar.name} ({calendar.zone})" if calendar else "Runs around the clock",
        ]
        seconds = targets.seconds(row, business_day_seconds(hours) if hours else 86_400)
        again = next(
            (each for each in self._again if each.issue_type in ("", issue_type.slug) and each.tier in ("", tier)), None
        )
        return Promise(
            seconds,
            targets.in_words(row),
            row.warn_percent,
            row.on_breach,
            calendar_id,
            why,
            row,
            targets.further_warnings(row),
            again.repeat_minutes if again else 0,
            again.repeat_times if again else 0,
        )

    def end_of_business(self, day: date) -> datetime:
        """When a promise by that day is due."""
        hours = self.hours[self._business]
        return targets.end_of_business(hours or ALWAYS_OPEN, day)

    def _calendar(self, unit: str, own: int | None) -> int:
        """A business day is one of the business calendar even for round-the-clock issues."""
        suits = own is not None and not (unit == targets.DAYS and self.calendars[own].always_open)
        return own if suits and own is not None else self._business

    def holder(
        self, role: str, account: Account, near: User | None = None, exclude: Collection[int] = ()
    ) -> User | None:
        """As `accounts.queries.best_holder`: the account's own, a manager above it, or the holder with the lowest id."""
        key = (role, account.csm_id, account.ae_id, near.id if near else None, tuple(sorted(exclude)))
        if key not in self._found:
            self._found[key] = self._find(*key)
        return self._found[key]

    def _find(
        self, role: str, csm: int | None, ae: int | None, near: int | None, exclude: tuple[int, ...]
    ) -> User | None:
        own = self.users.get({"csm": csm, "ae": ae}.get(role) or 0)
        if own and own.id not in exclude:
            return own
        found = {pk: user for pk, user in self.holders[role].items() if pk not in exclude}
        for anchor in filter(None, (csm, ae, near)):
            for boss in self._bosses(anchor):
                if boss in found:
                    return found[boss]
        return next(iter(found.values()), None)

    def _bosses(self, user_id: int) -> list[int]:
        chain: list[int] = []
        boss = self.users[user_id].manager_id
        while boss and boss in self.users and boss not in chain:
            chain.append(boss)
            boss = self.users[boss].manager_id
        return chain

    def first_holder(
        self, roles: Collection[str], account: Account, near: User | None, exclude: Collection[int] = ()
    ) -> User | None:
        """The first person found for the roles, in order."""
        found = (self.holder(role, account, near, exclude) for role in roles)
        return next((user for user in found if user), None)

    def in_usd(self, amount: Decimal, currency: str) -> Decimal:
        """Worth in USD at today's rates, to the cent."""
        return (amount * self.usd.get(currency, Decimal(0))).quantize(Decimal("0.01"))

    def granted(self, account_id: int, concession: str, at: datetime) -> Decimal:
        """What the account got of a concession in the 90 days before."""
        if not unit_of(self.concessions[concession].unit).adds_up:
            return Decimal(0)
        rows = self.grants.get(account_id, ())
        return sum((much for when, what, much in rows if what == concession and at - WINDOW < when <= at), Decimal(0))

    def measured(self, concession: str, amount: Decimal | None, currency: str) -> Decimal | None:
        """The amount as limits compare it: money in USD, nothing for a yes-or-no."""
        unit = self.concessions[concession].unit
        if unit == YES or amount is None:
            return None
        return self.in_usd(amount, currency) if unit == MONEY else amount

    def pre_approved(self, concession: str, measured: Decimal | None, granted: Decimal, tier: str) -> Decimal | None:
        """The limit of the band that takes the ask in, or None."""
        up_to = self._pre_approved.get((concession, tier))
        return up_to if up_to is not None and measured is not None and measured + granted <= up_to else None

    def granter(
        self,
        account: Account,
        concession: str,
        measured: Decimal | None,
        at: datetime,
        *,
        exclude: Collection[int] = (),
        above: str = "",
    ) -> Granter | None:
        """The lowest role that covers the ask, and somebody who holds it; above a role when an ask is passed up."""
        granted = self.granted(account.id, concession, at)
        total = None if measured is None else measured + granted
        arr = None if account.arr is None else self.in_usd(account.arr, account.currency)
        limits = self._limits[concession]
        chain = authority.chain_for(limits, concession=concession, amount=total, segment=account.segment, arr=arr)
        passed = next((each for each in (*chain.covering, *chain.below) if each.role == above), None)
        for limit in chain.above(passed.role, passed.rank) if passed else chain.covering:
            if person := self._person(limit.role, account, exclude):
                why = authority.explain(limit, chain.below, total, granted)
                return Granter(limit, person, chain, why, granted, total)
        return None

    def _person(self, role: str, account: Account, exclude: Collection[int]) -> User | None:
        if role not in PERSONAL_ROLES:
            return self.holder(role, account, None, exclude)
        own = self.users.get((account.csm_id if role == "csm" else account.ae_id) or 0)
        return own if own and own.id in self.holders[role] and own.id not in exclude else None


@dataclass
class Customer:
    """An account with what its cases need of it."""

    account: Account
    contacts: list[Contact]
    health: int | None = None


def need_of(granter: Granter | None) -> routing.Need | None:
    """What routing asks of the authority matrix."""
    if granter is None:
        return None
    name = f"{granter.limit.role_name}: {granter.person.name}. {granter.sentence}"
    return routing.Need(granter.limit.level, granter.limit.role, name)
