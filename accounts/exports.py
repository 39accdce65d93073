"""CSV exports. Cells that a spreadsheet would run as a formula are neutralised."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

from accounts.models import Account, ImportRun

# Signs that start a formula, also in full width, after blanks and characters that nobody sees.
STARTS = "=+\\-@|%＝＋－＠"
UNSEEN = (
    r"\s\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb"
)
FORMULA = re.compile(rf"^[{UNSEEN}]*[{STARTS}\t\r]")
# Spreadsheets of many countries split at semicolons, or at tabs; a line break that is not read as quoted starts a row. The
# lines of a list, which start with "- ", stay.
INNER = re.compile(rf"(;[{UNSEEN}]*|(?<!^)[\t\r\n][{UNSEEN}]*)(?=[{STARTS}])(?!- )")
# The mark at the start makes spreadsheets read the file as UTF-8.
BOM = "\ufeff"
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?%?")


def safe_cell(value: object) -> str:
    """The text of a cell, with an apostrophe before text that would start a formula, also where a spreadsheet splits the cell.
    Plain numbers stay numbers."""
    text = INNER.sub(r"\1'", "" if value is None else str(value))
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A CSV file as text, with every cell made safe."""
    out = io.StringIO(newline="")
    out.write(BOM)
    writer = csv.writer(out)
    writer.writerow([safe_cell(cell) for cell in header])
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return out.getvalue()


def problems_csv(run: ImportRun) -> str:
    """The rows that were not imported: place, value, how to fix it."""
    rows = run.problems.values_list("row", "ref", "column", "value", "reason").iterator()
    return csv_text(("row", "id", "column", "in the file", "how to fix"), rows)


def accounts_csv(accounts: Iterable[Account]) -> str:
    """The account list with its figures in the accounts' own currencies."""
    header = (
        "source",
        "id",
        "name",
        "kind",
        "status",
        "segment",
        "region",
        "health",
        "weighted risk",
        "arr",
        "currency",
    )
    rows = (
        (
            *(account.source, account.external_id, account.name, account.kind, account.status, account.segment),
            *(account.region, account.health, account.weighted_risk, account.arr, account.currency),
            *(account.renewal_date, account.csm, account.ae),
        )
        for account in accounts
    )
    return csv_text((*header, "renewal", "csm", "account executive"), rows)
