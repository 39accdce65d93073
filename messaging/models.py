"""Word out (outbox, in-app notices, chat and webhook targets) and word in (mail)."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models

from ledger.models import StoredFile
from ledger.now import now

STUCK_AFTER = timedelta(minutes=1)


class MessageQuerySet(models.QuerySet["Message"]):
    """Outbox rows in business words."""

    def due(self, at: datetime) -> "MessageQuerySet":
        """Waiting to leave, and free: never leased, or the lease has run out. What waits for a digest leaves with it."""
        waiting = self.filter(state=Message.PENDING, next_try_at__lte=at, digest__isnull=True)
        return waiting.exclude(leased_until__gt=at)

    def untold(self) -> "MessageQuerySet":
        """To be told in the desk, whatever becomes of the mail."""
        return self.filter(notice_url__gt="")

    def held(self) -> "MessageQuerySet":
        """Waiting for their person's daily digest."""
        return self.filter(state=Message.PENDING, digest__isnull=False)

    def stuck(self, at: datetime) -> "MessageQuerySet":
        """Their sender took them and fell silent, and for a minute nobody took them over: no sender works."""
        return self.filter(state=Message.PENDING, leased_until__lt=at - STUCK_AFTER)

    def needs_attention(self) -> "MessageQuerySet":
        """Parked after too many tries; a person presses Send again."""
        return self.filter(state=Message.PARKED)


class Message(models.Model):
    """One piece of mail, chat or webhook, written in the same transaction as the change it tells of.

    `key` makes it happen once: the same key is never written twice. `message_id` (or webhook-id) stays the same over retries.
    """

    EMAIL, CHAT, WEBHOOK = "email", "chat", "webhook"
    CHANNELS: ClassVar = [(EMAIL, "E-mail"), (CHAT, "Chat"), (WEBHOOK, "Webhook")]
    PENDING, SENT, PARKED, DROPPED = "pending", "sent", "parked", "dropped"
    STATES: ClassVar = [
        (PENDING, "Waiting"),
        (SENT, "Sent"),
        (PARKED, "Needs attention"),
        (DROPPED, "No longer wanted"),
    ]

    key = models.CharField(max_length=200)
    kind = models.CharField(max_length=40, help_text="Such as handoff, approval, breach, customer_update.")
    channel = models.CharField(max_length=10, choices=CHANNELS, default=EMAIL)
    state = models.CharField(max_length=10, choices=STATES, default=PENDING)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="mails",
        db_index=False,
    )
    address = models.CharField(max_length=500, help_text="Mail address or URL.")
    reply_to = models.CharField(max_length=254, blank=True)
    subject = models.CharField(max_length=300, blank=True)
    text = models.TextField()
    html = models.TextField(blank=True)
    message_id = models.CharField(max_length=200)
    thread_id = models.CharField(max_length=200, blank=True, help_text="Message-ID all mails of one case refer to.")
    case_key = models.CharField(max_length=20, blank=True)
    account_name = models.CharField(max_length=200, blank=True)
    wanted_while = models.CharField(
        max_length=120, blank=True, help_text="Relevance check before sending, such as handoff:12 or approval:7:3."
    )
    source = models.CharField(
        max_length=160,
        blank=True,
        help_text="Composed when it is sent, from this, such as standing:1042; else as written.",
    )
    created_at = models.DateTimeField(default=now)
    notice_url = models.CharField(
        max_length=300,
        blank=True,
        help_text="To be told in the desk too, with this page: emptied when it was.",
    )
    next_try_at = models.DateTimeField(default=now)
    leased_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    digest = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="collected",
        db_index=False,
        help_text="The daily digest it leaves with, instead of by itself.",
    )
    note = models.CharField(max_length=200, blank=True, help_text="Why it was held or not sent.")
    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        # As constraints: a field that is unique brings a second index on PostgreSQL, for searches by a beginning.
        constraints = [
            models.UniqueConstraint(fields=["key"], name="message_key_once"),
            models.UniqueConstraint(fields=["message_id"], name="message_id_once"),
        ]
        indexes = [
            models.Index(fields=["state", "next_try_at"], name="message_due"),
            models.Index(fields=["case_key"], name="message_of_case"),
            # Partial, so that writing a message costs nothing more.
            models.Index(
                fields=["address", "sent_at"], condition=models.Q(sent_at__isnull=False), name="message_sent_to"
            ),
            models.Index(fields=["digest"], condition=models.Q(digest__isnull=False), name="message_held"),
            models.Index(fields=["user"], condition=models.Q(kind="digest"), name="message_digest_of"),
            models.Index(fields=["id"], condition=models.Q(notice_url__gt=""), name="message_to_tell"),
        ]

    def __str__(self) -> str:
        return self.subject or self.key


class Delivery(models.Model):
    """One attempt to send a message, and what came of it."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="deliveries")
    at = models.DateTimeField()
    ok = models.BooleanField()
    detail = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.at}: {'sent' if self.ok else self.detail}"


class Notice(models.Model):
    """In-app notification of one person."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="notices", db_index=False)
    key = models.CharField(max_length=200)
    kind = models.CharField(max_length=40)
    text = models.CharField(max_length=300)
    url = models.CharField(max_length=300)
    case_key = models.CharField(max_length=20, blank=True)
    urgent = models.BooleanField(default=False)
    at = models.DateTimeField(default=now)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [models.UniqueConstraint(fields=["key"], name="notice_key_once")]
        indexes = [
            models.Index(fields=["user", "at"], name="notice_of"),
            models.Index(fields=["user"], condition=models.Q(read_at__isnull=True), name="notice_unread"),
        ]

    def __str__(self) -> str:
        return self.text


class Preference(models.Model):
    """How one person wants to be told one group of news (messaging.outbox.rules.kinds). No row: the group's default."""

    NOW, DIGEST, OFF = "now", "digest", "off"
    MAIL: ClassVar = [(NOW, "At once"), (DIGEST, "Daily digest"), (OFF, "Off")]

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preferences")
    group = models.CharField(max_length=20)
    mail = models.CharField(max_length=6, choices=MAIL, default=NOW)
    in_app = models.BooleanField(default=True)

    class Meta:
        ordering = ["user", "group"]
        constraints = [models.UniqueConstraint(fields=["user", "group"], name="preference_once")]

    def __str__(self) -> str:
        return f"{self.user_id}, {self.group}: {self.mail}"


class DigestHour(models.Model):
    """The local hour at which a person's daily digest leaves. No row: eight in the morning."""

    DEFAULT = 8

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="digest_hour")
    hour = models.PositiveSmallIntegerField(default=DEFAULT)

    def __str__(self) -> str:
        return f"{self.user_id}: {self.hour}:00"


class Outage(models.Model):
    """The server of a channel takes nothing: since when, why, and when to knock again. Gone as soon as it answers."""

    channel = models.CharField(max_length=10, choices=Message.CHANNELS, unique=True)
    since = models.DateTimeField()
    tries = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField()
    detail = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return f"{self.channel} since {self.since}: {self.detail}"


class Subscription(models.Model):
    """A target outside: a chat room's incoming webhook or an integration's webhook, with the kinds of news it takes."""

    name = models.CharField(max_length=80)
    channel = models.CharField(max_length=10, choices=[Message.CHANNELS[1], Message.CHANNELS[2]])
    url = models.URLField(max_length=500)
    secret = models.CharField(max_length=120, blank=True, help_text="Signs webhooks (Standard Webhooks).")
    kinds = models.JSONField(default=list, blank=True, help_text="Kinds of news; an empty list takes all.")
    active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class InboundMailQuerySet(models.QuerySet["InboundMail"]):
    """Received mail in business words."""

    def waiting(self) -> "InboundMailQuerySet":
        """Mail no rule could place; a person decides."""
        return self.filter(state=InboundMail.WAITING)


class InboundMail(models.Model):
    """A mail as it came in (raw bytes kept as a stored file) and what became of it."""

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
    visible_text = models.TextField(blank=True, help_text="What the sender newly wrote.")
    in_reply_to = models.CharField(max_length=255, blank=True)
    references = models.JSONField(default=list)
    automatic = models.CharField(max_length=16, blank=True)
    single_from = models.CharField(
        max_length=254, blank=True, help_text="The one address of its one From header; empty when there is any doubt."
    )
    auth_results = models.JSONField(
        default=list, blank=True, help_text="Its Authentication-Results headers, as they came, oldest last."
    )
    own_words = models.BooleanField(
        default=True, help_text="Whether the visible text was typed by the sender, not taken from a forwarded mail."
    )
    note = models.CharField(max_length=300, blank=True, help_text="Why it is where it is.")
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
