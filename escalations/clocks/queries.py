"""Reads about clocks: the SLA status of cases, the people of a clock, and the tables of the SLA page."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Case, F, IntegerField, Prefetch, QuerySet, Value, When

from accounts.calendars.queries import work_calendar
from accounts.calendars.rules.workcalendar import WorkCalendar
from accounts.models import Calendar, CalendarDay
from escalations import states
from escalations.clocks.rules import factors, targets
from escalations.clocks.rules.kinds import AUTHORITY, CHOICES, KINDS, OWNER, ClockKind
from escalations.models import Clock, Commitment, Escalation, HandOff, IssueType, PolicyVersion
from escalations.policy import rows
from escalations.policy.rules import wording
from escalations.policy.rules.levels import Ladder
from escalations.policy.tables import SEVEREST_FIRST
from escalations.triage.rules import routing

RUNS_ON = {targets.CLOCK: "24×7", targets.BUSINESS: "Business time", targets.DAYS: "Business time"}
BREACH = {"escalate": "next level", "remind": "people are notified"}
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
ALL_DAY = [(0, 1440)]
LEFT, WIDTH, TOP, LINE = 88, 310, 8, 26  # the size of the week chart, in its own units
Key = tuple[str, int | None, str]
Person = tuple[int, str]  # id and mail address


# The codes of the SLA status in lists, the worst first; `none` is a case on which no clock runs.
STATUS_ORDER = ("red", "yel", "grn", "pau", "none")


def status_place(at: datetime) -> Case:
    """The SLA status of a case as its place in STATUS_ORDER: the rule `rules.clock.status` in the database."""
    return Case(
        When(sla_due_at__lte=at, then=Value(0)),
        When(sla_due_at__isnull=False, sla_warn_at__lte=at, then=Value(1)),
        When(sla_due_at__isnull=False, then=Value(2)),
        When(sla_paused_at__isnull=False, then=Value(3)),
        default=Value(4),
        output_field=IntegerField(),
    )


@dataclass(frozen=True)
class ListedClock:
    """A clock in the list of all clocks of its case."""

    clock: Clock
    status: str
    took: timedelta | None


def listed_row(clock: Clock, at: datetime) -> ListedClock:
    """The clock with its status, and the time from start to end if it has ended."""
    return ListedClock(clock, clock.status(at), clock.stopped_at - clock.started_at if clock.stopped_at else None)


@dataclass
class Audience:
    """Active people by case and duty, the addressees of waiting hand-offs, the owners of commitments."""

    duties: dict[tuple[int, str], Person] = field(default_factory=dict)
    asked: dict[int, list[Person]] = field(default_factory=lambda: defaultdict(list))
    promised: dict[int, Person] = field(default_factory=dict)

    def of(self, clock: Clock, *, late: bool) -> list[Person]:
        """The people who can meet this target; after a breach, also the case's owner and authority."""
        if clock.kind == states.ACCEPTANCE:
            found = list(self.asked[clock.case_id])
        elif clock.kind == states.COMMITMENT and clock.about in self.promised:
            return [self.promised[clock.about]]
        else:
            found = self._holding(clock.case_id, clock.rule.duties)
        if late and clock.kind != states.COMMITMENT:
            found += self._holding(clock.case_id, (OWNER, AUTHORITY))
        return list(dict.fromkeys(found))

    def _holding(self, case_id: int, duties: Iterable[str]) -> list[Person]:
        return [self.duties[case_id, duty] for duty in duties if (case_id, duty) in self.duties]


def claim(clocks: Collection[Clock]) -> tuple[dict[int, Escalation], Audience]:
    """Lock the cases of these clocks in ascending order and read their people with them.

    Returns the cases that nobody else has locked, with the values for history entries, and the people of the clocks.
    Hand-offs and commitments are read only for the kinds of clock that need them.
    """
    rows = Escalation.objects.filter(pk__in={clock.case_id for clock in clocks}).order_by("pk")
    rows = rows.select_related("account").only("log_count", "log_last", "log_seal", "account__name")
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    cases: dict[int, Escalation] = {}
    found = Audience()
    user = "people__user"
    # No model has the columns that the query adds.
    with_people: QuerySet[Any] = rows.annotate(
        duty=F("people__duty"), person=F(user), email=F(f"{user}__email"), active=F(f"{user}__is_active")
    )
    for row in with_people:
        cases.setdefault(row.pk, row)
        if row.active and row.duty:
            found.duties[row.pk, row.duty] = (row.person, row.email)
    kinds = {clock.kind for clock in clocks}
    if states.ACCEPTANCE in kinds:
        waiting = HandOff.objects.filter(case__in=cases, state=HandOff.WAITING, to_user__is_active=True)
        for case_id, user_id, email in waiting.values_list("case_id", "to_user_id", "to_user__email"):
            found.asked[case_id].append((user_id, email))
    if states.COMMITMENT in kinds:
        promises = Commitment.objects.filter(pk__in={clock.about for clock in clocks}, owner__is_active=True)
        for pk, user_id, email in promises.values_list("pk", "owner_id", "owner__email"):
            found.promised[pk] = (user_id, email)
    return cases, found


def by_clock(version: PolicyVersion) -> dict[str, list[dict[str, object]]]:
    """One line per clock and level, and the issue types with their own targets; cells from Red to Green."""
    found: dict[Key, list[targets.TargetRow]] = {}
    for row in [*rows.rows_of(version).targets, *_rhythm(version)]:
        found.setdefault((row.clock, row.level, row.issue_type), []).append(row)
    names, order = _names(version), list(KINDS)
    ladder = version.ladder
    keys = sorted(found, key=lambda key: (key[2], order.index(key[0]), key[1] or 0))
    dated = [_dated(kind) for kind in KINDS.values() if kind.dated]
    return {
        "general": [*(_line(key, found[key], names, ladder) for key in keys if not key[2]), *dated],
        "own": [_line(key, found[key], names, ladder) for key in keys if key[2]],
    }


def _names(version: PolicyVersion) -> dict[str, str]:
    return {slug: kind.name for slug, kind in rows.rows_of(version).issue_types.items()}


def _rhythm(version: PolicyVersion) -> list[targets.TargetRow]:
    """Internal updates follow the rhythm of the tier; their own target is more specific only if it names a tier."""
    return [
        targets.rhythm(states.INTERNAL_UPDATE, row.tier, row.internal_minutes)
        for row in rows.rows_of(version).cadences.values()
        if row.internal_minutes
    ]


def _dated(kind: ClockKind) -> dict[str, object]:
    return {
        "name": kind.name,
        "about": kind.about,
        "cells": ["Date given"] * len(SEVEREST_FIRST),
        "runs_on": RUNS_ON[targets.CLOCK] if kind.slug == states.CUSTOMER_DEADLINE else "Business time",
        "owner": kind.keeper,
        "warn": f"75%, then {BREACH['remind']}",
    }


def factors_table(version: PolicyVersion) -> list[dict[str, object]]:
    """The factors as text, one line per clock; lines that are switched off come last."""
    found: dict[tuple[str, bool], list[str]] = {}
    for row in version.targetfactors.all():
        found.setdefault((row.clock, row.active), []).append(factors.in_words(rows.plain_factor(row)))
    names = dict(CHOICES)
    lines = [
        {"clock": names.get(clock, "Every clock with a target"), "active": active, "words": words}
        for (clock, active), words in found.items()
    ]
    return sorted(lines, key=lambda line: not line["active"])


def _line(key: Key, group: list[targets.TargetRow], names: dict[str, str], ladder: Ladder) -> dict[str, object]:
    clock, level, issue_type = key
    rule = KINDS[clock]
    where = f", {ladder.label(level).partition(',')[0].lower()}" if level else ""
    return {
        "name": rule.name + where,
        "about": names.get(issue_type, issue_type) or rule.about,
        "cells": [_cell(group, tier) for tier in SEVEREST_FIRST],
        "runs_on": _all(RUNS_ON[row.unit] for row in group),
        "owner": rule.keeper,
        "warn": _all(f"{targets.warnings_in_words(row)}, then {BREACH[row.on_breach]}" for row in group),
    }


def _all(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(words))


def _cell(group: list[targets.TargetRow], tier: str) -> str:
    row = max((row for row in group if row.tier in ("", tier)), key=_rank, default=None)
    return wording.short(row) if row else "–"


def _rank(row: targets.TargetRow) -> tuple[bool, int]:
    return not row.from_rhythm, targets.specificity(row)


def calendars(version: PolicyVersion, chosen: str, at: datetime) -> dict[str, object]:
    """All calendars, one of them as a week with future special days."""
    days = Prefetch("days", CalendarDay.objects.order_by("month", "day"))
    found = list(Calendar.objects.prefetch_related("spans", days))
    calendar = next((one for one in found if one.slug == chosen), None) or next(iter(found), None)
    week = _week(calendar) if calendar else []
    foot = TOP + len(week) * LINE
    users = list(version.issuetypes.values_list("calendar__slug", flat=True))
    return {
        "all": found,
        "chosen": calendar,
        "week": week,
        "hours": [{"x": _x(minute), "name": _hour(minute)} for minute in range(0, 1441, 360)],
        "foot": foot,
        "height": foot + 18,
        "special": list(calendar.days.all()) if calendar else [],
        "next_holiday": _next_holiday(work_calendar(calendar), at) if calendar else None,
        "used_by": users.count(calendar.slug) if calendar else 0,
    }


def _week(calendar: Calendar) -> list[dict[str, object]]:
    """Adjacent days with the same hours become one line, with its place in the chart."""
    spans: list[list[tuple[int, int]]] = [[] for _ in DAYS]
    for span in calendar.spans.all():
        spans[span.weekday].append((span.opens, span.closes))
    week = [ALL_DAY for _ in DAYS] if calendar.always_open else spans
    groups = [list(group) for _, group in groupby(zip(DAYS, week, strict=True), key=itemgetter(1))]
    return [_days(group, TOP + place * LINE) for place, group in enumerate(groups)]


def _days(group: list[tuple[str, list[tuple[int, int]]]], y: int) -> dict[str, object]:
    first, last, spans = group[0][0], group[-1][0], group[0][1]
    return {
        "name": first if first == last else f"{first} to {last}",
        "words": ", ".join(f"{_hour(start)} to {_hour(end)}" for start, end in spans) or "Closed",
        "bars": [(_x(start), _x(end) - _x(start)) for start, end in spans],
        "y": y,
    }


def _x(minute: int) -> int:
    return LEFT + minute * WIDTH // 1440


def _hour(minutes: int) -> str:
    hour, rest = divmod(minutes, 60)
    return f"{hour % 12 or 12}{f':{rest:02}' if rest else ''} {'AM' if hour % 24 < 12 else 'PM'}"


def _next_holiday(calendar: WorkCalendar, at: datetime) -> Any:
    today = at.astimezone(ZoneInfo(calendar.zone)).date()
    return min((day for day in calendar.holidays if today <= day < today + timedelta(days=366)), default=None)


class Preview:
    """Due times of a version's targets if they started at a moment, without factors. Calendars are read once."""

    def __init__(self, version: PolicyVersion, at: datetime) -> None:
        self.at = at
        kinds = version.issuetypes.select_related("calendar")
        self.own = {kind.slug: kind.calendar for kind in kinds if kind.calendar}
        self.business = Calendar.objects.filter(slug="business").first()

    def calendar(self, row: targets.TargetRow, issue_type: str) -> Calendar | None:
        """The calendar of a target of this issue type; business days never use a calendar that is always open."""
        own = self.own.get(issue_type)
        if row.unit == targets.CLOCK:
            return None
        return self.business if own is None or (row.unit == targets.DAYS and own.always_open) else own

    def due_at(self, row: targets.TargetRow, issue_type: str = "") -> datetime | None:
        """The moment; None on a calendar without working time."""
        calendar = self.calendar(row, issue_type or row.issue_type)
        try:
            return targets.due(row, work_calendar(calendar) if calendar else None, self.at)
        except ValueError:
            return None


def due(version: PolicyVersion, kind: IssueType, tier: str, at: datetime) -> list[dict[str, object]]:
    """The due time of each clock of a new case of this type and tier if it started now, with the reasons."""
    matrix, promises = rows.plain_rows(version), rows.rows_of(version).targets
    try:
        level = routing.pick_row(matrix, kind.slug, tier).level
    except routing.NoRoute:
        return []
    preview, found = Preview(version, at), []
    for clock, name in CHOICES:
        row = targets.pick(promises, clock=clock, tier=tier, level=level, issue_type=kind.slug)
        if row is None and clock == states.INTERNAL_UPDATE:
            row = next((each for each in _rhythm(version) if each.tier == tier), None)
        due_at = preview.due_at(row, kind.slug) if row and clock != states.TIME_TO_ESCALATE else None
        if row is not None and due_at is not None:
            label = f"{name}, level {level}" if clock == states.DECISION else name
            found.append((due_at, label, _why(row, preview.calendar(row, kind.slug))))
    found.sort(key=itemgetter(0))
    return [{"name": name, "due_at": due_at, "why": why} for due_at, name, why in found]


def _why(row: targets.TargetRow, calendar: Calendar | None) -> str:
    words = targets.in_words(row)
    if calendar is None or calendar.always_open:
        return f"{words.replace('business ', '')}, around the clock"
    return f"{words}, {calendar.name}"
