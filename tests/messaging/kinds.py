"""A kind of message and a channel of the tests."""

from collections.abc import Sequence
from typing import ClassVar

from ledger.errors import Invalid
from messaging.channels.base import Channel, ServerDown
from messaging.kinds import Content, File, MessageKind
from messaging.models import Message


class Note(MessageKind):
    """`note:NAME`: wanted unless its name is in `stale`; the one named `broken` raises."""

    prefix = "note"
    stale: ClassVar[set[str]] = set()
    asked: ClassVar[list[str]] = []

    def still_wanted(self, message: Message) -> bool:
        """Remembers that it was asked."""
        (name,) = self.parts(message)
        self.asked.append(name)
        if name == "broken":
            raise ZeroDivisionError
        return name not in self.stale

    def compose(self, message: Message) -> Content | None:
        """New words; none for `over`, and an error for `unwritten`."""
        (name,) = self.parts(message)
        if name == "unwritten":
            raise LookupError
        return None if name == "over" else Content(f"Now {name}", f"Text {name}", "")


class Chat(Channel):
    """Delivers to rooms, whose names begin with #."""

    name = "chat"
    label = "Chat"
    delivered: ClassVar[list[tuple[str, str]]] = []
    down: ClassVar[list[str]] = []

    @classmethod
    def check_address(cls, address: str) -> None:
        """Rooms only."""
        if not address.startswith("#"):
            raise Invalid("Enter a room such as #desk.", field="to")

    def deliver(self, message: Message, files: Sequence[File] = ()) -> str:
        """Keep it."""
        if self.down:
            raise ServerDown(self.down[0])
        self.delivered.append((message.address, message.text))
        return "Said in the room"
