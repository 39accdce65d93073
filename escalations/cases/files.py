"""The files of a case: attached to an entry, a proof, the brief or a mail; held, and released by a later scan."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, transaction

from accounts.models import User
from escalations.cases import notifications
from escalations.cases.access import check
from escalations.cases.log import Entry, lock, locking, record
from escalations.models import Action, CaseFile, Escalation, Event
from ledger.errors import Invalid
from ledger.files.rescan import Rescanned, rescan
from ledger.files.uploads import MB, Upload, keep_all
from ledger.format import counted, listed
from ledger.json_types import JsonObject
from ledger.models import StoredFile
from ledger.now import now
from messaging.models import InboundMail

log = logging.getLogger(__name__)
# Larger mails are refused by many servers, and a file grows by a third on its way.
LARGEST_MAIL = 10 * MB


@dataclass(frozen=True)
class Place:
    """Where files belong, who brought them and when. `by` is None for files of a received mail."""

    place: str
    by: User | None
    at: datetime
    audience: str = Event.INTERNAL
    event: Event | None = None
    action: Action | None = None
    mail: InboundMail | None = None


def noted(uploads: Sequence[Upload]) -> JsonObject:
    """What an entry of the log says about its files. Nothing without files."""
    return {"files": [*notes(uploads)]} if uploads else {}


def notes(uploads: Sequence[Upload]) -> list[JsonObject]:
    """Name, digest and size of each file."""
    return [{"name": each.name, "sha256": each.sha256, "size": each.size} for each in uploads]


def attach(case: Escalation, uploads: Sequence[Upload], where: Place) -> list[CaseFile]:
    """Keep checked files for a locked case, in the caller's transaction. Whoever brought a held file is told, with the people
    who answer the customer and operations. Raises NotStored, which names the file."""
    if not uploads:
        return []
    stored = keep_all(uploads)
    rows = CaseFile.objects.bulk_create(
        CaseFile(
            case=case,
            file=stored[upload.sha256],
            name=upload.name,
            size=upload.size,
            place=where.place,
            audience=where.audience,
            event=where.event,
            action=where.action,
            mail=where.mail,
            by=where.by,
            at=where.at,
        )
        for upload in uploads
    )
    if held := [row for row in rows if row.file and row.file.is_held]:
        notifications.files_held(case, held, where.by)
    return rows


def check_mailable(uploads: Sequence[Upload]) -> None:
    """Raise Invalid for files that cannot go out with a mail: too large for mail servers, or held by the scanner."""
    if sum(each.size for each in uploads) > LARGEST_MAIL:
        raise Invalid(
            f"A mail carries {LARGEST_MAIL // MB} MB of files at most. Send fewer or smaller ones.", field="files"
        )
    if bad := next((each for each in uploads if each.is_held), None):
        raise Invalid(
            f"“{bad.name}” cannot be sent: {bad.scan_note or 'it was not scanned for viruses'}.", field="files"
        )


@transaction.atomic
def add_to_brief(*, case_id: int, by: User, files: Sequence[Upload]) -> list[CaseFile]:
    """Attach files to the brief, so that those who are asked for a decision see them. Raises NotAllowed, Invalid without a
    file, NotStored."""
    at, case = now(), lock(case_id)
    check(case, by, "brief")
    if not files:
        raise Invalid("Choose a file.", field="files")
    summary = f"{counted(len(files), 'file')} added to the brief: {listed([each.name for each in files])}"
    [event] = record(case, [Entry(kind="file", summary=summary, actor=by, data=noted(files))], at=at)
    return attach(case, files, Place(CaseFile.BRIEF, by, at, event=event))


def scan_again() -> int:
    """Scan held files again and say on their cases what changed. Returns how many changed; a failure of one does not keep the
    others, and it is scanned again."""
    changed = 0
    for found in rescan():
        try:
            changed += _kept(found)
        except DatabaseError:
            log.exception("What the scan of file %s has changed could not be said", found.row.pk)
    return changed


@transaction.atomic
def _kept(found: Rescanned) -> bool:
    """Write the new state and say it on the cases of the file: both or none."""
    stored, was_held = found.row, found.row.scan != StoredFile.UNSCANNED
    # The cases before the file, as a post with files does it.
    list(locking().filter(pk__in=stored.casefile_set.values("case")).order_by("pk").values_list("pk"))
    if not found.keep():
        return False
    if was_held != stored.is_held:
        _say(stored)
    return True


def _say(stored: StoredFile) -> None:
    for case_id in stored.casefile_set.order_by("case").values_list("case", flat=True).distinct():
        case = lock(case_id)
        rows = list(case.files.filter(file=stored).select_related("file", "by"))
        record(case, [_entry(rows, stored)], at=now())
        if stored.is_held:
            notifications.files_held(case, rows, rows[0].by)
        else:
            notifications.files_released(case, rows)


def _entry(rows: Iterable[CaseFile], stored: StoredFile) -> Entry:
    names = listed(sorted({row.name for row in rows}))
    said = f"Held: {names}. {stored.scan_note}" if stored.is_held else f"Released by the virus scanner: {names}"
    return Entry(kind="file", summary=said, data={"sha256": stored.sha256, "scan": stored.scan})
