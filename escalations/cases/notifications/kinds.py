"""Kinds of messages about a case."""

from escalations.models import HandOff
from messaging.kinds import MessageKind
from messaging.models import Message


class HandOffAsked(MessageKind):
    """The question to accept a hand-off: `handoff:ID`."""

    prefix = "handoff"

    def still_wanted(self, message: Message) -> bool:
        """While the hand-off waits for an answer."""
        (handoff,) = self.parts(message)
        return HandOff.objects.filter(pk=int(handoff), state=HandOff.WAITING).exists()
