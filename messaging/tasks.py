"""Background jobs of this app, run by the worker."""

from messaging.outbox import messages as outbox
from messaging.outbox import posting


def send_messages() -> int:
    """The second pair of hands beside the engine: hand over what is still waiting."""
    return posting.tell_waiting() + outbox.send_due()
