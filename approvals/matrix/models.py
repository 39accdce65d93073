"""Versions of the authority matrix and their rows."""

from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Coalesce

from accounts.models import Role
from approvals.matrix.rules import units
from ledger.format import too_precise
from ledger.models import Version


class AuthorityVersion(Version):
    """A complete authority matrix. Draft rows may change; published rows never do."""

    window_days = models.PositiveSmallIntegerField(
        default=90, help_text="Days back in which grants of the same concession to the same customer are added up."
    )

    class Meta(Version.Meta):
        verbose_name = "authority version"

    def __str__(self) -> str:
        return f"Authority version {self.number}"


class ConcessionType(models.Model):
    """A concession that can be requested, and its unit."""

    REFUND, CREDIT = "refund", "credit"
    MONEY_BACK: ClassVar = [(REFUND, "Refund"), (CREDIT, "Credit")]
    version = models.ForeignKey(AuthorityVersion, on_delete=models.CASCADE, related_name="concessions")
    slug = models.SlugField(max_length=40)
    name = models.CharField(max_length=80)
    unit = models.CharField(max_length=10, choices=units.CHOICES)
    sort = models.PositiveSmallIntegerField(default=100)
    reply_up_to = models.DecimalField(
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="Largest amount an e-mail reply may decide, money in USD. Empty: never by reply.",
    )
    link_up_to = models.DecimalField(
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="Largest amount that may be decided from the mailed link without signing in, money in USD. Empty: never.",
    )

    money_back = models.CharField(
        max_length=6,
        choices=MONEY_BACK,
        blank=True,
        help_text="Money back to the customer: such an ask above the policy's refund limit is Red.",
    )
    accepts_risk = models.BooleanField(
        default=False, help_text="Accepts a risk in writing. Some issue types need this before a case can be resolved."
    )

    class Meta:
        ordering = ["sort", "name"]
        constraints = [models.UniqueConstraint(fields=["version", "slug"], name="concession_once")]

    def __str__(self) -> str:
        return self.name


class Amount(models.Model):
    """A row with an amount of a concession, `up_to`, and its currency."""

    class Meta:
        abstract = True

    def clean(self) -> None:
        """An amount of money has no more decimals than its currency."""
        super().clean()
        row: Any = self
        if row.up_to is None or not row.concession_id or not units.unit_of(row.concession.unit).in_currency:
            return
        if problem := too_precise(row.up_to, row.currency):
            raise ValidationError({"up_to": problem})


class AuthorityLimit(Amount):
    """How much of a concession a role may grant, under conditions of segment, region, currency and ARR band."""

    version = models.ForeignKey(AuthorityVersion, on_delete=models.CASCADE, related_name="limits")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="+")
    concession = models.ForeignKey(ConcessionType, on_delete=models.CASCADE, related_name="limits")
    segment = models.CharField(max_length=60, blank=True, help_text="Only accounts of this segment; empty: all.")
    region = models.CharField(max_length=40, blank=True, help_text="Only accounts of this region; empty: all.")
    asked_in = models.CharField(
        "asked in", max_length=3, blank=True, help_text="Only asks in this currency; empty: all. For money limits."
    )
    arr_from = models.DecimalField(
        max_digits=14, decimal_places=2, null=True, blank=True, help_text="In USD, inclusive."
    )
    arr_to = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True, help_text="In USD, exclusive.")
    up_to = models.DecimalField(
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="Largest amount, inclusive. Empty: any amount.",
    )
    currency = models.CharField(max_length=3, default="USD", help_text="For money limits.")
    needs_function = models.CharField(
        max_length=40, blank=True, help_text="A function that must be consulted, such as legal."
    )
    effective_from = models.DateField(null=True, blank=True, help_text="First day (UTC). Empty: from the start.")
    effective_to = models.DateField(
        null=True, blank=True, help_text="First day on which it no longer applies. Empty: no end."
    )

    class Meta:
        ordering = ["concession__sort", "role__sort"]
        constraints = [
            models.UniqueConstraint(
                "version",
                "role",
                "concession",
                "segment",
                "region",
                "asked_in",
                Coalesce("effective_from", Value(date.min)),
                Coalesce("arr_from", Value(Decimal(-1))),
                Coalesce("arr_to", Value(Decimal(-1))),
                name="limit_once",
            ),
            models.CheckConstraint(
                condition=Q(arr_to__isnull=True) | Q(arr_from__isnull=True) | Q(arr_to__gt=models.F("arr_from")),
                name="limit_band_order",
            ),
            models.CheckConstraint(
                condition=Q(effective_to__isnull=True)
                | Q(effective_from__isnull=True)
                | Q(effective_to__gt=models.F("effective_from")),
                name="limit_dates_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role}: {self.concession} up to {'any' if self.up_to is None else self.up_to}"


class ExceptionBand(Amount):
    """A pre-approved range: a request inside it is granted by rule and logged."""

    version = models.ForeignKey(AuthorityVersion, on_delete=models.CASCADE, related_name="bands")
    concession = models.ForeignKey(ConcessionType, on_delete=models.CASCADE, related_name="bands")
    tier = models.CharField(max_length=20, default="green", help_text="Only cases of this tier.")
    up_to = models.DecimalField(max_digits=14, decimal_places=2, help_text="Largest amount, inclusive.")
    currency = models.CharField(max_length=3, default="USD")

    class Meta:
        ordering = ["concession__sort"]
        constraints = [models.UniqueConstraint(fields=["version", "concession", "tier"], name="band_once")]

    def __str__(self) -> str:
        return f"{self.concession} up to {self.up_to} for {self.tier} cases"


class QuarterCap(Amount):
    """How much of a concession one role may grant in a calendar quarter (UTC), over all accounts and all its holders."""

    version = models.ForeignKey(AuthorityVersion, on_delete=models.CASCADE, related_name="caps")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="+")
    concession = models.ForeignKey(ConcessionType, on_delete=models.CASCADE, related_name="caps")
    up_to = models.DecimalField(max_digits=14, decimal_places=2, help_text="Largest total in a quarter, inclusive.")
    currency = models.CharField(max_length=3, default="USD", help_text="For money.")

    class Meta:
        ordering = ["concession__sort", "role__sort"]
        constraints = [models.UniqueConstraint(fields=["version", "role", "concession"], name="cap_once")]

    def __str__(self) -> str:
        return f"{self.role}: {self.concession} up to {self.up_to} a quarter"


class Quorum(models.Model):
    """How many of a group must agree."""

    ALL, ANY, NUMBER, PERCENT = "all", "any", "number", "percent"
    QUORUMS: ClassVar = [(ALL, "All"), (ANY, "Any one"), (NUMBER, "A number of them"), (PERCENT, "A share of them")]
    quorum = models.CharField(max_length=8, choices=QUORUMS, default=ALL)
    quorum_of = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="The number or the percentage that must agree."
    )

    class Meta:
        abstract = True
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(quorum__in=("all", "any"), quorum_of__isnull=True)
                | Q(quorum="number", quorum_of__gte=1)
                | Q(quorum="percent", quorum_of__gte=1, quorum_of__lte=100),
                name="%(class)s_quorum",
            )
        ]


class Committee(Quorum):
    """A role whose holders decide together: each has a seat, and the quorum must agree."""

    version = models.ForeignKey(AuthorityVersion, on_delete=models.CASCADE, related_name="committees")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="+")

    class Meta(Quorum.Meta):
        ordering = ["role__sort"]
        constraints: ClassVar = [
            *Quorum.Meta.constraints,
            models.UniqueConstraint(fields=["version", "role"], name="committee_once"),
        ]

    def __str__(self) -> str:
        return f"{self.role}: {self.get_quorum_display().lower()}"


class ChainRule(Quorum):
    """A function that takes part in the decision besides the authority: it approves too, or comments without blocking."""

    BEFORE, BESIDE, AFTER = "before", "beside", "after"
    PLACES: ClassVar = [
        (BEFORE, "Before the authority"),
        (BESIDE, "At the same time"),
        (AFTER, "After the authority"),
    ]
    APPROVE, CONSULT = "approve", "consult"
    PARTS: ClassVar = [(APPROVE, "Must approve"), (CONSULT, "Is consulted, does not block")]
    version = models.ForeignKey(AuthorityVersion, on_delete=models.CASCADE, related_name="chain_rules")
    concession = models.ForeignKey(
        ConcessionType,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="chain_rules",
        help_text="Empty: every concession.",
    )
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="+", verbose_name="function")
    part = models.CharField(max_length=8, choices=PARTS, default=APPROVE)
    place = models.CharField(max_length=6, choices=PLACES, default=BEFORE)
    above = models.DecimalField(
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="Only asks above this amount, earlier grants included, money in USD. Empty: any amount.",
    )
    segment = models.CharField(max_length=60, blank=True, help_text="Only accounts of this segment; empty: all.")
    region = models.CharField(max_length=40, blank=True, help_text="Only accounts of this region; empty: all.")
    sort = models.PositiveSmallIntegerField(
        default=100, help_text="Rules with the same place and number run at the same time."
    )

    class Meta(Quorum.Meta):
        ordering = ["sort", "id"]

    def __str__(self) -> str:
        return f"{self.role} {self.get_part_display().lower()}: {self.concession or 'every concession'}"
