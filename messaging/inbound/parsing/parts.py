"""The parts of a mail: its text, its HTML and its attachments."""

import quopri
import re
from dataclasses import dataclass, field
from email.message import Message
from functools import cached_property
from itertools import islice

from messaging.inbound.parsing.decoding import clean, decode_base64, decode_bytes, decode_words
from messaging.inbound.parsing.parsed import MAX_DEPTH, MAX_PARTS, MAX_TEXT_CHARACTERS, MailRefused
from messaging.inbound.rules.automatic import Part
from messaging.inbound.rules.html_text import html_to_text
from messaging.inbound.rules.unread_parts import is_calendar

_PARAMETER = re.compile(
    r";\s{0,20}(filename|name|charset)(\*\d{0,2}\*?)?\s{0,20}=\s{0,20}(\"[^\"]{0,500}\"|[^;\s]{1,500})", re.IGNORECASE
)
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
MAX_PARAMETERS = 4_000
OTHER_TEXT = (
    "text/markdown",
    "text/x-markdown",
    "text/enriched",
    "text/richtext",
)  # read as it is, if the mail has no other
FIRST_PARTS = 10
START, START_OF_CALENDAR = 2_000, 50_000
INNER = 3
INNER_LINES = 60


@dataclass
class Body:
    text: str = ""
    html: str = ""
    attachments: list[tuple[str, str, int]] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)  # all that is not the text, as the rules for automatic mail read it
    calendar: str = ""  # the first calendar part
    contents: list[bytes] | None = None  # of the attachments, in their order, if they are wanted
    problems: list[str] = field(default_factory=list)

    @cached_property
    def page(self) -> str:
        """The HTML as text. Call it only when the body is complete, because it is read once."""
        return html_to_text(self.html)


def read_body(message: Message, *, contents: bool = False) -> Body:
    _check_structure(message)
    body = Body(contents=[] if contents else None)
    for part in _leaves(message):
        _read_part(part, body)
    body.text, body.html = (_cut(clean(each), body) for each in (body.text, body.html))
    body.problems = list(dict.fromkeys(body.problems))[:20]
    return body


def text_charset(message: Message) -> str | None:
    """The encoding that the first text part names."""
    texts = (part for part in islice(message.walk(), FIRST_PARTS) if part.get_content_maintype() == "text")
    return next(filter(None, (_parameter(part, "content-type", "charset") for part in texts)), None)


def _check_structure(message: Message) -> None:
    """Counts parts inside attached mails too, because they take as much time."""
    waiting, count = [(message, 1)], 0
    while waiting:
        part, depth = waiting.pop()
        count += 1
        if depth > MAX_DEPTH:
            raise MailRefused(f"The mail's parts are nested more than {MAX_DEPTH} deep.")
        if count > MAX_PARTS:
            raise MailRefused(f"The mail has more than {MAX_PARTS} parts.")
        waiting.extend((child, depth + 1) for child in _children(part))


def _children(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [child for child in payload if isinstance(child, Message)] if isinstance(payload, list) else []


def _leaves(part: Message) -> list[Message]:
    """Parts in order; an attached mail is one leaf."""
    if part.get_content_maintype() == "message" or not _children(part):
        return [part]
    return [leaf for child in _children(part) for leaf in _leaves(child)]


def _read_part(part: Message, body: Body) -> None:
    content_type = clean(part.get_content_type())[:100]
    name = _file_name(part)
    is_text = content_type in ("text/plain", "text/html") or content_type.startswith("multipart/")
    is_words = is_text or (content_type in OTHER_TEXT and not body.text and not body.html)
    inline = is_words and not name and not _is_attachment(part)
    if part.get_content_maintype() == "message":
        size = sum(len(_raw_bytes(each)) for each in part.walk())
        body.attachments.append((name or "message.eml", content_type, size))
        body.parts.append(Part(_full_type(part), _inner_headers(part)))
        if body.contents is not None:
            body.contents.append(b"".join(child.as_bytes() for child in _children(part)))
        return
    raw = _payload(part, body)
    if is_calendar(name, content_type) and not body.calendar:
        body.calendar = clean(decode_bytes(raw[:START_OF_CALENDAR], _parameter(part, "content-type", "charset"))[0])
    if not inline:
        if raw or name:
            body.attachments.append((name, content_type, len(raw)))
            if body.contents is not None:
                body.contents.append(raw)
        start = decode_bytes(raw[:START], _parameter(part, "content-type", "charset"))[0] if is_text else ""
        body.parts.append(Part(_full_type(part), clean(start)))
        return
    charset = _parameter(part, "content-type", "charset")
    text, problem = decode_bytes(raw[: MAX_TEXT_CHARACTERS * 4], charset, page=content_type == "text/html")
    body.problems += [problem] if problem else []
    if content_type == "text/html":
        body.html += text
    else:
        body.text += ("\n" if body.text and not body.text.endswith("\n") else "") + text


def _full_type(part: Message) -> str:
    return _header(part, "content-type").lower().replace('"', "")[:300] or part.get_content_type()


def _inner_headers(part: Message) -> str:
    """The headers of an attached mail or report."""
    lines = (f"{name}: {value}" for child in _children(part)[:INNER] for name, value in child.raw_items())
    return clean("\n".join(islice(lines, INNER_LINES)))[:START]


def _is_attachment(part: Message) -> bool:
    return _header(part, "content-disposition").strip().lower().startswith("attachment")


def _header(part: Message, name: str) -> str:
    values = (value for header, value in part.raw_items() if header.lower() == name)
    return clean(str(next(values, "")))[:MAX_PARAMETERS]


def _payload(part: Message, body: Body) -> bytes:
    """The decoded bytes; with an unknown or wrong transfer encoding, the bytes unchanged."""
    encoding = _header(part, "content-transfer-encoding").split(";")[0].strip().strip("\"'").lower().replace(" ", "")
    del part["Content-Transfer-Encoding"]  # the library then returns the bytes unchanged
    raw = _raw_bytes(part)
    if encoding == "base64":
        if re.search(rb"[^A-Za-z0-9+/=\s]", raw):
            body.problems.append("base64 holds foreign characters")
        return decode_base64(raw)
    if encoding in ("quoted-printable", "quotedprintable"):
        return quopri.decodestring(raw)
    if encoding not in ("", "7bit", "8bit", "binary", "7-bit", "8-bit"):
        body.problems.append(f"unknown transfer encoding {encoding[:40]!r}")
    return raw


def _raw_bytes(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _parameters(part: Message, header: str) -> dict[str, str]:
    """Parameters by base name; RFC 2231 pieces are joined in their order in the mail."""
    found: dict[str, str] = {}
    for name, piece, quoted in _PARAMETER.findall(_header(part, header)):
        value = quoted.strip('"')
        found[name.lower()] = found.get(name.lower(), "") + (_percent_decoded(value) if piece.endswith("*") else value)
    return found


def _percent_decoded(value: str) -> str:
    charset, quote, rest = value.partition("'")
    _, second, text = rest.partition("'")
    charset, text = (charset, text) if quote and second else ("utf-8", value)
    raw = _PERCENT.sub(lambda match: bytes([int(match.group(1), 16)]), text.encode("utf-8", "replace"))
    return decode_bytes(raw, charset)[0]


def _parameter(part: Message, header: str, name: str) -> str | None:
    return _parameters(part, header).get(name)


def _file_name(part: Message) -> str:
    """The file name without folders and control characters."""
    name = _parameter(part, "content-disposition", "filename") or _parameter(part, "content-type", "name") or ""
    return re.split(r"[/\\]", decode_words(name))[-1].strip()[:200]


def _cut(text: str, body: Body) -> str:
    if len(text) <= MAX_TEXT_CHARACTERS:
        return text
    body.problems.append(f"text cut at {MAX_TEXT_CHARACTERS} characters")
    return text[:MAX_TEXT_CHARACTERS]
