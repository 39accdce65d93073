"""Messages to send with their attempts, in-app notifications, and how each person wants to be notified."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models

from ledger.now import now

STUCK_AFTER = timedelta(minutes=1)


class MessageQuerySet(models.QuerySet["Message"]):
    """The queries of the outbox and its pages."""

    def due(self, at: datetime) -> "MessageQuerySet":
        """Waiting, and no sender works on it. A message held for a digest is not due: it is sent with the digest."""
        waiting = self.filter(state=Message.PENDING, next_try_at__lte=at, digest__isnull=True)
        return waiting.exclude(leased_until__gt=at)

    def untold(self) -> "MessageQuerySet":
        """To be shown as an in-app notification, independent of the mail."""
        return self.filter(notice_url__gt="")

    def held(self) -> "MessageQuerySet":
        """Waiting for the recipient's daily digest."""
        return self.filter(state=Message.PENDING, digest__isnull=False)

    def stuck(self, at: datetime) -> "MessageQuerySet":
        """Leased by a sender that stopped, and not taken over for a minute: no sender is running."""
        return self.filter(state=Message.PENDING, leased_until__lt=at - STUCK_AFTER)

    def needs_attention(self) -> "MessageQuerySet":
        """Parked: operations look at the reason and send them again."""
        return self.filter(state=Message.PARKED)


class Message(models.Model):
    """One message to one recipient, written in the same transaction as the change it reports.

    `key` is unique, so that a change is reported once. `message_id` stays the same when the message is sent again.
    """

    EMAIL = "email"
    PENDING, SENT, PARKED, DROPPED = "pending", "sent", "parked", "dropped"
    STATES: ClassVar = [
        (PENDING, "Waiting"),
        (SENT, "Sent"),
        (PARKED, "Needs attention"),
        (DROPPED, "No longer wanted"),
    ]

    key = models.CharField(max_length=200)
    kind = models.CharField(max_length=40, help_text="Such as handoff, approval, breach, customer_update.")
    channel = models.CharField(max_length=10, default=EMAIL, help_text="A name of messaging.channels.registry.")
    state = models.CharField(max_length=10, choices=STATES, default=PENDING)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="mails",
        db_index=False,
    )
    address = models.CharField(max_length=500, help_text="Address on the channel, such as a mail address.")
    reply_to = models.CharField(max_length=254, blank=True)
    subject = models.CharField(max_length=300, blank=True)
    text = models.TextField()
    html = models.TextField(blank=True)
    message_id = models.CharField(max_length=200)
    thread_id = models.CharField(max_length=200, blank=True, help_text="Message-ID all mails of one case refer to.")
    case_key = models.CharField(max_length=20, blank=True)
    account_name = models.CharField(max_length=200, blank=True)
    source = models.CharField(
        max_length=160,
        blank=True,
        help_text="Prefix of its message kind and what it is about, such as handoff:12. Empty: sent as written.",
    )
    created_at = models.DateTimeField(default=now)
    notice_url = models.CharField(
        max_length=300,
        blank=True,
        help_text="Page of the in-app notification; emptied once the notification is written.",
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
        help_text="The daily digest that carries it.",
    )
    note = models.CharField(max_length=200, blank=True, help_text="Why it was held back or not sent.")
    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        # Constraints, because unique=True on a text field makes a second index for prefix searches on PostgreSQL.
        constraints = [
            models.UniqueConstraint(fields=["key"], name="message_key_once"),
            models.UniqueConstraint(fields=["message_id"], name="message_id_once"),
        ]
        indexes = [
            models.Index(fields=["state", "next_try_at"], name="message_due"),
            models.Index(fields=["case_key"], name="message_of_case"),
            # Partial, so that writing a message does not maintain them.
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
    """One attempt to send a message, and its result."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="deliveries")
    at = models.DateTimeField()
    ok = models.BooleanField()
    detail = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["at", "id"]
        verbose_name_plural = "deliveries"

    def __str__(self) -> str:
        return f"{self.at}: {'sent' if self.ok else self.detail}"


class Notice(models.Model):
    """In-app notification for one person."""

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
    """How one person wants to be notified of one group of messages (messaging.outbox.rules.kinds). No row: the default."""

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
    """The local hour at which a person's daily digest is sent. No row: eight in the morning."""

    DEFAULT = 8

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="digest_hour")
    hour = models.PositiveSmallIntegerField(default=DEFAULT)

    def __str__(self) -> str:
        return f"{self.user_id}: {self.hour}:00"


class Outage(models.Model):
    """The server of a channel accepts nothing: since when, why, and when to try again. Deleted when it accepts."""

    channel = models.CharField(max_length=10, unique=True)
    since = models.DateTimeField()
    tries = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField()
    detail = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return f"{self.channel} since {self.since}: {self.detail}"
