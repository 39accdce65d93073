"""Receives replies to approval requests."""

from django.dispatch import receiver

from approvals.mail import replies
from messaging.events import mail_received
from messaging.models import InboundMail


@receiver(mail_received, dispatch_uid="approvals.mail.messages")
def hear_mail(mail: InboundMail, **_: object) -> None:
    """Mail to a reply address is a decision, a comment, or goes into quarantine."""
    replies.take(mail=mail)
