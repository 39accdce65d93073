"""News for the apps above: sent inside the caller's transaction."""

from django.dispatch import Signal

# Arguments: signals (list of accounts.Signal just written), origin (what the caller of `record` said they belong to, or None).
signal_recorded = Signal()
