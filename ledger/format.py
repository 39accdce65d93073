"""Formats money, numbers, dates, moments and durations for people. No other module formats.

Pages, mails, PDFs, the history and the API's texts call these functions, so that a value reads the same everywhere. The
module is pure: the zone, the present moment and the locale are passed in.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from babel.numbers import format_decimal, get_currency_precision, get_currency_symbol

LOCALE = "en_US"
NOTHING = "–"
KEPT_DECIMALS = 2  # of an amount in the database, whatever its currency has
MINUTE, HOUR, DAY = 60, 3600, 86400
LONGEST_IN_HOURS = 72 * HOUR  # 48 and 72 hours are common in contracts; longer spans are written in days
SCALES = ((Decimal(10**9), "B"), (Decimal(10**6), "M"), (Decimal(10**3), "k"))
US_ZONE_LETTERS = {"E", "C", "M", "P", "AK", "H"}
RECORDED_MOMENT = re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d UTC\b")

# Babel reads its patterns and tables anew for each value; lists repeat the same days, times and figures.
_currency_decimals = lru_cache(maxsize=256)(get_currency_precision)
_currency_symbol = lru_cache(maxsize=256)(get_currency_symbol)
_digits = lru_cache(maxsize=4096)(format_decimal)
_date_text = lru_cache(maxsize=4096)(format_date)
_time_text = lru_cache(maxsize=2048)(format_time)

Zone = tzinfo | str  # a zone, or its name from a person's profile; an empty name is UTC


# Money -------------------------------------------------------------------------------------------


def money(amount: Decimal | int, currency: str = "USD", locale: str = LOCALE) -> str:
    """`$500,000`, `€1,200.50`, `CA$1,200`, `CHF 90`: a whole amount without cents, any other with all decimals of the
    currency."""
    figure = rounded(Decimal(amount), decimals(currency))
    places = 0 if figure == figure.to_integral_value() else decimals(currency)
    digits = _digits(abs(figure), _pattern(places), locale=locale)
    return f"{'-' if figure < 0 else ''}{_sign(currency, locale)}{digits}"


def money_short(amount: Decimal | int, currency: str = "USD", locale: str = LOCALE) -> str:
    """Short money for figures, subjects and narrow columns: `$950`, `$9.4k`, `$500k`, `$3.1M`."""
    figure = Decimal(amount)
    return f"{'-' if figure < 0 else ''}{_sign(currency, locale)}{_scaled(abs(figure), locale)}"


def decimals(currency: str) -> int:
    """How many decimals a currency has: 2 for USD, 0 for JPY, 3 for KWD."""
    return _currency_decimals(currency or "USD")


def too_precise(amount: Decimal | None, currency: str) -> str:
    """The error text for an amount with more decimals than its currency has, or than are kept; empty if it is valid."""
    places = min(decimals(currency), KEPT_DECIMALS)
    if amount is None or not amount.is_finite() or amount == rounded(amount, places):
        return ""
    if places == 0:
        return f"{currency} has no decimals. Enter a whole amount, such as {rounded(amount, 0)}."
    why = (
        f"{currency} has {places} decimals"
        if places == decimals(currency)
        else f"Amounts are kept with {places} decimals"
    )
    return f"{why}. Enter {rounded(amount, places)} or another amount with at most {places}."


def _sign(currency: str, locale: str) -> str:
    symbol = _currency_symbol(currency or "USD", locale=locale)
    # A code needs a space before the digits, a sign does not.
    return f"{symbol} " if symbol[-1].isalpha() else symbol


def _pattern(places: int) -> str:
    return f"#,##0.{'0' * places}" if places else "#,##0"


def _scaled(amount: Decimal, locale: str) -> str:
    for scale, letter in SCALES:
        # An amount that rounds up to the next scale uses that scale: 999,950 is 1M, not 1000k.
        if amount >= scale * Decimal("0.9995"):
            part = rounded(amount / scale, 0 if letter == "k" and amount >= 10 * scale else 1)
            return f"{number(part, locale=locale)}{letter}"
    return number(amount, 0, locale)


# Numbers -----------------------------------------------------------------------------------------


def decimal_or_none(value: object) -> Decimal | None:
    """A finite number from any value of a template or a record, or None."""
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def rounded(amount: Decimal, places: int) -> Decimal:
    """Rounded half up, as on an invoice."""
    # Plus 0: a small negative amount becomes 0, not -0.
    return amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP) + 0


def number(value: Decimal | float, places: int = 2, locale: str = LOCALE) -> str:
    """`1,234.5`: at most `places` decimals, without trailing zeros."""
    return _digits(rounded(_exact(value), places), f"#,##0.{'#' * places}", locale=locale)


def figure(value: Decimal | float, places: int, *, signed: bool = False, locale: str = LOCALE) -> str:
    """`6.0`, `1,234.50`: always so many decimals, so that a column lines up. `signed`: `+0.40`."""
    found = rounded(_exact(value), places)
    plus = "+" if signed and found > 0 else ""
    return f"{plus}{_digits(found, _pattern(places), locale=locale)}"


def percent(value: Decimal | float, places: int = 2) -> str:
    """A figure already in percent: `12.5%`."""
    return f"{number(value, places)}%"


def _exact(value: Decimal | float) -> Decimal:
    # By its shortest text: 2.675 is not 2.67499999999999982236431605997495353221893310546875.
    return value if isinstance(value, Decimal) else Decimal(str(value))


def counted(count: Decimal | int, one: str, many: str = "") -> str:
    """`1 business day`, `3 business days`."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def file_size(size: int) -> str:
    """`812 bytes`, `14 KB`, `2.4 MB`: in steps of 1,000, as file lists show it."""
    if size < 1000:
        return counted(size, "byte")
    if size < 999_500:
        return f"{number(Decimal(size) / 1000, 0)} KB"
    return f"{number(Decimal(size) / 10**6, 1)} MB"


def listed(names: list[str]) -> str:
    """`A`, `A and B`, `A, B and C`."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


# Dates and moments -------------------------------------------------------------------------------


def day(value: date, today: date | None = None, locale: str = LOCALE) -> str:
    """`Feb 24, 2027`; without its year when `today` is given and in the same year."""
    pattern = "MMM d" if today is not None and value.year == today.year else "MMM d, y"
    return _date_text(value, pattern, locale=locale)


def weekday(value: date, today: date | None = None, locale: str = LOCALE) -> str:
    """`Fri Jan 23, 2026`; without its year when `today` is given and in the same year."""
    return f"{_date_text(value, 'EEE', locale=locale)} {day(value, today, locale)}"


def month(value: date, locale: str = LOCALE) -> str:
    """`Feb 2026`."""
    return _date_text(value, "MMM y", locale=locale)


def days_until(value: date, today: date, word: str = "") -> str:
    """`34 days`, `1 day`, `today`, `12 days ago`; `word` (such as "in") is written before a day in the future."""
    days = (value - today).days
    if days == 0:
        return "today"
    text = counted(abs(days), "day")
    return f"{text} ago" if days < 0 else f"{word} {text}".strip()


def face(local: time, locale: str = LOCALE) -> str:
    """The time on the face of a clock, without its zone: `2:30 AM`."""
    return _time_text(time(local.hour, local.minute), "h:mm a", locale=locale)


def time_of_day(at: datetime, zone: Zone, locale: str = LOCALE) -> str:
    """`2:05 PM ET`."""
    here = local(at, zone)
    minute = time(here.hour, here.minute)
    return f"{_time_text(minute, 'h:mm a', locale=locale)} {zone_name(at, zone)}"


def moment(at: datetime, zone: Zone, now: datetime | None = None, locale: str = LOCALE) -> str:
    """`Fri Jan 23, 2026, 5:00 PM ET`. With `now`, a moment of this year loses the year and a moment of today the day."""
    here, minute = local(at, zone), time_of_day(at, zone, locale)
    today = local(now, zone).date() if now else None
    if here.date() == today:
        return minute
    return f"{weekday(here.date(), today, locale)}, {minute}"


def on_paper(at: datetime, zone: Zone, written: datetime | None = None, locale: str = LOCALE) -> str:
    """Always with its day: `Fri Jan 23, 2026, 5:00 PM ET`; without the year in that of `written`."""
    today = local(written, zone).date() if written else None
    return f"{weekday(local(at, zone).date(), today, locale)}, {time_of_day(at, zone, locale)}"


def to_the_second(at: datetime, zone: Zone, locale: str = LOCALE) -> str:
    """For documents that prove something: `Fri Jan 23, 2026, 5:00:08 PM ET`."""
    here = local(at, zone)
    second = format_time(here, "h:mm:ss a", locale=locale)
    return f"{weekday(here.date(), locale=locale)}, {second} {zone_name(at, zone)}"


def zone_name(at: datetime, zone: Zone) -> str:
    """The short name of a zone at that moment: `ET`, `CET`, `UTC+3`."""
    here = local(at, zone)
    name = here.tzname() or ""
    key = getattr(here.tzinfo, "key", "")
    if key.startswith(("America/", "US/", "Pacific/Honolulu")) and name[:-2] in US_ZONE_LETTERS:
        return f"{name[:-2]}T"
    return name if name[:1].isalpha() else f"UTC{_offset(here)}"


def local(at: datetime, zone: Zone) -> datetime:
    """The moment in a zone."""
    return at.astimezone(ZoneInfo(zone or "UTC") if isinstance(zone, str) else zone)


def recorded(at: datetime | None) -> str:
    """A moment as a record keeps it, converted to UTC: `2026-11-29 21:08 UTC`; `none` without one."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else "none"


def in_table(at: datetime | None) -> str:
    """A moment in a file that spreadsheets read: `2026-11-29 21:08:05`. The head of its column names UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if at else ""


def recorded_to_local(text: str, zone: Zone, now: datetime) -> str:
    """A recorded text with its moments in the reader's zone: `due 2026-01-23 22:00 UTC` reads `due Fri Jan 23, 5:00 PM ET`."""

    def told(found: re.Match[str]) -> str:
        try:
            at = datetime.strptime(found[0], "%Y-%m-%d %H:%M UTC").replace(tzinfo=UTC)
        except ValueError:
            return found[0]
        return moment(at, zone, now)

    return RECORDED_MOMENT.sub(told, text)


def _offset(here: datetime) -> str:
    minutes = int((here.utcoffset() or timedelta()).total_seconds()) // MINUTE
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02d}" if rest else "")


# Lengths of time ---------------------------------------------------------------------------------


def duration(seconds: float | timedelta) -> str:
    """How long something took or will take, in at most two units: `42m`, `3h 10m`, `2d 3h`. The sign is dropped."""
    whole = abs(int(seconds.total_seconds() if isinstance(seconds, timedelta) else seconds))
    if whole < DAY:
        return hours(whole)
    days, rest = divmod(whole, DAY)
    return f"{days}d {rest // HOUR}h" if rest >= HOUR else f"{days}d"


def span(seconds: int) -> str:
    """A length that a rule sets: `30m`, `2h 30m`, `72h`, `7 days`. Up to 72 hours it is written in hours."""
    if seconds > LONGEST_IN_HOURS and seconds % DAY == 0:
        return counted(seconds // DAY, "day")
    return hours(seconds)


def rough(span: timedelta) -> str:
    """An age as operations read it: `42 s`, `7 min`, `3 h`, `2 d`."""
    whole = int(span.total_seconds())
    for size, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if whole >= 2 * size:
            return f"{whole // size} {name}"
    return f"{whole} s"


def decimal_hours(count: float, places: int = 1) -> str:
    """A measured length for a column of figures: `19.4h`."""
    return f"{figure(count, places)}h"


def hours(seconds: int) -> str:
    """A length in hours and minutes alone, for working time whose days are not 24 hours long: `64h`, `3h 12m`."""
    if seconds < MINUTE:
        return "under 1m"
    whole, minutes = divmod(seconds // MINUTE, 60)
    if not whole:
        return f"{minutes}m"
    # Minutes after hours keep two digits, so that a column of times lines up.
    return f"{whole}h {minutes:02d}m" if minutes else f"{whole}h"


def span_in_words(minutes: int, kind: str = "") -> str:
    """The length of a target in a sentence: `45 minutes`, `48 hours`, `4 business hours`."""
    unit, count = ("hour", minutes // 60) if minutes % 60 == 0 else ("minute", minutes)
    return counted(count, f"{kind} {unit}".strip())
