"""The first half of an import: a file is kept, and its columns are matched with fields. No account changes yet."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from django.db import transaction

from accounts.customers.rates import known_currencies
from accounts.imports.cells import Cells, Reading
from accounts.imports.rules import (
    ENCODINGS,
    FIELDS,
    UNICODE,
    Evidence,
    Row,
    delimiter_of,
    detect_kind,
    detected,
    is_blank,
    later_header,
    read_rows,
    suggest_mapping,
)
from accounts.imports.rules.columns import CHECKS
from accounts.models import ImportMapping, ImportRun, User
from ledger import files
from ledger.errors import AlreadyDone, Invalid, NotAllowed
from ledger.files.uploads import not_stored
from ledger.format import day, money
from ledger.models import StoredFile
from ledger.now import now
from ledger.reading import has_words

LARGEST_FILE = 10 * 1024 * 1024
SAMPLE = 1000
DATES, MONEY = ("renewal_date", "start_date", "end_date"), ("arr", "mrr")
REQUIRED: Mapping[str, tuple[str, ...]] = {
    ImportRun.ACCOUNTS: ("external_id", "name"),
    ImportRun.SUBSCRIPTIONS: ("external_id", "account_external_id"),
    ImportRun.CONTACTS: ("account_external_id", "email"),
}
# Fields whose column is recognised by its name, and the share of its cells that must then be valid.
NAMED = ("arr", "renewal_date", "start_date", "end_date", "currency", "email")
FEW, SOME_SHARE = 10, 0.2
CHURNED_HEADERS = {"churned", "churn", "churnflag", "ischurned", "haschurned"}


def fields_of(kind: str) -> list[str]:
    """The fields a column of this kind of file can fill."""
    known = FIELDS.get(kind, {})  # type: ignore[call-overload]
    names = [name for name in known if name != "phone" and not (kind == ImportRun.CONTACTS and name == "external_id")]
    return [*names, "churned"] if kind == ImportRun.ACCOUNTS else names


def stage(
    *,
    data: bytes,
    filename: str,
    kind: str | None = None,
    columns: Mapping[str, str] | None = None,
    default_currency: str = "",
    source: str,
    by: User | None = None,
) -> ImportRun:
    """Keeps the file and suggests how to read it; no account changes. Columns not given come from a saved mapping that
    fits the header row, else they are guessed. Raises NotAllowed for people outside operations, Invalid for a file that
    is too large (10 MB), no table, empty, or of an unknown kind, NotStored if the disk does not take it.
    """
    if by is not None and not by.is_ops:
        raise NotAllowed("Only operations may import files.")
    if not has_words(source):
        raise Invalid("Enter the system that the ids come from.", field="source")
    encoding = detected(data)
    headers, rows = open_rows(data, encoding)
    _refuse_title(data, headers, encoding)
    sample = list(islice(rows, SAMPLE))
    total = len(sample) + sum(1 for _ in rows)
    if not total:
        raise Invalid("The file has column names but no rows.", field="file")
    kind = kind or detect_kind(headers) or ""
    if kind not in REQUIRED:
        raise Invalid(
            "The columns do not show whether the file lists accounts, subscriptions or contacts. Choose one.",
            field="kind",
        )
    saved = None if columns else fitting_mapping(kind=kind, headers=headers)
    chosen = dict(columns or (saved.columns if saved else _guess(headers, sample, kind)))
    currency = default_currency or (saved.default_currency if saved else "")
    _check_setup(kind, headers, chosen, currency)
    return ImportRun.objects.create(
        file=_kept(data, filename),
        filename=filename[-255:],
        kind=kind,
        source=source.strip()[:40],
        encoding=encoding,
        columns=chosen,
        headers=headers,
        default_currency=currency,
        total=total,
        by=by,
        at=now(),
    )


@dataclass(frozen=True)
class Choices:
    """How a person wants the file to be read: its encoding, and what its cells do not tell. "" leaves it to the file."""

    encoding: str = ""
    dates: str = ""
    decimals: str = ""


def _kept(data: bytes, filename: str) -> StoredFile:
    try:
        with transaction.atomic():
            return files.store(data, name=filename, content_type="text/csv")
    except OSError as error:
        raise not_stored(filename, field="file") from error


def configure(
    *, run: ImportRun, columns: Mapping[str, str], default_currency: str = "", choices: Choices | None = None
) -> ImportRun:
    """Changes mapping, currency and reading of a staged import. Raises AlreadyDone after it has started, Invalid for a
    mapping that does not fit or an unknown encoding."""
    if run.state != ImportRun.STAGED:
        raise AlreadyDone("This import has started. Upload the file again to read it another way.")
    _check_setup(run.kind, run.headers, columns, default_currency)
    run.columns, run.default_currency = dict(columns), default_currency
    if choices:
        run.dates, run.decimals = choices.dates, choices.decimals
        if choices.encoding and choices.encoding != run.encoding:
            _read_again(run, choices.encoding)
    run.save(update_fields=["columns", "default_currency", "dates", "decimals", "encoding", "headers"])
    return run


def _read_again(run: ImportRun, encoding: str) -> None:
    """Another encoding may spell the column names another way; their places stay."""
    if encoding not in ENCODINGS:
        raise Invalid(f"Unknown encoding {encoding}. Use one of: {', '.join(ENCODINGS)}.", field="encoding")
    headers, _ = open_rows(files.read(run.file), encoding)
    if len(headers) != len(run.headers):
        raise Invalid("In this encoding the file has other columns. Choose another one.", field="encoding")
    renamed = dict(zip(run.headers, headers, strict=True))
    run.encoding, run.headers = encoding, headers
    run.columns = {name: renamed[header] for name, header in run.columns.items()}


def evidence(run: ImportRun) -> Evidence:
    """What all cells of the file say about its dates and amounts."""
    data = files.read(run.file)
    currencies = {run.default_currency} if run.default_currency and "currency" not in run.columns else set()
    found = Evidence(delimiter_of(data, run.encoding), currencies)
    dates = [run.columns[name] for name in DATES if name in run.columns]
    amounts = [run.columns[name] for name in MONEY if name in run.columns]
    currency = run.columns.get("currency", "")
    for row in open_rows(data, run.encoding)[1]:
        for header in dates:
            found.see_date(row.values.get(header, ""))
        for header in amounts:
            found.see_amount(row.values.get(header, ""))
        if code := row.values.get(currency, "").strip().upper():
            found.currencies.add(code)
    return found


def open_questions(run: ImportRun) -> tuple[str, str]:
    """A date and an amount of the file that have two readings, and nobody has said which; "" if there is none."""
    found = evidence(run)
    return "" if run.dates else found.asks_order, "" if run.decimals else found.asks_mark


def reading(run: ImportRun) -> Reading:
    """How the cells are read: as a person said, else as the file shows."""
    found = evidence(run)
    return Reading(run.dates or found.order(), run.decimals or found.mark())


def preview(run: ImportRun, most: int = 5) -> list[str]:
    """Names of the file with letters outside ASCII, which show whether the encoding is right. Empty for Unicode."""
    if run.encoding in UNICODE:
        return []
    rows = open_rows(files.read(run.file), run.encoding)[1]
    texts = (text for row in rows for text in row.values.values() if text and not text.isascii())
    return list(islice(dict.fromkeys(text[:60] for text in islice(texts, 200)), most))


class ReadCell(NamedTuple):
    """A date or an amount of the file, and how it is read."""

    column: str
    text: str
    read: str


def cells_read(run: ImportRun, most: int = 6) -> list[ReadCell]:
    """The first different dates and amounts of each column, at most `most` of each, as an import would read them now."""
    how, currencies = reading(run), frozenset(known_currencies())
    names = [name for name in (*DATES, *MONEY) if name in run.columns]
    found: dict[str, dict[str, ReadCell]] = {name: {} for name in names}
    for row in islice(open_rows(files.read(run.file), run.encoding)[1], SAMPLE):
        cells = Cells(row.line, row.values, run.columns, currencies, how)
        for name, seen in found.items():
            text = cells.raw(name).strip()
            if len(seen) < most and text not in seen and (read := _in_words(cells, name, run)):
                seen[text] = ReadCell(run.columns[name], text[:60], read)
    return [each for seen in found.values() for each in seen.values()]


def _in_words(cells: Cells, name: str, run: ImportRun) -> str:
    """Empty for a cell that is blank or cannot be read."""
    if name in DATES:
        on = cells.day(name)
        return day(on) if on else ""
    amount = cells.money(name)
    return "" if amount is None else money(amount, cells.currency() or run.default_currency or "USD")


def missing_fields(run: ImportRun) -> list[str]:
    """Required fields that no column fills yet."""
    missing = [name for name in REQUIRED[run.kind] if name not in run.columns]
    if run.kind == ImportRun.CONTACTS and not {"name", "first_name", "last_name"} & set(run.columns):
        missing.append("name")
    return missing


def needs_currency(run: ImportRun) -> bool:
    """Whether the currency is missing: no column for it and no default yet."""
    return run.kind != ImportRun.CONTACTS and "currency" not in run.columns and not run.default_currency


def save_mapping(*, run: ImportRun, name: str) -> ImportMapping:
    """Remembers the columns under a name, for files with the same header row. A known name is overwritten."""
    if not has_words(name):
        raise Invalid("Enter a name for the mapping.", field="save_as")
    return ImportMapping.objects.update_or_create(
        kind=run.kind,
        name=name.strip()[:80],
        defaults={
            "columns": run.columns,
            "headers": _fingerprint(run.headers),
            "default_currency": run.default_currency,
        },
    )[0]


def fitting_mapping(*, kind: str, headers: Sequence[str]) -> ImportMapping | None:
    """The latest saved mapping made for this header row."""
    fitting = ImportMapping.objects.filter(kind=kind, headers=_fingerprint(headers))
    return fitting.order_by("-saved_at", "-id").first()


def _refuse_title(data: bytes, headers: list[str], encoding: str) -> None:
    if detect_kind(headers) is None:
        line = later_header(data, lambda cells: len(cells) > 1 and detect_kind(cells) is not None, encoding)
        if line:
            raise Invalid(
                f"Line 1 is no header: the column names are in line {line}. Delete the lines above it.", field="file"
            )


def open_rows(data: bytes, encoding: str = "") -> tuple[list[str], Iterator[Row]]:
    if len(data) > LARGEST_FILE:
        raise Invalid("The file is larger than 10 MB. Split it and import the parts.", field="file")
    try:
        headers, rows = read_rows(data, encoding)
    except ValueError as error:
        raise Invalid(str(error), field="file")
    return headers, rows


def _guess(headers: list[str], sample: list[Row], kind: str) -> dict[str, str]:
    found = suggest_mapping(headers, [row.values for row in sample if not row.problem], kind)  # type: ignore[arg-type]
    found = {**_by_name_alone(headers, sample, kind, taken=set(found.values())), **found}
    chosen = {name: header for name, header in found.items() if name in fields_of(kind)}
    churned = [header for header in headers if "".join(filter(str.isalnum, header)).lower() in CHURNED_HEADERS]
    if kind == ImportRun.ACCOUNTS and churned and churned[0] not in chosen.values():
        chosen["churned"] = churned[0]
    return chosen


def _by_name_alone(headers: list[str], sample: list[Row], kind: str, taken: set[str]) -> dict[str, str]:
    """Columns named like money, a date, a currency or an address, although many cells are not valid. If they were left
    out, nobody would see the bad rows; when they are read, the bad rows are listed. A column with almost no valid cell
    is left out.
    """
    named = suggest_mapping(headers, [], kind)  # type: ignore[arg-type]
    return {
        name: header
        for name, header in named.items()
        if name in NAMED and header not in taken and _some_fit(name, [row.values.get(header, "") for row in sample])
    }


def _some_fit(name: str, values: list[str]) -> bool:
    filled = [value for value in values if not is_blank(value)]
    return len(filled) < FEW or sum(_fits(name, value) for value in filled) >= len(filled) * SOME_SHARE


def _fits(name: str, value: str) -> bool:
    try:
        return CHECKS[name](value) is not False
    except ValueError:
        return False


def _check_setup(kind: str, headers: Sequence[str], columns: Mapping[str, str], currency: str) -> None:
    if unknown := [name for name in columns if name not in fields_of(kind)]:
        raise Invalid(f"There is no field {unknown[0]}. Use one of: {', '.join(fields_of(kind))}.", field="columns")
    if absent := [header for header in columns.values() if header not in headers]:
        raise Invalid(f"The file has no column {absent[0]}. It has: {', '.join(headers)[:300]}.", field="columns")
    if currency and currency not in known_currencies():
        raise Invalid(
            f"Unknown currency {currency}: use a three-letter code such as USD or EUR.", field="default_currency"
        )


def _fingerprint(headers: Sequence[str]) -> str:
    return hashlib.sha256("\x1f".join(headers).encode()).hexdigest()
