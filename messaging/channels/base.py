"""The common parts of all channels."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import TracebackType
from typing import ClassVar, Self

from messaging.kinds import File
from messaging.models import Message


class Undeliverable(Exception):
    """This message will never be accepted. It is parked, and a person looks at the reason."""


class AddressRefused(Undeliverable):
    """The server refused the receiver for good. For the people who wait for an answer it is as if the mail came back."""


class TryLater(Exception):
    """This message is not accepted now; the next one may be. It is tried again later."""


class ServerDown(TryLater):
    """The server accepts nothing now. All messages of the channel wait, and none loses one of its tries."""


class Channel(ABC):
    """One way to deliver messages. An object delivers one batch, inside a `with` block that opens and closes it.

    A channel is one class and one line in settings.MESSAGE_CHANNELS; messaging.checks verifies the list.
    """

    name: ClassVar[str] = ""
    label: ClassVar[str] = ""
    # Whether a person's settings for mail (at once, daily digest, off) and the daily limit of an address apply.
    follows_preferences: ClassVar[bool] = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:  # noqa: B027  a channel without a connection has nothing to close
        """Close what `deliver` opened."""

    @classmethod
    def leaves(cls) -> bool:
        """False when no server is configured, so that messages are only read on the Messages page."""
        return True

    @classmethod
    @abstractmethod
    def check_address(cls, address: str) -> None:
        """Raises ledger.errors.Invalid for an address to which this channel cannot deliver."""

    @abstractmethod
    def deliver(self, message: Message, files: Sequence[File] = ()) -> str:
        """Deliver one message; returns the note for the attempt.

        Raises Undeliverable (AddressRefused for the receiver), TryLater or ServerDown. Any other exception counts as TryLater.
        """
