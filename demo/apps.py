"""Demo data and measurements."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Invented people, accounts and cases, and the commands that measure a filled database."""

    name = "demo"
