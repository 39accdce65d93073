"""The attachments of received mail, on the case that the mail was placed on."""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from escalations.cases.files import Place, attach, notes
from escalations.cases.log import Entry, lock, record
from escalations.models import CaseFile, CustomerMessage, Escalation, Event
from ledger.errors import Invalid, Refused, Stale
from ledger.files.uploads import NotStored, Part, Upload, check, check_each
from ledger.format import counted, listed
from ledger.json_types import JsonObject
from ledger.now import now
from messaging.inbound.attachments import parts_of
from messaging.inbound.parsing.parsed import MailRefused
from messaging.models import InboundMail, MailAttachment

log = logging.getLogger(__name__)
# The worker looks at mail of the last days, newest first. Mail of an account without a case waits until it comes to one.
LATELY = timedelta(days=7)
MOST = 200
# Seconds for one run, within the time of a job of the worker.
LONGEST = 60.0


@dataclass(frozen=True)
class Taken:
    """The attachments of a mail: those that are kept, and the names of the others with the reason."""

    uploads: Sequence[Upload]
    refused: Sequence[tuple[MailAttachment, str]]


def take_after_commit(mail: InboundMail) -> None:
    """Take the attachments once the mail is stored, because reading and scanning them takes its time. What fails is taken by
    the worker."""

    def take_them() -> None:
        take_if_placed(mail.pk)

    transaction.on_commit(take_them, robust=True)


def take_if_placed(mail_id: int) -> None:
    """Take the attachments of a mail that was placed on a case. Does nothing for other mail."""
    mail = InboundMail.objects.filter(pk=mail_id, state=InboundMail.CLAIMED).select_related("raw").first()
    if mail is None or not mail.attachments.exists():
        return
    if (case := case_of(mail)) is not None:
        take(mail=mail, case=case)


def take_missed() -> int:
    """Take the attachments of mail that came to a case lately, or was moved to one, and that were not taken there yet, such as
    after a full disk. Returns how many mails were looked at; a failure of one does not keep the others."""
    named = MailAttachment.objects.filter(mail=OuterRef("mail"))
    taken = CaseFile.objects.filter(mail=OuterRef("mail"))
    moved = CustomerMessage.objects.filter(moved_from__isnull=False, pk=OuterRef("pk"))
    there = taken.filter(case=OuterRef("case"))
    missing = ~Exists(taken) | (Exists(moved) & ~Exists(there))
    shown = CustomerMessage.objects.filter(Exists(named), missing, moved_to=None, at__gte=now() - LATELY)
    waiting = shown.filter(mail__state=InboundMail.CLAIMED).order_by("-at", "-pk").values_list("mail", flat=True)
    mails, until = list(dict.fromkeys(waiting[:MOST])), time.monotonic() + LONGEST
    for looked, pk in enumerate(mails):
        if time.monotonic() > until:
            return looked
        try:
            take_if_placed(pk)
        except NotStored as refusal:
            log.warning("Attachments of mail %s wait: %s", pk, refusal.message)
        except Exception:
            log.exception("Attachments of mail %s could not be taken", pk)
    return len(mails)


def case_of(mail: InboundMail) -> Escalation | None:
    """The case that the mail came to first; if a person moved its message, the case where it is now."""
    shown = CustomerMessage.objects.filter(mail=mail, moved_to=None).select_related("case").order_by("pk").first()
    return shown.case if shown else None


def take(*, mail: InboundMail, case: Escalation) -> list[CaseFile]:
    """Name all attachments of a mail on a case, and keep those that may be downloaded. Once for each mail and case.

    Reading and scanning are done before the transaction. Raises NotStored when the disk takes no file; then nothing is
    written.
    """
    with _read(mail) as taken, transaction.atomic():
        locked, at = lock(case.pk), now()
        if locked.files.filter(mail=mail).exists():
            return []
        names = listed([str(each) for each in mail.attachments.all()])
        # A name may be long, and the line has an end; the files are listed below it.
        summary = f"{counted(mail.attachments.count(), 'attachment')} of a mail from {_sender(mail)}: {names}"
        entry = Entry(kind="file", audience=Event.CUSTOMER, summary=summary, data=_data(mail, taken))
        [event] = record(locked, [entry], at=at)
        place = Place(CaseFile.MAIL, None, at, audience=Event.CUSTOMER, event=event, mail=mail)
        refused = CaseFile.objects.bulk_create(_named(locked, place, each, why) for each, why in taken.refused)
        return [*attach(locked, taken.uploads, place), *refused]


def content_of(mail: InboundMail, named: MailAttachment) -> tuple[str, str, bytes]:
    """Name, content type and bytes of one attachment, checked and scanned. Raises Stale for one that is not offered, NotStored
    when the disk takes no file."""
    try:
        parts = parts_of(mail)
    except (MailRefused, FileNotFoundError) as error:
        why = error.reason if isinstance(error, MailRefused) else "The mail is missing on the server; tell operations."
        raise Stale(f"“{named}” cannot be downloaded. {why}") from error
    try:
        if named.number >= len(parts):
            raise Stale(f"“{named}” cannot be downloaded. It was not found in the mail.")
        [upload] = check([parts[named.number]])
        if upload.is_held:
            raise Stale(
                f"“{upload.name}” cannot be downloaded. {upload.scan_note or 'It was not scanned for viruses.'}"
            )
        return upload.name, upload.content_type, upload.path.read_bytes()
    except Invalid as refusal:
        raise Stale(f"{refusal.message} It is not offered for download.") from refusal
    finally:
        for part in parts:
            part.close()


def _sender(mail: InboundMail) -> str:
    return mail.sender_name or mail.sender


def _data(mail: InboundMail, taken: Taken) -> JsonObject:
    not_kept: list[JsonObject] = [{"name": str(each), "size": each.size, "problem": why} for each, why in taken.refused]
    return {"mail": mail.pk, "files": [*notes(taken.uploads), *not_kept]}


def _named(case: Escalation, where: Place, named: MailAttachment, why: str) -> CaseFile:
    return CaseFile(
        case=case,
        name=str(named),
        size=named.size,
        problem=why[:300],
        place=where.place,
        audience=where.audience,
        event=where.event,
        mail=where.mail,
        at=where.at,
    )


@contextmanager
def _read(mail: InboundMail) -> Iterator[Taken]:
    """The checked attachments; what was received and not moved to its place is removed at the end."""
    rows = list(mail.attachments.all())
    try:
        parts = parts_of(mail)
    except MailRefused as refusal:
        yield Taken((), [(row, f"Not offered for download: {refusal.reason}") for row in rows])
        return
    try:
        yield _checked(rows, parts)
    finally:
        for part in parts:
            part.close()


def _checked(rows: Sequence[MailAttachment], parts: Sequence[Part]) -> Taken:
    uploads: list[Upload] = []
    refused: list[tuple[MailAttachment, str]] = []
    for row, part, found in zip(rows, parts, check_each(parts), strict=True):
        if isinstance(found, Refused):
            why = found.message.removeprefix(f"“{part.shown}” ")
            refused.append((row, f"Not offered for download: it {why}"))
        else:
            uploads.append(found)
    return Taken(uploads, refused)
