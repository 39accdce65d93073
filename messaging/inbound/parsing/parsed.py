"""The facts of a parsed mail, and the limits of reading it. No Django, so that the child process starts fast."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

MAX_RAW_BYTES = 25 * 1024 * 1024
MAX_HEADER_BYTES = 64 * 1024
MAX_PARTS = 200
MAX_DEPTH = 20
MAX_SECONDS = 5
MAX_MEMORY_BYTES = 1024 * 1024 * 1024
MAX_TEXT_CHARACTERS = 1_000_000


class MailRefused(Exception):
    """The mail was not read: it is over a limit, or the parser failed on it. `reason` is a sentence for a person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Attachment:
    filename: str
    content_type: str
    size: int  # bytes after decoding


@dataclass(frozen=True)
class ParsedMail:
    message_id: str  # with angle brackets; derived from the bytes when the mail has no usable one
    subject: str
    from_addresses: list[str]
    from_name: str
    to_addresses: list[str]  # To, Cc, Delivered-To, X-Original-To and the like; lower case, no doubles
    date: datetime | None  # UTC
    in_reply_to: str
    references: list[str]
    headers: list[tuple[str, str]]  # unfolded, encoded words not decoded
    text: str  # the text of the HTML if the mail has no plain text; the HTML itself stays in the child process
    visible_text: str  # the sender's own text, without quotation and signature
    cut: str  # what was left out of the visible text, in its order
    single_from: str  # the address of the only From header; empty if there is any doubt
    visible_is_own: bool  # False: nothing was typed; visible_text is from a forwarded mail
    automatic_kind: str
    automatic_reason: str
    automatic_doubt: str  # the one sign of an automatic mail where two were needed
    attachments: list[Attachment]
    problems: list[str] = field(default_factory=list)

    def all_headers(self, name: str) -> list[str]:
        return [value for header, value in self.headers if header.lower() == name.lower()]

    def to_json(self) -> dict[str, object]:
        return asdict(self) | {"date": self.date.isoformat() if self.date else None}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "ParsedMail":
        return cls(
            **data
            | {
                "date": datetime.fromisoformat(data["date"]) if data["date"] else None,
                "headers": [(name, value) for name, value in data["headers"]],
                "attachments": [Attachment(**each) for each in data["attachments"]],
            }
        )
