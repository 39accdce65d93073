"""The case."""

from django.apps import AppConfig


class EscalationsConfig(AppConfig):
    """The case."""

    name = "escalations"
