"""Background jobs of this app, run by the worker."""

from messaging.outbox import messages as outbox
from messaging.outbox import notices


def send_messages() -> int:
    """Send what is waiting, in addition to the engine."""
    return notices.tell_waiting() + outbox.send_due()
