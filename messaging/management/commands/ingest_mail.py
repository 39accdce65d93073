"""`manage.py ingest_mail PATH… | --imap`: receive mail from files or from the mailbox, one line each."""

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Max

from ledger.format import counted
from messaging.inbound import fetch as fetching
from messaging.inbound import receive as inbound
from messaging.inbound.mailbox import MailboxTrouble
from messaging.inbound.parsing.parsed import MAX_RAW_BYTES
from messaging.models import InboundMail

MAILBOXES = (".box", ".mbox")
ENDINGS = (".eml", *MAILBOXES)
# The outcome of a mail: the word in the summary, and the text of its line.
OUTCOMES = {
    InboundMail.CLAIMED: ("placed", "placed: {note}"),
    InboundMail.WAITING: ("waiting in the inbox", "waits in the inbox: {note}"),
    InboundMail.QUARANTINED: ("in quarantine", "in quarantine: {note}"),
    InboundMail.AUTOMATIC: ("automatic", "automatic ({automatic}), kept only: {note}"),
    InboundMail.DISMISSED: ("dismissed", "dismissed"),
    InboundMail.REFUSED: ("refused", "refused: {note}"),
}


class Command(BaseCommand):
    """Receives mail files and prints the outcome of each."""

    help = (
        "Receive mail: with --imap from the mailbox of IMAP_URL, else files (.eml, or .mbox and .box with"
        " several mails) and folders of them. A mail from a known "
        "contact or domain goes to its account; others wait in the inbox. The same mail again is skipped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Paths, or the mailbox."""
        parser.add_argument("paths", nargs="*", metavar="PATH", type=Path, help="A mail file or a folder of them.")
        parser.add_argument("--imap", action="store_true", help="Fetch waiting mail from the mailbox of IMAP_URL.")

    def handle(self, *args: object, paths: list[Path], imap: bool, **options: object) -> None:
        """Receive everything that can be read; fail at the end if a path could not be read."""
        if bool(paths) == imap:
            raise CommandError("Give files or folders of mail, or use --imap.")
        self.tally: Counter[str] = Counter()
        self.newest = InboundMail.objects.aggregate(newest=Max("pk"))["newest"] or 0
        self.seen: set[int] = set()
        unread = self._take_mailbox() if imap else []
        unread += [fault for path in paths for fault in self._take_path(path)]
        summary = ", ".join(f"{count} {word}" for word, count in sorted(self.tally.items())) or "nothing to read"
        self.stdout.write(f"{counted(self.tally.total(), 'mail')}: {summary}")
        if unread:
            raise CommandError("\n".join(unread))

    def _take_mailbox(self) -> list[str]:
        """Fetch, keep and mark; returns the failures."""
        if not settings.IMAP_URL:
            raise CommandError("Set IMAP_URL to the mailbox, such as imaps://user:password@mail.example.com/INBOX.")
        try:
            for uid, mail in fetching.fetch():
                self._say(f"mail {uid}", mail)
        except MailboxTrouble as trouble:
            return [str(trouble)]
        return []

    def _take_path(self, path: Path) -> list[str]:
        """Receive a file or all mail files of a folder; returns what could not be read."""
        if not path.is_dir():
            return self._take_file(path)
        found = sorted(each for each in path.rglob("*") if each.suffix.lower() in ENDINGS and each.is_file())
        if not found:
            self.stdout.write(f"{path}: no mail in this folder (looked for {', '.join(ENDINGS)})")
        return [fault for each in found for fault in self._take_file(each)]

    def _take_file(self, path: Path) -> list[str]:
        try:
            for name, raw in _mails(path):
                self._take(name, raw)
        except OSError as error:
            return [f"{path} could not be read: {error.strerror or error}"]
        return []

    def _take(self, name: str, raw: bytes) -> None:
        self._say(name, inbound.receive(raw=raw, channel="file"))

    def _say(self, name: str, mail: InboundMail) -> None:
        word, line = OUTCOMES[mail.state]
        if mail.pk <= self.newest or mail.pk in self.seen:
            word, line = "already here", f"already here, {line}"
        self.seen.add(mail.pk)
        self.tally[word] += 1
        shown = line.format(note=mail.note or "no reason given", automatic=mail.automatic.replace("_", " "))
        self.stdout.write(f"{name}: {_printable(shown)}")


def _mails(path: Path) -> Iterator[tuple[str, bytes]]:
    """The mails of a file with the name to print. At most one byte more than the limit of a mail is read."""
    with path.open("rb") as file:
        if path.suffix.lower() not in MAILBOXES:
            yield path.name, file.read(MAX_RAW_BYTES + 1)
            return
        for number, raw in enumerate(_split(file), 1):
            yield f"{path.name} [{number}]", raw


def _split(lines: Iterable[bytes]) -> Iterator[bytes]:
    """A mailbox file: a mail begins at a line `From …` at the start or after an empty line."""
    mail, after_blank = bytearray(), True
    for line in lines:
        if after_blank and line.startswith(b"From ") and mail.strip():
            yield bytes(mail)
            mail.clear()
        after_blank = not line.strip()
        if len(mail) <= MAX_RAW_BYTES:
            mail += line[1:] if line.startswith(b">From ") else line
    if mail.strip():
        yield bytes(mail)


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
