"""Answers to approval mail, as they come in."""

import re
from typing import Any

from messaging.inbound import receive as inbound
from messaging.models import InboundMail, Message

AUTHSERV = "mx.desk.example"
VOUCHED = f"Authentication-Results: {AUTHSERV}; dmarc=pass header.from=desk.example\r\n"


def token_of(made: Any, seat: int = 1, suffix: str = "") -> str:
    """The token in the mail about a seat."""
    text = Message.objects.get(key=f"approval:{made.pk}:{seat}{suffix}").text
    return re.findall(r"/d/([a-z2-7]{52})/", text)[0]


def raw_reply(
    token: str,
    text: str = "Approve",
    *,
    sender: str = "Lena Ortiz <lena@desk.example>",
    proof: str = VOUCHED,
    headers: str = "",
    number: int = 1,
    to: str = "",
) -> bytes:
    """A reply of a mail program, with the question quoted below it."""
    quoted = "On Mon, Mar 2, 2026 at 9:00 AM Escalation Desk <desk@desk.example> wrote:\r\n> Approve or decline?\r\n> approve"
    return (
        f"{proof}{headers}From: {sender}\r\nTo: {to or f'approve+{token}@desk.example'}\r\n"
        f"Subject: Re: Decision needed\r\nMessage-ID: <reply-{number}@desk.example>\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n\r\n{quoted}\r\n"
    ).encode()


def receive(token: str, text: str = "Approve", **more: Any) -> InboundMail:
    """The same, taken in."""
    return inbound.receive(raw=raw_reply(token, text, **more))


def answers() -> list[Message]:
    """What was written back, oldest first."""
    return list(Message.objects.filter(kind="mail_answer").order_by("pk"))
