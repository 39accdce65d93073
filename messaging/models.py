"""Messages out and mail in."""

from messaging.inbound.models import InboundMail, MailAttachment
from messaging.outbox.models import STUCK_AFTER, Delivery, DigestHour, Message, Notice, Outage, Preference

__all__ = [
    "STUCK_AFTER",
    "Delivery",
    "DigestHour",
    "InboundMail",
    "MailAttachment",
    "Message",
    "Notice",
    "Outage",
    "Preference",
]
