"""Keeps rows and files together: removes what nothing uses, and holds what is missing. Run by the worker once a day."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.deletion import ProtectedError

from ledger.files.store import INCOMING, path_of
from ledger.models import StoredFile
from ledger.now import now

# A file that was stored, or began to arrive, less than a day ago may still be attached.
GRACE = timedelta(days=1)
FOLDER, REST = re.compile(r"[0-9a-f]{2}"), re.compile(r"[0-9a-f]{62}")
BATCH = 500


@dataclass(frozen=True)
class Tidied:
    """How many rows nothing used, how many files had no row, and how many rows have lost their file."""

    unused: int
    without_row: int
    missing: int


def tidy() -> Tidied:
    """Remove stored files that no row refers to and files that have no row; hold the rows whose file is missing."""
    return Tidied(unused=_remove_unused(), without_row=_remove_without_row(), missing=_hold_missing())


def _unused() -> QuerySet[StoredFile]:
    old = Q(last_at__lt=now() - GRACE) | Q(last_at=None, at__lt=now() - GRACE)
    rows = StoredFile.objects.filter(old).order_by("pk")
    for relation in StoredFile._meta.related_objects:
        users = relation.related_model._default_manager.filter(**{relation.field.name: OuterRef("pk")})
        rows = rows.exclude(Exists(users))
    return rows


def _remove_unused() -> int:
    return sum(_removed(pk) for pk in list(_unused().values_list("pk", flat=True)))


def _removed(pk: int) -> bool:
    """Remove one row and its file, unless somebody has stored the same content or used it meanwhile."""
    with transaction.atomic():
        row = StoredFile.objects.select_for_update().filter(pk=pk).first()
        if row is None or not _unused().filter(pk=pk).exists():
            return False
        try:
            row.delete()
        except ProtectedError:
            return False
        path_of(row.sha256).unlink(missing_ok=True)
    return True


def _remove_without_row() -> int:
    removed = 0
    batch: dict[str, Path] = {}
    for path in _old_files():
        if path.parent.name == INCOMING or not REST.fullmatch(path.name):
            path.unlink(missing_ok=True)
            removed += 1
            continue
        batch[path.parent.name + path.name] = path
        if len(batch) == BATCH:
            removed += _remove_batch(batch)
            batch = {}
    return removed + _remove_batch(batch)


def _old_files() -> Iterator[Path]:
    """Files of ours that were not written within the last day; other folders of the media root are left alone."""
    root, limit = Path(settings.MEDIA_ROOT), (now() - GRACE).timestamp()
    folders = root.iterdir() if root.is_dir() else ()
    for folder in folders:
        if folder.is_dir() and (folder.name == INCOMING or FOLDER.fullmatch(folder.name)):
            yield from (path for path in folder.iterdir() if path.is_file() and path.stat().st_mtime < limit)


def _remove_batch(files: dict[str, Path]) -> int:
    known = set(StoredFile.objects.filter(sha256__in=files).values_list("sha256", flat=True))
    return sum(_removed_without_row(sha256, path) for sha256, path in files.items() if sha256 not in known)


def _removed_without_row(sha256: str, path: Path) -> bool:
    """Remove a file that has no row. A row is written and taken back around it: it keeps others out who store the same
    content now."""
    with transaction.atomic():
        row, new = StoredFile.objects.get_or_create(sha256=sha256, defaults={"size": 0, "name": path.name, "at": now()})
        if not new:
            return False
        path.unlink(missing_ok=True)
        row.delete()
    return True


def _hold_missing() -> int:
    """Hold what has no file; release what has one again. Returns how many are missing."""
    missing = 0
    for row in StoredFile.objects.only("sha256", "scan").order_by("pk").iterator(chunk_size=BATCH):
        there = path_of(row.sha256).exists()
        missing += not there
        if row.scan and there == (row.scan == StoredFile.MISSING):
            # What is back waits for the scanner, if there is one.
            state = StoredFile.UNSCANNED if there else StoredFile.MISSING
            StoredFile.objects.filter(pk=row.pk, scan=row.scan).update(scan=state, scan_note="")
    return missing
