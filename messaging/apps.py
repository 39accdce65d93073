"""Word out and in."""

from django.apps import AppConfig


class MessagingConfig(AppConfig):
    """Word out and in."""

    name = "messaging"
