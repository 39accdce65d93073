"""Our mailbox, over IMAP. A mail is marked or moved only after it is kept."""

import imaplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted, MailMessageFlags
from imap_tools.errors import ImapToolsError

from messaging.inbound.parsing.parsed import MAX_RAW_BYTES

SECONDS = 30
LOOPBACK = ("localhost", "127.0.0.1", "::1")
EXAMPLE = "imaps://user:password@mail.example.com/INBOX"


class MailboxTrouble(Exception):
    """The mailbox cannot be read now; the sentence says why, without the password."""


# The type of a mailbox answer.
Said = TypeVar("Said")


@dataclass(frozen=True)
class Place:
    """The address of the mailbox. `move` is the folder for fetched mail; without one, fetched mail is marked as read."""

    host: str
    port: int
    user: str
    password: str
    folder: str
    move: str
    encrypted: bool

    def __str__(self) -> str:
        return f"{self.folder} of {self.user} on {self.host}"


def place(url: str) -> Place:
    """`imaps://user:password@host:993/folder?move=folder`. Raises MailboxTrouble for anything else.

    `imap://` starts TLS on port 143; only the connection to the loopback is unencrypted.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = 0
    if parts.scheme not in ("imap", "imaps") or not parts.hostname or not parts.username or port == 0:
        raise MailboxTrouble(f"IMAP_URL cannot be read. Write it as {EXAMPLE}.")
    encrypted = parts.scheme == "imaps"
    return Place(
        host=parts.hostname,
        port=port or (993 if encrypted else 143),
        user=unquote(parts.username),
        password=unquote(parts.password or ""),
        folder=unquote(parts.path.strip("/")) or "INBOX",
        move=parse_qs(parts.query).get("move", [""])[0],
        encrypted=encrypted,
    )


class Mailbox:
    """An open mailbox. Use it in a `with` block; every trouble is a MailboxTrouble."""

    def __init__(self, where: Place) -> None:
        self.where = where
        self._box: BaseMailBox | None = None

    def __enter__(self) -> Self:
        try:
            self._box = _connected(self.where)
            self._box.login(self.where.user, self.where.password, self.where.folder)
            if self.where.move and not self._box.folder.exists(self.where.move):
                self._box.folder.create(self.where.move)
        except (OSError, imaplib.IMAP4.error, ImapToolsError) as error:
            self._leave()
            raise MailboxTrouble(f"The mailbox {self.where} cannot be opened: {self._said(error)}") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def waiting(self) -> list[str]:
        """Mail that was not fetched yet, oldest first: the whole folder if mail is moved out of it, else the unread
        mail."""
        return list(self._ask(lambda box: box.uids("ALL" if self.where.move else "UNSEEN")))

    def raw(self, uid: str) -> bytes | None:
        """The bytes of one mail, at most one more than our limit; None if it is gone. The mail stays unread."""
        wanted = f"(BODY.PEEK[]<0.{MAX_RAW_BYTES + 1}>)"
        status, answer = self._ask(lambda box: box.client.uid("FETCH", uid, wanted))
        found = [each[1] for each in answer or [] if isinstance(each, tuple) and isinstance(each[1], bytes)]
        return found[0] if status == "OK" and found else None

    def done(self, uid: str) -> None:
        """Mark or move a mail that is kept."""
        if self.where.move:
            self._ask(lambda box: box.move(uid, self.where.move))
        else:
            self._ask(lambda box: box.flag(uid, MailMessageFlags.SEEN, True))

    def _ask(self, question: Callable[[BaseMailBox], Said]) -> Said:
        if self._box is None:
            raise MailboxTrouble(f"The mailbox {self.where} is not open.")
        try:
            return question(self._box)
        except (OSError, imaplib.IMAP4.error, ImapToolsError) as error:
            raise MailboxTrouble(f"The mailbox {self.where} closed the connection: {self._said(error)}") from None

    def _leave(self) -> None:
        box, self._box = self._box, None
        try:
            if box is not None:
                box.logout()
        except (OSError, imaplib.IMAP4.error, ImapToolsError):
            return

    def _said(self, error: Exception) -> str:
        words = " ".join(str(error).split())[:300]
        return words.replace(self.where.password, "…") if self.where.password else words


def _connected(where: Place) -> BaseMailBox:
    if where.encrypted:
        return MailBox(where.host, where.port, timeout=SECONDS, ssl_context=ssl.create_default_context())
    if where.host in LOOPBACK:
        return MailBoxUnencrypted(where.host, where.port, timeout=SECONDS)
    return MailBoxStartTls(where.host, where.port, timeout=SECONDS, ssl_context=ssl.create_default_context())
