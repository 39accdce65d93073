"""The rows that figures are counted from: copies of what happened, filled by `reports.facts` and by nothing else.

They are a cache: `manage.py rebuild_figures` makes them anew from the cases. Days are in UTC. Spans are in whole seconds and
never below zero, as after a clock was set back, or for an impasse entered as later than the opening. There are no foreign
keys in the database, because their checks would lock the rows of cases that people work on.
"""

from django.db import models

from accounts.models import Account
from escalations.models import Escalation


class Fact(models.Model):
    """Abstract row about a case. The account is the one of the case, so that a region needs no look at the case."""

    case = models.ForeignKey(
        Escalation, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    account = models.ForeignKey(
        Account, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )

    class Meta:
        abstract = True


class CaseFact(models.Model):
    """A case: how it was opened and how it was resolved. Every case has one."""

    case = models.OneToOneField(
        Escalation, primary_key=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    account = models.ForeignKey(
        Account, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    entries = models.PositiveIntegerField(
        help_text="Length of the logs of the case and of its requests when the rows of the case were written."
    )
    opened_on = models.DateField()
    took = models.PositiveBigIntegerField(help_text="From impasse to opening.")
    duplicate = models.BooleanField()
    level = models.CharField(
        max_length=40, blank=True, help_text="Slug of the level it has, in the policy of the case."
    )
    resolved_on = models.DateField(null=True)
    resolved_at = models.DateTimeField(null=True)
    month = models.CharField(max_length=7, blank=True, help_text="In which it was resolved, such as 2026-02.")
    cause = models.CharField(max_length=120, blank=True, help_text="Root cause as it was written.")
    same_cause = models.CharField(max_length=120, blank=True, help_text="Root cause without case and outer spaces.")
    decided = models.TextField(
        blank=True, help_text="Slugs of the levels that decided on it, with a comma before and after each."
    )
    outcome = models.CharField(max_length=20, blank=True)
    currency = models.CharField(max_length=3)
    cents = models.BigIntegerField(help_text="ARR at risk, in hundredths of the currency.")
    first_on = models.DateField(null=True, help_text="The earliest day of any fact of the case.")
    last_on = models.DateField(null=True, help_text="The latest day of any fact of the case.")

    class Meta:
        indexes = [
            # Each holds all columns of one read, in the order in which it groups.
            models.Index(fields=["opened_on", "duplicate", "case", "account", "took"], name="fact_opened"),
            models.Index(fields=["resolved_on", "decided", "level", "case", "account"], name="fact_resolved"),
            models.Index(fields=["resolved_on", "currency", "outcome", "case", "account", "cents"], name="fact_money"),
            models.Index(fields=["month", "same_cause", "cause", "resolved_on", "case", "account"], name="fact_cause"),
            models.Index(fields=["last_on", "first_on", "case", "account"], name="fact_span"),
        ]

    def __str__(self) -> str:
        return f"Case {self.case_id}"


class DecisionFact(Fact):
    """A decision that a person made on a case."""

    day = models.DateField()
    decided_at = models.DateTimeField()
    level = models.CharField(max_length=40, blank=True, help_text="Slug of the level that decided.")
    kind = models.CharField(max_length=12, help_text="The type of the case.")
    concession = models.CharField(max_length=80, blank=True, help_text="Empty for a decision without a request.")
    got = models.DateTimeField(help_text="When the level that decided got the case.")
    took = models.PositiveBigIntegerField(help_text="From then to the decision.")
    override = models.BooleanField(
        null=True,
        help_text="Against the recommendation, or in place of the approver. Empty without a request: nothing was recommended.",
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["day", "level", "kind", "case", "account", "override", "took"], name="fact_decision_day"
            ),
            models.Index(fields=["case"], name="fact_decision_case"),
        ]

    def __str__(self) -> str:
        return f"Decision on case {self.case_id}, {self.day}"


class HandOffFact(Fact):
    """A hand-off, by the day on which it was sent."""

    day = models.DateField()
    state = models.CharField(max_length=10)
    answered = models.PositiveBigIntegerField(null=True, help_text="From sending to the answer.")
    acted = models.PositiveBigIntegerField(null=True, help_text="From the answer to the first act.")

    class Meta:
        indexes = [
            models.Index(fields=["day", "state", "case", "account", "answered", "acted"], name="fact_handoff_day"),
            models.Index(fields=["case"], name="fact_handoff_case"),
        ]

    def __str__(self) -> str:
        return f"Hand-off of case {self.case_id}"


class Tally(models.Model):
    """How many clocks of each kind had which result, as a text of `reports.rules.tallies`. Never changed or deleted."""

    text = models.TextField(unique=True)

    def __str__(self) -> str:
        return self.text


class ClockFact(Fact):
    """The clocks of a case that were met or missed on one day, counted by kind and result.

    One row for a day and not one for a clock: there are three times fewer, and many of them have the same tally.
    """

    day = models.DateField()
    tally = models.ForeignKey(Tally, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)

    class Meta:
        indexes = [
            models.Index(fields=["day", "tally", "case", "account"], name="fact_clock_day"),
            models.Index(fields=["case"], name="fact_clock_case"),
        ]

    def __str__(self) -> str:
        return f"Clocks of case {self.case_id}, {self.day}"


class ReopeningFact(Fact):
    """A case was reopened."""

    day = models.DateField()
    soon = models.BooleanField(help_text="Within 72 hours of being resolved.")

    class Meta:
        indexes = [
            models.Index(fields=["day", "soon", "case", "account"], name="fact_reopening_day"),
            models.Index(fields=["case"], name="fact_reopening_case"),
        ]

    def __str__(self) -> str:
        return f"Reopening of case {self.case_id}"


class Progress(models.Model):
    """How far the logs have been read; one row. `built`: the facts of every case were written once.

    Entries up to `event` and `decision` are in the facts. Those up to the two `next_` numbers are too, but a transaction
    that began before may still commit an entry with a smaller number; see `reports.facts.follow`. Up to the two `seen_`
    numbers everything that was committed is in the facts.
    """

    built = models.BooleanField(default=False)
    event = models.PositiveBigIntegerField(default=0)
    decision = models.PositiveBigIntegerField(default=0)
    next_event = models.PositiveBigIntegerField(default=0)
    next_decision = models.PositiveBigIntegerField(default=0)
    horizon = models.PositiveBigIntegerField(
        default=0, help_text="First transaction that began after the next numbers."
    )
    seen_event = models.PositiveBigIntegerField(default=0)
    seen_decision = models.PositiveBigIntegerField(default=0)
    at = models.DateTimeField(help_text="When nothing more was waiting.")

    def __str__(self) -> str:
        return f"Read up to entry {self.event} and decision {self.decision}"
