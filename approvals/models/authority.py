"""Who may grant how much: versions of the authority matrix."""

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Coalesce

from accounts.models import Role
from ledger.models import Version


class AuthorityVersion(Version):
    """A complete authority matrix. Draft rows may change; published rows never do."""

    class Meta(Version.Meta):
        verbose_name = "authority version"

    def __str__(self) -> str:
        return f"Authority version {self.number}"


class ConcessionType(models.Model):
    """What can be asked of us, and the unit it is measured in."""

    PERCENT, MONEY, DAYS, MONTHS, YES = "percent", "money", "days", "months", "yes"
    UNITS: ClassVar = [
        (PERCENT, "Percent"),
        (MONEY, "Money"),
        (DAYS, "Days (net)"),
        (MONTHS, "Months of fees"),
        (YES, "Yes or no, with text"),
    ]
    version = models.ForeignKey(AuthorityVersion, on_delete=models.CASCADE, related_name="concessions")
    slug = models.SlugField(max_length=40)
    name = models.CharField(max_length=80)
    unit = models.CharField(max_length=10, choices=UNITS)
    sort = models.PositiveSmallIntegerField(default=100)

    class Meta:
        ordering = ["sort", "name"]
        constraints = [models.UniqueConstraint(fields=["version", "slug"], name="concession_once")]

    def __str__(self) -> str:
        return self.name


class AuthorityLimit(models.Model):
    """How much of a concession a role may grant, under conditions of segment and ARR band."""

    version = models.ForeignKey(AuthorityVersion, on_delete=models.CASCADE, related_name="limits")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="+")
    concession = models.ForeignKey(ConcessionType, on_delete=models.CASCADE, related_name="limits")
    segment = models.CharField(max_length=60, blank=True, help_text="Only accounts of this segment; empty: all.")
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

    class Meta:
        ordering = ["concession__sort", "role__sort"]
        constraints = [
            models.UniqueConstraint(
                "version",
                "role",
                "concession",
                "segment",
                Coalesce("arr_from", Value(Decimal(-1))),
                Coalesce("arr_to", Value(Decimal(-1))),
                name="limit_once",
            ),
            models.CheckConstraint(
                condition=Q(arr_to__isnull=True) | Q(arr_from__isnull=True) | Q(arr_to__gt=models.F("arr_from")),
                name="limit_band_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role}: {self.concession} up to {'any' if self.up_to is None else self.up_to}"


class ExceptionBand(models.Model):
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
