"""Working calendars: a calendar that never opens would stop every clock, so it is refused."""

from datetime import date
from itertools import pairwise
from typing import Any

from django import forms
from django.contrib import admin
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest

from accounts.admin.people import checked_zone
from accounts.models import Calendar, CalendarDay, CalendarSpan
from accounts.queries import public_holidays
from ledger.errors import Refused

LEAP_YEAR = 2024


class CalendarForm(forms.ModelForm):
    """Zone and country must be known."""

    class Meta:
        model = Calendar
        fields = ["name", "slug", "zone", "always_open", "country", "subdivision"]
        help_texts = {
            "zone": "Hours are local time of this zone, such as Europe/Berlin.",
            "always_open": "The clock never stops; spans and days below are ignored.",
        }

    def clean_zone(self) -> str:
        """A zone that exists."""
        return checked_zone(self.cleaned_data["zone"])

    def clean(self) -> dict[str, Any]:
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
            raise forms.ValidationError("Add at least one span, or tick 24×7: without working time no clock could run.")
        for (day, _, closes), (next_day, opens, _) in pairwise(spans):
            if day == next_day and opens < closes:
                raise forms.ValidationError(f"Two spans of {CalendarSpan.WEEKDAYS[day][1]} overlap: join or part them.")


class SpanForm(forms.ModelForm):
    """From one minute of the day to a later one."""

    class Meta:
        model = CalendarSpan
        fields = ["weekday", "opens", "closes"]

    def clean(self) -> dict[str, Any]:
        """Opens before it closes, within the day."""
        values = super().clean() or {}
        if "opens" in values and "closes" in values and not values["opens"] < values["closes"] <= 1440:
            raise forms.ValidationError(
                "It opens before it closes, at 1440 (24:00) at the latest. Part a night at 24:00."
            )
        return values


class DayForm(forms.ModelForm):
    """A real date; closed all day, or with both ends of its span."""

    class Meta:
        model = CalendarDay
        fields = ["name", "month", "day", "year", "opens", "closes"]

    def clean(self) -> dict[str, Any]:
        """The date exists and the span makes sense."""
        values = super().clean() or {}
        if {"month", "day"} <= values.keys():
            self._check_date(values.get("year") or LEAP_YEAR, values["month"], values["day"])
        opens, closes = values.get("opens"), values.get("closes")
        if (opens is None) != (closes is None):
            raise forms.ValidationError("Enter both ends of the day's span, or neither to close it all day.")
        if opens is not None and closes is not None and not opens < closes <= 1440:
            raise forms.ValidationError("The span opens before it closes, at 1440 (24:00) at the latest.")
        return values

    def _check_date(self, year: int, month: int, day: int) -> None:
        try:
            date(year, month, day)
        except ValueError:
            self.add_error("day", "There is no such day.")


class SpanInline(admin.TabularInline):
    """Weekly hours."""

    model = CalendarSpan
    form = SpanForm
    formset = SpanFormSet
    extra = 0
    verbose_name_plural = (
        "weekly hours in minutes of the local day (540 is 9:00, 1020 is 17:00); several spans a day are fine"
    )


class DayInline(admin.TabularInline):
    """Days that differ."""

    model = CalendarDay
    form = DayForm
    extra = 0
    verbose_name_plural = "days that differ (they beat public holidays; without a year they repeat)"


@admin.register(Calendar)
class CalendarAdmin(admin.ModelAdmin):
    """When clocks run."""

    form = CalendarForm
    inlines = [SpanInline, DayInline]
    list_display = ["name", "slug", "zone", "always_open", "country", "subdivision", "changed_at"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    readonly_fields = ["changed_at"]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Calendar | None = None) -> dict[str, Any]:
        """The slug is proposed once and stays."""
        return {} if obj else {"slug": ["name"]}

    def has_delete_permission(self, request: HttpRequest, obj: Calendar | None = None) -> bool:
        """Clocks of old cases refer to calendars."""
        return False
