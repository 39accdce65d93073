"""What happened, once and for good."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """What happened, once and for good."""

    name = "ledger"
