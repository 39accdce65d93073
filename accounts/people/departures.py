"""People who have left or became external parties, and where each piece of their work went."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from accounts.people.models import User


class Departure(models.Model):
    """A person was deactivated, or became an external party. Open until nothing that is open names the person any more."""

    LEFT, EXTERNAL = "left", "external"
    KINDS: ClassVar = [(LEFT, "Left"), (EXTERNAL, "Became an external party")]
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="departures")
    by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    kind = models.CharField(max_length=8, choices=KINDS, default=LEFT)
    finished_at = models.DateTimeField(null=True, blank=True, help_text="When the last piece of work had moved on.")
    returned_at = models.DateTimeField(
        null=True, blank=True, help_text="When the person was reactivated, or became a colleague again."
    )

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "kind"],
                condition=models.Q(returned_at__isnull=True),
                name="departure_once_until_return",
            )
        ]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(finished_at__isnull=True), name="departure_unfinished")
        ]

    def __str__(self) -> str:
        return self.words

    @property
    def words(self) -> str:
        """What happened, as a sentence without its full stop."""
        return f"{self.user} {'has left' if self.kind == self.LEFT else 'is an external party now'}"


class MovedOn(models.Model):
    """One piece of work of a person who left, and who has it now."""

    MOVED, ENDED, NEEDS_SOMEBODY, FAILED = "moved", "ended", "needs", "failed"
    STATES: ClassVar = [
        (MOVED, "Moved on"),
        (ENDED, "Ended"),
        (NEEDS_SOMEBODY, "Needs somebody"),
        (FAILED, "Could not be moved"),
    ]
    departure = models.ForeignKey(Departure, on_delete=models.PROTECT, related_name="moved")
    what = models.CharField(max_length=200, help_text="Without confidential text.")
    url = models.CharField(max_length=200)
    state = models.CharField(max_length=8, choices=STATES, default=MOVED)
    to = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.what
