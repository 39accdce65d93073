"""Delegations and the calendars that make them."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import User
from accounts.people.models import kept
from ledger.format import day
from ledger.now import now
from ledger.prepared import PreparedRows


class DelegationQuerySet(models.QuerySet["Delegation"]):
    """The business queries of delegations."""

    def in_force(self, at: datetime) -> "DelegationQuerySet":
        """Started, not over and not ended early."""
        running = self.filter(starts_at__lte=at, ends_at__gt=at)
        return running.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=at))

    def given_to(self, user: User) -> "list[Delegation]":
        """Those in force now that make the person a stand-in. For lists: read once, as the person's roles are."""
        return kept(user, "delegations", lambda: STANDING_IN.read(user.pk, now()))

    def overlapping(self, start: datetime, end: datetime) -> "DelegationQuerySet":
        """In force at some moment of [start, end)."""
        return self.filter(starts_at__lt=end, ends_at__gt=start).filter(
            Q(ended_at__isnull=True) | Q(ended_at__gt=start)
        )


class Delegation(models.Model):
    """For a time, `to` may decide requests addressed to `user`, within the scope and never above `user`'s own limit.
    One step."""

    HAND, CALENDAR = "hand", "calendar"
    SOURCES: ClassVar = [(HAND, "Entered"), (CALENDAR, "Out-of-office entry of a calendar")]
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="delegations")
    to = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="delegated_to_me")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="Exclusive.")
    concessions = models.JSONField(default=list, blank=True, help_text="Slugs of concessions; empty: all.")
    up_to_usd = models.DecimalField(
        "up to (USD)",
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="Only requests for money up to this amount. Empty: up to the delegator's own limit.",
    )
    note = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=8, choices=SOURCES, default=HAND)
    uid = models.CharField(max_length=255, blank=True, help_text="The calendar's own id of the entry.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=now)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="Ended early.")
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    objects = DelegationQuerySet.as_manager()

    class Meta:
        ordering = ["-starts_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="delegation_order"),
            models.CheckConstraint(condition=~Q(user=F("to")), name="delegation_to_another"),
            models.UniqueConstraint(
                fields=["user", "uid", "starts_at"],
                condition=~Q(uid="") & Q(ended_at__isnull=True),
                name="delegation_once_per_entry",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.to} for {self.user}, {day(self.starts_at)} to {day(self.ends_at)}"

    def scope(self, path: str) -> Q:
        """The requests it covers, over `path`: the same as `rules.delegation.covers`, for a query. Only money has a
        total."""
        taken = Q(**{f"{path}concession__in": self.concessions}) if self.concessions else Q()
        return taken if self.up_to_usd is None else taken & Q(**{f"{path}total_usd__lte": self.up_to_usd})


class CalendarFeed(models.Model):
    """A person's own calendar (.ics address): its out-of-office entries delegate to the stand-in."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="calendar_feed")
    url = models.URLField("calendar address", max_length=1000, help_text="The private .ics address of the calendar.")
    stand_in = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    checked_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=300, blank=True, help_text="Why the last read failed.")

    def __str__(self) -> str:
        return f"Calendar of {self.user}"


def _standing_in(user: int, at: datetime) -> DelegationQuerySet:
    return Delegation.objects.in_force(at).filter(to=user)


STANDING_IN = PreparedRows(Delegation, _standing_in, int, datetime)
