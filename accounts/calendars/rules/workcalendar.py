"""The calendar in which working time is counted: weekly hours, holidays and special days, in one zone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypedDict
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from accounts.calendars.rules.segments import Span, Spans, Years

__all__ = ["Span", "Spans", "WorkCalendar", "find_zone"]

DAY_MINUTES = 24 * 60
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class CalendarFacts(TypedDict, total=False):
    """A calendar as written in a file of facts: days as 2026-12-24 (yearly ones as 12-24), spans as ["9:00", "17:30"]."""

    tz: str
    hours: dict[str, list[list[str]]]
    holidays: list[str]
    yearly_holidays: list[str]
    special_dates: dict[str, list[list[str]]]


@dataclass(frozen=True, eq=False)
class WorkCalendar:
    """The working time: weekly spans in minutes of the local day (1440 = midnight at the day's end) and exceptions.

    A date in `special` has that day's spans instead of any other, even on a holiday; an empty tuple closes the day.
    `always_open` means 24 x 7 and ignores every other field. Calendars with equal content are equal and hash alike.
    """

    zone: str
    spans: Mapping[int, Spans] = field(default_factory=dict)
    holidays: frozenset[date] = frozenset()
    yearly_holidays: frozenset[tuple[int, int]] = frozenset()
    special: Mapping[date, Spans] = field(default_factory=dict)
    always_open: bool = False
    years: Years = field(init=False, repr=False)  # the working time of each UTC year, built at first use
    _key: tuple[object, ...] = field(init=False, repr=False)
    _hash: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        zone = find_zone(self.zone)
        week = {day: _checked(spans, WEEKDAY_NAMES[day]) for day, spans in sorted(self.spans.items())}
        special = {day: _checked(spans, day.isoformat()) for day, spans in sorted(self.special.items())}
        holidays, yearly = frozenset(self.holidays), frozenset(self.yearly_holidays)
        key = (self.zone, tuple(week.items()), holidays, yearly, tuple(special.items()), self.always_open)
        values = (week, special, holidays, yearly, key, hash(key), Years(zone, self.spans_on))
        names = ("spans", "special", "holidays", "yearly_holidays", "_key", "_hash", "years")
        for name, value in zip(names, values, strict=True):
            object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WorkCalendar) and self._key == other._key

    def __hash__(self) -> int:
        return self._hash

    @classmethod
    def from_facts(cls, facts: CalendarFacts) -> "WorkCalendar":
        """The calendar of one calendar fact: tz, hours, holidays, yearly_holidays, special_dates.

        Raises ValueError (readable) for an unknown zone, weekday, time or date.
        """
        hours = facts.get("hours", {})
        if unknown := set(hours) - set(WEEKDAYS):
            raise ValueError(f"Unknown weekday {min(unknown)!r}: use mon, tue, wed, thu, fri, sat, sun.")
        return cls(
            zone=facts["tz"],
            spans={WEEKDAYS.index(day): _read_spans(spans) for day, spans in hours.items() if spans},
            holidays=frozenset(date.fromisoformat(day) for day in facts.get("holidays", ())),
            yearly_holidays=frozenset(_read_month_day(day) for day in facts.get("yearly_holidays", ())),
            special={date.fromisoformat(d): _read_spans(s) for d, s in facts.get("special_dates", {}).items()},
        )

    def spans_on(self, day: date) -> Spans:
        """The working spans of one local date, exceptions applied."""
        if self.always_open:
            return ((0, DAY_MINUTES),)
        if day in self.special:
            return self.special[day]
        if day in self.holidays or (day.month, day.day) in self.yearly_holidays:
            return ()
        return self.spans.get(day.weekday(), ())


def find_zone(name: str) -> ZoneInfo:
    """The time zone of that name. Raises ValueError with a clear message if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise ValueError(f"Unknown time zone {name!r}: use a name such as Europe/Berlin.") from None


def _checked(spans: Iterable[Iterable[int]], where: str) -> Spans:
    checked: Spans = tuple(sorted((int(start), int(end)) for start, end in spans))
    for start, end in checked:
        if not 0 <= start < end <= DAY_MINUTES:
            raise ValueError(
                f"{where}: working hours from {_clock(start)} to {_clock(end)} do not lie within one day; "
                "split a shift that passes midnight at 24:00."
            )
    return checked


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _read_spans(spans: Iterable[Iterable[str]]) -> Spans:
    return tuple((_read_minutes(start), _read_minutes(end)) for start, end in spans)


def _read_minutes(text: str) -> int:
    hours, colon, minutes = str(text).partition(":")
    if not (colon and hours.isdigit() and minutes.isdigit() and int(minutes) < 60):
        raise ValueError(f"{text!r} is not a time of day: use HH:MM, and 24:00 for midnight at the day's end.")
    return int(hours) * 60 + int(minutes)


def _read_month_day(text: str) -> tuple[int, int]:
    month, day = (int(part) for part in text.split("-"))
    date(2024, month, day)
    return month, day
