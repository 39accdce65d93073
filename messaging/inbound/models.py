"""Received mail and its state."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from ledger.models import StoredFile
from ledger.now import now


class InboundMailQuerySet(models.QuerySet["InboundMail"]):
    """The queries of the inbox."""

    def waiting(self) -> "InboundMailQuerySet":
        """Mail that no rule could place; a person decides."""
        return self.filter(state=InboundMail.WAITING)


class InboundMail(models.Model):
    """A received mail, its original bytes as a stored file, and its state."""

    WAITING, CLAIMED, AUTOMATIC, DISMISSED, REFUSED = "waiting", "claimed", "automatic", "dismissed", "refused"
    QUARANTINED = "quarantine"
    STATES: ClassVar = [
        (WAITING, "Waiting for a person"),
        (CLAIMED, "Placed"),
        (AUTOMATIC, "Automatic, kept only"),
        (DISMISSED, "Dismissed"),
        (REFUSED, "Could not be read"),
        (QUARANTINED, "In quarantine: not proven to be from its sender"),
    ]
    message_id = models.CharField(max_length=255, unique=True)
    state = models.CharField(max_length=10, choices=STATES, default=WAITING, db_index=True)
    sender = models.CharField(max_length=254, blank=True, db_index=True)
    sender_name = models.CharField(max_length=200, blank=True)
    recipients = models.JSONField(default=list)
    subject = models.CharField(max_length=500, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField(default=now)
    text = models.TextField(blank=True, help_text="The whole text part.")
    visible_text = models.TextField(blank=True, help_text="The text that the sender wrote, without quotations.")
    cut = models.TextField(
        blank=True, help_text="What was left out of the visible text: quotations and the signature, in their order."
    )
    in_reply_to = models.CharField(max_length=255, blank=True)
    references = models.JSONField(default=list)
    automatic = models.CharField(max_length=16, blank=True)
    single_from = models.CharField(
        max_length=254, blank=True, help_text="The address of its only From header; empty if there is any doubt."
    )
    auth_results = models.JSONField(
        default=list, blank=True, help_text="Its Authentication-Results headers, unchanged, oldest last."
    )
    own_words = models.BooleanField(
        default=True, help_text="Whether the visible text was typed by the sender, not taken from a forwarded mail."
    )
    doubt = models.CharField(
        max_length=300,
        blank=True,
        help_text="One sign of an automatic mail. It takes two to set a mail aside, but one is enough not to decide anything.",
    )
    note = models.CharField(max_length=300, blank=True, help_text="Why it has this state.")
    raw = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT)
    handled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    handled_at = models.DateTimeField(null=True, blank=True)
    objects = InboundMailQuerySet.as_manager()

    class Meta:
        ordering = ["-received_at", "-id"]

    def __str__(self) -> str:
        return self.subject or self.message_id


class MailAttachment(models.Model):
    """One attachment of a received mail, by name. Its content stays in the raw mail until a case takes it."""

    mail = models.ForeignKey(InboundMail, on_delete=models.CASCADE, related_name="attachments")
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=255, blank=True)
    content_type = models.CharField(max_length=120)
    size = models.PositiveBigIntegerField()

    class Meta:
        ordering = ["mail", "number"]
        constraints = [models.UniqueConstraint(fields=["mail", "number"], name="mail_attachment_number")]

    def __str__(self) -> str:
        return self.name or "attachment"
