"""Receives replies to approval requests, and registers the system check of this app."""

from django.core.checks import CheckMessage, register
from django.dispatch import receiver

from approvals.mail import replies
from approvals.requests.panels import check_panels
from messaging.events import mail_received
from messaging.models import InboundMail


@receiver(mail_received, dispatch_uid="approvals.mail.messages")
def hear_mail(mail: InboundMail, **_: object) -> None:
    """Mail to a reply address is a decision, a comment, or goes into quarantine."""
    replies.take(mail=mail)


@register
def check_registries(app_configs: object, **_: object) -> list[CheckMessage]:
    """The blocks of the page of a request are complete."""
    return list(check_panels())
