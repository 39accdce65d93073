"""News from outside."""

from typing import Any

from anymail.signals import inbound
from django.dispatch import receiver

from messaging.inbound import delivered


@receiver(inbound, dispatch_uid="messaging.inbound")
def hear_delivered(event: Any, esp_name: str, **_: Any) -> None:
    """A mail service delivers."""
    delivered.take(event=event, service=esp_name.lower())
