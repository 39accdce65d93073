"""The contents of a mail's attachments, taken out of its raw bytes in a limited process."""

import json
import subprocess
import sys
from collections.abc import Iterator

from ledger import files
from ledger.files.uploads import Part
from messaging.inbound.parsing.child import LENGTH
from messaging.inbound.parsing.parsed import MAX_SECONDS, MailRefused
from messaging.inbound.parsing.reader import ROOT, START_SECONDS
from messaging.models import InboundMail

COMMAND = [sys.executable, "-S", "-E", "-X", "utf8", "-m", "messaging.inbound.parsing.contents_child"]
PIECE = 64 * 1024


def parts_of(mail: InboundMail) -> list[Part]:
    """The attachments as received files, not checked yet, in the order of the mail's rows. Call it outside a transaction.
    Raises MailRefused when they cannot be read, OSError when the raw mail is missing."""
    if mail.raw is None:
        return []
    return [_part(name, content_type, data) for name, content_type, data in _contents(files.read(mail.raw))]


def _contents(raw: bytes) -> Iterator[tuple[str, str, bytes]]:
    try:
        done = subprocess.run(
            COMMAND, cwd=ROOT, env={}, input=raw, capture_output=True, timeout=MAX_SECONDS + START_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise MailRefused("The attachments took too long to read.") from None
    if done.returncode:
        raise MailRefused("The attachments could not be read.")
    frames = _frames(done.stdout)
    for head in frames:
        about = json.loads(head)
        yield about["name"], about["content_type"], next(frames)


def _frames(out: bytes) -> Iterator[bytes]:
    place = 0
    while place < len(out):
        (length,) = LENGTH.unpack_from(out, place)
        place += LENGTH.size + length
        yield out[place - length : place]


def _part(name: str, content_type: str, data: bytes) -> Part:
    part = Part(name or "attachment", content_type)
    for start in range(0, len(data), PIECE):
        part.take(data[start : start + PIECE])
    part.finish()
    return part
