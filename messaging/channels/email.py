"""E-mail over SMTP: one connection for a batch. A refusal concerns the message, the moment, or the whole server.

The next MAIL FROM on a connection starts a new mail without RSET (RFC 5321); after a refusal smtplib resets by itself.
"""

import re
import smtplib
from collections.abc import Sequence
from email.message import Message as Mime
from email.policy import Compat32
from email.utils import format_datetime, parseaddr
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.message import sanitize_address
from django.core.validators import validate_email

from ledger.errors import Invalid
from ledger.now import now
from messaging.channels.base import AddressRefused, Channel, ServerDown, TryLater, Undeliverable
from messaging.kinds import File, kind_of
from messaging.models import Message
from messaging.outbox.rules.kinds import ANSWER, DIGEST

NO_SERVER = "No mail server configured: readable here"
LONGEST_LINE = 76
SHUTTING_DOWN, TOO_LARGE = 421, 552
# RFC 3463: 4.3.x is the mail system itself, such as a full disk.
SYSTEM_TROUBLE = re.compile(r"\s*4\.3\.")


class Plain(Compat32):
    """Writes short headers unchanged. Splitting them into words for folding would take most of the time of a mail."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        """One header as bytes."""
        if isinstance(value, str) and len(name) + len(value) < LONGEST_LINE and value.isascii() and value.isprintable():
            return f"{name}: {value}{self.linesep}".encode("ascii")
        return super().fold_binary(name, value)


class Letter(EmailMultiAlternatives):
    """A mail that is serialised only once."""

    _written: Any = None

    def message(self, **options: Any) -> Any:
        """The mail with its headers. The boundary is chosen here because searching for a free one is slow."""
        if self._written is None:
            self._written = super().message(**options)
            if isinstance(self._written, Mime) and self._written.is_multipart():
                self._written.set_boundary(f"={uuid4().hex}=")
            self._written.policy = Plain()
        return self._written

    def envelope(self) -> list[str]:
        """The recipients as the server accepts them."""
        return [to if to.isascii() else sanitize_address(to, settings.DEFAULT_CHARSET) for to in self.recipients()]


class Email(Channel):
    """Mail on one connection, opened at the first message and again after it broke."""

    name = Message.EMAIL
    label = "E-mail"
    follows_preferences = True

    def __init__(self) -> None:
        self._connection: Any = None
        self._sender = parseaddr(sanitize_address(settings.DEFAULT_FROM_EMAIL, settings.DEFAULT_CHARSET))[1]

    @classmethod
    def leaves(cls) -> bool:
        """False when no mail server is configured."""
        return not settings.EMAIL_BACKEND.endswith("dummy.EmailBackend")

    @classmethod
    def check_address(cls, address: str) -> None:
        """Raises Invalid for a text that is not a mail address."""
        try:
            validate_email(address)
        except ValidationError:
            raise Invalid(f"“{address[:80]}” is not a mail address. Enter one such as name@example.com.", field="to")

    def deliver(self, message: Message, files: Sequence[File] = ()) -> str:
        """Send one message with its files to the server."""
        if not self.leaves():
            return NO_SERVER
        try:
            mail = _built(message, files)
            mail.message()
        except (ValueError, UnicodeError) as error:
            raise Undeliverable(f"The message could not be written as mail: {error}")
        self._open()
        self._send(mail)
        return f"Accepted by {settings.EMAIL_HOST}"

    def _send(self, mail: Letter) -> None:
        wire = getattr(self._connection, "connection", None)
        try:
            if isinstance(wire, smtplib.SMTP):
                # Like the backend, but without parsing both addresses for every mail.
                wire.sendmail(self._sender, mail.envelope(), mail.message().as_bytes(linesep="\r\n"))
            else:
                self._connection.send_messages([mail])
        except smtplib.SMTPSenderRefused as error:
            # Every mail has the same sender, so the next one would be refused too, except for its size.
            raise _refusal(error.smtp_code, error.smtp_error, of_all=error.smtp_code != TOO_LARGE)
        except smtplib.SMTPRecipientsRefused as error:
            code, answer = next(iter(error.recipients.values()), (0, b""))
            refusal = _refusal(code, answer)
            raise AddressRefused(str(refusal)) if isinstance(refusal, Undeliverable) else refusal
        except smtplib.SMTPDataError as error:
            raise _refusal(error.smtp_code, error.smtp_error)
        except (smtplib.SMTPNotSupportedError, UnicodeError) as error:
            raise Undeliverable(f"The mail server cannot take this address: {error}")
        except OSError as error:
            self.close()
            raise TryLater(f"The mail server closed the connection: {error}")

    def _open(self) -> None:
        if self._connection is not None:
            return
        connection = get_connection()
        try:
            connection.open()
        except smtplib.SMTPAuthenticationError as error:
            raise ServerDown(f"The mail server refused the sign-in ({error.smtp_code}). Check EMAIL_URL.")
        except OSError as error:
            raise ServerDown(f"The mail server did not answer: {error}")
        self._connection = connection

    def close(self) -> None:
        """Close the connection; a broken one is discarded."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.close()
        except OSError:
            return


def _refusal(code: int, answer: bytes | str, *, of_all: bool = False) -> Exception:
    words = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    text = f"The mail server answered {code}: {words}"
    if of_all or code == SHUTTING_DOWN or SYSTEM_TROUBLE.match(words):
        return ServerDown(text)
    return Undeliverable(text) if code >= 500 else TryLater(text)


def _built(message: Message, files: Sequence[File]) -> Letter:
    headers = {
        "Message-ID": message.message_id,
        "Date": format_datetime(now()),
    }
    if not kind_of(message).by_person:
        # Absence notes and robots do not answer such mail, so two desks cannot answer each other endlessly.
        headers["Auto-Submitted"] = "auto-replied" if message.kind == ANSWER else "auto-generated"
        headers["X-Auto-Response-Suppress"] = "All"
    if message.thread_id and message.thread_id != message.message_id:
        headers["In-Reply-To"] = headers["References"] = message.thread_id
    if message.kind == DIGEST:
        headers["List-Unsubscribe"] = f"<{settings.SITE_URL}/notifications/settings/>"
    mail = Letter(
        subject=message.subject,
        body=message.text,
        to=[message.address],
        reply_to=[message.reply_to] if message.reply_to else None,
        headers=headers,
    )
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    for each in files:
        mail.attach(each.name, each.data, each.content_type)
    return mail
