"""Clocks with their targets."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.calendars.rules.workcalendar import WorkCalendar
from accounts.models import Calendar
from escalations import states
from escalations.cases.models.escalation import Escalation
from escalations.clocks.rules import clock as rules
from escalations.clocks.rules.kinds import CHOICES, KINDS, ClockKind

# Columns that `advance` sets and that need no conversion.
PLAIN_COLUMNS = (
    *("state", "started_at", "resumed_at", "paused_at", "held", "pause_reason", "used_seconds", "due_at", "warn_at"),
    *("decays_at", "fire_at", "warned_at", "warned_percent", "breached_at", "repeats", "stopped_at"),
    *("calendar_print", "fingerprint", "tries", "parked", "error"),
)


class ClockQuerySet(models.QuerySet["Clock"]):
    """The business queries of clocks."""

    def live(self) -> "ClockQuerySet":
        """Running or paused: a constraint holds that just these have not stopped. Their index has no other clocks."""
        return self.filter(stopped_at=None)

    def newest_first(self) -> "ClockQuerySet":
        """Those that run or are paused, by due time, then the last that ended."""
        return self.order_by(F("stopped_at").desc(nulls_first=True), "due_at", "-pk")

    def past_due(self, at: datetime) -> "ClockQuerySet":
        """Running with something to fire (a warning or the breach) at or before that moment, oldest first."""
        return self.filter(state=Clock.RUNNING, fire_at__lte=at, parked=False).order_by("fire_at", "id")


class Clock(models.Model):
    """One running target of a case: start, target, due. `due_at` is a cache; the history rows (events) can rebuild it.
    `fire_at` is the time of the next step: a warning, the breach, then reminders; None if there is no next step.
    """

    RUNNING, PAUSED, MET, MISSED, STOPPED = rules.RUNNING, rules.PAUSED, rules.MET, rules.MISSED, rules.STOPPED
    STATES: ClassVar = [
        (RUNNING, "Running"),
        (PAUSED, "Paused"),
        (MET, "Met"),
        (MISSED, "Missed"),
        (STOPPED, "Stopped"),
    ]
    case = models.ForeignKey(Escalation, on_delete=models.PROTECT, related_name="clocks", db_index=False)
    kind = models.CharField(max_length=20, choices=CHOICES)
    about = models.PositiveBigIntegerField(default=0, help_text="The commitment it is about; 0 for the case itself.")
    topic = models.CharField(
        max_length=160, blank=True, help_text="The commitment, or the level that decides, as text."
    )
    generation = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=10, choices=STATES, default=RUNNING)
    level = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Rank of the level in the policy of the case."
    )
    calendar = models.ForeignKey(
        Calendar, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    target_seconds = models.PositiveBigIntegerField(
        help_text="Working seconds of the calendar; elapsed ones without one."
    )
    target_text = models.CharField(max_length=80, help_text="The target as text: 4 clock hours.")
    warn_percent = models.PositiveSmallIntegerField(default=75)
    also_warn_at = models.JSONField(default=list, help_text="Further warnings, in percent of the target used.")
    warned_percent = models.PositiveSmallIntegerField(
        default=0, help_text="Highest warning sent; it is not sent again."
    )
    repeat_minutes = models.PositiveIntegerField(
        default=0, help_text="After a breach, people are notified again; 0: never."
    )
    repeat_times = models.PositiveSmallIntegerField(default=0)
    repeats = models.PositiveSmallIntegerField(default=0, help_text="Number of reminders sent.")
    on_breach = models.CharField(max_length=10, default="remind")
    started_at = models.DateTimeField()
    paused_at = models.DateTimeField(null=True, blank=True)
    held = models.BooleanField(default=False, help_text="Paused by hand: it resumes only by hand.")
    pause_reason = models.CharField(max_length=200, blank=True)
    used_seconds = models.PositiveBigIntegerField(default=0, help_text="Working seconds used before the last resume.")
    resumed_at = models.DateTimeField(help_text="Start of the current running stretch.")
    stretches = models.JSONField(
        default=list,
        help_text="Earlier running stretches as [from, to], for recalculating with another calendar.",
    )
    calendar_print = models.CharField(max_length=16, blank=True, help_text="Fingerprint of its calendar hours.")
    due_at = models.DateTimeField(null=True, blank=True)
    warn_at = models.DateTimeField(null=True, blank=True)
    warnings = models.JSONField(default=list, help_text="When it warns: [percent, moment], ascending.")
    decays_at = models.DateTimeField(
        null=True, blank=True, help_text="When an accepted case that nobody started goes to the next person."
    )
    fire_at = models.DateTimeField(null=True, blank=True)
    warned_at = models.DateTimeField(null=True, blank=True)
    breached_at = models.DateTimeField(null=True, blank=True, help_text="The due time, not the time somebody noticed.")
    stopped_at = models.DateTimeField(null=True, blank=True)
    why = models.JSONField(default=list, help_text="Why it is due at that time, line by line.")
    fingerprint = models.CharField(max_length=64, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    parked = models.BooleanField(default=False, help_text="Failed three times; Operations is notified.")
    error = models.CharField(max_length=300, blank=True)

    entries_seen = 0  # length of the log of its case when the engine read the clock
    objects = ClockQuerySet.as_manager()

    class Meta:
        ordering = ["case", "due_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["case", "kind", "generation"], name="clock_generation_once"),
            models.UniqueConstraint(
                fields=["case", "kind", "about"],
                condition=Q(stopped_at=None),
                name="one_live_clock_a_kind",
            ),
            models.CheckConstraint(
                condition=Q(stopped_at=None, state__in=["running", "paused"])
                | Q(stopped_at__isnull=False, state__in=["met", "missed", "stopped"]),
                name="clock_ends_when_it_stops",
            ),
        ]
        indexes = [
            # Every step of a running clock rewrites the row and its indexes, so indexes that only ended clocks need
            # leave it out.
            models.Index(fields=["stopped_at"], condition=Q(stopped_at__isnull=False), name="clock_stopped"),
            models.Index(fields=["fire_at"], condition=Q(state="running", parked=False), name="clock_fire"),
            # Few rows; the engine page counts and lists them.
            models.Index(fields=["fire_at"], condition=Q(parked=True), name="clock_parked"),
            models.Index(fields=["paused_at"], condition=Q(state="paused"), name="clock_paused"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.case_id}"

    @property
    def rule(self) -> ClockKind:
        """The behaviour of clocks of this kind."""
        return KINDS[self.kind]

    @property
    def label(self) -> str:
        """Name on screen: Director decision, Acceptance, Commitment: what was promised …"""
        if self.kind == states.COMMITMENT and self.topic:
            return f"Commitment: {self.topic}"
        if self.kind == states.DECISION and self.topic:
            return f"{self.topic} decision"
        return self.rule.name

    def status(self, at: datetime) -> str:
        """Code for the chip: red, yel, grn, pau, met, missed, or stopped."""
        return rules.status(at, state=self.state, due_at=self.due_at, warn_at=self.warn_at) or self.state

    def as_state(self, hours: WorkCalendar | None = None) -> rules.ClockState:
        """The clock for the rules. Steps that count time (start, pause, resume, retarget) need its hours; a warning, a breach
        or a reminder does not."""
        terms = rules.Terms(
            self.target_seconds,
            self.calendar_id,
            hours,
            self.warn_percent,
            tuple(self.also_warn_at),
            self.repeat_minutes,
            self.repeat_times,
            self.rule.decays,
        )
        return rules.ClockState(
            terms=terms,
            stretches=tuple(
                (datetime.fromisoformat(begin), datetime.fromisoformat(end)) for begin, end in self.stretches
            ),
            warnings=tuple((percent, datetime.fromisoformat(moment)) for percent, moment in self.warnings),
            **{name: getattr(self, name) for name in PLAIN_COLUMNS},
        )

    def take(self, state: rules.ClockState) -> None:
        """Set every column from the result of the rules; the caller saves."""
        terms = state.terms
        self.target_seconds, self.calendar_id = terms.target_seconds, terms.calendar_id
        self.warn_percent, self.also_warn_at = terms.warn_percent, list(terms.also_warn_at)
        self.repeat_minutes, self.repeat_times = terms.repeat_minutes, terms.repeat_times
        self.stretches = [[begin.isoformat(), end.isoformat()] for begin, end in state.stretches]
        self.warnings = [[percent, moment.isoformat()] for percent, moment in state.warnings]
        for name in PLAIN_COLUMNS:
            setattr(self, name, getattr(state, name))
