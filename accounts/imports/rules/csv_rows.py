"""Reads the rows of a CSV file in the usual encodings and delimiters, also with faulty rows."""

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

from charset_normalizer import from_bytes

DELIMITERS = (",", ";", "\t", "|")
MOST_COLUMNS = 500
MOST_TITLE_LINES = 10
# What a person may choose; the first two are certain when they are detected.
ENCODINGS = {
    "utf-8-sig": "Unicode (UTF-8)",
    "utf-16": "Unicode (UTF-16)",
    "cp1252": "Western Europe (Windows)",
    "cp1250": "Central Europe (Windows)",
    "cp1251": "Cyrillic (Windows)",
    "cp1253": "Greek (Windows)",
    "cp1254": "Turkish (Windows)",
    "cp1255": "Hebrew (Windows)",
    "cp1256": "Arabic (Windows)",
    "cp1257": "Baltic (Windows)",
    "cp1258": "Vietnamese (Windows)",
    "cp874": "Thai (Windows)",
    "cp850": "Western Europe (DOS)",
    "cp852": "Central Europe (DOS)",
    "cp866": "Cyrillic (DOS)",
    "koi8_r": "Cyrillic (KOI8-R)",
    "mac_roman": "Western Europe (Mac)",
    "mac_latin2": "Central Europe (Mac)",
    "mac_cyrillic": "Cyrillic (Mac)",
    "cp932": "Japanese (Shift_JIS)",
    "euc_jp": "Japanese (EUC-JP)",
    "gb18030": "Chinese (GB 18030)",
    "big5": "Chinese (Big5)",
    "cp949": "Korean",
}
UNICODE = ("utf-8-sig", "utf-16")
LARGEST_CELL = 16 * 1024 * 1024
# Names are too short to distinguish Windows-1252 from similar encodings, so it is used unless its letters make no
# sense. Names were measured at up to 0.2, names in other encodings that are read as Windows-1252 mostly above 0.6
# (decision 0014).
MOST_NONSENSE = 0.5
LEAST_LETTERS = 5  # fewer letters outside ASCII prove nothing
OTHER_ENCODINGS = ("cp932", "gb18030", "big5", "cp949", "cp1250", "cp1251")
SAMPLE_LINES, LONGEST_SAMPLE_LINE = 200, 4096
# The standard limit is 128 KB; a pasted log is larger. It can only be set for the whole process.
csv.field_size_limit(LARGEST_CELL)


class Row(NamedTuple):
    """One row: the line it starts on (the header is line 1), its cells by header, and its fault ("" = none)."""

    line: int
    values: dict[str, str]
    problem: str


def read_rows(content: bytes, encoding: str = "") -> tuple[list[str], Iterator[Row]]:
    """The headers and the rows of a CSV file.

    Reads the named encoding, else UTF-8 (with or without BOM), UTF-16 with BOM, Windows-1252 and, if recognised, encodings of
    Eastern Europe and East Asia; commas, semicolons, tabs or bars. Empty lines are left out; a row with too few or too many
    cells comes with a `problem`. Raises ValueError with a clear message if there is no table: an empty file, a workbook.
    """
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise ValueError("This is a spreadsheet workbook, not a CSV file: save it as CSV (UTF-8) and upload that.")
    text = _text(content, encoding)
    first, _, rest = text.lstrip("\r\n").partition("\n")
    skipped = text[: len(text) - len(text.lstrip("\r\n"))].count("\n")
    delimiter = _delimiter(first)
    if first.strip().lower().startswith("sep=") and len(first.strip()) <= 5:  # a hint that Excel writes and reads
        delimiter, text, skipped = first.strip()[4:] or "\t", rest, skipped + 1
    else:
        text = text.lstrip("\r\n")
    rows = _raw_rows(text, delimiter, skipped)
    _, header, problem = next(rows, (1, [], ""))
    if problem or not any(cell.strip() for cell in header):
        raise ValueError("The file is empty: it needs a line with column names and one line for each record.")
    if len(header) > MOST_COLUMNS:
        raise ValueError(f"The file has {len(header)} columns, at most {MOST_COLUMNS} are read: check its delimiter.")
    names = _unique(header)
    return names, (_row(names, *raw) for raw in rows)


def _text(content: bytes, encoding: str) -> str:
    return content.decode(encoding or detected(content), errors="replace").replace("\x00", "")


def delimiter_of(content: bytes, encoding: str = "") -> str:
    """The character between the cells."""
    return _delimiter(_text(content, encoding).lstrip("\r\n").partition("\n")[0])


def later_header(content: bytes, is_header: Callable[[list[str]], bool], encoding: str = "") -> int:
    """The line of the column names, if they stand below line 1, under a title; else 0."""
    text = _text(content, encoding)
    for delimiter in DELIMITERS:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        with suppress(csv.Error):
            for cells in islice(rows, MOST_TITLE_LINES):
                if rows.line_num > 1 and is_header(cells):
                    return rows.line_num
    return 0


def detected(content: bytes) -> str:
    """The encoding of a file: Unicode if it is that, else what its letters look like."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    with suppress(UnicodeDecodeError):
        content.decode("utf-8-sig")
        return "utf-8-sig"
    lines = islice((line for line in content.splitlines() if not line.isascii()), SAMPLE_LINES)
    sample = b"\n".join(line for line in lines if len(line) <= LONGEST_SAMPLE_LINE)
    if sum(byte > 127 for byte in sample) < LEAST_LETTERS:
        return "cp1252"
    for encodings, nonsense in ((["cp1252"], MOST_NONSENSE), (list(OTHER_ENCODINGS), 0.2)):
        found = from_bytes(sample, cp_isolation=encodings, threshold=nonsense, preemptive_behaviour=False).best()
        if found:
            return found.encoding
    return "cp1252"


def _delimiter(header: str) -> str:
    bare = "".join(header.split('"')[::2])  # the text outside quotes
    return max(DELIMITERS, key=bare.count)


def _raw_rows(text: str, delimiter: str, skipped: int) -> Iterator[tuple[int, list[str], str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    while True:
        line = skipped + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield (
                line,
                [],
                f"The rest of the file cannot be read ({error}): look for a quotation mark that is not closed.",
            )
            return
        if any(cell.strip() for cell in cells):
            yield line, cells, ""


def _row(names: list[str], line: int, cells: list[str], problem: str) -> Row:
    while len(cells) > len(names) and not cells[-1].strip():
        cells.pop()
    if not problem and len(cells) != len(names):
        problem = f"The row has {len(cells)} cells, the header has {len(names)}: check for stray delimiters or quotes."
    return Row(line, dict(zip(names, cells, strict=False)), problem)


def _unique(header: list[str]) -> list[str]:
    """Column names as shown to people: trimmed, empty ones named by their position, repeated ones numbered."""
    names: list[str] = []
    for place, cell in enumerate(header, start=1):
        name = base = cell.strip() or f"column {place}"
        number = 2
        while name in names:
            name, number = f"{base} ({number})", number + 1
        names.append(name)
    return names
