"""Filters that write values in the viewer's zone with ledger.format, and untrusted text safely."""

import datetime as dt
from collections.abc import Iterable
from functools import lru_cache

import nh3
from django import template
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from ledger import format as write
from ledger.now import now
from messaging.outbox.rules.secrets import masked

register = template.Library()

MARKDOWN = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table")
SHORT_TEXT = 2_000  # characters; longer texts are not kept in the process
MARKDOWN_TAGS = {
    *("a", "p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li"),
    *("h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}


# Money and numbers -------------------------------------------------------------------------------


@register.filter
def money(value: object, currency: str = "USD") -> str:
    """`$500,000`, `€1,200.50`, `CHF 90`. Empty or not a number: a dash."""
    amount = write.decimal_or_none(value)
    return write.NOTHING if amount is None else write.money(amount, currency)


@register.filter
def money_short(value: object, currency: str = "USD") -> str:
    """Amounts for narrow columns: `$950`, `$9.4k`, `$500k`, `$3.1M`."""
    amount = write.decimal_or_none(value)
    return write.NOTHING if amount is None else write.money_short(amount, currency)


@register.filter
def plain_percent(value: object, places: int = 2) -> str:
    """A figure already in percent: `12.50` becomes `12.5%`, with `plain_percent:0` `13%`."""
    number = write.decimal_or_none(value)
    return write.NOTHING if number is None else write.percent(number, places)


@register.filter
def ratio_percent(value: object) -> str:
    """A share from 0 to 1 in whole percent: `0.615` becomes `62%`."""
    number = write.decimal_or_none(value)
    return write.NOTHING if number is None else write.percent(write.rounded(number * 100, 0))


@register.filter
def file_size(value: int) -> str:
    """`812 bytes`, `14 KB`, `2.4 MB`."""
    return write.file_size(value)


@register.filter
def number(value: object) -> str:
    """At most two decimals, none of them idle zeros: `48`, `1,234.5`."""
    found = write.decimal_or_none(value)
    return write.NOTHING if found is None else write.number(found)


@register.filter
def figure(value: object, places: int) -> str:
    """Always so many decimals: `figure:2` writes `0.4` as `0.40`."""
    number = write.decimal_or_none(value)
    return write.NOTHING if number is None else write.figure(number, places)


@register.filter
def decimal_hours(value: float | None, places: int = 1) -> str:
    """Hours that were measured: `19.4h`, with `decimal_hours:0` `19h`."""
    return write.NOTHING if value is None else write.decimal_hours(value, places)


# Times -------------------------------------------------------------------------------------------


@register.filter
def when(value: dt.date | None) -> str:
    """`1:30 PM ET today`, `Fri Jan 23, 5:00 PM ET`, with the year if it is another one. A date without time: see day."""
    if not isinstance(value, dt.datetime):
        return day(value)
    zone, at = timezone.get_current_timezone(), now()
    text = write.moment(value, zone, at)
    return f"{text} today" if write.local(value, zone).date() == write.local(at, zone).date() else text


@register.filter
def local_times(text: str) -> str:
    """A recorded text with its moments in the viewer's zone: `due 2027-01-23 22:00 UTC` reads `due Sat Jan 23, 5:00 PM ET`."""
    return write.recorded_to_local(text or "", timezone.get_current_timezone(), now())


@register.filter
def clock_time(value: dt.datetime | None) -> str:
    """The time of day alone: `2:12 PM ET`."""
    return write.NOTHING if value is None else write.time_of_day(value, timezone.get_current_timezone())


@register.filter
def day(value: dt.date | None) -> str:
    """The day alone: `Feb 24`, or `Feb 24, 2027` if it is not this year."""
    date = _local_date(value)
    return write.NOTHING if date is None else write.day(date, _today())


@register.filter
def full_day(value: dt.date | None) -> str:
    """The day with its year: `Feb 24, 2027`. For lists in which years are compared."""
    date = _local_date(value)
    return write.NOTHING if date is None else write.day(date)


@register.filter
def weekday(value: dt.date) -> str:
    """A day as a heading: `Fri Jan 23`, or `Sat Jan 23, 2027` when it is not this year."""
    return write.weekday(value, _today())


@register.filter
def days_until(value: dt.date | None, word: str = "") -> str:
    """`34 days`, `1 day`, `today`, `12 days ago`; `days_until:"in"` puts the word before a day in the future."""
    date = _local_date(value)
    return write.NOTHING if date is None else write.days_until(date, _today(), word)


@register.filter
def rough(value: dt.timedelta) -> str:
    """An age as operations read it: `2 s`, `7 min`, `3 h`."""
    return write.rough(value)


@register.filter
def duration(value: dt.timedelta | float | None) -> str:
    """A span in seconds (or a timedelta), at most two units: `42m`, `3h 10m`, `2d 3h`. The sign is dropped."""
    return write.NOTHING if value is None else write.duration(value)


@register.filter
def dated(value: dt.datetime | None, written: dt.datetime | None = None) -> str:
    """For documents that are read later: `Fri Jan 23, 2026, 5:00 PM ET`. `dated:written` leaves out the year of that moment."""
    return write.NOTHING if value is None else write.on_paper(value, timezone.get_current_timezone(), written)


@register.filter
def to_the_second(value: dt.datetime | None) -> str:
    """For documents that prove something: `Fri Jan 23, 2026, 5:00:08 PM ET`."""
    return write.NOTHING if value is None else write.to_the_second(value, timezone.get_current_timezone())


@register.simple_tag
def viewer_zone() -> str:
    """The short name of the viewer's zone now, for "times in ET"."""
    return write.zone_name(now(), timezone.get_current_timezone())


@register.filter
def in_zone(value: dt.datetime | None, zone: str) -> str:
    """The moment in another zone: `Fri Jan 23, 5:00 PM ET`."""
    return write.NOTHING if value is None else write.moment(value, zone, now())


def _today() -> dt.date:
    return write.local(now(), timezone.get_current_timezone()).date()


def _local_date(value: dt.date | None) -> dt.date | None:
    if isinstance(value, dt.datetime):
        return write.local(value, timezone.get_current_timezone()).date()
    return value or None


# Text --------------------------------------------------------------------------------------------


@register.filter
def markdown(value: str | None) -> SafeString:
    """Markdown as safe HTML: no raw HTML, no images, links never followed by search engines."""
    text = value or ""
    return _short_as_html(text) if len(text) <= SHORT_TEXT else _as_html(text)


@lru_cache(maxsize=2_000)
def _short_as_html(text: str) -> SafeString:
    """The posts of a case are read again and again, and most of the time of its page went into them."""
    return _as_html(text)


def _as_html(text: str) -> SafeString:
    html = nh3.clean(
        MARKDOWN.render(text),
        tags=MARKDOWN_TAGS,
        attributes={"a": {"href", "title"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer",
    )
    return mark_safe(html)  # noqa: S308 - nh3 has just removed what is not in the lists above


# The position of a phrase: a pair (start, end, …) or the mapping stored with a signal.
Span = tuple[int, int] | dict[str, int]


@register.filter
def phrases(text: str, spans: Iterable[Span] | None) -> SafeString:
    """Mark the flagged parts of a customer's text. `spans`: (start, end, …) pairs or mappings; overlaps are joined."""
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


def _span(span: Span) -> tuple[int, int]:
    if isinstance(span, dict):
        return int(span["start"]), int(span["end"])
    return int(span[0]), int(span[1])


@register.filter
def without_secrets(text: str) -> str:
    """A text for other people than its recipient: reply addresses and decision links are masked."""
    return masked(text or "")
