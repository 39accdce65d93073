"""Scans held files again, so that they are released when the scanner is back or knows better."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import F, Q

from ledger.files import scanner
from ledger.files.store import path_of
from ledger.models import StoredFile
from ledger.now import now

# New signatures correct false alarms; they come about once a day.
AGAIN = timedelta(days=1)
MOST = 200
# Seconds for one run, within the time of a job of the worker.
LONGEST = 60.0


@dataclass(frozen=True)
class Rescanned:
    """A file whose state changes by a scan. `row` has the state before until `keep` writes the new one."""

    row: StoredFile
    verdict: scanner.Verdict

    def keep(self) -> bool:
        """Write the new state in the caller's transaction, together with what is said about it. False if somebody else wrote
        another state meanwhile."""
        if not _write(self.row, self.verdict):
            return False
        self.row.scan, self.row.scan_note = self.verdict.state, self.verdict.note
        return True


def rescan() -> Iterator[Rescanned]:
    """Scan what is held or was never scanned; yields each file whose state changes, for the caller to keep. Files in which
    something was found wait for a day. It ends when the scanner does not answer, and after a minute. Call it outside a
    transaction, because the scanner takes its time."""
    if not scanner.is_on():
        return
    wait = Q(scan=StoredFile.INFECTED) & (Q(scanned_at=None) | Q(scanned_at__lt=now() - AGAIN))
    due = StoredFile.objects.filter(Q(scan__in=[StoredFile.FAILED, StoredFile.UNSCANNED]) | wait)
    until = time.monotonic() + LONGEST
    for row in list(due.order_by(F("scanned_at").asc(nulls_first=True), "pk")[:MOST]):
        verdict = _verdict(row)
        if verdict.state == row.scan:
            _write(row, verdict)
        else:
            yield Rescanned(row, verdict)
        if not verdict.answered or time.monotonic() > until:
            return


def _write(row: StoredFile, verdict: scanner.Verdict) -> int:
    found = {"scan": verdict.state, "scan_note": verdict.note, "scanned_at": now()}
    return StoredFile.objects.filter(pk=row.pk, scan=row.scan).update(**found)


def _verdict(row: StoredFile) -> scanner.Verdict:
    try:
        with path_of(row.sha256).open("rb") as file:
            return scanner.scan(file)
    except FileNotFoundError:
        return scanner.Verdict(StoredFile.MISSING)
