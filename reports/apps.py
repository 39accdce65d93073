"""Figures: reads only."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """Figures: reads only."""

    name = "reports"
