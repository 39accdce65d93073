"""Kinds of messages: whether one is still wanted when it is sent, its text, and its attachments.

A message names its kind by the prefix of its `source`, such as `handoff:12`. A message without a source is sent as it
was written. Each kind is one class; settings.MESSAGE_KINDS lists them, and messaging.checks verifies the list.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar

from django.conf import settings
from django.utils.module_loading import import_string

from messaging.models import Message


@dataclass(frozen=True)
class Content:
    """The text of a message."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class File:
    """One attached file."""

    name: str
    content_type: str
    data: bytes


@dataclass(frozen=True)
class Attachments:
    """The files of a message. `replacements` are sentences to replace in its text, so that it says whether a file is
    attached."""

    files: Sequence[File] = ()
    replacements: Mapping[str, str] = field(default_factory=dict)


class UnknownKind(LookupError):
    """No registered kind has this prefix, so it is not known whether the message may be sent."""


class MessageKind(ABC):
    """How the messages of one kind behave between being written and being sent. All methods but `bounced` run outside a
    transaction."""

    prefix: ClassVar[str] = ""
    # A person wrote the words, so the mail does not call itself automatic: other desks set such mail aside.
    by_person: ClassVar[bool] = False

    @classmethod
    def source(cls, *parts: object) -> str:
        """The source of a message about `parts`, such as `approval:7:2`."""
        return ":".join(map(str, (cls.prefix, *parts)))

    @staticmethod
    def parts(message: Message) -> list[str]:
        """The arguments of `source`, as texts."""
        return message.source.split(":")[1:]

    @abstractmethod
    def still_wanted(self, message: Message) -> bool:
        """Whether the reason for the message still holds; if not, it is dropped."""

    def compose(self, message: Message) -> Content | None:
        """The current text of a message that was written without one. None: there is nothing left to say."""
        return Content(message.subject, message.text, message.html)

    def attachments(self, message: Message, *, leaves: bool) -> Attachments:
        """Its files. `leaves` is False when the message is only read on the Messages page. It must answer within
        seconds. A file that cannot be made is left out: a message is sent even if its attachment cannot be made. What it
        raises, such as for a file that cannot be read now, has the message tried again later."""
        return Attachments()

    def bounced(self, message: Message, *, key: str, how: str) -> None:  # noqa: B027  most kinds have nobody to tell
        """The message did not reach its address: it came back, or the server refused the receiver. `how` is the sentence
        that says it, `key` tells one report from another. In the transaction that keeps the report."""


class AsWritten(MessageKind):
    """A message without a source: always wanted, sent unchanged."""

    def still_wanted(self, message: Message) -> bool:
        """Always."""
        return True


def registered() -> list[type[MessageKind]]:
    """The classes of settings.MESSAGE_KINDS."""
    return list(_load(tuple(settings.MESSAGE_KINDS)))


def kind_of(message: Message) -> MessageKind:
    """The kind of a message. Raises UnknownKind for a prefix that is not registered."""
    if not message.source:
        return AsWritten()
    prefix = message.source.partition(":")[0]
    for kind in registered():
        if kind.prefix == prefix:
            return kind()
    raise UnknownKind(f"No kind of message “{prefix}” is registered, so it was not sent.")


@lru_cache
def _load(paths: tuple[str, ...]) -> tuple[type[MessageKind], ...]:
    return tuple(import_string(path) for path in paths)
