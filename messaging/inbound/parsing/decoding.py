"""Converts bytes and header words to text that any database accepts. Bad input is replaced; nothing here raises."""

import base64
import binascii
import codecs
import quopri
import re

from messaging.inbound.parsing import charsets
from messaging.inbound.parsing.guessing import likely_encoding

_WORD = r"=\?([A-Za-z0-9_.:+*-]{1,60})\?([bBqQ])\?([^?]{0,4000})\?="
_ENCODED_WORD = re.compile(_WORD)
_ENCODED_WORDS = re.compile(rf"{_WORD.replace('(', '(?:')}(?:[ \t\r\n]{{0,80}}{_WORD.replace('(', '(?:')})*")
_CONTROLS = {number: None for number in range(32) if chr(number) not in "\t\n\r"}
_MULTI_BYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_NOT_ASCII = re.compile(rb"[\x80-\xff]+")
_LONG_SEQUENCE = re.compile(rb"[\xe0-\xf4][\x80-\xbf]{2}")
_LETTER_IN_WORD = re.compile(rb"[A-Za-z]\xc3[\x80-\xbf]|\xc3[\x80-\xbf][A-Za-z]")
_META = re.compile(
    rb"<meta\b[^>]{0,300}?charset\s{0,5}=\s{0,5}[\"']?\s{0,5}([\w.:+-]{1,40})|<\?xml\b[^>]{0,100}?encoding\s?=\s?[\"']"
    rb"([\w.:+-]{1,40})",
    re.IGNORECASE,
)
META_LOOKED_AT = 4_096
SURE_SEQUENCES = 3
MAX_HEADER_VALUE = 4_000


def clean(text: str, charset: str | None = None) -> str:
    """No control characters, no lone surrogates. Raw 8-bit header bytes are read as UTF-8, else in `charset`, the encoding
    that the mail names for its text, else as Latin-1; escape sequences of ISO 2022 are read too."""
    if not text.isascii() or "\x1b" in text:
        raw = text.encode("utf-8", "surrogateescape" if _only_escapes(text) else "replace")
        text = decode_bytes(raw, charset if charset and _keeps_ascii(charset) else None)[0]
    return text.translate(_CONTROLS)


def _keeps_ascii(charset: str) -> bool:
    codec = charsets.codec_of(charset)
    return codec is not None and codec not in ("utf_7", "utf_16", "utf_16_le", "utf_16_be", "hz")


def _only_escapes(text: str) -> bool:
    return not any("\ud800" <= character <= "\udc7f" or "\udd00" <= character <= "\udfff" for character in text)


def decode_bytes(raw: bytes, charset: str | None, *, page: bool = False) -> tuple[str, str]:
    """The text and, if the stated charset did not work, a problem as text.

    The bytes are asked first: a byte order mark, escape sequences, valid UTF-8 of several bytes, and the `<meta>` of a
    `page`. Programs write a wrong name of a charset more often than such bytes appear by chance.
    """
    marked = _by_mark(raw)
    if marked is not None:
        return marked, ""
    codec = charsets.codec_of(charset) if charset else None
    problem = f"unknown charset {(charset or '')[:40]!r}" if charset and not codec else ""
    if codec != charsets.ISO_2022 and charsets.has_escapes(raw):
        return charsets.decode_escapes(raw), problem
    if raw.isascii() and codec in (None, "cp1252", "utf-8") and b"\x1b" not in raw:
        return raw.decode("ascii"), problem
    if _is_utf_8(raw, codec):
        return raw.decode("utf-8"), problem or ("" if codec == "utf-8" or not charset else f"text is not {codec}")
    if charset and charsets.is_ascii(charset):
        codec = likely_encoding(raw)
    for name in filter(None, (_meta_codec(raw, codec) if page else None, codec)):
        try:
            return charsets.decode(raw, name), problem
        except (UnicodeError, ValueError, LookupError):
            problem = problem or f"text is not {name}"
    return _as_far_as_possible(raw, codec), problem or "text has no valid charset"


def _by_mark(raw: bytes) -> str | None:
    for mark, codec in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf_16_le"),
        (codecs.BOM_UTF16_BE, "utf_16_be"),
    ):
        if raw.startswith(mark):
            try:
                return raw[len(mark) :].decode(codec)
            except UnicodeError:
                return None
    return None


def _is_utf_8(raw: bytes, codec: str | None) -> bool:
    """Whether bytes above ASCII are UTF-8 whatever encoding is named. A few letters of another encoding may look like UTF-8
    by chance: they count as UTF-8 only if they make no words in the encoding that is named."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    if text.isascii() or codec is None or codec in charsets.USUAL:
        return not text.isascii()
    if codec.startswith("utf_"):
        return False
    try:
        named = charsets.decode(raw, codec)
    except (UnicodeError, ValueError, LookupError):
        return True
    sequences = len(_MULTI_BYTE.findall(raw))
    if codec in charsets.MANY_BYTES:
        return bool(_LONG_SEQUENCE.search(raw) or _LETTER_IN_WORD.search(raw)) or sequences >= 2 * SURE_SEQUENCES
    return sequences >= SURE_SEQUENCES or not all(each.isalnum() for each in named if not each.isascii())


def _meta_codec(raw: bytes, codec: str | None) -> str | None:
    """The encoding that a page names itself. A usual name there does not outweigh a special one in the header."""
    found = _META.search(raw[:META_LOOKED_AT])
    inner = charsets.codec_of((found[1] or found[2]).decode("ascii", "replace")) if found else None
    if inner is None or inner.startswith("utf_16"):
        return None
    return None if inner in charsets.USUAL and codec not in (None, *charsets.USUAL) else inner


def _as_far_as_possible(raw: bytes, codec: str | None) -> str:
    """Text that is not in the encoding it names, or names none. Damaged UTF-8 keeps its other letters."""
    if codec and codec not in charsets.USUAL:
        return _replaced(raw, codec)
    rest = _MULTI_BYTE.sub(b"", raw)
    if codec == "utf-8" and len(raw) - len(rest) > sum(map(len, _NOT_ASCII.findall(rest))):
        return raw.decode("utf-8", "replace")
    return _replaced(raw, likely_encoding(raw))


def _replaced(raw: bytes, codec: str) -> str:
    try:
        return raw.decode({"cp950": "big5hkscs"}.get(codec, codec), "replace")
    except (UnicodeError, ValueError, LookupError):
        return raw.decode("cp1252", "replace")


def decode_words(value: str) -> str:
    """A header value with its encoded words (RFC 2047) read, on one line. Words beside each other are read together,
    because programs cut a character in two."""
    return " ".join(clean(_ENCODED_WORDS.sub(_decode_run, value[:MAX_HEADER_VALUE])).split())


def _decode_run(run: re.Match[str]) -> str:
    pieces: list[tuple[str, bytes]] = []
    for charset, encoding, text in _ENCODED_WORD.findall(run.group()):
        name = charset.partition("*")[0].lower()
        raw = text.encode("utf-8", "surrogateescape" if _only_escapes(text) else "replace")
        raw = quopri.decodestring(raw, header=True) if encoding in "qQ" else decode_base64(raw)
        if pieces and pieces[-1][0] == name:
            pieces[-1] = (name, pieces[-1][1] + raw)
        else:
            pieces.append((name, raw))
    return "".join(decode_bytes(raw, name)[0] for name, raw in pieces)


def decode_base64(raw: bytes) -> bytes:
    """The readable part: foreign characters are skipped, an incomplete end is completed or dropped."""
    packed = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
    packed = packed[: len(packed) - 1] if len(packed) % 4 == 1 else packed
    try:
        return base64.b64decode(packed + b"=" * (-len(packed) % 4))
    except (binascii.Error, ValueError):
        return b""
