"""Background jobs of this app, run by the worker."""

from messaging.services import outbox


def send_messages() -> int:
    """The second pair of hands beside the engine: hand over what is still waiting."""
    return outbox.send_due()
