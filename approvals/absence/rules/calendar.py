"""Out-of-office entries of a calendar. Pure: bytes of an .ics file in, spans of time out."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

import recurring_ical_events
from dateutil.rrule import rrulestr
from icalendar import Calendar, Component, Event, vDDDLists, vDDDTypes, vRecur

from ledger.format import number

T = TypeVar("T")
AHEAD = timedelta(days=60)
# The longest a repeated entry may last, and how far back its repetitions are read.
LONGEST_REPEATED = timedelta(days=400)
MOST_EVENTS = 20_000
MOST_RULES, MOST_VALUES = 100, 400
FROM_YEAR, TO_YEAR = 2000, 2200
LONGEST = timedelta(days=366 * (TO_YEAR - FROM_YEAR))
# A meeting may have these words in its title, so such an entry must also last this long.
LEAST = timedelta(hours=4)
DAY = timedelta(days=1)
SLOW = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
PARTS = {
    "FREQ",
    "INTERVAL",
    "COUNT",
    "UNTIL",
    "WKST",
    "BYDAY",
    "BYMONTHDAY",
    "BYYEARDAY",
    "BYWEEKNO",
    "BYMONTH",
    "BYSETPOS",
}
# A rule that never matches ("February 30") is searched up to the year 9999, which takes ten seconds. The calendar
# repeats every 400 years, so a rule is tested with a start that is moved close to that year.
LATE = timedelta(days=19 * 146_097)
OTHER_ADDRESS = "Correct “Calendar address (.ics)”: enter the secret address that your calendar shows under sharing."
CORRECT_IT = "Correct this in your calendar."
DELETE_OLD = "Delete old entries from your calendar, or enter the address of a smaller one."
UNREADABLE = (ValueError, KeyError, IndexError, TypeError, AttributeError, ArithmeticError, RecursionError)
WORDS = re.compile(
    r"\b(out[ -]of[ -](the[ -])?office|ooo|oof|vacation|annual leave|parental leave|sick leave|on leave|pto)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Away:
    """A time of absence, half-open, with the calendar's own id of the entry."""

    uid: str
    starts_at: datetime
    ends_at: datetime


class NotACalendar(ValueError):
    """The file cannot be read as an .ics calendar; the text says why, and what its owner can do."""


def absences(ics: bytes, zone: str, at: datetime) -> list[Away]:
    """All absences that are not over and begin within 60 days, in order, with recurring entries expanded and overlaps
    joined.

    Days without a time and times without a zone are in `zone`. Raises NotACalendar, also for a single absence that
    cannot be read: if it were left out, nobody might decide in that time. Faults in other entries do not matter.
    """
    local, events = ZoneInfo(zone or "UTC"), _events(ics)
    try:
        found = _found(events, local, at)
    except NotACalendar as problem:
        raise NotACalendar(f"{problem} {CORRECT_IT}") from problem
    except UNREADABLE as error:
        raise NotACalendar(f"An absence in it cannot be read. {CORRECT_IT}") from error
    return _joined(away for away in found if away.ends_at > at and away.starts_at < at + AHEAD)


def _found(events: list[Component], local: ZoneInfo, at: datetime) -> list[Away]:
    aways = [each for each in events if _is_away(each, local)]
    repeated = [each for each in aways if _repeats(each)]
    if sum(max(1, len(_listed(each, "RRULE", vRecur))) for each in repeated) > MOST_RULES:
        raise NotACalendar(f"It has more than {MOST_RULES} repeating absences.")
    ids = {_uid(each) for each in repeated}
    changes: dict[str, list[Component]] = defaultdict(list)
    for each in events:
        if "RECURRENCE-ID" in each and _uid(each) in ids:
            changes[_uid(each)].append(each)
    if sum(len(changes[_uid(each)]) for each in repeated) > MOST_EVENTS:
        raise NotACalendar(f"Its repeating absences are changed more than {number(MOST_EVENTS)} times.")
    found = [each for each in aways if not _repeats(each) and ("RECURRENCE-ID" not in each or _uid(each) not in ids)]
    for each in repeated:
        found += _occurrences(each, changes[_uid(each)], local, at)
    return [Away(_uid(each), begins, ends) for each in found for begins, ends in [_span(each, local)] if ends > begins]


def _events(ics: bytes) -> list[Component]:
    try:
        calendars = Calendar.from_ical(ics, multiple=True)
        events = [event for calendar in calendars for event in calendar.walk("VEVENT") if "DTSTART" in event]
    except UNREADABLE as error:
        raise NotACalendar(f"It is not a calendar. {OTHER_ADDRESS}") from error
    if not calendars:
        raise NotACalendar(f"It is empty. {OTHER_ADDRESS}")
    if len(events) > MOST_EVENTS:
        raise NotACalendar(f"It has more than {number(MOST_EVENTS)} entries. {DELETE_OLD}")
    return events


def _uid(event: Component) -> str:
    return str(event.get("UID") or "")[:255] or "no-id"


def _repeats(event: Component) -> bool:
    return ("RRULE" in event or "RDATE" in event) and "RECURRENCE-ID" not in event


def _listed(event: Component, name: str, kind: type[T]) -> list[T]:
    """The values of a line that an entry may contain several times. Raises NotACalendar for a value of another kind."""
    value = event.get(name)
    given = value if isinstance(value, list) else [] if value is None else [value]
    found = [each for each in given if isinstance(each, kind)]
    if len(found) < len(given):
        raise _broken(name)
    return found


def _broken(name: str) -> NotACalendar:
    return NotACalendar(f"An absence in it cannot be read: its {name} is broken.")


def _value(event: Component, name: str) -> object:
    """The value of a line of times; None if it is broken or there twice."""
    found = event[name]
    return found.dt if isinstance(found, vDDDTypes) else None


def _moment(event: Component, name: str) -> date | datetime:
    """The day or moment of a line that names one. Raises NotACalendar."""
    found = _value(event, name)
    if not isinstance(found, date):
        raise NotACalendar(f"An absence in it has a {name} that is not a date.")
    if not FROM_YEAR <= found.year <= TO_YEAR:
        raise NotACalendar(f"An absence in it has a {name} outside of {FROM_YEAR} to {TO_YEAR}.")
    return found


def _zoned(moment: date | datetime, local: ZoneInfo) -> date | datetime:
    """A moment without a zone gets the person's zone; a day stays a day."""
    if isinstance(moment, datetime) and moment.tzinfo is None:
        return moment.replace(tzinfo=local)
    return moment


def _aware(moment: date | datetime, local: ZoneInfo) -> datetime:
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    return (moment if moment.tzinfo else moment.replace(tzinfo=local)).astimezone(UTC)


def _is_away(event: Component, local: ZoneInfo) -> bool:
    if str(event.get("STATUS") or "").upper() == "CANCELLED":
        return False
    busy = str(event.get("X-MICROSOFT-CDO-BUSYSTATUS") or "").upper()
    if busy:
        return busy == "OOF"
    if str(event.get("TRANSP") or "OPAQUE").upper() != "OPAQUE" or not WORDS.search(_words(event)):
        return False
    begins, ends = _span(event, local)
    return ends - begins >= LEAST


def _words(event: Component) -> str:
    names = [str(name) for each in _listed(event, "CATEGORIES", object) for name in getattr(each, "cats", [each])]
    return " ".join([str(event.get("SUMMARY") or ""), str(event.get("X-GOOGLE-EVENT-TYPE") or ""), *names])


def _span(event: Component, local: ZoneInfo) -> tuple[datetime, datetime]:
    begins, ends = _bounds(event, local)
    return _aware(begins, local), _aware(ends, local)


def _bounds(event: Component, local: ZoneInfo) -> tuple[date | datetime, date | datetime]:
    """The start and end of an entry: days for an entry of whole days, which has at least one, otherwise moments."""
    begins = _zoned(_moment(event, "DTSTART"), local)
    ends = _zoned(_moment(event, "DTEND"), local) if "DTEND" in event else None
    length = _value(event, "DURATION") if ends is None and "DURATION" in event else timedelta(0)
    if not isinstance(length, timedelta) or length > LONGEST:
        raise NotACalendar("An absence in it has an impossible DURATION.")
    if isinstance(begins, datetime):
        return begins, begins.astimezone(UTC) + length if ends is None else ends
    days = length if ends is None else DAY if isinstance(ends, datetime) else ends - begins
    return begins, begins + max(days, DAY)


def _occurrences(event: Component, changes: list[Component], local: ZoneInfo, at: datetime) -> list[Component]:
    """The times of a repeated entry around now, with changes applied. Raises NotACalendar."""
    calendar = Calendar()
    core = _entry(event, local, away=True)
    start = _moment(core, "DTSTART")
    core["RRULE"] = _rules(event, start)
    added = _listed(event, "RDATE", vDDDLists)
    core["EXDATE"], core["RDATE"] = _listed(event, "EXDATE", vDDDLists), added
    if sum(len(each.dts) for each in added) > MOST_VALUES:
        raise NotACalendar("An absence in it repeats by too long a list of days.")
    calendar.add_component(core)
    for change in changes:
        calendar.add_component(_changed(change, local, whole_days=not isinstance(start, datetime)))
    # The library looks back by the length of the entry itself, but not by the lengths in a list of days.
    back = LONGEST_REPEATED if added else DAY
    try:
        found = recurring_ical_events.of(calendar).between(at - back, at + AHEAD + DAY)
    except UNREADABLE as error:
        raise _broken("RRULE, RDATE or EXDATE") from error
    return [each for each in found if each["TRANSP"] == "OPAQUE"]


def _rules(event: Component, start: date | datetime) -> list[vRecur]:
    """The rules by which an entry repeats, without those that never come true. Raises NotACalendar."""
    given = _listed(event, "RRULE", vRecur)
    try:
        rules = [_checked_rule(rule, start) for rule in given]
        return [rule for rule in rules if _comes_true(rule, start)]
    except NotACalendar:
        raise
    except UNREADABLE as error:
        raise _broken("RRULE") from error


def _entry(event: Component, local: ZoneInfo, *, away: bool) -> Event:
    """The lines of an entry that the expansion needs. Other lines could make it slow or fail."""
    begins, ends = _span(event, local)
    if ends - begins > LONGEST_REPEATED:
        raise NotACalendar(f"An absence in it repeats and lasts longer than {LONGEST_REPEATED.days} days.")
    first, last = _bounds(event, local)
    entry = Event()
    entry["UID"] = _uid(event)
    entry["DTSTART"], entry["DTEND"] = vDDDTypes(first), vDDDTypes(last if ends > begins else first)
    entry["TRANSP"] = "OPAQUE" if away else "TRANSPARENT"
    if isinstance(event.get("SEQUENCE"), int):
        entry["SEQUENCE"] = event["SEQUENCE"]
    return entry


def _changed(event: Component, local: ZoneInfo, *, whole_days: bool) -> Event:
    """One changed time of a repeated entry; with a RANGE the later ones change too."""
    entry = _entry(event, local, away=_is_away(event, local))
    original = _zoned(_moment(event, "RECURRENCE-ID"), local)
    parameters = event["RECURRENCE-ID"].params
    moved = abs(_aware(original, local) - _aware(_moment(entry, "DTSTART"), local))
    if "RANGE" in parameters and moved > LONGEST_REPEATED:
        raise NotACalendar(f"An absence in it moves all later ones by more than {LONGEST_REPEATED.days} days.")
    if whole_days and isinstance(original, datetime):
        original = original.astimezone(local).date()
    entry["RECURRENCE-ID"] = vDDDTypes(original)
    if "RANGE" in parameters:
        entry["RECURRENCE-ID"].params["RANGE"] = parameters["RANGE"]
    return entry


def _checked_rule(given: vRecur, start: date | datetime) -> vRecur:
    """The rule with its end in the form that `start` needs. Raises NotACalendar for a rule that repeats within a day or
    does not advance, because counting it would take hours."""
    rule = {key.upper(): value if isinstance(value, list) else [value] for key, value in given.items()}
    unknown = sorted(set(rule) - PARTS)
    if unknown:
        raise NotACalendar(f"An absence in it repeats by {unknown[0][:40]}, which is not supported.")
    if str((rule.get("FREQ") or [""])[0]).upper() not in SLOW:
        raise NotACalendar("An absence in it repeats by less than a day.")
    if any(int(step) < 1 for step in rule.get("INTERVAL", [])):
        raise NotACalendar("An absence in it repeats with an INTERVAL below 1.")
    if any(len(values) > MOST_VALUES for values in rule.values()):
        raise NotACalendar("An absence in it repeats by too long a rule.")
    ends = rule.pop("UNTIL", [])
    return vRecur({**rule, "UNTIL": [_until(ends, start)]} if ends else rule)


def _until(ends: Sequence[date | datetime], start: date | datetime) -> date | datetime:
    """The end of a rule: a day for an entry of whole days, otherwise a moment in UTC. An end without a zone is in the
    entry's zone; "for ever" is often written as the year 9999."""
    if not isinstance(start, datetime):
        return min(date(each.year, each.month, each.day) for each in ends)
    moments = []
    for each in ends:
        year = min(max(each.year, FROM_YEAR), TO_YEAR)
        moment = each if isinstance(each, datetime) else datetime.combine(each, time())
        if year != each.year:
            moment = moment.replace(year=year, month=1, day=1)
        moments.append((moment if moment.tzinfo else moment.replace(tzinfo=start.tzinfo)).astimezone(UTC))
    return min(moments)


def _comes_true(rule: vRecur, start: date | datetime) -> bool:
    endless = vRecur({key: value for key, value in rule.items() if key != "UNTIL"})
    late = datetime.combine(start, time()) + LATE
    return any(True for _ in rrulestr(endless.to_ical().decode(), dtstart=late))


def _joined(aways: Iterable[Away]) -> list[Away]:
    """Joins entries that touch to one absence, under the id of the first."""
    joined: list[Away] = []
    for away in sorted(aways, key=lambda each: (each.starts_at, each.ends_at, each.uid)):
        if joined and away.starts_at <= joined[-1].ends_at:
            joined[-1] = replace(joined[-1], ends_at=max(joined[-1].ends_at, away.ends_at))
        else:
            joined.append(away)
    return joined
