"""Resolution tracker: actions with owners and due times, execution proofs, commitments that outlive the case."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models

from accounts.models import Account
from escalations.cases.models.escalation import Escalation


class Action(models.Model):
    """Something to do. An execution action carries out a decision and needs a proof to be done."""

    OPEN, DONE, BLOCKED, CANCELLED = "open", "done", "blocked", "cancelled"
    STATES: ClassVar = [(OPEN, "Open"), (DONE, "Done"), (BLOCKED, "Blocked"), (CANCELLED, "Cancelled")]
    case = models.ForeignKey(Escalation, on_delete=models.PROTECT, related_name="actions")
    title = models.CharField(max_length=200)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="actions")
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=STATES, default=OPEN)
    execution = models.BooleanField(default=False, help_text="Carries out a decision; needs a proof.")
    proof = models.CharField(max_length=300, blank=True, help_text="Such as a credit note number.")
    blocked_by = models.CharField(max_length=200, blank=True)
    next_check_in = models.DateTimeField(null=True, blank=True)
    made_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["due_at", "id"]

    def __str__(self) -> str:
        return self.title

    def is_late(self, at: datetime) -> bool:
        """Open and past its due time."""
        return self.state in (self.OPEN, self.BLOCKED) and self.due_at < at


class Commitment(models.Model):
    """A promise to or by the customer. It outlives the case until it is kept or broken."""

    US, THEM = "us", "them"
    BY: ClassVar = [(US, "We promised"), (THEM, "They promised")]
    OPEN, KEPT, BROKEN = "open", "kept", "broken"
    STATES: ClassVar = [(OPEN, "Open"), (KEPT, "Kept"), (BROKEN, "Broken")]
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="commitments")
    case = models.ForeignKey(Escalation, null=True, blank=True, on_delete=models.PROTECT, related_name="commitments")
    by = models.CharField(max_length=5, choices=BY, default=US)
    text = models.CharField(max_length=300)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="commitments")
    due_on = models.DateField()
    state = models.CharField(max_length=8, choices=STATES, default=OPEN)
    made_at = models.DateTimeField()
    kept_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["due_on", "id"]
        indexes = [models.Index(fields=["state", "due_on"], name="commitment_due")]

    def __str__(self) -> str:
        return self.text
