"""Wiring: loads what must be found once all apps are there."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class DeskConfig(AppConfig):
    """Loads the receivers of news (`receivers.py` of any app)."""

    name = "config"
    verbose_name = "Escalation Desk"

    def ready(self) -> None:
        """Find the receivers modules once all models are loaded."""
        autodiscover_modules("receivers")
