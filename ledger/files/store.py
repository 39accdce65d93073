"""Files by content: written once under MEDIA_ROOT/ab/cdef…, described by a StoredFile row.

The row is the lock of the file: whoever writes or removes one holds its row until the end of the transaction. So a row and its
file come together, and a file is not removed while somebody stores the same content again.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import transaction

from ledger.models import StoredFile
from ledger.now import now

INCOMING = "incoming"


def path_of(sha256: str) -> Path:
    """The path of a stored file."""
    return Path(settings.MEDIA_ROOT) / sha256[:2] / sha256[2:]


def incoming() -> Path:
    """The folder of files that are being received; on the same file system, so that they are moved at once."""
    folder = Path(settings.MEDIA_ROOT) / INCOMING
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def store(data: bytes, *, name: str, content_type: str = "application/octet-stream") -> StoredFile:
    """Keep the bytes (once, whatever the name) and return their row. The name is trimmed to 255 characters. Raises OSError
    when they cannot be written; then nothing is kept."""

    def write(target: Path) -> None:
        part = tempfile.NamedTemporaryFile(dir=incoming(), delete=False)  # noqa: SIM115  moved below
        try:
            with part:
                part.write(data)
                flush(part.file.fileno(), part.flush)
            Path(part.name).replace(target)
        except OSError:
            Path(part.name).unlink(missing_ok=True)
            raise

    row = StoredFile(sha256=hashlib.sha256(data).hexdigest(), size=len(data), content_type=content_type[:120])
    row.name = name[-255:]
    return keep(row, write, update=())


def flush(descriptor: int, flush_buffer: Callable[[], None]) -> None:
    """Bring what was written onto the disk; a full disk may show only then."""
    flush_buffer()
    os.fsync(descriptor)


def keep(row: StoredFile, write: Callable[[Path], None], *, update: tuple[str, ...]) -> StoredFile:
    """Save the row, or the columns `update` of the row with the same content, and the file if it is not there: `write` puts
    it at a path. Both or none, as part of the caller's transaction."""
    row.at = row.last_at = now()
    with transaction.atomic(savepoint=False):
        # One statement, because another process may store the same bytes at the same time.
        StoredFile.objects.bulk_create(
            [row], update_conflicts=True, unique_fields=["sha256"], update_fields=["last_at", *update]
        )
        target = path_of(row.sha256)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            write(target)
    return row


def read(stored: StoredFile) -> bytes:
    """The bytes of a stored file. Raises FileNotFoundError when they are missing in the media folder."""
    return path_of(stored.sha256).read_bytes()
