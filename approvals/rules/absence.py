"""Out-of-office entries of a calendar. Pure: bytes of an .ics file in, spans of time out."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from icalendar import Calendar

AHEAD = timedelta(days=60)
LONGEST_LOOK_BACK = timedelta(days=400)
MOST_EVENTS, MOST_TIMES = 20_000, 500
# Words alone could stand in the title of a meeting: such an entry must also last this long.
LEAST = timedelta(hours=4)
SLOW = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
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

    Days without a time and times without a zone are in `zone`. Raises NotACalendar.
    """
    local = ZoneInfo(zone or "UTC")
    events = _events(ics)
    moved = {(_uid(each), _aware(each["RECURRENCE-ID"].dt, local)) for each in events if "RECURRENCE-ID" in each}
    found = [away for each in events if _is_away(each, local) for away in _times(each, local, at, moved)]
    return _joined(away for away in found if away.ends_at > at and away.starts_at < at + AHEAD)


def _events(ics: bytes) -> list[Any]:
    try:
        calendars = Calendar.from_ical(ics, multiple=True)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise NotACalendar(f"It is not a calendar: {str(error)[:120]}") from error
    if not calendars:
        raise NotACalendar("It is empty.")
    events = [event for calendar in calendars for event in calendar.walk("VEVENT") if "DTSTART" in event]
    if len(events) > MOST_EVENTS:
        raise NotACalendar(f"It has more than {MOST_EVENTS} entries.")
    return events


def _uid(event: Any) -> str:
    return str(event.get("UID") or "")[:255] or "no-id"


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
    start = event["DTSTART"].dt
    if "DTEND" in event:
        return _aware(event["DTEND"].dt, local) - _aware(start, local)
    if "DURATION" in event:
        length: timedelta = event["DURATION"].dt
        return length
    return timedelta(0) if isinstance(start, datetime) else timedelta(days=1)


def _days(event: Any) -> int | None:
    """How many whole days an entry without times has; None for one with times."""
    start = event["DTSTART"].dt
    if isinstance(start, datetime):
        return None
    end = event["DTEND"].dt if "DTEND" in event else None
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
    first = event["DTSTART"].dt
    if "RRULE" not in event or "RECURRENCE-ID" in event or not _is_slow(event):
        return [first]
    whole_day = not isinstance(first, datetime)
    start = datetime.combine(first, time()) if whole_day else first
    zone = None if whole_day else start.tzinfo
    plain = start.replace(tzinfo=None)
    rule = rrulestr(_rule(event, zone), dtstart=plain, forceset=True)
    low, high = (at - LONGEST_LOOK_BACK).replace(tzinfo=None), (at + AHEAD + timedelta(days=1)).replace(tzinfo=None)
    left_out = {_naive(each.dt, zone) for each in _dates(event.get("EXDATE"))}
    times = [each for each in rule.between(low, high, inc=True) if each not in left_out][-MOST_TIMES:]
    return [each.date() if whole_day else each.replace(tzinfo=zone or local) for each in times]


def _is_slow(event: Any) -> bool:
    """Repeats by the day or slower. Nobody is away anew every minute; such a rule would only be counted for hours."""
    rules = event["RRULE"] if isinstance(event["RRULE"], list) else [event["RRULE"]]
    return all(str((rule.get("FREQ") or [""])[0]).upper() in SLOW for rule in rules)


def _rule(event: Any, zone: Any) -> str:
    """The RRULE with its UNTIL in the entry's own clock, as the expansion counts."""
    rule = event["RRULE"]
    rules = rule if isinstance(rule, list) else [rule]
    lines = []
    for each in rules[:1]:
        kept = dict(each)
        for until in kept.pop("UNTIL", None) or []:
            kept["UNTIL"] = [_naive(until, zone)]
        text = ";".join(f"{key}={','.join(_part(value) for value in values)}" for key, values in _lists(kept))
        lines.append(f"RRULE:{text}")
    return "\n".join(lines)


def _lists(rule: dict[str, Any]) -> list[tuple[str, list[Any]]]:
    return [(key, value if isinstance(value, list) else [value]) for key, value in rule.items()]


def _part(value: Any) -> str:
    return f"{value:%Y%m%dT%H%M%S}" if isinstance(value, datetime) else str(value)


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
