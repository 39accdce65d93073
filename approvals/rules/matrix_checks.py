"""What must be right before an authority matrix is published: no hole, no overlap, known units and currencies."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from approvals.rules.words import MONEY, PERCENT, UNITS, YES, money_words


@dataclass(frozen=True)
class Row:
    """One limit (or, with `role` empty, a concession without any) as it stands in the draft."""

    concession: str
    unit: str
    role: str = ""
    up_to: Decimal | None = None
    currency: str = "USD"
    segment: str = ""
    arr_from: Decimal | None = None
    arr_to: Decimal | None = None


@dataclass(frozen=True)
class Band:
    """A pre-approved range as it stands in the draft."""

    concession: str
    unit: str
    tier: str
    up_to: Decimal
    currency: str = "USD"


def check_matrix(
    rows: Iterable[Row], *, bands: Iterable[Band] = (), currencies: Collection[str] = (), tiers: Collection[str] = ()
) -> list[str]:
    """Every reason not to publish, in words; an empty list when there is none. Empty collections are not checked."""
    rows = list(rows)
    problems = _nobody(rows)
    for row in rows:
        problems += _values(row, currencies) if row.role else _unit(row)
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        if row.role:
            groups.setdefault((row.concession, row.role, row.segment), []).append(row)
    for (concession, role, segment), group in groups.items():
        fallback = _has_fallback(group, groups.get((concession, role, ""), []))
        where = f"{concession}, {role}" + (f", segment {segment}" if segment else "")
        problems += [f"{where}: {problem}" for problem in _bands_of_arr(group, fallback=fallback)]
    for band in bands:
        problems += _band(band, currencies, tiers)
    return list(dict.fromkeys(problems))


def _nobody(rows: list[Row]) -> list[str]:
    with_role = {row.concession for row in rows if row.role}
    names = dict.fromkeys(row.concession for row in rows if row.concession not in with_role)
    return [f"{name}: nobody may approve it. Add a limit, or delete the concession." for name in names]


def _unit(row: Row) -> list[str]:
    return [] if row.unit in UNITS else [f"{row.concession}: unit “{row.unit}” is not known. Use {', '.join(UNITS)}."]


def _values(row: Row, currencies: Collection[str]) -> list[str]:
    where, found = f"{row.concession}, {row.role}", _unit(row)
    if row.unit == YES and row.up_to is not None:
        found.append(f"{where}: a yes-or-no concession takes no amount. Empty “up to”.")
    elif row.up_to is not None and row.up_to <= 0:
        found.append(f"{where}: the limit must be above 0. Delete the row when the role may grant nothing.")
    elif row.unit == PERCENT and row.up_to is not None and row.up_to > 100:
        found.append(f"{where}: the limit cannot be above 100%.")
    if row.unit == MONEY and currencies and row.currency not in currencies:
        found.append(f"{where}: there is no exchange rate for “{row.currency}”. Add one, or use another currency.")
    return found


def _has_fallback(group: list[Row], for_all: list[Row]) -> bool:
    return any(row.arr_from is None and row.arr_to is None for row in [*group, *for_all])


def _bands_of_arr(group: list[Row], *, fallback: bool) -> list[str]:
    plain = [row for row in group if row.arr_from is None and row.arr_to is None]
    banded = sorted((row for row in group if row not in plain), key=lambda row: row.arr_from or Decimal(0))
    found = ["two limits for the same accounts. Keep one."] if len(plain) > 1 else []
    for one, two in pairwise(banded):
        start = two.arr_from or Decimal(0)
        if one.arr_to is None or start < one.arr_to:
            found.append(f"ARR bands overlap at {money_words(start)}.")
        elif start > one.arr_to and not fallback:
            found.append(f"no limit for ARR from {money_words(one.arr_to)} to {money_words(start)}.")
    return found if fallback or not banded else found + _open_ends(banded)


def _open_ends(banded: list[Row]) -> list[str]:
    found = []
    if (first := banded[0].arr_from or Decimal(0)) > 0:
        found.append(f"no limit for ARR below {money_words(first)}.")
    if all(row.arr_to is not None for row in banded):
        found.append(f"no limit for ARR of {money_words(max(row.arr_to or Decimal(0) for row in banded))} and more.")
    return found


def _band(band: Band, currencies: Collection[str], tiers: Collection[str]) -> list[str]:
    where = f"Band {band.concession}, {band.tier}"
    found = []
    if band.unit == YES:
        found.append(f"{where}: a yes-or-no concession cannot be pre-approved.")
    if band.up_to <= 0:
        found.append(f"{where}: the range must be above 0.")
    if tiers and band.tier not in tiers:
        found.append(f"{where}: tier “{band.tier}” is not known. Use {', '.join(sorted(tiers))}.")
    if band.unit == MONEY and currencies and band.currency not in currencies:
        found.append(f"{where}: there is no exchange rate for “{band.currency}”.")
    return found
