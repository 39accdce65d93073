"""The block of mail headers that a program puts above a quoted mail: From, Sent, To, Subject in many languages."""

import re
from dataclasses import dataclass, field

from messaging.inbound.rules.reply_words import DATE_LABELS, LABELS

MOST_LINES = 16
MOST_STRANGERS = 2  # lines in a row without a label: blank ones, and values that were wrapped
TIME_OF_DAY = re.compile(r"(?<!\d)\d{1,2}\s?[:.h時点时]\s?\d{2}(?!\d)|\d\s?[ap]\.?m\b", re.IGNORECASE)
_ONLY_ADDRESS = re.compile(r"^\s*[<(\[]?(?:mailto:)?[^<>\s]{1,120}@[^<>\s]{1,120}[>)\]]?\s*$")


def header_label(line: str) -> str:
    """The text before the first colon, as a bare word: `*De :*` gives `de`."""
    head, colon, _ = line[:60].replace("：", ":").partition(":")
    return head.strip(" *_|>\t").casefold() if colon else ""


def header_role(line: str) -> str | None:
    """What the label of a header line stands for: from, sent, to, copy or subject; None if the line has no such label."""
    return LABELS.get(header_label(line))


def header_block_end(lines: list[str], i: int, *, marked: bool = False) -> int:
    """The line after a block of mail headers that opens at `i`; 0 if none does. `marked`: a mark stands above it
    ("Forwarded message")."""
    if header_role(lines[i]) in (None, "copy"):
        return 0
    block = _Block(marked, has_sender=marked)
    end, strangers, before_gap = 0, 0, None
    for at in range(i, min(i + MOST_LINES, len(lines))):
        role = header_role(lines[at])
        if before_gap is not None and role in block.roles - {"copy"}:
            return before_gap  # another block begins below the gap; what stands above it need not be one
        if role is None and before_gap is None:
            before_gap = end if block.is_complete else 0
        block.add(lines[at], role, is_second=at == i + 1)
        strangers = 0 if role else strangers + 1
        if strangers > MOST_STRANGERS:
            break
        end = at + 1 if role else end
    return end if block.is_complete else 0


@dataclass
class _Block:
    """What is known of a block so far. A list of places or dates may have the same labels ("From: Hamburg, To: Oslo, Date:
    3 May"), so something in it must be a mail's alone: an address, a time of day, or "Sent:"."""

    marked: bool  # below a mark, or with "Sent:"
    has_sender: bool  # below a mark, or with an address behind From or on the second line
    roles: set[str] = field(default_factory=set)
    is_mail: bool = False

    def add(self, line: str, role: str | None, *, is_second: bool) -> None:
        address = "@" in line and (role is not None or bool(_ONLY_ADDRESS.match(line)))
        self.has_sender = self.has_sender or (address and (role == "from" or is_second))
        self.is_mail = self.is_mail or address or (role == "sent" and bool(TIME_OF_DAY.search(line)))
        if role:
            self.roles.add(role)
            self.marked = self.marked or (role == "sent" and header_label(line) not in DATE_LABELS)

    @property
    def is_complete(self) -> bool:
        of_mail = self.marked or (self.is_mail and "subject" in self.roles)
        enough = ("sent" in self.roles and self.has_sender) or (len(self.roles) > 2 and of_mail)
        return "from" in self.roles and enough
