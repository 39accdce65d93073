"""Background jobs of this app, run by the worker."""

from messaging.outbox import messages as outbox
from messaging.outbox import notices


def send_messages() -> int:
    """The second pair of hands beside the engine: hand over what is still waiting."""
    return notices.tell_waiting() + outbox.send_due()
