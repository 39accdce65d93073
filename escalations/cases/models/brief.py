"""The decision-ready brief: current parts and frozen snapshots."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from escalations.cases.models.escalation import Escalation
from escalations.cases.rules.brief import BriefParts


class BriefPart(models.Model):
    """One part of the brief, with its own version so that two people can write different parts at once."""

    PARTS: ClassVar = [
        ("summary", "Summary"),
        ("classification", "Classification"),
        ("account", "Account context"),
        ("troubleshooting", "Troubleshooting log"),
        ("artifacts", "Key artifacts"),
        ("facts", "Facts"),
        ("options", "Options and trade-offs"),
        ("recommendation", "Recommendation"),
        ("conversation", "Talking points, risks, desired outcome"),
        ("ask", "The ask"),
        ("next_step", "Next step"),
    ]
    case = models.ForeignKey(Escalation, on_delete=models.PROTECT, related_name="brief_parts")
    part = models.CharField(max_length=20, choices=PARTS)
    text = models.TextField(blank=True)
    data = models.JSONField(default=dict, blank=True, help_text="Structured parts: the rows of options.")
    version = models.PositiveIntegerField(default=1)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["case", "part"], name="brief_part_once")]

    def __str__(self) -> str:
        return self.get_part_display()


class BriefSnapshot(models.Model):
    """The brief at the time of a hand-off, a message or a request. Never changes."""

    case = models.ForeignKey(Escalation, on_delete=models.PROTECT, related_name="brief_snapshots")
    number = models.PositiveIntegerField()
    parts: "models.JSONField[BriefParts, BriefParts]" = models.JSONField(default=dict)
    reason = models.CharField(max_length=120)
    at = models.DateTimeField()

    class Meta:
        ordering = ["case", "number"]
        constraints = [models.UniqueConstraint(fields=["case", "number"], name="brief_number_once")]

    def __str__(self) -> str:
        return f"Brief {self.number} of {self.case_id}"
