"""Addresses, message ids and dates from header values with any content."""

import hashlib
import re
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from email.utils import getaddresses, parsedate_to_datetime

from messaging.inbound.parsing.decoding import clean, decode_words

_PLAUSIBLE = re.compile(r"^[^\s<>@,;:\"()\[\]\\]{1,64}@[^\s<>@,;:\"()\\]{1,253}$")
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,400}>")
_GOOD_MESSAGE_ID = re.compile(r"^<[^<>\s@]{1,240}@[^<>\s@]{1,240}>$")
RECIPIENT_HEADERS = (
    "to",
    "cc",
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "x-envelope-to",
    "resent-to",
    "apparently-to",
)
MAX_ADDRESSES = 500
MAX_ADDRESS_HEADER = 16_000


def addresses(values: list[str]) -> list[tuple[str, str]]:
    """(name, address) pairs; addresses in lower case, without implausible ones and duplicates."""
    found: dict[str, str] = {}
    for value in values:
        for name, address in _pairs(clean(value)[:MAX_ADDRESS_HEADER]):
            if _PLAUSIBLE.match(address) and len(found) < MAX_ADDRESSES:
                found.setdefault(address.lower(), decode_words(name))
    return [(name, address) for address, name in found.items()]


def _pairs(value: str) -> list[tuple[str, str]]:
    try:
        return getaddresses([value])
    except (RecursionError, ValueError, IndexError, TypeError):
        return []


def message_id(values: list[str], raw: bytes) -> tuple[str, str]:
    """The mail's id, and a problem if its own could not be used. A derived id is the same for the same bytes."""
    tokens = [clean(value).strip() for value in values]
    if len(tokens) == 1 and _GOOD_MESSAGE_ID.match(tokens[0]):
        return tokens[0], ""
    problem = (
        "no Message-ID" if not tokens else "more than one Message-ID" if len(tokens) > 1 else "unusable Message-ID"
    )
    return f"<{hashlib.sha256(raw).hexdigest()}@no-message-id>", problem


def message_ids(values: list[str], limit: int = 100) -> list[str]:
    """The ids named in In-Reply-To or References, in order, each once."""
    found = dict.fromkeys(_MESSAGE_ID.findall(clean(" ".join(values))))
    return list(found)[-limit:]


def date(value: str) -> datetime | None:
    """In UTC; a time without a zone is read as UTC; an impossible one gives None.

    So does one in the first or last year of the calendar, which has no time in other zones.
    """
    try:
        read = parsedate_to_datetime(clean(value)[:200])
        found = (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, IndexError, OverflowError, AttributeError):
        return None
    return found if MINYEAR < found.year < MAXYEAR else None
