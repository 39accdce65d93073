"""A decision that needs no request: the decision authority decided on the case itself."""

from django.conf import settings
from django.db import models

from escalations.cases.models.escalation import Escalation
from escalations.cases.models.event import Event


class CaseDecision(models.Model):
    """Who decided, at which level. What was decided, the options and the reasons are the text of its entry."""

    case = models.ForeignKey(Escalation, on_delete=models.PROTECT, related_name="decisions")
    event = models.OneToOneField(Event, on_delete=models.PROTECT, related_name="decision")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    level = models.CharField(max_length=40, blank=True, help_text="Slug of the level that decided.")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.case_id}: {self.level}"
