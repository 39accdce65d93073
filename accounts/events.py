"""Events for the apps above, sent inside the caller's transaction."""

from django.dispatch import Signal

# Arguments: signals (list of accounts.Signal just written), origin (the `origin` argument of `record`, or None).
signal_recorded = Signal()

# Arguments: accounts (list of ids of accounts that are new, or whose name, CSM or AE just changed).
people_changed = Signal()

# Arguments: departure (accounts.Departure), most (how many pieces of work of each kind to move now), finished (False until
# nothing is left; then sent once more, inside the transaction that ends the departure). A receiver answers with the number of
# pieces that it moved, each in a transaction of its own: a person may have hundreds.
person_left = Signal()
