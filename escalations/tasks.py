"""Background jobs of this app, run by the worker."""

from escalations.cases.notifications.unopened import tell_operations


def list_unopened() -> int:
    """Tell operations once a day which customers' messages nobody has opened."""
    return tell_operations()
