"""The rules by which an import reads a file: its rows, columns and cells."""

from accounts.imports.rules.cells import is_blank, parse_bool, parse_currency, parse_date, parse_money
from accounts.imports.rules.columns import FIELDS, detect_kind, suggest_mapping
from accounts.imports.rules.csv_rows import ENCODINGS, UNICODE, Row, delimiter_of, detected, later_header, read_rows
from accounts.imports.rules.readings import Evidence

__all__ = [
    "ENCODINGS",
    "FIELDS",
    "UNICODE",
    "Evidence",
    "Row",
    "delimiter_of",
    "detect_kind",
    "detected",
    "is_blank",
    "later_header",
    "parse_bool",
    "parse_currency",
    "parse_date",
    "parse_money",
    "read_rows",
    "suggest_mapping",
]
