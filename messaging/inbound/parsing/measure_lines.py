"""Measures the visible text over mails whose every line is labelled: further_mails.txt.

A mail begins with `=== name | client, language | source`. The first character of each line below is its label: `+` the
sender's own words, `-` quoted from another mail, blank neither (a signature, a mark, a quotation that is answered).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from messaging.inbound.rules.reply_text import read_reply

HEADING = "=== "
FILE_NAME = "further_mails.txt"
OWN, QUOTED = "+", "-"
_NO_WORD = re.compile(r"[\W_]+")
_BRACKETS = re.compile(r"^[\s>]+")


@dataclass(frozen=True)
class LabelledMail:
    name: str
    lines: tuple[tuple[str, str], ...]  # label and text of each line

    @property
    def text(self) -> str:
        return "\n".join(text for _, text in self.lines)

    def labelled(self, label: str) -> list[str]:
        """The lines with this label that have at least one word."""
        return [text for each, text in self.lines if each == label and _NO_WORD.sub("", text)]


@dataclass
class LineScore:
    total: int = 0
    lost: list[str] = field(default_factory=list)  # mails of which a line of the sender's is not shown
    shown: list[str] = field(default_factory=list)  # mails of which a quoted line is shown


def read_labelled(path: Path) -> Iterator[LabelledMail]:
    """The mails of the file, in its order. Raises OSError when it cannot be read."""
    for part in ("\n" + path.read_text("utf-8", "replace")).split("\n" + HEADING)[1:]:
        head, *lines = part.splitlines()
        yield LabelledMail(head.partition("|")[0].strip(), tuple((line[:1], line[1:]) for line in lines))


def measure_lines(path: Path) -> LineScore:
    """Reads each mail as an answer to another one, and names the mails that are shown wrongly."""
    score = LineScore()
    for mail in read_labelled(path):
        score.total += 1
        shown = _bare(read_reply(mail.text).text)
        own = "".join(map(_bare, mail.labelled(OWN)))
        if any(_bare(line) not in shown for line in mail.labelled(OWN)):
            score.lost.append(mail.name)
        if any(_bare(line) in shown and _bare(line) not in own for line in mail.labelled(QUOTED)):
            score.shown.append(mail.name)
    return score


def _bare(text: str) -> str:
    """Letters and digits only, so that brackets, wraps and marks of direction make no difference."""
    return _NO_WORD.sub("", _BRACKETS.sub("", text)).casefold()
