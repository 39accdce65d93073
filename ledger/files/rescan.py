"""Scans held files again, so that they are released when the scanner is back or knows better."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Q

from ledger.files import scanner
from ledger.files.store import path_of
from ledger.models import StoredFile
from ledger.now import now

# New signatures correct false alarms; they come about once a day.
AGAIN = timedelta(days=1)
MOST = 200


def rescan() -> Iterator[tuple[StoredFile, str]]:
    """Scan what is held or was never scanned; yields each file whose state changed, with the state before. Files in which
    something was found wait for a day. Each is written in a statement of its own, because the scanner takes its time."""
    if not scanner.is_on():
        return
    wait = Q(scan=StoredFile.INFECTED) & (Q(scanned_at=None) | Q(scanned_at__lt=now() - AGAIN))
    due = StoredFile.objects.filter(Q(scan__in=[StoredFile.FAILED, StoredFile.UNSCANNED]) | wait)
    for row in list(due.order_by("scanned_at", "pk")[:MOST]):
        before, verdict = row.scan, _verdict(row)
        found = {"scan": verdict.state, "scan_note": verdict.note, "scanned_at": now()}
        if StoredFile.objects.filter(pk=row.pk, scan=before).update(**found) and verdict.state != before:
            row.scan, row.scan_note = verdict.state, verdict.note
            yield row, before


def _verdict(row: StoredFile) -> scanner.Verdict:
    try:
        with path_of(row.sha256).open("rb") as file:
            return scanner.scan(file)
    except FileNotFoundError:
        return scanner.Verdict(StoredFile.MISSING)
