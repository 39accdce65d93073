"""`manage.py read_mail FILE…`: what the desk reads of mails, one line each. Nothing is kept."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.signals.rules.tone import read_tone
from escalations.cases.rules.addressing import own_subject, whole_words
from messaging.inbound.parsing.parsed import MAX_RAW_BYTES, MailRefused, ParsedMail
from messaging.inbound.parsing.reader import MailReader
from messaging.inbound.receive import HUMAN
from messaging.inbound.rules.mail_auth import is_proven

SHORT = 120


class Command(BaseCommand):
    """Reads mail files as they would be received, and prints what was understood."""

    help = (
        "Print what the desk reads of mail files (.eml) and folders of them, a mail a line: id, subject, visible text, what"
        " is cut from it, sender, whether it is proven (AUTHSERV_ID), whether and why it is automatic, attachments, the"
        " language that its header names, risk phrases. Writes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Paths and the form of the output."""
        parser.add_argument("paths", nargs="+", metavar="FILE", type=Path, help="A mail file or a folder of them.")
        parser.add_argument("--json", action="store_true", help="Print whole values, one JSON object a line.")

    def handle(self, *args: object, paths: list[Path], **options: object) -> None:
        """Read every mail; fail at the end if one could not be read."""
        unread: list[str] = []
        with MailReader() as reader:
            for path in _files(paths):
                try:
                    with path.open("rb") as file:
                        facts = _facts(reader.parse(file.read(MAX_RAW_BYTES + 1)))
                except (OSError, MailRefused) as error:
                    unread.append(f"{path} could not be read: {error}")
                    continue
                self.stdout.write(json.dumps(facts, ensure_ascii=False) if options["json"] else _line(facts))
        if unread:
            raise CommandError("\n".join(unread))


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(path.rglob("*.eml")) if path.is_dir() else [path]


def _facts(mail: ParsedMail) -> dict[str, object]:
    words = whole_words(own_subject(mail.subject), mail.visible_text or mail.text)
    proven = is_proven(mail.single_from, mail.all_headers("Authentication-Results"), settings.AUTHSERV_ID)
    automatic = mail.automatic_kind != HUMAN
    return {
        "id": mail.message_id,
        "subject": mail.subject,
        "visible": mail.visible_text,
        "cut": mail.cut,
        "sender": next(iter(mail.from_addresses), ""),
        "proven": proven,
        "automatic": automatic,
        "why": mail.automatic_reason if automatic else mail.automatic_doubt,
        "attachments": [each.filename for each in mail.attachments],
        "language": ", ".join(mail.all_headers("Content-Language")),
        "phrases": [phrase.text for phrase in read_tone(words).phrases],
    }


def _line(facts: dict[str, object]) -> str:
    return " | ".join(f"{name}: {_short(value)}" for name, value in facts.items())


def _short(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    text = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return text if len(text) <= SHORT else f"{text[: SHORT - 1]}…"
