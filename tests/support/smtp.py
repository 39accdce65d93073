"""A real SMTP server on a free port of the loopback that keeps received mail."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.ports import free_port


class Mailbox:
    """The received mail, in order. `refuse_next` answers that many messages with a temporary error."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.refuse_next = 0
        self.url = ""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Called by aiosmtpd for each message."""
        if self.refuse_next > 0:
            self.refuse_next -= 1
            return "451 try again later"
        message = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        message["X-Envelope-To"] = ", ".join(envelope.rcpt_tos)
        self.messages.append(message)
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        """Messages delivered to `address`."""
        return [each for each in self.messages if address in str(each["X-Envelope-To"]).split(", ")]

    def wait_for(self, wanted: Callable[[EmailMessage], bool], seconds: float = 20) -> EmailMessage:
        """The first matching message; AssertionError with the received subjects if none arrives in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for message in list(self.messages):
                if wanted(message):
                    return message
            time.sleep(0.1)
        seen = [f"{each['X-Envelope-To']}: {each['Subject']}" for each in self.messages]
        raise AssertionError(f"no such mail within {seconds} s; seen {seen}")


def plain_text(message: EmailMessage) -> str:
    """The text part."""
    part = message.get_body(preferencelist=("plain",))
    return part.get_content() if part else ""


@contextmanager
def running_smtp() -> Iterator[Mailbox]:
    """Run the server in a block; `url` is the value for EMAIL_URL."""
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    mailbox.url = f"smtp://127.0.0.1:{controller.port}"
    try:
        yield mailbox
    finally:
        controller.stop()
