"""Whether the brief is ready for a decision. Names the missing parts and refuses vague deadlines."""

import re
from collections.abc import Mapping
from typing import NotRequired, TypedDict

from approvals.requests.rules.verdicts import Option
from ledger.reading import has_words

REQUIRED = ("summary", "facts", "options", "recommendation", "ask", "next_step")
NAMES = {
    "summary": "Summary",
    "classification": "Classification",
    "account": "Account context",
    "troubleshooting": "Troubleshooting log",
    "artifacts": "Key artifacts",
    "facts": "Facts",
    "options": "Options and trade-offs",
    "recommendation": "Recommendation",
    "conversation": "Talking points, risks, desired outcome",
    "ask": "The ask",
    "next_step": "Next step",
}
VAGUE = re.compile(
    r"\b(as soon as possible|a\.?s\.?a\.?p\.?|at your earliest convenience|whenever you can)\b", re.IGNORECASE
)


class BriefFile(TypedDict):
    """A file of a frozen brief: the id of its row, and what tells its content from any other."""

    id: int
    name: str
    size: int
    sha256: str


class BriefParts(TypedDict):
    """The brief as plain values; a snapshot freezes them as JSON. Only a frozen brief has `files`."""

    key: str
    title: str
    texts: dict[str, str]
    options: list[Option]
    classification: dict[str, str]
    account: dict[str, str]
    deadline: str
    missing: list[str]
    at: str
    files: NotRequired[list[BriefFile]]


def missing(texts: Mapping[str, str], options: list[Option]) -> list[str]:
    """The parts that the author still has to fill, as text for a form. Empty: the brief may be sent."""
    gaps = [NAMES[part] for part in REQUIRED if part != "options" and not has_words(texts.get(part, ""))]
    return gaps + option_gaps(options) + vague_parts(texts)


def option_gaps(options: list[Option]) -> list[str]:
    """A brief needs at least two options, one of them the status quo, each with its trade-off."""
    filled = [option for option in options if has_words(str(option.get("name", "")))]
    gaps = []
    if len(filled) < 2:
        gaps.append("Options: at least two, one of them the status quo")
    elif not any(option.get("status_quo") for option in filled):
        gaps.append("Options: mark which one is the status quo")
    gaps += [
        f"Trade-off of option “{option['name']}”"
        for option in filled
        if not has_words(str(option.get("trade_off", "")))
    ]
    if filled and not any(option.get("recommended") for option in filled):
        gaps.append("Options: mark the recommended one")
    return gaps


def vague_parts(texts: Mapping[str, str]) -> list[str]:
    """“As soon as possible” is not a deadline."""
    return [
        f"{NAMES[part]}: name a date and time instead of “as soon as possible”"
        for part in ("ask",)
        if VAGUE.search(texts.get(part, ""))
    ]
