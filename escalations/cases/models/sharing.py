"""What is shared with an external party: a thread of their own beside the case, and nothing of the case itself."""

from django.conf import settings
from django.db import models

from escalations.cases.models.escalation import Escalation


class SharedThread(models.Model):
    """A conversation with one external party. The subject is written for them; the case is not shown to them."""

    case = models.ForeignKey(Escalation, on_delete=models.PROTECT, related_name="shared_threads")
    party = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="shared_threads")
    subject = models.CharField(max_length=160)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True, help_text="From then on the external party does not see it.")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.subject


class SharedPost(models.Model):
    """One message of a shared thread, by us or by the external party."""

    thread = models.ForeignKey(SharedThread, on_delete=models.PROTECT, related_name="posts")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    text = models.TextField()
    question = models.BooleanField(default=False, help_text="We ask the external party for an answer.")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.by}: {self.thread_id}"
