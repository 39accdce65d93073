"""News for the apps above: sent inside the caller's transaction."""

from django.dispatch import Signal

# Arguments: ids (list of accounts.Signal primary keys just written).
signal_recorded = Signal()
