"""What rules propose, and what people made of it."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from approvals.matrix.models import AuthorityVersion
from approvals.requests.models.request import ApprovalRequest


class Suggestion(models.Model):
    """A proposed resolution of a request with its reasons; accepted, changed or rejected by the person who decided."""

    SHOWN, ACCEPTED, CHANGED, REJECTED = "shown", "accepted", "changed", "rejected"
    OUTCOMES: ClassVar = [
        (SHOWN, "Not answered yet"),
        (ACCEPTED, "Accepted"),
        (CHANGED, "Changed"),
        (REJECTED, "Rejected"),
    ]
    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="suggestions")
    rule = models.CharField(max_length=40, help_text="Which rule proposed it.")
    rule_version = models.PositiveSmallIntegerField(default=1, help_text="Version of that rule's code and figures.")
    authority = models.ForeignKey(AuthorityVersion, on_delete=models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=12)
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    conditions = models.TextField(blank=True)
    reasons = models.JSONField(default=list, help_text="Sentences, strongest first.")
    certainty = models.PositiveSmallIntegerField(help_text="0 to 100.")
    made_at = models.DateTimeField()
    outcome = models.CharField(max_length=8, choices=OUTCOMES, default=SHOWN)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.TextField(blank=True, help_text="Why it was changed or rejected.")

    class Meta:
        ordering = ["-made_at", "-id"]
        indexes = [models.Index(fields=["rule", "rule_version", "outcome"], name="suggestion_outcome")]

    def __str__(self) -> str:
        return f"{self.rule}: {self.verdict} ({self.get_outcome_display().lower()})"
