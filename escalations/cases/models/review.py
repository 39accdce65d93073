"""Post-escalation review: eight questions, prefilled facts, sign-off or waiver."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from escalations.cases.models.escalation import Escalation


class Review(models.Model):
    """The lessons from one case. A case closes only after its review, or after its waiver with a reason."""

    OPEN, DONE, WAIVED = "open", "done", "waived"
    STATES: ClassVar = [(OPEN, "Open"), (DONE, "Done"), (WAIVED, "Waived")]
    case = models.OneToOneField(Escalation, on_delete=models.PROTECT, related_name="review_record")
    state = models.CharField(max_length=8, choices=STATES, default=OPEN)
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="reviews")
    due_at = models.DateTimeField()
    timeline_checked = models.BooleanField(default=False)
    triggered = models.TextField(blank=True, help_text="What triggered it.")
    worked = models.TextField(blank=True, help_text="What worked.")
    change = models.TextField(blank=True, help_text="What to change.")
    change_target = models.CharField(max_length=120, blank=True, help_text="Trigger, matrix row or playbook concerned.")
    root_cause = models.CharField(max_length=120, blank=True)
    automate = models.TextField(blank=True, help_text="What to automate or train.")
    lessons = models.TextField(blank=True)
    waived_reason = models.CharField(max_length=300, blank=True)
    started_at = models.DateTimeField()
    signed_at = models.DateTimeField(null=True, blank=True)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["due_at"]
        indexes = [
            models.Index(fields=["state", "signed_at"], name="review_state"),
            models.Index(Lower("root_cause"), name="review_cause"),
        ]

    def __str__(self) -> str:
        return f"Review of {self.case_id}"


class IntakeDraft(models.Model):
    """The unsent text of the intake form; one for each person, deleted when submitted."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="intake_draft")
    data = models.JSONField(default=dict)
    saved_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Draft of {self.user}"
