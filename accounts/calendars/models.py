"""Working calendars: zone, spans a day, holidays, half days."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Calendar(models.Model):
    """The times at which clocks run: around the clock, or inside spans of local time."""

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    zone = models.CharField("time zone", max_length=60, default="America/New_York")
    always_open = models.BooleanField("24×7", default=False)
    country = models.CharField(max_length=10, blank=True, help_text="Holidays of this country (ISO code), such as US.")
    subdivision = models.CharField(max_length=10, blank=True, help_text="State or region within the country.")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class CalendarSpan(models.Model):
    """Open from one minute of the day to another (half-open; 1440 is midnight at the day's end)."""

    WEEKDAYS: ClassVar = list(enumerate(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]))
    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="spans")
    weekday = models.PositiveSmallIntegerField(choices=WEEKDAYS)
    opens = models.PositiveSmallIntegerField(help_text="Minute of the day, 540 is 9:00.")
    closes = models.PositiveSmallIntegerField(help_text="Minute of the day, 1440 is 24:00.")

    class Meta:
        ordering = ["weekday", "opens"]
        constraints = [
            models.CheckConstraint(
                condition=Q(opens__lt=models.F("closes")) & Q(closes__lte=1440), name="span_opens_before_it_closes"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens // 60}:{self.opens % 60:02}"


class CalendarDay(models.Model):
    """A special day: closed, or with its own span. Without a year it repeats every year."""

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="days")
    name = models.CharField(max_length=80)
    month = models.PositiveSmallIntegerField()
    day = models.PositiveSmallIntegerField()
    year = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty: every year.")
    opens = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty: closed all day.")
    closes = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["month", "day", "year"]

    def __str__(self) -> str:
        return self.name
