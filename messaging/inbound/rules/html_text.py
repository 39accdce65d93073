"""Converts the HTML of a mail to plain text and marks quoted, struck-out and hidden words. The tokenizer is our own:
one pass with `str.find` only, so that the cost of hostile markup is linear in its length (the parser of the standard
library is quadratic on unclosed comments and tags).
"""

import re
from html import unescape
from typing import Literal

Look = Literal["unseen", "struck", "cited", ""]

UNSEEN = frozenset(
    "style script head title template noscript object svg textarea select option optgroup datalist iframe noframes canvas "
    "audio video".split()
)
STRUCK = frozenset(["s", "del", "strike"])
CITED = frozenset(["q", "cite"])
_LINES = ("text-decoration", "text-decoration-line", "-webkit-text-decoration")
_ANY_ATTRIBUTE = re.compile(r"([^\s=>\"'/]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?")
_MAY_TELL = re.compile(r"hidden|style", re.IGNORECASE)
_CSS_COMMENT = re.compile(r"/\*.*?(?:\*/|$)", re.DOTALL)
_NOTHING = re.compile(r"(?:0+\.?0*|\.0+)(?:[a-z]{1,4}|%)?")
_FONT_OF_NO_SIZE = re.compile(r"(?:^|\s)0*\.?0+(?:[a-z]{1,4}|%)?(?=[\s/])")


def look_of(name: str, attributes: str) -> Look:
    """The look by the tag itself, its `hidden` and its `style`. Style sheets, colours and places outside the page are
    not evaluated."""
    style: dict[str, str] = {}
    unseen = name in UNSEEN
    if not unseen and attributes and _MAY_TELL.search(attributes):
        found = _attributes(attributes)
        style = _declarations(found.get("style", ""))
        unseen = "hidden" in found or _is_unseen(style)
    if unseen:
        return "unseen"
    if name in STRUCK or (style and any("line-through" in style.get(line, "") for line in _LINES)):
        return "struck"
    return "cited" if name in CITED else ""


def _is_unseen(style: dict[str, str]) -> bool:
    return (
        style.get("display") == "none"
        or style.get("visibility") in ("hidden", "collapse")
        or bool(_NOTHING.fullmatch(style.get("opacity", "")))
        or bool(_NOTHING.fullmatch(style.get("font-size", "")))
        or bool(_FONT_OF_NO_SIZE.search(style.get("font", "")))
    )


def _attributes(text: str) -> dict[str, str]:
    """By name in lower case; the first of two counts, as in a browser."""
    found: dict[str, str] = {}
    for name, *values in _ANY_ATTRIBUTE.findall(text):
        found.setdefault(name.lower(), unescape("".join(values)))
    return found


def _declarations(css: str) -> dict[str, str]:
    """Properties of a `style`: the last one counts, an important one before it more."""
    found: dict[str, str] = {}
    important: set[str] = set()
    for declaration in _CSS_COMMENT.sub("", css.lower()).split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        value, mark, _ = value.partition("!")
        if not value or (name in important and not mark):
            continue
        found[name] = value.strip()
        important |= {name} if mark else set()
    return found


MAX_CHARACTERS = 1_000_000
MAX_TAG = 4_000
MAX_TAGS = 100_000  # the rest of such a page is ignored
MAX_DEPTH = 100
ORIGINAL_MARK = "-----Original Message-----"

_TAG_NAME = re.compile(r"/?[a-zA-Z][a-zA-Z0-9:]*")
_ATTRIBUTE = re.compile(
    r"\b(class|id|type|data-signatureblock)\s{0,3}=\s{0,3}(?:\"([^\"]{0,400})\"|'([^']{0,400})'|([^\s>\"']{1,400}))",
    re.I,
)
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
# The content of these tags is text up to their own closing tag, even if it looks like tags.
_RAW = {name: re.compile(f"</{name}", re.I) for name in ("style", "script", "textarea", "title", "iframe", "noframes")}
_BLOCK = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "html",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "tr",
        "ul",
    ]
)
# Struck-out and quoted words within a line are kept in marks, so that they are not read as a decision.
_MARKS = {"struck": "~~{}~~", "cited": "“{}”"}
# Marks by which mail programs identify quotations, signatures and the header block above a quotation.
_QUOTE_MARKS = (
    "yahoo_quoted",
    "moz-cite-prefix",
    "gmail_attr",
    "protonmail_quote",
    "zmail_extra",
    "gmail_quote_attribution",
)
_SIGNATURE_MARKS = (
    "gmail_signature",
    "moz-signature",
    "applemailsignature",
    "ms-outlook-mobile-signature",
    "protonmail_signature_block",
    "data-signatureblock",
)
_HEADER_MARKS = (
    "outlookmessageheader",
    "divrplyfwdmsg",
    "appendonsend",
    "stopspelling",
    "mail-editor-reference-message",
)


def html_to_text(html: str) -> str:
    return _Reader().read(html[:MAX_CHARACTERS])


class _Reader:
    """Walks the tags once. `open` holds (tag, role) of the open tags; roles are quote, unseen, struck, cited or
    nothing. `line` holds the pieces of the line so far; those from `piece` on have the same look."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.line: list[str] = []
        self.piece = 0
        self.open: list[tuple[str, str]] = []
        self.inside = dict.fromkeys(("quote", "unseen", "struck", "cited", ""), 0)
        self.endless: set[str] = set()

    def read(self, html: str) -> str:
        at = 0
        for _ in range(MAX_TAGS):
            tag = html.find("<", at)
            self._text(html[at:] if tag < 0 else html[at:tag])
            if tag < 0:
                break
            at = self._markup(html, tag)
        self._end_line()
        return "\n".join(self.lines)

    def _markup(self, html: str, at: int) -> int:
        """Handle the markup that starts with `<` at `at`; returns the position after it."""
        if html.startswith("<!--", at):
            return self._skip_past(html, "-->", at + 4)
        name = _TAG_NAME.match(html, at + 1)
        if html.startswith(("<!", "<?"), at):
            return self._skip_past(html, ">", at + 1)
        end = html.find(">", at, at + MAX_TAG)
        if not name or end < 0:
            self._text("<")
            return at + 1
        if "@" in html[at : min(end, name.end() + 80)] and html[name.end()] in "@.-_+":
            self._text(html[at : end + 1])  # an address with unescaped brackets
            return end + 1
        return self._tag(html, name.group().lower(), html[name.end() : end], end + 1)

    def _skip_past(self, html: str, mark: str, at: int) -> int:
        end = html.find(mark, at)
        return len(html) if end < 0 else end + len(mark)

    def _tag(self, html: str, name: str, attributes: str, after: int) -> int:
        if name in _RAW:
            end = self._raw_end(html, name, after)
            if end >= 0 or name in ("style", "script"):
                return max(after, end)
        if name.startswith("/"):
            self._close(name[1:])
        else:
            self._start(name, attributes)
        return after

    def _raw_end(self, html: str, name: str, after: int) -> int:
        """The position of the closing tag, -1 if there is none. It is searched only once."""
        if name in self.endless:
            return -1
        found = _RAW[name].search(html, after)
        if not found:
            self.endless.add(name)
        return found.start() if found else -1

    def _start(self, name: str, attributes: str) -> None:
        marks = _marks(attributes)
        if any(mark in marks for mark in _HEADER_MARKS):
            self._end_line()
            self._text(ORIGINAL_MARK)
            self._end_line()
        if name == "br" or name in _BLOCK:
            self._end_line(keep_empty=name == "br")
        elif name in ("td", "th"):
            self.line.append(" ")
        if name not in _VOID and not attributes.endswith("/"):
            self._push(name, _role(name, marks, attributes))

    def _push(self, name: str, role: str) -> None:
        if len(self.open) >= MAX_DEPTH:
            return
        self._end_piece(role)
        self.open.append((name, role))
        self.inside[role] += 1

    def _close(self, name: str) -> None:
        if name in _BLOCK:
            self._end_line(keep_empty=name == "p")
        if all(name != tag for tag, _ in self.open):
            return
        while self.open:
            tag, role = self.open.pop()
            self._end_piece(role)
            self.inside[role] -= 1
            if tag == name:
                break

    def _text(self, text: str) -> None:
        if text and not self.inside["unseen"]:
            self.line.append(_BLANKS.sub(" ", unescape(text)))

    def _end_piece(self, role: str) -> None:
        """Mark the text since the last change of the look, if `role` changes it."""
        if role not in _MARKS:
            return
        mark = next((each for each in _MARKS if self.inside[each]), "")
        text = "".join(self.line[self.piece :])
        bare = text.strip()
        if mark and bare:
            self.line[self.piece :] = [text.replace(bare, _MARKS[mark].format(bare), 1)]
        self.piece = len(self.line)

    def _end_line(self, keep_empty: bool = False) -> None:
        if self.inside["struck"] or self.inside["cited"]:
            self._end_piece("struck")
        text = "".join(self.line).strip(" ")
        self.line, self.piece = [], 0
        if text or (keep_empty and self.lines and self.lines[-1].strip("> ")):
            self.lines.append("> " * min(self.inside["quote"], 5) + text)


def _marks(attributes: str) -> str:
    if not attributes:
        return ""
    return " ".join(" ".join(filter(None, match)) for match in _ATTRIBUTE.findall(attributes[:2_000])).lower()


def _role(name: str, marks: str, attributes: str) -> str:
    look = look_of(name, attributes)
    if look == "unseen" or any(mark in marks for mark in _SIGNATURE_MARKS):
        return "unseen"
    if name == "blockquote" or any(mark in marks for mark in _QUOTE_MARKS):
        return "quote"
    return look
