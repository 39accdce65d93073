"""Converts bytes and header words to text that any database accepts. Bad input is replaced; nothing here raises."""

import base64
import binascii
import codecs
import quopri
import re

_ENCODED_WORD = re.compile(r"=\?([A-Za-z0-9_.:+*-]{1,60})\?([bBqQ])\?([^?]{0,4000})\?=")
_GAP_BETWEEN_WORDS = re.compile(r"(\?=)[ \t\r\n]{1,80}(?==\?[A-Za-z0-9_.:+*-]{1,60}\?[bBqQ]\?)")
_UNSAFE_CODECS = ("idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem", "utf_7")
_CONTROLS = {number: None for number in range(32) if chr(number) not in "\t\n\r"}
MAX_HEADER_VALUE = 4_000


def clean(text: str) -> str:
    """No control characters, no lone surrogates; raw 8-bit header bytes are read as UTF-8 or Latin-1."""
    if not text.isascii():
        raw = text.encode("utf-8", "surrogateescape" if _only_escapes(text) else "replace")
        text = decode_bytes(raw, None)[0]
    return text.translate(_CONTROLS)


def _only_escapes(text: str) -> bool:
    return not any("\ud800" <= character <= "\udc7f" or "\udd00" <= character <= "\udfff" for character in text)


def decode_bytes(raw: bytes, charset: str | None) -> tuple[str, str]:
    """The text and, if the stated charset did not work, a problem as text."""
    problem = ""
    codec = _codec((charset or "us-ascii").strip(" \"'"))
    if codec is None:
        problem = f"unknown charset {(charset or '')[:40]!r}"
    for name in dict.fromkeys([codec or "utf-8", "utf-8"]):
        try:
            return raw.decode(name), problem
        except (UnicodeError, ValueError, LookupError):
            problem = problem or (f"text is not {name}" if charset or name != "ascii" else "")
    if codec in (None, "ascii"):
        return raw.decode("cp1252", "replace"), problem or "text has no valid charset"
    return raw.decode(codec, "replace"), problem


def _codec(charset: str) -> str | None:
    try:
        info = codecs.lookup(charset)
    except (LookupError, ValueError, UnicodeError):
        return None
    name = info.name.replace("-", "_")
    if name in _UNSAFE_CODECS or not getattr(info, "_is_text_encoding", True):
        return None
    return {"iso8859-1": "cp1252", "ascii": "ascii"}.get(info.name, info.name)


def decode_words(value: str) -> str:
    """A header value with its encoded words (RFC 2047) read, on one line."""
    value = _GAP_BETWEEN_WORDS.sub(r"\1", value[:MAX_HEADER_VALUE])
    return " ".join(clean(_ENCODED_WORD.sub(_decode_word, value)).split())


def _decode_word(match: re.Match[str]) -> str:
    charset, encoding, text = match.groups()
    raw = text.encode("utf-8", "replace")
    if encoding in "qQ":
        raw = quopri.decodestring(raw, header=True)
    else:
        raw = decode_base64(raw)
    return decode_bytes(raw, charset.partition("*")[0])[0]


def decode_base64(raw: bytes) -> bytes:
    """The readable part: foreign characters are skipped, an incomplete end is completed or dropped."""
    packed = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
    packed = packed[: len(packed) - 1] if len(packed) % 4 == 1 else packed
    try:
        return base64.b64decode(packed + b"=" * (-len(packed) % 4))
    except (binascii.Error, ValueError):
        return b""
