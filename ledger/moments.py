"""Dates with a time in forms, in the API and in its filters: read in the zone of the caller, always to an instant.

A local time that does not exist, because clocks go forward, is the next one that does; one that comes twice is the first.
"""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from rest_framework import serializers

from ledger.format import day, face
from ledger.local_time import instant_of, is_certain

EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)
OUT_OF_RANGE = "Enter a date between the years 1900 and 2999."
INVALID = "Enter a date and time, such as 2026-01-31T15:00."


def placed(value: datetime) -> datetime:
    """The instant of what was typed. Raises ValueError outside of 1900 to 2999."""
    try:
        at = instant_of(value, _zone()) if timezone.is_naive(value) else value.astimezone(UTC)
    except OverflowError:
        raise ValueError(OUT_OF_RANGE) from None
    if not EARLIEST <= at < LATEST:
        raise ValueError(OUT_OF_RANGE)
    return at.astimezone(_zone())


def _zone() -> ZoneInfo:
    zone = timezone.get_current_timezone()
    return zone if isinstance(zone, ZoneInfo) else ZoneInfo("UTC")


class MomentField(forms.DateTimeField):
    """A date and time of a form. `moved` says after reading what became of a time that does not exist or comes twice."""

    moved = ""

    def to_python(self, value: object) -> datetime | None:
        """In the zone of the viewer."""
        self.moved = ""
        if value in self.empty_values:
            return None
        typed = self._typed(value)
        try:
            at = placed(typed)
        except ValueError as error:
            raise ValidationError(str(error), code="range") from None
        if timezone.is_naive(typed) and not is_certain(typed, _zone()):
            self.moved = _moved(typed, at)
        return at

    def _typed(self, value: object) -> datetime:
        if isinstance(value, datetime):
            return value
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a local day
        try:
            found = parse_datetime(str(value).strip())
        except ValueError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None
        # Django's own formats: a date alone, or with a blank before the time.
        found = found or forms.fields.BaseTemporalField.to_python(self, str(value))
        if found is None:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return found if isinstance(found, datetime) else datetime(found.year, found.month, found.day)  # noqa: DTZ001


def _moved(typed: datetime, at: datetime) -> str:
    then, on = face(typed.time()), day(typed.date())
    if at.replace(tzinfo=None) == typed:
        return f"{then} comes twice on {on}, because clocks go back: the first one is taken."
    return f"{then} does not exist on {on}, because clocks go forward: {face(at.time())} is taken."


def moved(form: forms.BaseForm) -> list[str]:
    """What became of the times of a valid form that do not exist or come twice."""
    return [field.moved for field in form.fields.values() if isinstance(field, MomentField) and field.moved]


class ApiMoment(serializers.DateTimeField):
    """A date and time of the API: written in UTC; without an offset it is read in the zone of the caller."""

    def to_representation(self, value: datetime) -> str:
        """Such as `2026-12-09T17:26:00Z`, whoever reads it."""
        with timezone.override(UTC):
            text: str = super().to_representation(value)
            return text

    def enforce_timezone(self, value: datetime) -> datetime:
        """The instant; 422 outside of 1900 to 2999."""
        try:
            return placed(value)
        except ValueError as error:
            raise serializers.ValidationError(str(error), code="range") from None


class MomentFilter(django_filters.IsoDateTimeFilter):
    """The same in a filter of a list."""

    field_class = MomentField
