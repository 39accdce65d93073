"""Observations about an account."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.customers.models import Account, Contact
from accounts.people.models import User
from accounts.signals import kinds
from ledger.now import now


class SignalQuerySet(models.QuerySet["Signal"]):
    """The business queries of signals."""

    def visible_to(self, user: User) -> "SignalQuerySet":
        """Signals of the accounts this person may open, without those that stand on a confidential case."""
        return self.open_words().filter(account__in=Account.objects.visible_to(user))

    def readable_by(self, user: User) -> "SignalQuerySet":
        """Those visible to the person, and those that the person logged, whose words the person knows."""
        return self.filter(account__in=Account.objects.visible_to(user)).filter(
            Q(confidential=False) | Q(logged_by=user)
        )

    def open_words(self) -> "SignalQuerySet":
        """Signals that everybody may read who sees their account; those on a confidential case are read there alone."""
        return self.filter(confidential=False)


class Signal(models.Model):
    """Something observed: a mail, a note, a counterproposal, an outage. Kept unchanged, with tone and flagged spans."""

    EMAIL, CHAT, CALL, SESSION, COUNTERPROPOSAL, FLAG, NOTE = (
        "email",
        "chat",
        "call",
        "session",
        "counterproposal",
        "flag",
        "note",
    )
    KINDS: ClassVar = kinds.CHOICES
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="signals")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="signals")
    kind = models.CharField(max_length=16, choices=KINDS, default=NOTE)
    at = models.DateTimeField(db_index=True)
    text = models.TextField(blank=True)
    source = models.CharField(max_length=40, default="manual")
    external_id = models.CharField(  # noqa: DJ001  many signals have none, and the constraint must not see them as one
        max_length=255, null=True, blank=True, help_text="Such as the Message-ID of a mail."
    )
    sentiment = models.FloatField(default=0, help_text="-1 hostile to 1 friendly.")
    tone = models.CharField(max_length=10, default="neutral")
    phrases = models.JSONField(default=list, help_text="Flagged phrases: kind, text, start, end, weight.")
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    sender = models.CharField(max_length=254, blank=True, help_text="The address that a mail came from.")
    sender_name = models.CharField(max_length=200, blank=True)
    confidential = models.BooleanField(
        default=False, help_text="It stands on a confidential case, and is read there alone."
    )
    with_concession = models.BooleanField(
        default=False, help_text="For a counterproposal: whether anything was conceded."
    )
    logged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="signals_logged"
    )
    recorded_at = models.DateTimeField(default=now, editable=False)
    objects = SignalQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [models.UniqueConstraint(fields=["source", "external_id"], name="signal_once_per_source")]
        indexes = [models.Index(fields=["account", "-at"], name="signal_by_account")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} from {self.account}"

    @property
    def icon(self) -> str:
        """The icon of its kind."""
        return kinds.BY_SLUG[self.kind].icon
