"""The checks before the limits of an authority matrix are published: no hole, no overlap, known units and currencies.

ARR bands and dates are half-open: from inclusive, to exclusive. Rows of one role with the same segment, region and
asked-in currency must not overlap: neither two rows for every ARR, nor two bands, on a day on which both apply.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations, pairwise

from approvals.matrix.rules.units import BY_SLUG, MONEY
from ledger.format import listed, money

Group = tuple[str, str, str, str, str]
Days = tuple[date, date]


@dataclass(frozen=True)
class Row:
    """One limit (or, with `role` empty, a concession without any) of the draft."""

    concession: str
    unit: str
    role: str = ""
    up_to: Decimal | None = None
    currency: str = "USD"
    segment: str = ""
    arr_from: Decimal | None = None
    arr_to: Decimal | None = None
    region: str = ""
    asked_in: str = ""
    starts: date | None = None
    ends: date | None = None

    @property
    def group(self) -> Group:
        """The values that rows must share to overlap."""
        return (self.concession, self.role, _key(self.segment), _key(self.region), _key(self.asked_in))

    @property
    def is_banded(self) -> bool:
        """Whether it has an ARR band."""
        return self.arr_from is not None or self.arr_to is not None

    @property
    def where(self) -> str:
        """The row as text: concession, role and conditions."""
        parts = [("segment", self.segment), ("region", self.region), ("asked in", self.asked_in)]
        return ", ".join([self.concession, self.role, *(f"{name} {value}" for name, value in parts if value)])

    def holds_on(self, day: date) -> bool:
        """Whether it applies on that day."""
        return (self.starts or date.min) <= day < (self.ends or date.max)


@dataclass(frozen=True)
class Known:
    """The known names of an installation. Empty: not checked."""

    currencies: Collection[str] = ()
    segments: Collection[str] = ()
    regions: Collection[str] = ()
    tiers: Sequence[str] = ()
    today: date | None = field(default=None)


def check_matrix(rows: Iterable[Row], known: Known | None = None) -> list[str]:
    """Every reason not to publish the limits, as text; an empty list if there is none."""
    rows, known = list(rows), known or Known()
    found = _nobody(rows, known.today)
    return list(dict.fromkeys([*found, *check_rows(rows, known)]))


def check_rows(rows: Iterable[Row], known: Known) -> list[str]:
    """The same without the check that every concession has a limit: the checks while a draft is edited."""
    rows, found = list(rows), []
    for row in rows:
        found += _values(row, known) if row.role else _unit(row)
    groups: dict[Group, list[Row]] = {}
    for row in rows:
        if row.role:
            groups.setdefault(row.group, []).append(row)
    for group in groups.values():
        plain = [row for row in rows if not row.is_banded and _is_wider(row, group[0])]
        found += [f"{group[0].where}: {problem}" for problem in [*_overlaps(group), *_holes(group, plain)]]
    return list(dict.fromkeys(found))


def _key(text: str) -> str:
    return text.strip().casefold()


def _is_wider(row: Row, than: Row) -> bool:
    """Whether a row without a band applies wherever the other group does."""
    pairs = zip(row.group[2:], than.group[2:], strict=True)
    return row.group[:2] == than.group[:2] and all(mine in ("", other) for mine, other in pairs)


def _nobody(rows: list[Row], today: date | None) -> list[str]:
    found: list[str] = []
    for name in dict.fromkeys(row.concession for row in rows):
        own = [row for row in rows if row.concession == name and row.role]
        if not own:
            found.append(f"{name}: nobody may approve it. Add a limit, or delete the concession.")
            continue
        gaps = [days for days in _spans(own, today) if not any(row.holds_on(days[0]) for row in own)]
        found += [f"{name}: nobody may approve it {_days(gap)}. Add a limit for those days." for gap in gaps]
    return found


def _spans(rows: Iterable[Row], today: date | None = None) -> list[Days]:
    """The time from today on, split wherever a row begins or ends: between two splits the same rows apply."""
    first = today or date.min
    cuts = {day for row in rows for day in (row.starts, row.ends) if day and day > first}
    return list(pairwise([first, *sorted(cuts), date.max]))


def _days(span: Days) -> str:
    first, after = span
    parts = [f"from {first}" if first != date.min else ""]
    parts.append(f"to {after - timedelta(days=1)}" if after != date.max else "")
    return " ".join(part for part in parts if part) or "at any time"


def _unit(row: Row) -> list[str]:
    if row.unit in BY_SLUG:
        return []
    return [f"{row.concession}: unit “{row.unit}” is not known. Use {', '.join(BY_SLUG)}."]


def _values(row: Row, known: Known) -> list[str]:
    return [*_unit(row), *(f"{row.where}: {problem}" for problem in (*_amount(row), *_named(row, known), *_ends(row)))]


def _amount(row: Row) -> list[str]:
    unit = BY_SLUG.get(row.unit)
    if unit is None or row.up_to is None:
        return []
    if not unit.takes_amount:
        return ["a yes-or-no concession takes no amount. Empty “up to”."]
    if row.up_to <= 0:
        return ["the limit must be above 0. Delete the row if the role may grant nothing."]
    if unit.most is not None and row.up_to > unit.most:
        return [f"the limit cannot be above {unit.words(unit.most)}."]
    return [problem] if (problem := unit.problem(row.up_to, row.currency)) else []


def _named(row: Row, known: Known) -> list[str]:
    """Unknown names."""
    found = []
    if row.unit == MONEY:
        found += [_no_rate(code) for code in (row.currency, row.asked_in or "USD") if _unknown(code, known.currencies)]
    elif row.asked_in:
        found.append("only money has a currency. Empty “asked in”.")
    for name, value, values in (("segment", row.segment, known.segments), ("region", row.region, known.regions)):
        if value and values and _key(value) not in {_key(each) for each in values}:
            found.append(f"no account has the {name} “{value}”. Use {listed(sorted(values)[:12])}.")
    return found


def _unknown(code: str, currencies: Collection[str]) -> bool:
    return bool(currencies) and code not in currencies


def _no_rate(code: str) -> str:
    return f"there is no exchange rate for “{code}”. Add one, or use another currency."


def _ends(row: Row) -> list[str]:
    found = []
    if row.arr_from is not None and row.arr_to is not None and row.arr_to <= row.arr_from:
        found.append("the ARR band ends where it begins. “ARR to” is the first ARR outside the band.")
    if row.starts and row.ends and row.ends <= row.starts:
        found.append("it ends before it begins. “Effective to” is the first day on which it no longer applies.")
    return found


def _overlaps(group: list[Row]) -> list[str]:
    found = []
    for one, two in combinations(group, 2):
        if one.is_banded != two.is_banded or not _same_days(one, two):
            continue
        if not one.is_banded:
            dated = any((one.starts, one.ends, two.starts, two.ends))
            found.append(f"two limits for the same accounts{' on the same days' if dated else ''}. Keep one.")
        elif _low(one) < _high(two) and _low(two) < _high(one):
            found.append(f"ARR bands overlap at {money(max(_low(one), _low(two)))}.")
    return found


def _same_days(one: Row, two: Row) -> bool:
    starts, ends = max(one.starts or date.min, two.starts or date.min), min(one.ends or date.max, two.ends or date.max)
    return starts < ends


def _low(row: Row) -> Decimal:
    return row.arr_from or Decimal(0)


def _high(row: Row) -> Decimal:
    return Decimal("Infinity") if row.arr_to is None else row.arr_to


def _holes(group: list[Row], plain: list[Row]) -> list[str]:
    """ARR ranges without a limit of the role on days on which it has one for other ARR; a row for every ARR fills them."""
    found: list[str] = []
    for days in _spans([*group, *plain]):
        banded = sorted((row for row in group if row.is_banded and row.holds_on(days[0])), key=_low)
        if not banded or any(row.holds_on(days[0]) for row in plain):
            continue
        when = "" if days == (date.min, date.max) else f" {_days(days)}"
        found += [f"no limit for ARR {hole}{when}." for hole in _gaps(banded)]
    return found


def _gaps(banded: list[Row]) -> list[str]:
    found, reached = [], Decimal(0)
    for row in banded:
        if _low(row) > reached:
            low = f"from {money(reached)} to" if reached else "below"
            found.append(f"{low} {money(_low(row))}")
        reached = max(reached, _high(row))
    return found if reached == Decimal("Infinity") else [*found, f"of {money(reached)} and more"]
