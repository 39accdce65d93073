"""Figures and their drill-down lists as CSV. `csv_text` neutralises cells that a spreadsheet would run."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from accounts.exports import csv_text
from ledger.format import rounded
from reports.queries.kpis import Listing
from reports.rules.kpis import Figure
from reports.rules.periods import Period


def figures_csv(figures: Iterable[Figure], period: Period) -> str:
    """One line for each figure."""
    header = ("KPI", "Value", "Unit", "Target", "Owner", "State", "Cases", "Before", "Note", "From", "To")
    rows = []
    for figure in figures:
        each = figure.as_dict()
        values = [
            each[name] for name in ("name", "value", "unit", "target", "owner", "state", "cases", "previous", "note")
        ]
        rows.append((*values, period.first_day, period.last_day))
    return csv_text(header, rows)


def listing_csv(listing: Listing) -> str:
    """One line for each case, times in UTC."""
    what, start, end = listing.columns
    header = ("Escalation", "Title", "Account", what, f"{start} (UTC)", f"{end} (UTC)", "Value", "In words")
    rows = (
        (
            row.case.key,
            row.case.title,
            row.case.account.name,
            row.what,
            row.start.isoformat() if row.start else "",
            row.end.isoformat() if row.end else "",
            "" if row.value is None else rounded(Decimal(row.value), 2),
            row.text,
        )
        for row in (listing.show(each) for each in listing.rows.iterator(chunk_size=2000))
    )
    return csv_text(header, rows)


def overrides_csv(said: Iterable[dict[str, Any]]) -> str:
    """One line for each override, times in UTC."""
    header = ("At (UTC)", "Who", "Against", "Outcome", "Reason", "Request", "Ask", "Account", "Escalation")
    rows = (
        (
            *(each["at"].isoformat(), str(each["who"] or ""), each["what"], each["outcome"], each["reason"]),
            *(each["request"].pk, each["request"].ask, each["request"].account.name, each["request"].case_key),
        )
        for each in said
    )
    return csv_text(header, rows)
