"""Out-of-office entries of a calendar. Pure: bytes of an .ics file in, spans of time out."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, takewhile
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from icalendar import Calendar, vDDDTypes

AHEAD = timedelta(days=60)
LONGEST_LOOK_BACK = timedelta(days=400)
MOST_EVENTS, MOST_TIMES = 20_000, 500
MOST_RULES, MOST_REPEATS, MOST_VALUES = 100, 80_000, 400
FROM_YEAR, TO_YEAR = 2000, 2200
LONGEST = timedelta(days=366 * (TO_YEAR - FROM_YEAR))
# Words alone could stand in the title of a meeting: such an entry must also last this long.
LEAST = timedelta(hours=4)
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
# The days of a rule that never comes true ("February 30") are sought up to the year 9999, which takes ten seconds. The
# calendar repeats itself day for day every 400 years, so rules are counted shortly before that year and the days moved back.
LATE = timedelta(days=19 * 146_097)
UNREADABLE = (ValueError, KeyError, IndexError, TypeError, AttributeError, ArithmeticError, RecursionError)
WORDS = re.compile(
    r"\b(out[ -]of[ -](the[ -])?office|ooo|oof|vacation|annual leave|parental leave|sick leave|on leave|pto)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Away:
    """A time somebody is away, half-open, with the calendar's own id of the entry."""

    uid: str
    starts_at: datetime
    ends_at: datetime


class NotACalendar(ValueError):
    """The file cannot be read as an .ics calendar; the text says why."""


def absences(ics: bytes, zone: str, at: datetime) -> list[Away]:
    """Every time away that is not over and begins within 60 days, recurring entries expanded, overlaps joined, in order.

    Days without a time and times without a zone are in `zone`. Raises NotACalendar, also for a single time away that cannot
    be understood: what would be left out could be a time nobody decides. Other entries may be as odd as they like.
    """
    local = ZoneInfo(zone or "UTC")
    try:
        found = _found(_events(ics), local, at)
    except NotACalendar:
        raise
    except UNREADABLE as error:
        raise NotACalendar(f"An absence in it cannot be read: {str(error)[:120]}") from error
    return _joined(away for away in found if away.ends_at > at and away.starts_at < at + AHEAD)


def _found(events: list[Any], local: ZoneInfo, at: datetime) -> list[Away]:
    aways = [each for each in events if _is_away(each, local)]
    repeated = {_uid(each) for each in aways if _repeats(each)}
    if sum(_repeats(each) for each in aways) > MOST_RULES:
        raise NotACalendar(f"It has more than {MOST_RULES} repeating absences.")
    changed = [each for each in events if "RECURRENCE-ID" in each and _uid(each) in repeated]
    moved = {(_uid(each), _aware(_moment(each, "RECURRENCE-ID"), local)) for each in changed}
    return [away for each in aways for away in _times(each, local, at, moved)]


def _events(ics: bytes) -> list[Any]:
    try:
        calendars = Calendar.from_ical(ics, multiple=True)
        events = [event for calendar in calendars for event in calendar.walk("VEVENT") if "DTSTART" in event]
    except UNREADABLE as error:
        raise NotACalendar(f"It is not a calendar: {str(error)[:120]}") from error
    if not calendars:
        raise NotACalendar("It is empty.")
    if len(events) > MOST_EVENTS:
        raise NotACalendar(f"It has more than {MOST_EVENTS} entries.")
    return events


def _uid(event: Any) -> str:
    return str(event.get("UID") or "")[:255] or "no-id"


def _repeats(event: Any) -> bool:
    return "RRULE" in event and "RECURRENCE-ID" not in event


def _value(event: Any, name: str) -> Any:
    """What a line of times says; None where it is broken or there twice."""
    return event[name].dt if isinstance(event[name], vDDDTypes) else None


def _moment(event: Any, name: str) -> date | datetime:
    """The day or moment of a line that names one. Raises NotACalendar."""
    found = _value(event, name)
    if not isinstance(found, date):
        raise NotACalendar(f"An absence in it has a {name} that is no date.")
    if not FROM_YEAR <= found.year <= TO_YEAR:
        raise NotACalendar(f"An absence in it has a {name} outside of {FROM_YEAR} to {TO_YEAR}.")
    return found


def _aware(moment: date | datetime, local: ZoneInfo) -> datetime:
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    return (moment if moment.tzinfo else moment.replace(tzinfo=local)).astimezone(UTC)


def _is_away(event: Any, local: ZoneInfo) -> bool:
    if str(event.get("STATUS") or "").upper() == "CANCELLED":
        return False
    busy = str(event.get("X-MICROSOFT-CDO-BUSYSTATUS") or "").upper()
    if busy:
        return busy == "OOF"
    if str(event.get("TRANSP") or "OPAQUE").upper() != "OPAQUE":
        return False
    return bool(WORDS.search(_words(event))) and _length(event, local) >= LEAST


def _words(event: Any) -> str:
    categories = event.get("CATEGORIES") or []
    listed = categories if isinstance(categories, list) else [categories]
    names = [str(name) for each in listed for name in getattr(each, "cats", [each])]
    return " ".join([str(event.get("SUMMARY") or ""), str(event.get("X-GOOGLE-EVENT-TYPE") or ""), *names])


def _length(event: Any, local: ZoneInfo) -> timedelta:
    start = _moment(event, "DTSTART")
    if "DTEND" in event:
        return _aware(_moment(event, "DTEND"), local) - _aware(start, local)
    if "DURATION" in event:
        length = _value(event, "DURATION")
        if not isinstance(length, timedelta) or length > LONGEST:
            raise NotACalendar("An absence in it has a DURATION that cannot be.")
        return length
    return timedelta(0) if isinstance(start, datetime) else timedelta(days=1)


def _days(event: Any) -> int | None:
    """How many whole days an entry without times has; None for one with times."""
    start = _moment(event, "DTSTART")
    if isinstance(start, datetime):
        return None
    end = _moment(event, "DTEND") if "DTEND" in event else None
    return max((end - start).days, 1) if end is not None and not isinstance(end, datetime) else 1


def _times(event: Any, local: ZoneInfo, at: datetime, moved: set[tuple[str, datetime]]) -> Iterator[Away]:
    uid, days, length = _uid(event), _days(event), _length(event, local)
    for start in _starts(event, local, at):
        begins = _aware(start, local)
        if "RECURRENCE-ID" not in event and (uid, begins) in moved:
            continue
        ends = begins + length if days is None else _aware(_day(start) + timedelta(days=days), local)
        if ends > begins:
            yield Away(uid, begins, ends)


def _day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _starts(event: Any, local: ZoneInfo, at: datetime) -> list[date | datetime]:
    """Where the entry begins: once, or at every repetition around now. In the entry's own clock, so that summer time holds."""
    first = _moment(event, "DTSTART")
    if not _repeats(event):
        return [first]
    whole_day = not isinstance(first, datetime)
    zone = first.tzinfo if isinstance(first, datetime) else None
    low, high = (at - LONGEST_LOOK_BACK).replace(tzinfo=None), (at + AHEAD + timedelta(days=1)).replace(tzinfo=None)
    left_out = {_naive(each.dt, zone) for each in _dates(event.get("EXDATE"))}
    found = (each for each in _repetitions(event, zone, high) if each >= low and each not in left_out)
    times = list(found)[-MOST_TIMES:]
    return [each.date() if whole_day else each.replace(tzinfo=zone or local) for each in times]


def _repetitions(event: Any, zone: Any, high: datetime) -> Iterator[datetime]:
    """Every repetition up to `high`, from the first on, in the entry's own clock."""
    rule = _checked_rule(event)
    ends = [_until(each, zone) for each in rule.pop("UNTIL", [])]
    text = ";".join(f"{key}={','.join(str(value) for value in values)}" for key, values in rule.items())
    late = rrulestr(f"RRULE:{text}", dtstart=_naive(_moment(event, "DTSTART"), None) + LATE)
    last = min([high, *ends])
    return takewhile(lambda each: each <= last, (each - LATE for each in islice(late, MOST_REPEATS)))


def _checked_rule(event: Any) -> dict[str, list[Any]]:
    """The first RRULE by its parts. Nobody is away anew every hour, and no rule stands still: such a one would be counted
    for hours."""
    given = event["RRULE"]
    rule = dict(_lists(given[0] if isinstance(given, list) else given))
    unknown = sorted(set(rule) - PARTS)
    if unknown:
        raise NotACalendar(f"An absence in it repeats by {unknown[0][:40]}, which is not read.")
    if str((rule.get("FREQ") or [""])[0]).upper() not in SLOW:
        raise NotACalendar("An absence in it repeats by less than a day.")
    if any(int(step) < 1 for step in rule.get("INTERVAL", [])):
        raise NotACalendar("An absence in it repeats with an INTERVAL below 1.")
    if any(len(values) > MOST_VALUES for values in rule.values()):
        raise NotACalendar("An absence in it repeats by too long a rule.")
    return rule


def _until(moment: date | datetime, zone: Any) -> datetime:
    """The end of a rule in the entry's own clock; "for ever" is often written as the year 9999."""
    if moment.year > TO_YEAR:
        return _naive(date(TO_YEAR, 12, 31), zone)
    return _naive(moment if moment.year >= FROM_YEAR else date(FROM_YEAR, 1, 1), zone)


def _lists(rule: Any) -> list[tuple[str, list[Any]]]:
    return [(key.upper(), value if isinstance(value, list) else [value]) for key, value in rule.items()]


def _naive(moment: date | datetime, zone: Any) -> datetime:
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time())
    return (moment.astimezone(zone) if moment.tzinfo and zone else moment).replace(tzinfo=None)


def _dates(value: Any) -> list[Any]:
    return [each for part in (value if isinstance(value, list) else [value] if value else []) for each in part.dts]


def _joined(aways: Iterable[Away]) -> list[Away]:
    """Entries that touch are one time away, under the id of the first."""
    joined: list[Away] = []
    for away in sorted(aways, key=lambda each: (each.starts_at, each.ends_at, each.uid)):
        if joined and away.starts_at <= joined[-1].ends_at:
            joined[-1] = replace(joined[-1], ends_at=max(joined[-1].ends_at, away.ends_at))
        else:
            joined.append(away)
    return joined
