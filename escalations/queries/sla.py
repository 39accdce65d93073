"""Targets by clock and tier, the calendars they run on, and when each would be due if it started now."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Prefetch

from accounts.models import Calendar, CalendarDay
from accounts.queries import work_calendar
from accounts.rules.workcalendar import WorkCalendar
from accounts.rules.worktime import business_day_seconds
from escalations import states
from escalations.models import IssueType, PolicyVersion
from escalations.queries import policy as rows
from escalations.queries.matrices import SEVEREST_FIRST
from escalations.rules import routing, targets, timing, wording

ABOUT = {
    states.ACCEPTANCE: ("Hand-off sent to accepted", "Receiver"),
    states.FIRST_ACT: ("After acceptance", "Owner"),
    states.RESPONSE: ("Opened to the first word to the customer", "Communication lead"),
    states.DECISION: ("The level got the case to decision", "Decision authority"),
    states.CUSTOMER_UPDATE: ("Since the last one", "Communication lead"),
    states.RESOLUTION: ("Opened to resolved; deals run to the customer's deadline", "Owner"),
    states.REVIEW_DUE: ("After resolution", "Reviewer"),
    states.CUSTOMER_DEADLINE: ("Given by the customer", "Owner"),
}
RUNS_ON = {targets.CLOCK: "24×7", targets.BUSINESS: "Business time", targets.DAYS: "Business time"}
BREACH = {"escalate": "next level", "remind": "people are told"}
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
ALL_DAY = [(0, 1440)]
LEFT, WIDTH, TOP, LINE = 88, 310, 8, 26  # the drawing of a week, in its own units
Key = tuple[str, int | None, str]


def by_clock(version: PolicyVersion) -> dict[str, list[dict[str, Any]]]:
    """One line per clock and level, and the issue types with targets of their own; cells from Red to Green."""
    found: dict[Key, list[targets.TargetRow]] = {}
    for row in rows.targets(version):
        found.setdefault((row.clock, row.level, row.issue_type), []).append(row)
    names, order = dict(version.issuetypes.values_list("slug", "name")), [slug for slug, _ in states.CLOCKS]
    keys = sorted(found, key=lambda key: (key[2], order.index(key[0]), key[1] or 0))
    return {
        "general": [_line(key, found[key], names) for key in keys if not key[2]],
        "own": [_line(key, found[key], names) for key in keys if key[2]],
    }


def _line(key: Key, group: list[targets.TargetRow], names: dict[str, str]) -> dict[str, Any]:
    clock, level, issue_type = key
    about, owner = ABOUT[clock]
    where = f", {routing.level_name(level).partition(',')[0].lower()}" if level else ""
    return {
        "name": dict(states.CLOCKS)[clock] + where,
        "about": names.get(issue_type, issue_type) or about,
        "cells": [_cell(group, tier) for tier in SEVEREST_FIRST],
        "runs_on": _all(RUNS_ON[row.unit] for row in group),
        "owner": owner,
        "warn": _all(f"{row.warn_percent}%, then {BREACH[row.on_breach]}" for row in group),
    }


def _all(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(words))


def _cell(group: list[targets.TargetRow], tier: str) -> str:
    row = max((row for row in group if row.tier in ("", tier)), key=targets.specificity, default=None)
    return wording.short(row) if row else "–"


def calendars(version: PolicyVersion, chosen: str, at: datetime) -> dict[str, Any]:
    """Every calendar, one of them as a week with the special days to come."""
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


def _week(calendar: Calendar) -> list[dict[str, Any]]:
    """Days with the same hours side by side become one line, with its place in the drawing."""
    spans: list[list[tuple[int, int]]] = [[] for _ in DAYS]
    for span in calendar.spans.all():
        spans[span.weekday].append((span.opens, span.closes))
    week = [ALL_DAY for _ in DAYS] if calendar.always_open else spans
    groups = [list(group) for _, group in groupby(zip(DAYS, week, strict=True), key=itemgetter(1))]
    return [_days(group, TOP + place * LINE) for place, group in enumerate(groups)]


def _days(group: list[tuple[str, list[tuple[int, int]]]], y: int) -> dict[str, Any]:
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


def due(version: PolicyVersion, kind: IssueType, tier: str, at: datetime) -> list[dict[str, Any]]:
    """When each clock of a new case of this type and tier would be due if it started now, and why then."""
    matrix, promises = [rows.plain_row(row) for row in rows.matrix_rows(version)], rows.targets(version)
    try:
        level = routing.pick_row(matrix, kind.slug, tier).level
    except routing.NoRoute:
        return []
    business = kind.calendar or Calendar.objects.get(slug="business")
    found = []
    for clock, name in states.CLOCKS:
        row = targets.pick(promises, clock=clock, tier=tier, level=level, issue_type=kind.slug)
        if row is not None:
            calendar = None if row.unit == targets.CLOCK else business
            label = f"{name}, level {level}" if clock == states.DECISION else name
            found.append({"name": label, "due_at": _due_at(row, calendar, at), "why": _why(row, calendar)})
    return sorted(found, key=lambda line: line["due_at"])


def _due_at(row: targets.TargetRow, calendar: Calendar | None, at: datetime) -> datetime:
    work = work_calendar(calendar) if calendar else None
    length = targets.seconds(row, business_day_seconds(work) if work else 86_400)
    return timing.plan(work, resumed_at=at, used=0, target=length, warn_percent=row.warn_percent).due_at


def _why(row: targets.TargetRow, calendar: Calendar | None) -> str:
    words = targets.in_words(row)
    if calendar is None or calendar.always_open:
        return f"{words.replace('business ', '')}, around the clock"
    return f"{words}, {calendar.name}"
