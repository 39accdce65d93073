"""Which case a mail names, by its addresses, the mails it answers and its subject. Pure; the caller knows accounts and ids."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from messaging.inbound.rules.reply_words import REPLY_MARK

ADDRESS = re.compile(r"(?<![\w.+-])case\+(\d{1,12})(?:\.([a-z0-9]{1,64}))?@([\w.-]+)", re.IGNORECASE)
THREAD = re.compile(r"<case-(\d{1,12})@([\w.-]+)>", re.IGNORECASE)
KEY = re.compile(r"(?<![\w-])ESC-(\d{4,12})(?![\w-])", re.IGNORECASE)
LOOKED_AT = 50

# How a message found its case, from sure to unsure; the others stand outside this order. OPENED: the case was opened from it.
TOKEN, ANSWER, NAMED, BY_HAND, OPENED, GUESS = "token", "answer", "named", "hand", "opened", "guess"


@dataclass(frozen=True)
class Clue:
    """A case that a mail names, and how."""

    case_id: int
    how: str


def addressed(recipients: Iterable[str], domain: str, is_token: Callable[[int, str], bool]) -> list[Clue]:
    """Cases whose address the mail was sent to. An address without its right token only names the case, because anybody can
    write it, and must have our domain."""
    found: list[Clue] = []
    for number, token, host in ADDRESS.findall(" ".join(list(recipients)[:LOOKED_AT])):
        case_id = int(number)
        if token and is_token(case_id, token.lower()):
            found.append(Clue(case_id, TOKEN))
        elif host.lower().rstrip(".") == domain.lower():
            found.append(Clue(case_id, NAMED))
    return found


def answered_ids(in_reply_to: str, references: Sequence[str]) -> list[str]:
    """The Message-IDs that the mail answers, the nearest first."""
    ids = [*re.findall(r"<[^<>\s]+>", in_reply_to), *reversed(references)]
    return list(dict.fromkeys(ids))[:LOOKED_AT]


def threads(ids: Iterable[str], domain: str) -> list[Clue]:
    """Cases whose thread is among the ids: all mails of a case refer to its thread."""
    found = [match for each in ids if (match := THREAD.fullmatch(each.strip()))]
    return [Clue(int(match[1]), ANSWER) for match in found if match[2].lower() == domain.lower()]


def in_subject(subject: str) -> list[Clue]:
    """Cases whose key stands in the subject."""
    return [Clue(int(number), NAMED) for number in KEY.findall(subject[:500])]


def is_answer(subject: str) -> bool:
    """Whether the subject begins with "Re:" or the like."""
    return bool(REPLY_MARK.match(subject))


def own_subject(subject: str) -> str:
    """A subject as the first sentence of its sender: without "Re:", and "" if it only names a case."""
    plain = REPLY_MARK.sub("", subject).strip()
    return plain if any(map(str.isalpha, KEY.sub("", plain))) else ""


def keys_in(subject: str) -> list[str]:
    """The keys of cases that a subject names."""
    return [f"ESC-{number}" for number in KEY.findall(subject[:500])]


def whole_words(subject: str, text: str) -> str:
    """Subject and text of a mail as its sender meant them; a text that begins with the subject says it once."""
    text = text.strip()
    if text.casefold().startswith(subject.casefold()):
        return text
    return f"{subject}\n\n{text}" if text else subject


def in_order(clues: Iterable[Clue]) -> list[Clue]:
    """The clues, the surest first; each case once."""
    ranks = (TOKEN, ANSWER, NAMED)
    best: dict[int, Clue] = {}
    for clue in sorted(clues, key=lambda clue: ranks.index(clue.how)):
        best.setdefault(clue.case_id, clue)
    return list(best.values())
