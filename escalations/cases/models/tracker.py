"""Resolution tracker: actions with owners and due times, execution proofs, commitments that outlive the case."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models

from accounts.models import Account
from approvals.models import ApprovalRequest
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
    request = models.ForeignKey(
        ApprovalRequest,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="actions",
        help_text="The approval that it carries out.",
    )
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
    """A promise to or by the customer, or a condition of an approval. It outlives the case until it is kept or broken."""

    US, THEM, CONDITION = "us", "them", "condition"
    # What a person can promise; conditions come from approvals.
    BY: ClassVar = [(US, "We promised"), (THEM, "They promised")]
    KINDS: ClassVar = [*BY, (CONDITION, "Condition of the approval")]
    OPEN, KEPT, BROKEN, LAPSED = "open", "kept", "broken", "lapsed"
    STATES: ClassVar = [(OPEN, "Open"), (KEPT, "Kept"), (BROKEN, "Broken"), (LAPSED, "Does not apply any more")]
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="commitments")
    case = models.ForeignKey(Escalation, null=True, blank=True, on_delete=models.PROTECT, related_name="commitments")
    request = models.ForeignKey(
        ApprovalRequest,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="commitments",
        help_text="The approval that set this condition.",
    )
    by = models.CharField(max_length=10, choices=KINDS, default=US)
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
