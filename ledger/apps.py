"""Append-only logs, files, the clock and formats."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """Append-only logs, files, the clock and formats."""

    name = "ledger"
