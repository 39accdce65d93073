"""Listens to mail services and registers the system checks of this app."""

from anymail.signals import AnymailInboundEvent, inbound
from django.core.checks import CheckMessage, register
from django.dispatch import receiver

from messaging import checks
from messaging.inbound import delivered


@receiver(inbound, dispatch_uid="messaging.inbound")
def hear_delivered(event: AnymailInboundEvent, esp_name: str, **_: object) -> None:
    """A mail service has delivered a mail."""
    delivered.take(event=event, service=esp_name.lower())


@register
def check_registries(app_configs: object, **_: object) -> list[CheckMessage]:
    """Kinds of messages and channels are complete and unambiguous."""
    return [*checks.check_message_kinds(), *checks.check_channels(), *checks.check_functions()]
