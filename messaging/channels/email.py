"""E-mail: one connection for a batch, and refusals told apart – this message, this moment, or the whole server."""

import smtplib
from email.utils import format_datetime
from types import TracebackType
from typing import Any, Self

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection

from ledger.now import now
from messaging.models import Message

NO_SERVER = "No mail server configured: readable here"


class Undeliverable(Exception):
    """Trying again would not help: a person has to look."""


class TryLater(Exception):
    """Not now; the next message may go through."""


class ServerDown(TryLater):
    """No connection: nothing can leave for the moment."""


def leaves_the_house() -> bool:
    """False when no mail server is configured, so that messages are read on the Messages page only."""
    return not settings.EMAIL_BACKEND.endswith("dummy.EmailBackend")


class Postman:
    """Hands messages over on one connection, opened at the first one and again after it broke."""

    def __init__(self) -> None:
        self._connection: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def hand_over(self, message: Message) -> str:
        """Give one message to the server and return what is worth noting. Raises Undeliverable, TryLater or ServerDown."""
        if not leaves_the_house():
            return NO_SERVER
        try:
            mail = _built(message)
            mail.message()
        except (ValueError, UnicodeError) as error:
            raise Undeliverable(f"The message could not be written as mail: {error}")
        self._open()
        self._send(mail)
        return f"Accepted by {settings.EMAIL_HOST}"

    def _send(self, mail: EmailMultiAlternatives) -> None:
        try:
            self._connection.send_messages([mail])
        except smtplib.SMTPRecipientsRefused as error:
            code, answer = next(iter(error.recipients.values()), (0, b""))
            raise _refusal(code, answer)
        except smtplib.SMTPDataError as error:
            raise _refusal(error.smtp_code, error.smtp_error)
        except (smtplib.SMTPNotSupportedError, UnicodeError) as error:
            raise Undeliverable(f"The mail server cannot take this address: {error}")
        except OSError as error:
            self._close()
            raise TryLater(f"The mail server broke off: {error}")

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

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.close()
        except OSError:
            return


def _refusal(code: int, answer: bytes | str) -> Exception:
    words = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    text = f"The mail server answered {code}: {words}"
    return Undeliverable(text) if code >= 500 else TryLater(text)


def _built(message: Message) -> EmailMultiAlternatives:
    headers = {
        "Message-ID": message.message_id,
        "Date": format_datetime(now()),
        # Absence notes and robots stay silent, so two desks never write to each other for ever.
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    if message.thread_id and message.thread_id != message.message_id:
        headers["In-Reply-To"] = headers["References"] = message.thread_id
    mail = EmailMultiAlternatives(
        subject=message.subject,
        body=message.text,
        to=[message.address],
        reply_to=[message.reply_to] if message.reply_to else None,
        headers=headers,
    )
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    return mail
