"""The thread and audit of a case: append-only, chained; erasable text apart."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models

from escalations.cases.models.escalation import Escalation
from escalations.clocks.models import Clock
from ledger.models import ChainedRow


class EventText(models.Model):
    """The text of an entry. The only part of the thread that the law may require us to erase; the entry keeps its keyed
    hash."""

    body = models.TextField()
    erased_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.body[:60]


class Event(ChainedRow):
    """One entry of a case: a post, a customer's text, a move, a row of a clock's history."""

    INTERNAL, CUSTOMER, SYSTEM = "internal", "customer", "system"
    AUDIENCES: ClassVar = [(INTERNAL, "Internal"), (CUSTOMER, "Customer"), (SYSTEM, "System")]
    # Kinds that people write; the system writes all others: opened, triaged, routed, moved, handed_off, accepted,
    # refused, level, role, status, brief, action, request, decision, clock.start/pause/resume/retarget/warn/breach/stop
    # …
    UPDATE, CUSTOMER_UPDATE, CUSTOMER_MESSAGE, NOTE_DECISION = (
        "update",
        "customer_update",
        "customer_message",
        "decision",
    )

    # Entries are written far more often than read, so only the look-ups of pages and figures have an index (the one of
    # the case is event_seq).
    case = models.ForeignKey(Escalation, on_delete=models.PROTECT, related_name="events", db_index=False)
    kind = models.CharField(max_length=32)
    audience = models.CharField(max_length=10, choices=AUDIENCES, default=SYSTEM)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    actor_name = models.CharField(max_length=120, blank=True, help_text="Displayed name: a person, contact or rule.")
    summary = models.CharField(max_length=400, blank=True, help_text="One line without confidential text.")
    text = models.ForeignKey(EventText, null=True, blank=True, on_delete=models.PROTECT, db_index=False)
    text_hash = models.CharField(max_length=64, blank=True)
    clock = models.ForeignKey(Clock, null=True, blank=True, on_delete=models.PROTECT, related_name="history")
    replaces = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="replaced_by", db_index=False
    )
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["case", "seq"]
        constraints = [models.UniqueConstraint(fields=["case", "seq"], name="event_seq")]
        # Figures read the moves of a period; the many entries of clocks are found by their clock.
        indexes = [models.Index(fields=["kind", "at"], condition=models.Q(clock__isnull=True), name="event_kind")]

    def __str__(self) -> str:
        return f"{self.kind} ({self.case_id}.{self.seq})"

    def content(self) -> dict[str, Any]:
        """The values that the chain signs."""
        names = (
            "kind",
            "audience",
            "actor_id",
            "actor_name",
            "summary",
            "text_hash",
            "clock_id",
            "replaces_id",
            "data",
        )
        return {name: getattr(self, name) for name in names}

    @classmethod
    def save_related(cls, rows: Sequence[Self]) -> None:
        """Save the texts in one statement. A clock that was saved after its entry was made gives the entry its id now."""
        new = [row for row in rows if row.text_id is None and row.text is not None]
        EventText.objects.bulk_create(row.text for row in new if row.text)
        for row in new:
            row.text = row.text
        for row in rows:
            if row.clock_id is None and row.clock is not None:
                row.clock = row.clock
