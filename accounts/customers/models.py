"""Companies we deal with, their contracts and their people."""

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from simple_history.models import HistoricalRecords

from accounts.people.models import Role, User
from ledger.models import SearchWords
from ledger.search.index import Hits, SearchableQuerySet


class AccountQuerySet(SearchableQuerySet["Account"]):
    """The business queries of accounts."""

    def visible_to(self, user: User) -> "AccountQuerySet":
        """Accounts this person may open: their own, those of their tree, or all. Functions read the basic facts of all
        accounts."""
        if user.sees in (Role.ALL, Role.FUNCTION):
            return self
        if user.sees == Role.SHARED:
            return self.none()
        if user.sees == Role.TREE:
            return self.filter(Q(csm__in=user.tree) | Q(ae__in=user.tree))
        return self.filter(Q(csm=user) | Q(ae=user))

    def found_by(self, user: User, text: str, most: int) -> Hits:
        """The accounts with all these words that this person may open: the newest `most`, the best first."""
        seen = self.visible_to(user)
        return Account.objects.best(text, most, within=seen) if user.sees == Role.OWN else seen.best(text, most)

    def customers(self) -> "AccountQuerySet":
        """Those with ARR and a renewal."""
        return self.filter(kind=Account.CUSTOMER)


class Account(models.Model):
    """A company: customer, supplier or partner. Never a login."""

    CUSTOMER, SUPPLIER, PARTNER = "customer", "supplier", "partner"
    KINDS: ClassVar = [(CUSTOMER, "Customer"), (SUPPLIER, "Supplier"), (PARTNER, "Partner")]
    ACTIVE, CHURNED = "active", "churned"
    STATUSES: ClassVar = [(ACTIVE, "Active"), (CHURNED, "Churned")]

    source = models.CharField(max_length=40, default="manual", help_text="The system the external id comes from.")
    external_id = models.CharField(max_length=120)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=KINDS, default=CUSTOMER)
    status = models.CharField(max_length=10, choices=STATUSES, default=ACTIVE)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    segment = models.CharField(max_length=60, blank=True)
    industry = models.CharField(max_length=80, blank=True)
    country = models.CharField(max_length=60, blank=True)
    region = models.CharField(max_length=40, blank=True)
    strategic = models.BooleanField(default=False)
    currency = models.CharField(max_length=3, default="USD")
    arr = models.DecimalField("ARR", max_digits=14, decimal_places=2, null=True, blank=True)
    renewal_date = models.DateField(null=True, blank=True)
    COMPUTED, OUTSIDE = "computed", "outside"
    SCORES: ClassVar = [(OUTSIDE, "The score from outside, while there is one"), (COMPUTED, "The computed score")]
    health = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="The score that counts, 0 to 100; empty when not known yet."
    )
    health_outside = models.PositiveSmallIntegerField(
        "health from outside",
        null=True,
        blank=True,
        validators=[MaxValueValidator(100)],
        help_text="A score of another system, 0 to 100. Kept beside the computed one; the policy says which counts.",
    )
    health_computed = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    health_counts = models.CharField(max_length=8, choices=SCORES, default=OUTSIDE, editable=False)
    health_parts = models.JSONField(default=list, blank=True, editable=False)
    csm = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="csm_of",
        verbose_name="CSM",
    )
    ae = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="ae_of",
        verbose_name="account executive",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    objects = AccountQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        ordering = ["name", "id"]
        indexes = [
            models.Index(fields=["name", "id"], name="account_name"),
            models.Index(fields=["segment"], name="account_segment"),
            models.Index(fields=["renewal_date"], name="account_renewal"),
            # The order of the list, and the counts and sums above it, are read from this index alone.
            models.Index(fields=["kind", "currency", "health", "renewal_date", "arr", "name"], name="account_figures"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="account_once_per_source"),
            models.CheckConstraint(condition=Q(health__isnull=True) | Q(health__lte=100), name="account_health_range"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def health_word(self) -> str:
        """Short code for the health mark: red, yel, grn, or '' when not known."""
        if self.health is None:
            return ""
        return "red" if self.health < 40 else "yel" if self.health < 70 else "grn"

    @property
    def weighted_risk(self) -> Decimal:
        """ARR × (100 − health) ÷ 100, in the account's currency."""
        return (self.arr or Decimal(0)) * (100 - (self.health if self.health is not None else 100)) / 100


class AccountDomain(models.Model):
    """A mail domain that belongs to one account; mail from it finds the account."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="domains")
    domain = models.CharField(max_length=190, unique=True)

    def __str__(self) -> str:
        return self.domain


class Subscription(models.Model):
    """One contract line with its ARR; without an end date it continues."""

    source = models.CharField(max_length=40, default="manual")
    external_id = models.CharField(max_length=120)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="subscriptions")
    plan = models.CharField(max_length=80, blank=True)
    start_date = models.DateField(null=True, blank=True)
    end_date = models.DateField(null=True, blank=True)
    arr = models.DecimalField("ARR", max_digits=14, decimal_places=2, default=Decimal(0))
    currency = models.CharField(max_length=3, default="USD")
    auto_renew = models.BooleanField(default=False)

    class Meta:
        ordering = ["-start_date", "id"]
        constraints = [models.UniqueConstraint(fields=["source", "external_id"], name="subscription_once_per_source")]

    def __str__(self) -> str:
        return f"{self.account}: {self.plan or self.external_id}"


class Contact(models.Model):
    """A customer's person. Mail from the address belongs to the account."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="contacts")
    name = models.CharField(max_length=120)
    email = models.EmailField()
    title = models.CharField(max_length=120, blank=True)
    language = models.CharField(max_length=10, blank=True, help_text="Code of the language to write in, such as de.")
    executive = models.BooleanField(default=False, help_text="An executive: complaints from here weigh more.")
    bounced_address = models.EmailField(
        blank=True,
        help_text="An address to which mail came back. Another e-mail address, or emptying this, ends the mark.",
    )
    history = HistoricalRecords()

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(Lower("email"), name="contact_email_ci")]

    def __str__(self) -> str:
        return self.name

    @property
    def bounces(self) -> bool:
        """Whether mail to the present address came back."""
        return bool(self.bounced_address) and self.bounced_address.lower() == self.email.lower()


class AccountWords(SearchWords):
    """The words by which an account is found."""

    account = models.OneToOneField(
        Account,
        primary_key=True,
        db_column="rowid",
        db_constraint=False,
        on_delete=models.CASCADE,
        related_name="words",
    )

    class Meta(SearchWords.Meta):
        pass

    @classmethod
    def owners(cls) -> AccountQuerySet:
        """Accounts with their domains and contacts."""
        return Account.objects.prefetch_related("domains", "contacts")

    @classmethod
    def texts(cls, owner: Account) -> tuple[Sequence[str], Sequence[str]]:
        """Its name and id; what it is, its domains, its people and their addresses."""
        people = [text for contact in owner.contacts.all() for text in (contact.name, contact.email)]
        domains = [each.domain for each in owner.domains.all()]
        return (owner.name, owner.external_id), (owner.segment, owner.industry, *domains, *people)


class ExchangeRate(models.Model):
    """The value of one unit of a currency in USD on a day. For a date, the latest rate of that day or before applies."""

    currency = models.CharField(max_length=3)
    on = models.DateField()
    usd = models.DecimalField("in USD", max_digits=14, decimal_places=6)

    class Meta:
        ordering = ["currency", "-on"]
        constraints = [models.UniqueConstraint(fields=["currency", "on"], name="rate_once_a_day")]

    def __str__(self) -> str:
        return f"{self.currency} {self.on}: {self.usd}"
