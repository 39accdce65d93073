"""Wiring: loads modules after all apps are loaded."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class DeskConfig(AppConfig):
    """Loads the receivers of events (`receivers.py` of each app)."""

    name = "config"
    verbose_name = "Escalation Desk"

    def ready(self) -> None:
        """Load the receivers modules after all models."""
        autodiscover_modules("receivers")
