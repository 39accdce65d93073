"""Versioned policy: tiers, issue types, triggers, matrix, targets, stakeholders, cadences, templates, score weights."""

from typing import ClassVar

from django.db import models
from django.db.models import Value
from django.db.models.functions import Coalesce

from accounts.models import Calendar, Role
from escalations import states
from escalations.clocks.rules.kinds import CHOICES
from ledger.models import Version


class PolicyVersion(Version):
    """A complete policy. Draft rows may change; published rows never do. A case keeps the version it was opened on."""

    def __str__(self) -> str:
        return f"Policy version {self.number}"


class PolicyRow(models.Model):
    """Abstract row of one policy version."""

    version = models.ForeignKey(PolicyVersion, on_delete=models.CASCADE, related_name="%(class)ss")

    class Meta:
        abstract = True


class Tier(PolicyRow):
    """How serious a case is. Bands of health are half-open [from, to)."""

    slug = models.CharField(max_length=10, choices=states.TIERS)
    health_from = models.PositiveSmallIntegerField(help_text="Lowest health of this tier, inclusive.")
    health_to = models.PositiveSmallIntegerField(help_text="Highest health, exclusive (101 takes in 100).")
    score_from = models.PositiveSmallIntegerField(
        help_text="Lowest score of this tier; used where no hard rule decides."
    )
    renewal_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="A blocker with renewal within so many days puts the case at least here."
    )
    arr_from = models.DecimalField(
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="ARR in USD from which a case is at least here.",
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
    """Kind of issue, with the lane it starts in and what its form asks."""

    slug = models.SlugField(max_length=40)
    name = models.CharField(max_length=80)
    help = models.CharField(max_length=200, blank=True)
    lane = models.CharField(max_length=12, choices=states.LANES, default=states.GUARDRAILED)
    kind = models.CharField(max_length=12, choices=states.TYPES, default=states.HIERARCHICAL)
    concession = models.CharField(max_length=40, blank=True, help_text="Concession usually asked for (slug).")
    function = models.CharField(max_length=40, blank=True, help_text="Function that knows this, such as legal.")
    calendar = models.ForeignKey(Calendar, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    minimum_tier = models.CharField(max_length=10, choices=states.TIERS, default=states.GREEN)
    negotiation = models.BooleanField(default=False, help_text="A deal: resolution runs to the customer's deadline.")
    sort = models.PositiveSmallIntegerField(default=100)

    class Meta:
        ordering = ["sort", "name"]
        constraints = [models.UniqueConstraint(fields=["version", "slug"], name="issue_type_once")]

    def __str__(self) -> str:
        return self.name


class TriggerRule(PolicyRow):
    """A rule that opens a case by itself when a signal arrives. `params` are the thresholds of its condition."""

    REFUND, RENEWAL_LANGUAGE, NO_CONCESSION = "refund_over", "risk_language_renewal", "no_concession"
    CONDITIONS: ClassVar = [
        (REFUND, "Refund or credit asked above an amount"),
        (RENEWAL_LANGUAGE, "Legal or cancellation language while the renewal is near"),
        (NO_CONCESSION, "Counterproposals without a concession"),
    ]
    slug = models.SlugField(max_length=40)
    name = models.CharField(max_length=120)
    condition = models.CharField(max_length=30, choices=CONDITIONS)
    params = models.JSONField(default=dict, help_text="Thresholds, such as {“amount_usd”: 10000}.")
    issue_type = models.SlugField(max_length=40, help_text="Issue type of the case it opens.")
    active = models.BooleanField(default=True)
    sort = models.PositiveSmallIntegerField(default=100)

    class Meta:
        ordering = ["sort", "name"]
        constraints = [models.UniqueConstraint(fields=["version", "slug"], name="trigger_once")]

    def __str__(self) -> str:
        return self.name


class MatrixRow(PolicyRow):
    """Escalation matrix: for an issue type and tier, the level, type, role, waiting time and whom after that."""

    issue_type = models.SlugField(max_length=40, blank=True, help_text="Empty: every issue type.")
    tier = models.CharField(max_length=10, choices=states.TIERS, blank=True, help_text="Empty: every tier.")
    level = models.PositiveSmallIntegerField(choices=states.LEVELS)
    kind = models.CharField(max_length=12, choices=states.TYPES, default=states.HIERARCHICAL)
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="+", help_text="Who decides at this level.")
    owner_role = models.ForeignKey(
        Role, on_delete=models.PROTECT, related_name="+", help_text="Who owns the work and must accept the hand-off."
    )
    wait_minutes = models.PositiveIntegerField(help_text="Time to decide before it goes on, in minutes.")
    then_role = models.ForeignKey(
        Role, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="Whom after that."
    )
    repeat_minutes = models.PositiveIntegerField(
        default=0, help_text="After a breach nobody answered, tell people again after so many minutes; 0: never."
    )
    repeat_times = models.PositiveSmallIntegerField(default=0, help_text="How often at most they are told again.")
    note = models.CharField(max_length=200, blank=True)
    sort = models.PositiveSmallIntegerField(default=100, help_text="The first row that fits applies.")

    class Meta:
        ordering = ["sort", "id"]

    def __str__(self) -> str:
        return f"{self.issue_type or 'any'} × {self.tier or 'any'} → {self.role}"


class Target(PolicyRow):
    """How long a clock may run: per kind and, where given, tier, level, issue type. The most specific row applies."""

    CLOCK, BUSINESS, DAYS = "clock", "business", "business_days"
    UNITS: ClassVar = [(CLOCK, "Clock time"), (BUSINESS, "Business time"), (DAYS, "Business days")]
    ESCALATE, REMIND = "escalate", "remind"
    ON_BREACH: ClassVar = [(ESCALATE, "Goes to the next level"), (REMIND, "People are told")]

    clock = models.CharField(max_length=20, choices=CHOICES)
    tier = models.CharField(max_length=10, choices=states.TIERS, blank=True)
    level = models.PositiveSmallIntegerField(choices=states.LEVELS, null=True, blank=True)
    issue_type = models.SlugField(max_length=40, blank=True)
    amount = models.PositiveIntegerField(help_text="Minutes, or days for business days.")
    unit = models.CharField(max_length=14, choices=UNITS, default=BUSINESS)
    warn_percent = models.PositiveSmallIntegerField(default=75, help_text="Warn when so much of the target is used.")
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
    percent = models.PositiveSmallIntegerField(help_text="Of the target that remains: 80 makes it a fifth shorter.")
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
    """RACI: which role is what, per tier. Exactly one Accountable a tier."""

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
    """How often the customer and the inside are told, and who meets how often, per tier."""

    tier = models.CharField(max_length=10, choices=states.TIERS)
    customer_minutes = models.PositiveIntegerField(help_text="Next customer update after so many minutes.")
    internal_minutes = models.PositiveIntegerField(help_text="Next internal update after so many minutes.")
    meeting = models.CharField(max_length=120, blank=True)
    attends = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["version", "tier"], name="cadence_once")]

    def __str__(self) -> str:
        return f"{self.tier}: every {self.customer_minutes} minutes"


class TextTemplate(PolicyRow):
    """Text that starts a message: customer update, holding message, hand-off notes. {braces} are filled from the case."""

    KINDS: ClassVar = [
        ("customer_update", "Customer update"),
        ("holding", "Holding message"),
        ("handoff", "Hand-off notes"),
        ("empathy", "Empathy script"),
        ("brief", "Brief"),
    ]
    slug = models.SlugField(max_length=40)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=20, choices=KINDS)
    body = models.TextField(help_text="{account}, {case}, {owner}, {next_update} are filled in.")

    class Meta:
        ordering = ["kind", "name"]
        constraints = [models.UniqueConstraint(fields=["version", "slug"], name="text_template_once")]

    def __str__(self) -> str:
        return self.name


class ScoreWeight(PolicyRow):
    """Points one named part can add to the triage score."""

    part = models.SlugField(max_length=40)
    name = models.CharField(max_length=80)
    points = models.PositiveSmallIntegerField(help_text="Points when the part is at its fullest.")
    sort = models.PositiveSmallIntegerField(default=100)

    class Meta:
        ordering = ["sort"]
        constraints = [models.UniqueConstraint(fields=["version", "part"], name="weight_once")]

    def __str__(self) -> str:
        return f"{self.name}: {self.points}"
