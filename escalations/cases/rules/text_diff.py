"""The changes between two short texts by sentence, for the page that shows a conflict."""

import re
from difflib import SequenceMatcher

SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


def sentences(text: str) -> list[str]:
    """The sentences of a text, without empty ones."""
    return [each.strip() for each in SENTENCE.split(text) if each.strip()]


def changes(before: str, after: str) -> list[tuple[str, str]]:
    """(sign, sentence) pairs in reading order: `del` for removed, `ins` for new, `same` for unchanged sentences."""
    old, new = sentences(before), sentences(after)
    found: list[tuple[str, str]] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if tag == "equal":
            found += [("same", each) for each in old[i1:i2]]
            continue
        found += [("del", each) for each in old[i1:i2]]
        found += [("ins", each) for each in new[j1:j2]]
    return found
