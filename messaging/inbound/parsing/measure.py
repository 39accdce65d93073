"""Measures the mail rules over a folder of labelled mails: replies.jsonl, auto_index.jsonl, auto/, malformed/."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from messaging.inbound.parsing.parsed import MailRefused, ParsedMail
from messaging.inbound.parsing.reader import MailReader, parse_many
from messaging.inbound.rules.decision_words import decision_in
from messaging.inbound.rules.mail_auth import is_proven
from messaging.inbound.rules.reply_text import visible_reply, visible_reply_html


class BadFolder(Exception):
    """A file is missing or a row cannot be read; the message names it."""


@dataclass
class ReplyScore:
    exact: int = 0
    total: int = 0
    missed: list[str] = field(default_factory=list)


@dataclass
class AutomaticScore:
    found: int = 0
    total: int = 0
    humans_lost: int = 0
    missed: list[str] = field(default_factory=list)
    relabelled: list[str] = field(default_factory=list)


def measure_replies(folder: Path) -> ReplyScore:
    """A row counts when the visible text equals the expected text without white space, or contains it (`contains`)."""
    score = ReplyScore()
    with MailReader() as reader:
        for row in _rows(folder / "replies.jsonl", "id", "kind", "body", "expected_reply", "expected_kind"):
            score.total += 1
            if _agrees(_visible(folder, row, reader), row):
                score.exact += 1
            else:
                score.missed.append(row["id"])
    return score


def _agrees(visible: str, row: Mapping[str, str]) -> bool:
    got, wanted = (re.sub(r"\s+", "", text) for text in (visible, row["expected_reply"]))
    return wanted in got if row["expected_kind"] == "contains" else wanted == got


def _visible(folder: Path, row: Mapping[str, str], reader: MailReader) -> str:
    """From the mail file or page that the row names, if there is one; else from its body."""
    name = Path(row["id"]).name
    if row["kind"] == "eml" and (folder / "replies_eml" / name).is_file():
        try:
            return reader.parse((folder / "replies_eml" / name).read_bytes()).visible_text
        except MailRefused:
            return ""
    if row["kind"] == "html":
        page = folder / "replies_html" / name
        return visible_reply_html(page.read_text("utf-8", "replace") if page.is_file() else row["body"])
    return visible_reply(row["body"])


def measure_automatic(folder: Path) -> AutomaticScore:
    """Automatic mails found and human mails lost. A row labelled human whose text says that a machine sent it counts as
    automatic."""
    score = AutomaticScore()
    rows = list(_rows(folder / "auto_index.jsonl", "file", "kind"))
    for row, mail in zip(rows, parse_many(_bytes(folder / row["file"]) for row in rows), strict=True):
        taken_for_robot = isinstance(mail, MailRefused) or mail.automatic_kind != "human"
        if row["kind"] == "human" and not _says_machine(row):
            score.humans_lost += taken_for_robot
            score.missed += [row["file"]] * taken_for_robot
            continue
        found = taken_for_robot and not isinstance(mail, MailRefused)
        score.total += 1
        score.found += found
        score.missed += [row["file"]] * (not found)
        score.relabelled += [row["file"]] * (row["kind"] == "human")
    return score


def _says_machine(row: Mapping[str, str]) -> bool:
    submitted = (row.get("auto_submitted") or "no").lower()
    return not submitted.startswith("no") or row.get("content_type") == "multipart/report"


def decisions_taken(folder: Path, authserv_id: str = "", *, as_if_proven: bool = False) -> int:
    """How many mails of auto/ and malformed/ would decide a request: own words of a person, proven by our server. With
    `as_if_proven` every sender counts as proven, so that only the words and the kind of mail are checked."""
    files = [each for name in ("auto", "malformed") for each in sorted(_folder(folder / name).glob("*.eml"))]
    mails = parse_many(map(_bytes, files))
    return sum(would_decide(mail, authserv_id, as_if_proven=as_if_proven) for mail in mails)


def would_decide(mail: ParsedMail | MailRefused, authserv_id: str, *, as_if_proven: bool = False) -> bool:
    """Whether this mail would be a decision if the person asked sent it to a valid reply address."""
    if isinstance(mail, MailRefused) or not mail.visible_is_own or not decision_in(mail.visible_text):
        return False
    proven = as_if_proven or is_proven(mail.single_from, mail.all_headers("Authentication-Results"), authserv_id)
    return mail.automatic_kind == "human" and proven


def _rows(path: Path, *wanted: str) -> Iterator[dict[str, str]]:
    for number, line in enumerate(_bytes(path).decode("utf-8", "replace").split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            missing = [name for name in wanted if not isinstance(row[name], str)]
        except (ValueError, KeyError, TypeError) as error:
            raise BadFolder(f"{path.name} line {number}: not a JSON object with {', '.join(wanted)}.") from error
        if missing:
            raise BadFolder(f"{path.name} line {number}: {missing[0]} must be text.")
        yield row


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadFolder(f"{path}: {error.strerror}.") from error


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise BadFolder(f"{path}: no such folder.")
    return path
