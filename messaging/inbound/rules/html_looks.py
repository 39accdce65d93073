"""What a tag and its attributes say of how its text looks to who wrote it: not shown at all, struck out, or quoted."""

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
_ATTRIBUTE = re.compile(r"([^\s=>\"'/]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?")
_MAY_TELL = re.compile(r"hidden|style", re.IGNORECASE)
_CSS_COMMENT = re.compile(r"/\*.*?(?:\*/|$)", re.DOTALL)
_NOTHING = re.compile(r"(?:0+\.?0*|\.0+)(?:[a-z]{1,4}|%)?")
_FONT_OF_NO_SIZE = re.compile(r"(?:^|\s)0*\.?0+(?:[a-z]{1,4}|%)?(?=[\s/])")


def look_of(name: str, attributes: str) -> Look:
    """By the tag itself, its `hidden` and its `style`; style sheets, colours and places off the page are not followed."""
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
    for name, *values in _ATTRIBUTE.findall(text):
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
