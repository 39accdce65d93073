"""What is shared with an external party: a thread of their own beside the case, and nothing of the case itself."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from escalations.cases.models.escalation import Escalation
from escalations.cases.models.files import CaseFile
from ledger.now import now


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


class SharedPostQuerySet(models.QuerySet["SharedPost"]):
    """The queries of shared posts."""

    def open_questions(self) -> "SharedPostQuerySet":
        """Questions without an answer, in threads that go on; the earliest day first."""
        return self.filter(answer_by__isnull=False, answer=None, thread__ended_at=None).order_by("answer_by", "pk")

    def to_show(self) -> "SharedPostQuerySet":
        """With what a thread shows, oldest first."""
        return self.select_related("by", "answer__by").prefetch_related("files__file").order_by("pk")


class SharedPost(models.Model):
    """One message of a shared thread, by us or by the external party. With a day it is a question to the external party."""

    thread = models.ForeignKey(SharedThread, on_delete=models.PROTECT, related_name="posts")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    text = models.TextField()
    answer_by = models.DateField(
        null=True, blank=True, help_text="It is a question, and the answer is needed by this day."
    )
    answer = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="answers")
    files = models.ManyToManyField(CaseFile, related_name="shared_posts")
    objects = SharedPostQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["thread", "answer_by"],
                condition=models.Q(answer_by__isnull=False, answer__isnull=True),
                name="shared_question_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.by}: {self.thread_id}"

    @property
    def is_late(self) -> bool:
        """An open question whose day is over, in the reader's zone."""
        if self.answer_by is None or self.answer_id is not None:
            return False
        return self.answer_by < now().astimezone(timezone.get_current_timezone()).date()
