"""CSV exports of cases, row by row, with cells made safe for spreadsheets."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal

from accounts.exports import BOM, safe_cell
from escalations import states
from escalations.cases.queries.queue_rows import Row
from escalations.models import Event
from ledger.format import in_table

CsvRow = Sequence[str | int | Decimal | date | None]
QUEUE_HEADER = (
    *("key", "title", "account", "issue type", "state", "tier", "lane", "level", "arr at risk", "currency"),
    *("renewal date", "owner", "waiting on", "sla clock", "sla due (UTC)", "next update (UTC)", "opened (UTC)"),
)
STATES, TIERS, LANES = dict(states.STATES), dict(states.TIERS), dict(states.LANES)
EVENT_HEADER = ("entry", "at (UTC)", "who", "kind", "audience", "summary", "text", "fingerprint", "key id")


class _Echo:
    """A file that returns each line instead of storing it."""

    def write(self, line: str) -> str:
        return line


def csv_lines(header: Sequence[str], rows: Iterable[CsvRow]) -> Iterator[str]:
    """The lines of a CSV file, one by one."""
    writer = csv.writer(_Echo())
    yield BOM + writer.writerow([safe_cell(cell) for cell in header])
    for row in rows:
        yield writer.writerow([safe_cell(cell) for cell in row])


def queue_row(row: Row) -> CsvRow:
    """A case as a row of the queue's CSV."""
    return (
        *(row.key, row.title, row.account, row.issue_type, STATES[row.state], TIERS[row.tier]),
        *(LANES[row.lane], row.level, row.arr_at_risk, row.arr_currency, row.renewal_date or ""),
        *(row.owner or "", row.waits_for, row.sla_clock),
        *(in_table(row.sla_due_at), in_table(row.next_update_at), in_table(row.opened_at)),
    )


def event_row(event: Event) -> CsvRow:
    """An entry as a row of the audit CSV."""
    words = event.text.body if event.text else ""
    who = (event.seq, in_table(event.at), event.actor_name, event.kind, event.audience)
    return (*who, event.summary, words, event.digest, event.key_id)
