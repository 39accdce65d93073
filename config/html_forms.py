"""Fills a form on a finished page. Only values, ticks and choices change; every other character stays."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

VALUE = re.compile(r"\svalue(?:=\"[^\"]*\")?(?=[\s/>])")
TICKS = re.compile(r"\s(?:checked|selected)(?:=\"[^\"]*\")?(?=[\s/>])")
NOT_FILLED = frozenset(("hidden", "password", "file", "submit", "button", "image", "reset"))
Attrs = list[tuple[str, str | None]]


def filled(page: str, path: str, address: str, fields: Mapping[str, Sequence[str]]) -> str | None:
    """The page of `path`, with these values in the form that is posted to `address`. None if it has no such form, or none
    of these fields."""
    found = _Filler(page, path, address, fields)
    found.feed(page)
    found.close()
    return found.result() if found.placed else None


class _Filler(HTMLParser):
    def __init__(self, page: str, path: str, address: str, fields: Mapping[str, Sequence[str]]) -> None:
        super().__init__(convert_charrefs=False)
        self.page, self.path, self.address = page, path, address
        self.left = {name: list(values) for name, values in fields.items()}
        self.typed = {name: set(values) for name, values in fields.items()}
        self.lines = [0, *(match.end() for match in re.finditer("\n", page))]
        self.edits: dict[int, tuple[int, str]] = {}  # start → (end, new text)
        self.details: list[tuple[int, str, bool]] = []
        self.inside = self.placed = False
        self.select = ""
        self.text_of: tuple[int, str] | None = None

    def result(self) -> str:
        parts, at = [], 0
        for start, (end, text) in sorted(self.edits.items()):
            parts += [self.page[at:start], text]
            at = end
        return "".join([*parts, self.page[at:]])

    def _at(self) -> int:
        line, column = self.getpos()
        return self.lines[line - 1] + column

    def handle_startendtag(self, tag: str, attrs: Attrs) -> None:
        self.handle_starttag(tag, attrs)

    def handle_starttag(self, tag: str, attrs: Attrs) -> None:
        given, raw, at = dict(attrs), self.get_starttag_text() or "", self._at()
        if tag == "form":
            target = urlsplit(urljoin(self.path, given.get("action") or "")).path
            self.inside = (given.get("method") or "").lower() == "post" and target == self.address
        elif tag == "details":
            self.details.append((at, raw, "open" in given))
        elif self.inside and tag == "option" and self.select:
            chosen = (given.get("value") or "") in self.typed[self.select]
            self.edits[at] = (at + len(raw), _marked(raw, "selected", chosen))
        elif self.inside:
            self._field(tag, given, raw, at)

    def _field(self, tag: str, given: Mapping[str, str | None], raw: str, at: int) -> None:
        name, kind = given.get("name") or "", given.get("type") or "text"
        if tag == "input" and kind in ("checkbox", "radio"):
            if name in self.typed or kind == "checkbox":
                chosen = (given.get("value") or "on") in self.typed.get(name, ())
                self.edits[at] = (at + len(raw), _marked(raw, "checked", chosen))
        elif not self.left.get(name):
            return
        elif tag == "select":
            self.select = name
            self._place()
        elif tag == "textarea":
            self.text_of = (at + len(raw), self.left[name].pop(0))
            self._place()
        elif tag == "input" and kind not in NOT_FILLED:
            value = f' value="{escape(self.left[name].pop(0))}"'
            self.edits[at] = (at + len(raw), _with(VALUE.sub("", raw), value))
            self._place()

    def _place(self) -> None:
        self.placed = True
        for at, raw, is_open in self.details:
            if not is_open:
                self.edits[at] = (at + len(raw), _with(raw, " open"))

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self.text_of:
            start, text = self.text_of
            # A browser drops the first line end of a text area.
            self.edits[start] = (self._at(), "\n" + escape(text, quote=False))
            self.text_of = None
        elif tag == "select":
            self.select = ""
        elif tag == "details" and self.details:
            self.details.pop()
        elif tag == "form":
            self.inside = False


def _marked(raw: str, mark: str, chosen: bool) -> str:
    bare = TICKS.sub("", raw)
    return _with(bare, f" {mark}") if chosen else bare


def _with(raw: str, more: str) -> str:
    end = "/>" if raw.endswith("/>") else ">"
    return raw[: -len(end)].rstrip() + more + end
