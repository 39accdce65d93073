"""Files by content: written once under MEDIA_ROOT/ab/cdef…, described by a StoredFile row."""

import hashlib
from pathlib import Path

from django.conf import settings

from ledger.models import StoredFile
from ledger.now import now


def path_of(sha256: str) -> Path:
    """The path of a stored file."""
    return Path(settings.MEDIA_ROOT) / sha256[:2] / sha256[2:]


def store(data: bytes, *, name: str, content_type: str = "application/octet-stream") -> StoredFile:
    """Keep the bytes (once, whatever the name) and return their row. The name is trimmed to 255 characters."""
    sha256 = hashlib.sha256(data).hexdigest()
    target = path_of(sha256)
    # The bytes are written before the row, so new bytes have no row yet.
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(".part")
        part.write_bytes(data)
        part.replace(target)
    elif found := StoredFile.objects.filter(sha256=sha256).first():
        return found
    row = StoredFile(sha256=sha256, size=len(data), content_type=content_type[:120], name=name[-255:], at=now())
    # One statement, because another process may store the same bytes at the same time.
    StoredFile.objects.bulk_create([row], update_conflicts=True, unique_fields=["sha256"], update_fields=["sha256"])
    return row


def read(stored: StoredFile) -> bytes:
    """The bytes of a stored file. Raises FileNotFoundError when they are missing in the media folder."""
    return path_of(stored.sha256).read_bytes()
