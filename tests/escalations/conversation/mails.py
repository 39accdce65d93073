"""Mails of customers, told shortly."""

from itertools import count

from escalations.models import Escalation, Event
from messaging.inbound import receive as inbound
from messaging.models import InboundMail

NUMBER = count(1)


def write(text: str, **headers: str) -> InboundMail:
    """A mail of Northwind's contact to the desk, unless the headers say otherwise."""
    number = next(NUMBER)
    lines = {
        "From": "Jonas Thiel <jonas@northwind.example>",
        "To": "desk@localhost",
        "Subject": "",
        "Message-ID": f"<m{number}@northwind.example>",
        "Date": "Mon, 02 Mar 2026 10:00:00 +0100",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return inbound.receive(raw=f"{head}\r\n{text}\r\n".encode())


def said(case: Escalation) -> list[Event]:
    """The customer's entries in the log of a case."""
    return list(
        case.events.filter(kind=Event.CUSTOMER_MESSAGE).select_related("text", "message__signal").order_by("seq")
    )


def words(case: Escalation) -> list[str]:
    """What the customer said on a case."""
    return [entry.text.body for entry in said(case) if entry.text]
