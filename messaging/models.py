"""Messages out and mail in."""

from messaging.inbound.models import InboundMail
from messaging.outbox.models import STUCK_AFTER, Delivery, DigestHour, Message, Notice, Outage, Preference

__all__ = ["STUCK_AFTER", "Delivery", "DigestHour", "InboundMail", "Message", "Notice", "Outage", "Preference"]
