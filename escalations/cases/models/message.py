"""What a customer said on a case: how it came there, and whether somebody looked."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from accounts.models import Signal
from escalations.cases.models.escalation import Escalation
from escalations.cases.models.event import Event
from escalations.cases.rules.addressing import ANSWER, BY_HAND, GUESS, NAMED, OPENED, TOKEN
from messaging.models import InboundMail


class CustomerMessageQuerySet(models.QuerySet["CustomerMessage"]):
    """The queries of messages."""

    def came_back(self) -> "CustomerMessageQuerySet":
        """Messages on ended cases that wait for a person: reopen, or nothing to do."""
        return self.filter(came_back=True, answered_at__isnull=True)

    def unopened(self) -> "CustomerMessageQuerySet":
        """Messages that nobody has opened where they stand now."""
        return self.filter(opened_at__isnull=True, moved_to__isnull=True)


class CustomerMessage(models.Model):
    """One message of a customer, or a signal, on a case. The words stand in the entry of the log, which never changes."""

    PLACED: ClassVar = [
        (TOKEN, "By its address"),
        (ANSWER, "By the mail it answers"),
        (NAMED, "By the key of the case"),
        (BY_HAND, "By a person"),
        (OPENED, "The case was opened from it"),
        (GUESS, "Placed by guess"),
    ]
    REOPENED, NOTHING, MOVED = "reopened", "nothing", "moved"
    ANSWERS: ClassVar = [(REOPENED, "Reopened"), (NOTHING, "Nothing to do"), (MOVED, "Moved to another case")]

    event = models.OneToOneField(Event, on_delete=models.PROTECT, related_name="message")
    case = models.ForeignKey(Escalation, on_delete=models.PROTECT, related_name="customer_messages")
    signal = models.ForeignKey(Signal, on_delete=models.PROTECT, related_name="shown_as")
    mail = models.ForeignKey(InboundMail, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    placed = models.CharField(max_length=8, choices=PLACED, default=GUESS, help_text="How it found its case.")
    came_from = models.CharField(
        max_length=20, blank=True, help_text="The duplicate it was addressed to, such as ESC-1042."
    )
    proven = models.BooleanField(
        null=True, help_text="Whether our mail server confirms its sender; empty if it is no mail."
    )
    thanks = models.CharField(max_length=120, blank=True, help_text="The rule that found only thanks in it.")
    ended_wait = models.BooleanField(default=False, help_text="It ended the wait on the customer.")
    moved_to = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="moved_from")
    came_back = models.BooleanField(
        default=False, help_text="It came after the end of the case and asks to be looked at."
    )
    answer = models.CharField(max_length=10, choices=ANSWERS, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    opened_at = models.DateTimeField(null=True, blank=True, help_text="When it was first opened on the case.")
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    objects = CustomerMessageQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(
                fields=["case"],
                condition=models.Q(came_back=True, answered_at__isnull=True),
                name="message_came_back",
            ),
            models.Index(
                fields=["at"],
                condition=models.Q(opened_at__isnull=True, moved_to__isnull=True),
                name="message_unopened",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.signal_id} on {self.case_id}"

    @property
    def is_guess(self) -> bool:
        """Whether nothing told its case, and nobody has moved it."""
        return self.placed == GUESS and self.moved_to_id is None

    @property
    def stranger(self) -> str:
        """Name and address of a sender who is no contact; empty for contacts and for what is no mail."""
        signal = self.signal
        if signal.contact_id or not signal.sender:
            return ""
        return f"{signal.sender_name}, {signal.sender}" if signal.sender_name else signal.sender
