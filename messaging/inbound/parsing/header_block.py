"""Checks that every program reads the same sender from a mail's header.

Our mail server vouched for the From header that *it* saw. Programs differ on where a line ends (a bare CR), where the
header ends (CR CR, LF LF) and on blanks before a colon, so a mail can show one sender to the server and another one to
us.
"""

import re

from messaging.inbound.parsing.parsed import MAX_HEADER_BYTES

_LEADING_LINES = re.compile(rb"(?:\r?\n){0,1000}")
_EMPTY_LINE = re.compile(rb"\n\r?\n")
_STRICT_EMPTY_LINE = re.compile(rb"\r\n\r\n")
_UNCLEAR = re.compile(rb"\r(?!\n)|\x00")
# All spellings that a lenient program accepts: blanks, controls or foreign bytes around the name. A line that begins
# with a blank continues the line before; only the first line cannot.
_FROM = re.compile(rb"(?:\A[ \t]*|^)([^\t -~\n]*from[^!-~\n]*):", re.IGNORECASE | re.MULTILINE)


def sender_is_clear(raw: bytes) -> bool:
    """True when the header holds exactly one line that any program could take for From, spelled plainly, and neither a
    bare CR nor a NUL. It does not say who the sender is."""
    block = _longest_block(raw)
    if len(block) > MAX_HEADER_BYTES + 8 or _UNCLEAR.search(block):
        return False
    return [name.lower() for name in _FROM.findall(block)] == [b"from"]


def _longest_block(raw: bytes) -> bytes:
    """The longest possible header: if lines end in CR LF, a strict server ends the header only at CR LF CR LF."""
    start = _LEADING_LINES.match(raw)
    body = raw[start.end() :] if start else raw
    end = _end(_EMPTY_LINE, body, 0)
    if b"\r\n" in body[:end]:
        end = _end(_STRICT_EMPTY_LINE, body, max(end - 4, 0))
    return body[:end]


def _end(mark: re.Pattern[bytes], raw: bytes, start: int) -> int:
    found = mark.search(raw, start)
    return found.end() if found else len(raw)
