"""Versioned policy: levels, tiers, issue types, triggers, matrix, targets, stakeholders, cadences, score weights."""

from datetime import datetime
from functools import cached_property, lru_cache
from typing import ClassVar

from django.db import models
from django.db.models import Value
from django.db.models.functions import Coalesce

from accounts.models import Account, Calendar, Role
from escalations import states
from escalations.clocks.rules.kinds import CHOICES
from escalations.policy.rules.levels import Ladder
from escalations.policy.rules.levels import Level as PlainLevel
from escalations.triage.rules import triggers
from ledger.models import Version


class PolicyVersion(Version):
    """A complete policy. Draft rows may change; published rows never do. A case keeps the version it was opened on."""

    def __str__(self) -> str:
        return f"Policy version {self.number}"

    @cached_property
    def ladder(self) -> Ladder:
        """The levels for the rules. Those of a published version never change, so a process reads them once."""
        if self.state == self.DRAFT or self.published_at is None:
            return _read_ladder(self.pk)
        return published_ladder(self.pk, self.published_at)


def _read_ladder(version_id: int) -> Ladder:
    rows = Level.objects.filter(version=version_id).select_related("role").order_by("rank")
    return Ladder(tuple(row.plain for row in rows))


@lru_cache(maxsize=64)
def published_ladder(version_id: int, published_at: datetime) -> Ladder:
    """The levels of a published version.

    `published_at` distinguishes two versions with the same id, for example in a restored database.
    """
    return _read_ladder(version_id)


class PolicyRow(models.Model):
    """Abstract row of one policy version."""

    version = models.ForeignKey(PolicyVersion, on_delete=models.CASCADE, related_name="%(class)ss")

    class Meta:
        abstract = True


class Level(PolicyRow):
    """A level that decides; ranks start with the lowest. Cases, targets and matrix rows name the rank; figures name the
    slug."""

    slug = models.SlugField(
        max_length=40,
        help_text="Stays the same in every version: roles and figures refer to it.",
    )
    rank = models.PositiveSmallIntegerField(
        help_text="Order of the levels in this version, from 1. Cases go up by rank."
    )
    name = models.CharField(max_length=80)
    counts_as_executive = models.BooleanField(
        default=False, help_text="A case decided here counts as one that needed an executive."
    )
    decides = models.CharField(max_length=200, blank=True, help_text="What is decided here, for the authority matrix.")
    role = models.ForeignKey(
        Role,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Who decides at this level if the matrix has no row for it.",
    )

    class Meta:
        ordering = ["rank"]
        constraints = [
            models.UniqueConstraint(fields=["version", "slug"], name="level_once"),
            models.UniqueConstraint(fields=["version", "rank"], name="level_rank_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def plain(self) -> PlainLevel:
        """The level for the rules."""
        role = self.role.slug if self.role else ""
        return PlainLevel(self.rank, self.slug, self.name, self.counts_as_executive, role)


class Tier(PolicyRow):
    """How serious a case is. Bands of health are half-open [from, to)."""

    slug = models.CharField(max_length=10, choices=states.TIERS)
    health_from = models.PositiveSmallIntegerField(help_text="Lowest health of this tier, inclusive.")
    health_to = models.PositiveSmallIntegerField(help_text="Highest health, exclusive (101 includes 100).")
    score_from = models.PositiveSmallIntegerField(help_text="Lowest score of this tier; used if no hard rule decides.")
    renewal_days = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="With a blocker, a case has at least this tier if the renewal is within these days.",
    )
    arr_from = models.DecimalField(
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="A case with this ARR in USD or more has at least this tier.",
    )
    arr_needs_negative_tone = models.BooleanField(
        default=False, help_text="The ARR rule applies only when the customer's tone is negative."
    )
    sort = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["sort"]
        constraints = [models.UniqueConstraint(fields=["version", "slug"], name="tier_once")]

    def __str__(self) -> str:
        return self.get_slug_display()


class IssueType(PolicyRow):
    """Kind of issue, with its first lane and the fields of its form."""

    slug = models.SlugField(max_length=40)
    name = models.CharField(max_length=80)
    help = models.CharField(max_length=200, blank=True)
    lane = models.CharField(max_length=12, choices=states.LANES, default=states.GUARDRAILED)
    kind = models.CharField(max_length=12, choices=states.TYPES, default=states.HIERARCHICAL)
    concession = models.CharField(max_length=40, blank=True, help_text="Concession usually asked for (slug).")
    function = models.CharField(max_length=40, blank=True, help_text="Function with expertise in this, such as legal.")
    calendar = models.ForeignKey(Calendar, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    minimum_tier = models.CharField(max_length=10, choices=states.TIERS, default=states.GREEN)
    negotiation = models.BooleanField(default=False, help_text="A deal: resolution runs to the customer's deadline.")
    outage = models.BooleanField(default=False, help_text="A major outage: people own it from the start.")
    needs_risk_acceptance = models.BooleanField(
        default=False,
        help_text="A case can be resolved only with a granted concession that accepts the risk in writing.",
    )
    sort = models.PositiveSmallIntegerField(default=100)

    class Meta:
        ordering = ["sort", "name"]
        constraints = [models.UniqueConstraint(fields=["version", "slug"], name="issue_type_once")]

    def __str__(self) -> str:
        return self.name


class TriggerRule(PolicyRow):
    """A rule that opens a case automatically when a signal arrives. Its condition defines the meaning of the threshold."""

    slug = models.SlugField(max_length=40)
    name = models.CharField(max_length=120)
    condition = models.CharField(max_length=30, choices=triggers.CHOICES)
    threshold = models.DecimalField(max_digits=14, decimal_places=2, help_text=triggers.threshold_help())
    issue_type = models.SlugField(max_length=40, help_text="Issue type of the case it opens.")
    active = models.BooleanField(default=True)
    sort = models.PositiveSmallIntegerField(default=100)

    class Meta:
        ordering = ["sort", "name"]
        constraints = [models.UniqueConstraint(fields=["version", "slug"], name="trigger_once")]

    def __str__(self) -> str:
        return self.name


class MatrixRow(PolicyRow):
    """Escalation matrix: for an issue type and tier, the level, type, role, waiting time and the next role."""

    issue_type = models.SlugField(max_length=40, blank=True, help_text="Empty: every issue type.")
    tier = models.CharField(max_length=10, choices=states.TIERS, blank=True, help_text="Empty: every tier.")
    level = models.PositiveSmallIntegerField(help_text="Rank of the level in this version.")
    kind = models.CharField(max_length=12, choices=states.TYPES, default=states.HIERARCHICAL)
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="+", help_text="Who decides at this level.")
    owner_role = models.ForeignKey(
        Role, on_delete=models.PROTECT, related_name="+", help_text="Who owns the work and must accept the hand-off."
    )
    wait_minutes = models.PositiveIntegerField(help_text="Minutes to decide before the case goes on.")
    then_role = models.ForeignKey(
        Role,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The role that decides after that.",
    )
    repeat_minutes = models.PositiveIntegerField(
        default=0, help_text="Minutes between reminders after a breach that nobody answered; 0: no reminders."
    )
    repeat_times = models.PositiveSmallIntegerField(default=0, help_text="Largest number of reminders.")
    note = models.CharField(max_length=200, blank=True)
    sort = models.PositiveSmallIntegerField(default=100, help_text="The first row that fits applies.")

    class Meta:
        ordering = ["sort", "id"]

    def __str__(self) -> str:
        return f"{self.issue_type or 'any'} × {self.tier or 'any'} → {self.role}"

    def get_level_display(self) -> str:
        """Name of the level in this version."""
        return self.version.ladder.name(self.level)


class Target(PolicyRow):
    """How long a clock may run: per kind and, where given, tier, level, issue type. The most specific row applies."""

    CLOCK, BUSINESS, DAYS = "clock", "business", "business_days"
    UNITS: ClassVar = [(CLOCK, "Clock time"), (BUSINESS, "Business time"), (DAYS, "Business days")]
    ESCALATE, REMIND = "escalate", "remind"
    ON_BREACH: ClassVar = [(ESCALATE, "Goes to the next level"), (REMIND, "People are notified")]

    clock = models.CharField(max_length=20, choices=CHOICES)
    tier = models.CharField(max_length=10, choices=states.TIERS, blank=True)
    level = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Rank of the level in this version. Empty: every level."
    )
    issue_type = models.SlugField(max_length=40, blank=True)
    amount = models.PositiveIntegerField(help_text="Minutes, or days for business days.")
    unit = models.CharField(max_length=14, choices=UNITS, default=BUSINESS)
    warn_percent = models.PositiveSmallIntegerField(
        default=75, help_text="Warn when this percent of the target is used."
    )
    also_warn_at = models.CharField(
        max_length=40, blank=True, help_text="Further warnings in percent, with commas between: 50, 90."
    )
    on_breach = models.CharField(max_length=10, choices=ON_BREACH, default=REMIND)

    class Meta:
        ordering = ["clock", "id"]
        constraints = [
            models.UniqueConstraint(
                "version", "clock", "tier", Coalesce("level", Value(0)), "issue_type", name="target_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_clock_display()}: {self.amount} {self.get_unit_display().lower()}"


class TargetFactor(PolicyRow):
    """Makes a target shorter or longer for a case like this: ten days to renewal, 80 % of the time."""

    TIER, ARR, RENEWAL, AGE, LOAD, SENTIMENT, HISTORY = (
        "tier",
        "arr",
        "renewal_days",
        "age_hours",
        "queue_load",
        "sentiment",
        "history",
    )
    PARTS: ClassVar = [
        (TIER, "Tier (Green 0, Yellow 1, Red 2)"),
        (ARR, "ARR at risk, in USD"),
        (RENEWAL, "Days to renewal"),
        (AGE, "Age of the case, in hours since the impasse"),
        (LOAD, "Open cases of the owner"),
        (SENTIMENT, "Negative signals of the account in 90 days"),
        (HISTORY, "Cases of the account in 12 months"),
    ]
    clock = models.CharField(max_length=20, choices=CHOICES, blank=True, help_text="Empty: every clock with a target.")
    part = models.CharField(max_length=16, choices=PARTS)
    from_value = models.DecimalField(
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="Applies from this value on; empty: any lower.",
    )
    to_value = models.DecimalField(
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="Up to this value, exclusive; empty: any higher.",
    )
    percent = models.PositiveSmallIntegerField(
        help_text="Percent of the target that remains; 80 shortens it by a fifth."
    )
    active = models.BooleanField(default=True)
    sort = models.PositiveSmallIntegerField(default=100)

    class Meta:
        ordering = ["sort", "id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(percent__gte=10, percent__lte=300), name="factor_percent_sane")
        ]

    def __str__(self) -> str:
        return f"{self.get_part_display()}: {self.percent}%"


class Stakeholder(PolicyRow):
    """RACI: the letter of each role, per tier. Exactly one Accountable a tier."""

    LETTERS: ClassVar = [("R", "Responsible"), ("A", "Accountable"), ("C", "Consulted"), ("I", "Informed")]
    tier = models.CharField(max_length=10, choices=states.TIERS)
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="+")
    letter = models.CharField(max_length=1, choices=LETTERS)

    class Meta:
        ordering = ["tier", "role__sort"]
        constraints = [
            models.UniqueConstraint(fields=["version", "tier", "role"], name="stakeholder_once"),
            models.UniqueConstraint(
                fields=["version", "tier"], condition=models.Q(letter="A"), name="one_accountable_a_tier"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tier}: {self.role} {self.letter}"


class Cadence(PolicyRow):
    """How often the customer and internal people get updates, and who meets how often, per tier."""

    tier = models.CharField(max_length=10, choices=states.TIERS)
    customer_minutes = models.PositiveIntegerField(help_text="Minutes until the next customer update.")
    internal_minutes = models.PositiveIntegerField(help_text="Minutes until the next internal update.")
    meeting = models.CharField(max_length=120, blank=True)
    attends = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["version", "tier"], name="cadence_once")]

    def __str__(self) -> str:
        return f"{self.tier}: every {self.customer_minutes} minutes"


class HealthScore(PolicyRow):
    """Which health of an account counts: at most one row. Without it, a score from outside counts while there is one."""

    counts = models.CharField(
        max_length=8,
        choices=Account.SCORES,
        default=Account.OUTSIDE,
        help_text="The health by which cases are triaged.",
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version"], name="health_score_once")]

    def __str__(self) -> str:
        return self.get_counts_display()


class ScoreWeight(PolicyRow):
    """Points one named part can add to the triage score."""

    part = models.SlugField(max_length=40)
    name = models.CharField(max_length=80)
    points = models.PositiveSmallIntegerField(help_text="Largest number of points of this part.")
    sort = models.PositiveSmallIntegerField(default=100)

    class Meta:
        ordering = ["sort"]
        constraints = [models.UniqueConstraint(fields=["version", "part"], name="weight_once")]

    def __str__(self) -> str:
        return f"{self.name}: {self.points}"
