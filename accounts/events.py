"""Events for the apps above, sent inside the caller's transaction."""

from django.dispatch import Signal

# Arguments: signals (list of accounts.Signal just written), origin (the `origin` argument of `record`, or None).
signal_recorded = Signal()

# Arguments: accounts (list of ids of accounts that are new, or whose name, CSM or AE just changed).
people_changed = Signal()
