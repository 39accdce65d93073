"""Receives replies to approval requests and the news that a person has left, and registers the system check of this app."""

from django.core.checks import CheckMessage, register
from django.dispatch import receiver

from accounts.events import person_left
from accounts.models import Departure
from approvals.absence import leaving
from approvals.mail import replies
from approvals.requests.panels import check_panels
from messaging.events import mail_received
from messaging.models import InboundMail


@receiver(mail_received, dispatch_uid="approvals.mail.messages")
def hear_mail(mail: InboundMail, **_: object) -> None:
    """Mail to a reply address is a decision, a comment, or goes into quarantine."""
    replies.take(mail=mail)


@receiver(person_left, dispatch_uid="approvals.leaving")
def hear_departure(departure: Departure, most: int, finished: bool, **_: object) -> int:
    """Decisions and stand-ins of a person who left move on."""
    return 0 if finished else leaving.move_on(departure, most)


@register
def check_registries(app_configs: object, **_: object) -> list[CheckMessage]:
    """The blocks of the page of a request are complete."""
    return list(check_panels())
