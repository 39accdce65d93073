"""Filters that write money, times and spans the way the screens do (US English, the viewer's zone)."""

import datetime as dt
import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

import nh3
from django import template
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from ledger.now import now
from messaging.outbox.rules.secrets import masked

register = template.Library()

NOTHING = "–"
MINUTE, HOUR, DAY = 60, 3600, 86400
SYMBOLS = {
    "USD": "$",
    "EUR": "€",
    "GBP": "£",
    "JPY": "¥",
    "INR": "₹",
    "CAD": "CA$",
    "AUD": "A$",
    "BRL": "R$",
}
WHOLE_ONLY = {"JPY", "KRW", "VND", "CLP", "ISK"}
SCALES = ((Decimal(10**9), "B"), (Decimal(10**6), "M"), (Decimal(10**3), "k"))
US_ZONE_LETTERS = {"E", "C", "M", "P", "AK", "H"}
MOMENT = re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d UTC\b")
MARKDOWN = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table")
MARKDOWN_TAGS = {
    *("a", "p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li"),
    *("h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}


# Money -------------------------------------------------------------------------------------------


@register.filter
def money(value: object, currency: str = "USD") -> str:
    """Whole amounts without cents: `$500,000`, `€1,200.50`, `CHF 90`. Empty or not a number: a dash."""
    amount = _decimal(value)
    if amount is None:
        return NOTHING
    places = 0 if currency in WHOLE_ONLY or amount == amount.to_integral_value() else 2
    return _signed(amount, currency, f"{_rounded(abs(amount), places):,}")


@register.filter
def money_short(value: object, currency: str = "USD") -> str:
    """Amounts for narrow columns: `$950`, `$9.4k`, `$500k`, `$3.1M`."""
    amount = _decimal(value)
    if amount is None:
        return NOTHING
    return _signed(amount, currency, _scaled(abs(amount)))


def _decimal(value: object) -> Decimal | None:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _rounded(amount: Decimal, places: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def _scaled(amount: Decimal) -> str:
    for scale, letter in SCALES:
        # What rounds up to a unit is written in it: 999,950 is 1M, not 1000k.
        if amount >= scale * Decimal("0.9995"):
            part = _rounded(amount / scale, 0 if letter == "k" and amount >= 10 * scale else 1)
            return f"{_trimmed(part)}{letter}"
    return f"{_rounded(amount, 0):,}"


def _signed(amount: Decimal, currency: str, digits: str) -> str:
    symbol = SYMBOLS.get(currency) or f"{currency} "
    return f"{'-' if amount < 0 else ''}{symbol}{digits}"


def _trimmed(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


# Times -------------------------------------------------------------------------------------------


@register.filter
def when(value: dt.date | None) -> str:
    """`1:30 PM today`, `Fri Jan 23, 5:00 PM`, with the year when it is another one. A date without time: see day."""
    if not isinstance(value, dt.datetime):
        return day(value)
    local, today = _local(value), _today()
    if local.date() == today:
        return f"{clock_time(value)} today"
    year = f" {local.year}," if local.year != today.year else ""
    return f"{local:%a %b} {local.day},{year} {clock_time(value)}"


@register.filter
def local_times(text: str) -> str:
    """A recorded sentence with its moments in the viewer's zone: `due 2027-01-23 22:00 UTC` reads `due Sat Jan 23, 5:00 PM`."""
    return MOMENT.sub(_local_moment, text or "")


def _local_moment(found: re.Match[str]) -> str:
    try:
        return when(dt.datetime.strptime(found[0], "%Y-%m-%d %H:%M UTC").replace(tzinfo=dt.UTC))
    except ValueError:
        return found[0]


@register.filter
def clock_time(value: dt.datetime | None) -> str:
    """The time of day alone: `2:12 PM`."""
    if value is None:
        return NOTHING
    local = _local(value)
    return f"{local.hour % 12 or 12}:{local:%M %p}"


@register.filter
def day(value: dt.date | None) -> str:
    """The day alone: `Feb 24`, or `Feb 24, 2027` when it is not this year."""
    date = _local_date(value)
    if date is None:
        return NOTHING
    year = f", {date.year}" if date.year != _today().year else ""
    return f"{date:%b} {date.day}{year}"


@register.filter
def days_until(value: dt.date | None, word: str = "") -> str:
    """`34 days`, `1 day`, `today`, `12 days ago`; `days_until:"in"` puts the word before a day to come."""
    date = _local_date(value)
    if date is None:
        return NOTHING
    days = (date - _today()).days
    if days == 0:
        return "today"
    text = f"{abs(days)} day{'s' if abs(days) != 1 else ''}"
    return f"{text} ago" if days < 0 else f"{word} {text}".strip()


@register.filter
def duration(value: dt.timedelta | float | None) -> str:
    """A span in seconds (or a timedelta), at most two units: `42m`, `3h 10m`, `2d 3h`. The sign is dropped."""
    if value is None:
        return NOTHING
    seconds = abs(int(value.total_seconds() if isinstance(value, dt.timedelta) else value))
    if seconds < MINUTE:
        return "under 1m"
    if seconds < HOUR:
        return f"{seconds // MINUTE}m"
    if seconds < DAY:
        return _two_units(seconds, HOUR, "h", MINUTE, "m")
    return _two_units(seconds, DAY, "d", HOUR, "h")


@register.filter
def zone_abbr(value: dt.datetime | None) -> str:
    """The viewer's zone in short: `ET`, `CET`, `UTC+3`."""
    local = _local(value if isinstance(value, dt.datetime) else now())
    name, zone = local.tzname() or "", getattr(local.tzinfo, "key", "")
    if zone.startswith(("America/", "US/", "Pacific/Honolulu")) and name[:-2] in US_ZONE_LETTERS:
        return f"{name[:-2]}T"
    return f"UTC{_offset(local)}" if name[:1] in "+-" else name


@register.simple_tag
def viewer_zone() -> str:
    """The short name of the viewer's zone now, for "times in ET"."""
    return zone_abbr(None)


@register.filter
def in_zone(value: dt.datetime | None, zone: str) -> str:
    """The moment in another zone, named: `Fri Jan 23, 5:00 PM ET`."""
    if value is None:
        return NOTHING
    with timezone.override(ZoneInfo(zone)):
        return f"{when(value)} {zone_abbr(value)}"


def _two_units(seconds: int, big: int, big_name: str, small: int, small_name: str) -> str:
    rest = seconds % big // small
    if not rest:
        return f"{seconds // big}{big_name}"
    # Minutes after hours keep two digits, so a column of times lines up.
    return (
        f"{seconds // big}{big_name} {rest:02d}{small_name}"
        if small == MINUTE
        else (f"{seconds // big}{big_name} {rest}{small_name}")
    )


def _offset(local: dt.datetime) -> str:
    minutes = int((local.utcoffset() or dt.timedelta()).total_seconds()) // MINUTE
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02d}" if rest else "")


def _local(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(timezone.get_current_timezone())


def _today() -> dt.date:
    return _local(now()).date()


def _local_date(value: dt.date | None) -> dt.date | None:
    return _local(value).date() if isinstance(value, dt.datetime) else value or None


# Numbers and text --------------------------------------------------------------------------------


@register.filter
def plain_percent(value: object) -> str:
    """A figure already in percent: `12.50` becomes `12.5%`."""
    number = _decimal(value)
    return NOTHING if number is None else f"{_trimmed(_rounded(number, 2))}%"


@register.filter
def ratio_percent(value: object) -> str:
    """A share from 0 to 1 in whole percent: `0.615` becomes `62%`."""
    number = _decimal(value)
    return NOTHING if number is None else f"{_rounded(number * 100, 0)}%"


@register.filter
def markdown(value: str | None) -> SafeString:
    """Markdown as safe HTML: no raw HTML, no images, links never followed by search engines."""
    html = nh3.clean(
        MARKDOWN.render(value or ""),
        tags=MARKDOWN_TAGS,
        attributes={"a": {"href", "title"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer",
    )
    return mark_safe(html)  # noqa: S308 - nh3 has just removed what is not in the lists above


@register.filter
def phrases(text: str, spans: Iterable[Any] | None) -> SafeString:
    """Mark the flagged parts of a customer's words. `spans`: (start, end, …) pairs or mappings; overlaps are joined."""
    out, at = [], 0
    for start, end in sorted(_span(span) for span in spans or []):
        start = max(start, at)
        if start < end <= len(text):
            out += [
                conditional_escape(str(text[at:start])),
                format_html('<mark class="phrase">{}</mark>', text[start:end]),
            ]
            at = end
    return mark_safe("".join([*out, conditional_escape(text[at:])]))  # noqa: S308 - every piece is escaped


def _span(span: Any) -> tuple[int, int]:
    if isinstance(span, dict):
        return int(span["start"]), int(span["end"])
    return int(span[0]), int(span[1])


@register.filter
def without_secrets(text: str) -> str:
    """A text for others than the person it was written to: reply addresses and decision links do not work any more."""
    return masked(text or "")
