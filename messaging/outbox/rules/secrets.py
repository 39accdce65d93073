"""Addresses that work like a password: never shown to others, never logged."""

import re

# Our tokens have 32 random bytes or more, written without blanks in a reply address or in a link.
_REPLY_ADDRESS = re.compile(r"\+[A-Za-z0-9_-]{32,}(?=@)")
_LINK = re.compile(r"(?<=/d/)[A-Za-z0-9_-]{32,}")


def masked(text: str) -> str:
    """The text without the secret part of reply addresses and decision links."""
    return _LINK.sub("…", _REPLY_ADDRESS.sub("+…", text))
