"""The targets of a case: the target of its policy for a clock, its calendar, the factors and all reasons."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, Self
from zoneinfo import ZoneInfo

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.calendars.queries import work_calendar
from accounts.calendars.rules.workcalendar import WorkCalendar
from accounts.calendars.rules.worktime import business_day_seconds
from accounts.customers.rates import usd
from accounts.models import Account, Calendar, Signal
from escalations import states
from escalations.clocks.rules import factors
from escalations.clocks.rules import targets as rules
from escalations.models import Escalation, MatrixRow, TargetFactor
from escalations.policy.rows import PolicyRows, rows_of
from escalations.policy.rules import wording
from ledger.errors import Invalid
from ledger.now import now

BUSINESS_CALENDAR = "business"
SIGNALS, HISTORY = timedelta(days=90), timedelta(days=365)
NEGATIVE = "negative"
COUNTED = (TargetFactor.LOAD, TargetFactor.SENTIMENT, TargetFactor.HISTORY)
NO_FACTOR = f"No factor applies to this target ({', '.join(part.name for part in factors.PARTS)})"


@dataclass(frozen=True)
class Promise:
    """A target for one case. `seconds` count on the calendar, or around the clock without one."""

    seconds: int
    text: str
    warn_percent: int
    on_breach: str
    calendar: Calendar | None
    why: list[str]
    also_warn_at: list[int] = field(default_factory=list)
    repeat_minutes: int = 0
    repeat_times: int = 0


class Targets:
    """The targets of one case at a moment. What they depend on is read once, when the first target needs it."""

    def __init__(self, case: Escalation, at: datetime) -> None:
        self.case = case
        self.at = at
        self._counts: dict[int | None, dict[str, int | None]] = {}

    def read(self) -> Self:
        """Read now what targets of the case may need, so that a transaction that follows does not."""
        list(self._calendars)
        self._counted()
        _ = self.arr_usd
        return self

    @cached_property
    def arr_usd(self) -> Decimal | None:
        """The ARR at risk in USD; None in a currency without a rate."""
        return _in_usd(self.case, self.at)

    @property
    def earlier_cases(self) -> int:
        """Cases of the account in the last 12 months, without this one."""
        return self._counted()[TargetFactor.HISTORY] or 0

    def of(self, kind: str) -> Promise | None:
        """The target of the case's policy for this clock, or None if the policy has none. Factors that are switched on for
        the clock make it shorter or longer by the facts of the case."""
        case, policy = self.case, rows_of(self.case.policy)
        row = _pick(policy, case, kind)
        if row is None:
            return None
        calendar = None if row.unit == rules.CLOCK else self._calendar(row.unit)
        base = rules.seconds(row, business_day_seconds(work_calendar(calendar)) if calendar else 86_400)
        adjusted = self._adjusted(policy, kind, base)
        again = _matrix_row(policy, case)
        return Promise(
            seconds=adjusted.seconds,
            text=rules.shortened(row, base, adjusted.seconds),
            warn_percent=row.warn_percent,
            on_breach=row.on_breach,
            calendar=calendar,
            why=[*_why(case, row, calendar), *adjusted.lines, wording.warnings(row)],
            also_warn_at=rules.further_warnings(row),
            repeat_minutes=again.repeat_minutes if again else 0,
            repeat_times=again.repeat_times if again else 0,
        )

    @cached_property
    def _calendars(self) -> list[Calendar]:
        """The calendar of the issue type and the business calendar."""
        wanted = Q(slug=BUSINESS_CALENDAR) | Q(pk=self.case.issue_type.calendar_id)
        return list(Calendar.objects.filter(wanted))

    def _calendar(self, unit: str) -> Calendar:
        """The issue type's calendar; business days use the business calendar even for round-the-clock issues."""
        own = next((each for each in self._calendars if each.pk == self.case.issue_type.calendar_id), None)
        if own is not None and not (unit == rules.DAYS and own.always_open):
            return own
        return next(each for each in self._calendars if each.slug == BUSINESS_CALENDAR)

    def _adjusted(self, policy: PolicyRows, kind: str, base: int) -> factors.Adjusted:
        rows = factors.for_clock(policy.factors, kind)
        if not rows:
            return factors.Adjusted(base, (NO_FACTOR,))
        return factors.adjust(rows, self.circumstances({row.part for row in rows}), base)

    def circumstances(self, parts: Collection[str]) -> dict[str, Decimal | int | None]:
        """The facts of these parts; other parts are left out. The case may be unsaved (a preview)."""
        case, at = self.case, self.at
        renewal = case.account.renewal_date
        found: dict[str, Decimal | int | None] = {
            TargetFactor.TIER: factors.tier_value(case.tier),
            TargetFactor.RENEWAL: (renewal - at.date()).days if renewal else None,
            TargetFactor.AGE: max(0, int((at - case.impasse_at).total_seconds()) // 3600),
        }
        if TargetFactor.ARR in parts:
            found[TargetFactor.ARR] = self.arr_usd
        if any(part in parts for part in COUNTED):
            found |= self._counted()
        return {part: value for part, value in found.items() if part in parts}

    def _counted(self) -> dict[str, int | None]:
        owner = self.case.owner_id
        if owner not in self._counts:
            self._counts[owner] = _counts(self.case, self.at)
        return self._counts[owner]


def promise(case: Escalation, kind: str) -> Promise | None:
    """One target of the case now; see `Targets.of`."""
    return Targets(case, now()).of(kind)


def end_of_business(day: date) -> datetime:
    """The due time of a commitment "by that day": the last closing of the business calendar, or the end of the day if
    it is closed."""
    return rules.end_of_business(_business_hours(), day)


def business_day(at: datetime) -> date:
    """The day of a moment where the business calendar is kept: the day by which a commitment "by that moment" is due."""
    return at.astimezone(ZoneInfo(_business_hours().zone)).date()


def _business_hours() -> WorkCalendar:
    return work_calendar(Calendar.objects.get(slug=BUSINESS_CALENDAR))


def _pick(policy: PolicyRows, case: Escalation, kind: str) -> rules.TargetRow | None:
    found = rules.pick(policy.targets, clock=kind, tier=case.tier, level=case.level, issue_type=case.issue_type.slug)
    return _rhythm(policy, case.tier) if found is None and kind == states.INTERNAL_UPDATE else found


def _rhythm(policy: PolicyRows, tier: str) -> rules.TargetRow | None:
    """Internal updates follow the rhythm of the tier, if no target says otherwise."""
    row = policy.cadences.get(tier)
    return rules.rhythm(states.INTERNAL_UPDATE, tier, row.internal_minutes) if row and row.internal_minutes else None


def _matrix_row(policy: PolicyRows, case: Escalation) -> MatrixRow | None:
    """The matrix row for the issue type and tier: it says how often people are notified again after a breach."""
    slug = case.issue_type.slug
    return next((row for row in policy.matrix if row.issue_type in ("", slug) and row.tier in ("", case.tier)), None)


def _why(case: Escalation, row: rules.TargetRow, calendar: Calendar | None) -> list[str]:
    return [
        f"Target: {rules.in_words(row)}",
        f"Policy version {case.policy.number}, {_scope(row, case.issue_type.name)}",
        f"Calendar: {calendar.name} ({calendar.zone})" if calendar else "Runs around the clock",
    ]


def _scope(row: rules.TargetRow, name: str) -> str:
    words = [
        name if row.issue_type else "",
        f"{row.tier} tier" if row.tier else "",
        f"level {row.level}" if row.level else "",
    ]
    where = "rhythm of updates" if row.from_rhythm else "row"
    return f"{where} for {', '.join(word for word in words if word) or 'every case'}"


def _in_usd(case: Escalation, at: datetime) -> Decimal | None:
    try:
        return usd(case.arr_at_risk, case.arr_currency, at.date())
    except Invalid:
        return None


def _counts(case: Escalation, at: datetime) -> dict[str, int | None]:
    """Open cases of the owner (unknown without an owner), negative signals and earlier cases of the account."""
    signals = Signal.objects.filter(account=OuterRef("pk"), tone=NEGATIVE, at__gte=at - SIGNALS, at__lte=at)
    cases = Escalation.objects.filter(account=OuterRef("pk"), opened_at__gte=at - HISTORY, opened_at__lte=at)
    owned = Escalation.objects.open().filter(owner=case.owner_id)
    row: Any = (
        Account.objects.filter(pk=case.account_id)
        .annotate(negative=_number(signals, "account"), earlier=_number(cases.exclude(pk=case.pk or 0), "account"))
        .annotate(load=_number(owned, "owner"))
        .values("negative", "earlier", "load")
        .get()
    )
    load = row["load"] if case.owner_id else None
    return {
        TargetFactor.LOAD: load,
        TargetFactor.SENTIMENT: row["negative"],
        TargetFactor.HISTORY: row["earlier"],
    }


def _number(rows: "QuerySet[Any]", by: str) -> Coalesce:
    counted = rows.order_by().values(by).annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted[:1]), 0)
