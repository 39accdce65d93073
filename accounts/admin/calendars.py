"""Working calendars: a calendar that never opens would stop every clock, so it is refused."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from django import forms
from django.contrib import admin
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.admin.people import checked_zone
from accounts.calendars.queries import public_holidays, work_calendar
from accounts.calendars.rules.workcalendar import DAY_MINUTES, WorkCalendar, find_zone
from accounts.calendars.rules.worktime import add_work, business_day_seconds
from accounts.models import Calendar, CalendarDay, CalendarSpan
from ledger.errors import Refused
from ledger.format import moment
from ledger.now import now

LEAP_YEAR = 2024
HOUR = 3600


class MinuteOfDay(forms.IntegerField):
    """A local time of day, stored as a minute: 9:00, 17:30, and 24:00 for midnight at the end of the day. 540 is 9:00
    too."""

    widget = forms.TextInput
    default_error_messages = {"invalid": "Enter a time of day from 0:00 to 24:00, such as 9:00 or 17:30."}

    def to_python(self, value: object) -> int | None:
        """The minute. Raises ValidationError with a clear message for an invalid time."""
        hours, colon, minutes = str(value or "").strip().partition(":")
        if not colon:
            return super().to_python(value)
        if not (hours.isdecimal() and minutes.isdecimal() and len(minutes) == 2 and int(minutes) < 60):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return int(hours) * 60 + int(minutes)

    def prepare_value(self, value: object) -> object:
        """A minute written as a time of day."""
        return _face(value) if isinstance(value, int) and 0 <= value <= DAY_MINUTES else value


def _face(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02}"


class CalendarForm(forms.ModelForm):
    """Zone and country must be known."""

    class Meta:
        model = Calendar
        fields = ["name", "slug", "zone", "always_open", "country", "subdivision"]
        help_texts = {
            "zone": "Hours are local time of this zone, such as Europe/Berlin. When clocks change, real seconds count.",
            "always_open": "The clock never stops; hours, holidays and days below are ignored.",
            "country": "Its public holidays are closed. An ISO code, such as US or DE; empty for none.",
            "subdivision": "Adds the holidays of a state or region, such as CA or BY. Empty: nationwide holidays only.",
        }

    def clean_zone(self) -> str:
        """A zone that exists."""
        return checked_zone(self.cleaned_data["zone"])

    def clean(self) -> dict[str, object]:
        """A country whose holidays are known."""
        values = super().clean() or {}
        try:
            public_holidays(values.get("country") or "", values.get("subdivision") or "")
        except Refused as refusal:
            self.add_error("country", refusal.message)
        return values


def _kept(formset: BaseInlineFormSet) -> list[dict[str, Any]]:
    rows = [form.cleaned_data for form in formset.forms if form.is_valid() and form.cleaned_data]
    return [row for row in rows if not row.get("DELETE")]


class SpanFormSet(BaseInlineFormSet):
    """At least one span unless the calendar is always open; spans of a day do not overlap."""

    def clean(self) -> None:
        """Refuse a week without working time and overlapping spans."""
        super().clean()
        if any(self.errors):
            return
        spans = sorted((row["weekday"], row["opens"], row["closes"]) for row in _kept(self))
        if not spans and not self.instance.always_open:
            raise forms.ValidationError("Add at least one span, or tick 24×7. Without working time no clock can run.")
        for (day, _, closes), (next_day, opens, _) in pairwise(spans):
            if day == next_day and opens < closes:
                raise forms.ValidationError(
                    f"Two spans of {CalendarSpan.WEEKDAYS[day][1]} overlap. Join them or separate them."
                )


class SpanForm(forms.ModelForm):
    """From one minute of the day to a later one."""

    opens, closes = MinuteOfDay(), MinuteOfDay()

    class Meta:
        model = CalendarSpan
        fields = ["weekday", "opens", "closes"]

    def clean(self) -> dict[str, object]:
        """A span opens before it closes, within the day."""
        values = super().clean() or {}
        if "opens" in values and "closes" in values and not 0 <= values["opens"] < values["closes"] <= DAY_MINUTES:
            raise forms.ValidationError(
                "It must open before it closes, at 24:00 at the latest. Split a night shift at 24:00."
            )
        return values


class DayForm(forms.ModelForm):
    """A real date; closed all day, or with both ends of its span."""

    opens = MinuteOfDay(required=False, help_text="Empty: closed all day.")
    closes = MinuteOfDay(required=False)

    class Meta:
        model = CalendarDay
        fields = ["name", "month", "day", "year", "opens", "closes"]

    def clean(self) -> dict[str, object]:
        """The date exists and the span makes sense."""
        values = super().clean() or {}
        if {"month", "day"} <= values.keys():
            self._check_date(values.get("year") or LEAP_YEAR, values["month"], values["day"])
        opens, closes = values.get("opens"), values.get("closes")
        if (opens is None) != (closes is None):
            raise forms.ValidationError("Enter both ends of the day's span, or neither to close it all day.")
        if opens is not None and closes is not None and not 0 <= opens < closes <= DAY_MINUTES:
            raise forms.ValidationError("The span opens before it closes, at 24:00 at the latest.")
        return values

    def _check_date(self, year: int, month: int, day: int) -> None:
        try:
            date(year, month, day)
        except ValueError:
            self.add_error("day", "This date does not exist.")


class SpanInline(admin.TabularInline):
    """Weekly hours."""

    model = CalendarSpan
    form = SpanForm
    formset = SpanFormSet
    extra = 0
    verbose_name_plural = (
        "weekly hours in local time, such as 9:00 to 17:00 (24:00 is midnight at the day's end); "
        "several spans a day are fine"
    )


class DayInline(admin.TabularInline):
    """Special days."""

    model = CalendarDay
    form = DayForm
    extra = 0
    verbose_name_plural = (
        "special days: closed, or a half day with its own hours (they replace public holidays; "
        "without a year they repeat)"
    )


@admin.register(Calendar)
class CalendarAdmin(admin.ModelAdmin):
    """When clocks run."""

    form = CalendarForm
    inlines = [SpanInline, DayInline]
    list_display = ["name", "slug", "zone", "always_open", "country", "subdivision", "changed_at"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}

    def get_prepopulated_fields(self, request: HttpRequest, obj: Calendar | None = None) -> dict[str, Sequence[str]]:
        """The slug is suggested once and does not change."""
        return {} if obj else {"slug": ["name"]}

    def get_readonly_fields(self, request: HttpRequest, obj: Calendar | None = None) -> list[str]:
        """A saved calendar shows due times of clocks that start now."""
        return ["starting_now", "changed_at"] if obj else []

    @admin.display(description="Starting now")
    def starting_now(self, calendar: Calendar) -> SafeString | str:
        """The due times of clocks of common lengths that start now, by the saved hours."""
        try:
            rows = list(_due_now(work_calendar(calendar), now().replace(microsecond=0)))
        except ValueError as error:
            return str(error)
        note = "Local time, by the saved hours." if calendar.always_open else _day_note(work_calendar(calendar))
        return format_html("<ul>{}</ul>{}", format_html_join("", "<li>{}: due {}</li>", rows), note)

    def has_delete_permission(self, request: HttpRequest, obj: Calendar | None = None) -> bool:
        """Clocks of old cases refer to calendars."""
        return False


def _due_now(calendar: WorkCalendar, at: datetime) -> Iterator[tuple[str, str]]:
    day, zone = business_day_seconds(calendar), find_zone(calendar.zone)
    for words, seconds in (
        ("1 business hour", HOUR),
        ("4 business hours", 4 * HOUR),
        ("1 business day", day),
        ("5 business days", 5 * day),
    ):
        yield words, moment(add_work(calendar, at, seconds), zone)


def _day_note(calendar: WorkCalendar) -> str:
    day = _face(business_day_seconds(calendar) // 60)
    return f"Local time, by the saved hours. A business day of this calendar has {day} hours."
