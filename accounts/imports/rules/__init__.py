"""The rules by which an import reads a file: its rows, columns and cells."""

from accounts.imports.rules.cells import date_order, is_blank, parse_bool, parse_currency, parse_date, parse_money
from accounts.imports.rules.columns import FIELDS, detect_kind, suggest_mapping
from accounts.imports.rules.csv_rows import Row, read_rows

__all__ = [
    "FIELDS",
    "Row",
    "date_order",
    "detect_kind",
    "is_blank",
    "parse_bool",
    "parse_currency",
    "parse_date",
    "parse_money",
    "read_rows",
    "suggest_mapping",
]
