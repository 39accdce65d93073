"""Mail that a mail service delivers by calling our webhook."""

from anymail.signals import AnymailInboundEvent

from messaging.inbound import receive as inbound
from messaging.models import InboundMail

LONGEST_ADDRESS = 320
HEADER_LOOKED_AT = 64 * 1024


def take(*, event: AnymailInboundEvent, service: str) -> InboundMail:
    """Receive the mail of an Anymail inbound event: its own bytes if the service sends them, else the mail that Anymail
    built. If its headers do not name the address it was delivered to, a header with that address is added at the top.
    """
    raw = _raw(event)
    recipient = str(event.message.envelope_recipient or "")
    address = recipient.strip().strip("<>")
    named = address.lower().encode() in raw[:HEADER_LOOKED_AT].lower()
    if "@" in address and address.isascii() and address.isprintable() and " " not in address and not named:
        raw = f"Delivered-To: {address[:LONGEST_ADDRESS]}\r\n".encode() + raw
    return inbound.receive(raw=raw, channel=service)


def _raw(event: AnymailInboundEvent) -> bytes:
    given = event.esp_event
    form = getattr(given, "POST", None)
    if form is not None:
        text = form.get("body-mime") or form.get("email") or ""
    else:
        text = given.get("RawEmail") or "" if isinstance(given, dict) else ""
    if isinstance(text, str) and text:
        return text.encode("utf-8", "surrogateescape")
    try:
        return bytes(event.message.as_bytes())
    except (LookupError, UnicodeError, TypeError, ValueError):
        return str(event.message.as_string()).encode("utf-8", "replace")
