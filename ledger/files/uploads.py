"""Files that people send: written to disk as they arrive, within limits, then checked. Never whole in memory."""

import hashlib
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError

from ledger.errors import Invalid, Refused
from ledger.files.rules.kinds import NotAccepted, kind_of
from ledger.files.rules.names import clean_name
from ledger.files.scanner import scan_each
from ledger.files.store import flush, incoming, keep
from ledger.models import StoredFile, scan_holds

MB = 1024 * 1024
LARGEST_FILE, LARGEST_POST = 20 * MB, 50 * MB
# What is larger is not even read to its end.
LARGEST_BODY = 200 * MB
FIELD = "files"


class NotStored(Refused):
    """The file could not be written, such as on a full disk. Nothing was saved."""

    code = "not_stored"
    status = 507


class BodyTooLarge(MultiPartParserError):
    """A post of which not even the fields are read."""

    def __init__(self) -> None:
        words = f"The post is larger than {LARGEST_BODY // MB} MB, so it was not read."
        super().__init__(f"{words} Send files of up to {LARGEST_POST // MB} MB together.")


class Part(UploadedFile):
    """A file that arrives piece by piece: its temporary file, its digest, and why it is not taken."""

    def __init__(self, name: str, content_type: str = "", extra: dict[str, bytes] | None = None) -> None:
        self.digest = hashlib.sha256()
        self.refusal: Refused | None = None
        self.shown = clean_name(name)
        super().__init__(None, name, content_type, 0, "", extra)
        try:
            self.written = tempfile.NamedTemporaryFile(dir=incoming())  # noqa: SIM115  closed with the request
            self.file = self.written
        except OSError:
            self._refuse(not_stored(self.shown))

    def take(self, data: bytes) -> None:
        """One more piece. After a refusal nothing more is written."""
        self.size = (self.size or 0) + len(data)
        if self.refusal:
            return
        if self.size > LARGEST_FILE:
            self._refuse(Invalid(f"“{self.shown}” is larger than {LARGEST_FILE // MB} MB.", field=FIELD))
            return
        self.digest.update(data)
        try:
            self.written.write(data)
        except OSError:
            self._refuse(not_stored(self.shown))

    def finish(self) -> None:
        """It has arrived whole: bring it onto the disk."""
        if self.refusal:
            return
        try:
            flush(self.written.fileno(), self.written.flush)
            self.written.seek(0)
        except OSError:
            self._refuse(not_stored(self.shown))

    def refuse_post(self) -> None:
        """All files of the post are too large together."""
        self._refuse(Invalid(f"The files are larger than {LARGEST_POST // MB} MB together.", field=FIELD))

    def _refuse(self, refusal: Refused) -> None:
        self.refusal = self.refusal or refusal
        self.close()

    def close(self) -> None:
        """Remove the temporary file, unless it was moved to its place."""
        if self.file is None:
            return
        try:
            self.file.close()
        except FileNotFoundError:
            return
        except OSError:
            # Closing writes what is still in the buffer, which a full disk refuses; the file is gone all the same.
            return


def not_stored(name: str, *, field: str = FIELD) -> NotStored:
    """The refusal of a file that the disk does not take."""
    return NotStored(
        f"“{name}” could not be stored, because the disk of the desk is full or cannot be written. Nothing was saved. "
        "Tell operations, then try again.",
        field=field,
    )


class PartHandler(FileUploadHandler):
    """Django's way of receiving files, with our limits."""

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self.received = 0

    def handle_raw_input(
        self,
        input_data: object,
        META: object,  # noqa: N803
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        """A body far over the limit is not read. Raises BodyTooLarge."""
        if content_length > LARGEST_BODY:
            raise BodyTooLarge

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """The next file of the post begins."""
        super().new_file(*args, **kwargs)
        self.file = Part(self.file_name or "", self.content_type or "", self.content_type_extra)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """One piece of it."""
        self.received += len(raw_data)
        self.file.take(raw_data)
        if self.received > LARGEST_POST:
            self.file.refuse_post()

    def file_complete(self, file_size: int) -> Part:
        """All of it."""
        self.file.finish()
        return self.file

    def upload_interrupted(self) -> None:
        """The sender went away."""
        if hasattr(self, "file"):
            self.file.close()


@dataclass(frozen=True)
class Upload:
    """A checked file that waits in the folder of received files. Only `check` and `check_each` make one."""

    name: str
    content_type: str
    size: int
    sha256: str
    path: Path
    scan: str
    scan_note: str

    @property
    def is_held(self) -> bool:
        """Whether it must not be downloaded."""
        return scan_holds(self.scan)


def check(parts: Iterable[UploadedFile]) -> list[Upload]:
    """The files of one post, each of an accepted kind, within the limits, and scanned. Call it outside a transaction.

    Raises Invalid and NotStored, which name the file.
    """
    received = [cast("Part", part) for part in parts]
    if refusals := [part.refusal for part in received if part.refusal]:
        raise refusals[0]
    if sum(part.size or 0 for part in received) > LARGEST_POST:
        raise Invalid(f"The files are larger than {LARGEST_POST // MB} MB together.", field=FIELD)
    return _scanned([_accepted(part) for part in received])


def check_each(parts: Iterable[Part]) -> list[Upload | Refused]:
    """The files of a mail, where one that is not accepted does not keep the others: in their order, or why not. Call it
    outside a transaction. Raises NotStored, which names the file."""
    found = [_accepted_or_why(part) for part in parts]
    uploads = iter(_scanned([each for each in found if not isinstance(each, Refused)]))
    return [each if isinstance(each, Refused) else next(uploads) for each in found]


@dataclass(frozen=True)
class _Accepted:
    """A received file whose kind is accepted."""

    part: Part
    content_type: str
    name: str


def _accepted_or_why(part: Part) -> _Accepted | Refused:
    if isinstance(part.refusal, NotStored):
        raise part.refusal
    try:
        return part.refusal or _accepted(part)
    except Invalid as refusal:
        return refusal


def _accepted(part: Part) -> _Accepted:
    try:
        kind, name = kind_of(cast("BinaryIO", part.written), part.shown)
    except NotAccepted as reason:
        raise Invalid(f"“{part.shown}” {reason}", field=FIELD) from reason
    return _Accepted(part, kind.content_type, name)


def _scanned(files: Sequence[_Accepted]) -> list[Upload]:
    verdicts = scan_each([cast("BinaryIO", each.part.written) for each in files])
    return [
        Upload(
            name=each.name,
            content_type=each.content_type,
            size=each.part.size or 0,
            sha256=each.part.digest.hexdigest(),
            path=Path(each.part.written.name),
            scan=verdict.state,
            scan_note=verdict.note,
        )
        for each, verdict in zip(files, verdicts, strict=True)
    ]


def digest_of(part: UploadedFile) -> str:
    """The SHA-256 of a received file."""
    return cast("Part", part).digest.hexdigest()


def keep_all(uploads: Sequence[Upload]) -> dict[str, StoredFile]:
    """Keep checked files in the caller's transaction and return their rows by SHA-256. Raises NotStored, which names the
    file; the caller's transaction must then end without a change."""
    # In one order everywhere, because two posts may bring the same files.
    return {upload.sha256: _kept(upload) for upload in sorted(uploads, key=lambda each: each.sha256)}


def _kept(upload: Upload) -> StoredFile:
    row = StoredFile(
        sha256=upload.sha256,
        size=upload.size,
        content_type=upload.content_type,
        name=upload.name,
        scan=upload.scan,
        scan_note=upload.scan_note,
    )

    def move(target: Path) -> None:
        upload.path.replace(target)

    # What a scan found stays when the same bytes come again and no scan looked at them.
    scanned = upload.scan in (StoredFile.CLEAN, StoredFile.INFECTED)
    try:
        kept = keep(row, move, update=("content_type", *(("scan", "scan_note") if scanned else ())))
    except OSError as error:
        raise not_stored(upload.name) from error
    return kept if scanned else _begun(kept, upload)


def _begun(row: StoredFile, upload: Upload) -> StoredFile:
    """The row with its state as it is kept. What was never offered for download, such as an import, and what was missing
    takes the state of the upload, so that the scanner sees it from now on."""
    never = StoredFile.objects.filter(pk=row.pk, scan__in=(StoredFile.PRIVATE, StoredFile.MISSING))
    never.update(scan=upload.scan, scan_note=upload.scan_note)
    row.refresh_from_db(fields=["scan", "scan_note"])
    return row
