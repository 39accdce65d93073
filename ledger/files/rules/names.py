"""The name under which a file is shown and downloaded. It is never part of a path of ours."""

import re
import unicodedata
from pathlib import PurePosixPath

LONGEST = 150
UNNAMED = "file"
# Control characters, halves of characters, and marks that turn the direction of text: they hide what a name ends with.
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# Joiners, which some languages need within a word.
_NEEDED = "\u200c\u200d"


def clean_name(given: str) -> str:
    """The name as people know it, without folders and hidden characters, shortened before its extension."""
    seen = "".join(each for each in given if each in _NEEDED or unicodedata.category(each) not in _HIDDEN)
    last = re.split(r"[/\\]", seen)[-1]
    name = re.sub(r"\s+", " ", last).strip(" .") or UNNAMED
    if len(name) <= LONGEST:
        return name
    end = extension(name)
    return name[: LONGEST - len(end) - 1].rstrip(" .") + (f".{end}" if end else "")


def extension(name: str) -> str:
    """The part after the last dot in lower case, or nothing. A long one is no extension."""
    found = PurePosixPath(name).suffix[1:].lower()
    return found if len(found) <= 10 else ""
