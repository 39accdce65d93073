"""Whose authority covers an ask: the lowest role whose limit is large enough. No rule means nobody may."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from approvals.rules.words import YES, amount_words


@dataclass(frozen=True)
class Limit:
    """How much of one concession a role may grant. For money, `up_to` is in USD; `shown` keeps the words of the matrix.

    ARR bands are half-open: from inclusive, to exclusive.
    """

    role: str
    role_name: str
    level: int
    concession: str
    unit: str
    up_to: Decimal | None
    shown: str = ""
    sort: int = 100
    segment: str = ""
    arr_from: Decimal | None = None
    arr_to: Decimal | None = None
    needs_function: str = ""

    @property
    def words(self) -> str:
        """The limit as written in the matrix."""
        return self.shown or amount_words(self.unit, self.up_to)

    @property
    def rank(self) -> tuple[int, bool, Decimal, int]:
        """Order of authority: level, then how much may be granted."""
        return (self.level, self.up_to is None, self.up_to or Decimal(0), self.sort)

    @property
    def is_banded(self) -> bool:
        """Whether it holds for some ARR only."""
        return self.arr_from is not None or self.arr_to is not None


@dataclass(frozen=True)
class Chain:
    """The roles whose authority covers an ask, lowest first, and those that stop below it."""

    covering: tuple[Limit, ...]
    below: tuple[Limit, ...]

    def above(self, role: str, rank: tuple[int, bool, Decimal, int] | None) -> list[Limit]:
        """Covering roles of higher authority than the one given."""
        return [limit for limit in self.covering if limit.role != role and (rank is None or limit.rank > rank)]


def covers(limit: Limit, amount: Decimal | None) -> bool:
    """Whether the limit is large enough; exactly at the limit is within it. Without an amount only yes-or-no is covered."""
    if limit.unit == YES:
        return True
    if amount is None:
        return False
    return limit.up_to is None or amount <= limit.up_to


def applying(limits: Iterable[Limit], *, concession: str, segment: str, arr: Decimal | None) -> dict[str, Limit]:
    """The one limit of each role that holds for this account. A row for the segment beats one for all, a band beats none."""
    by_role: dict[str, list[Limit]] = {}
    for limit in limits:
        if limit.concession == concession and limit.segment in ("", segment):
            by_role.setdefault(limit.role, []).append(limit)
    found = {role: _of_role(rows, arr) for role, rows in by_role.items()}
    return {role: limit for role, limit in found.items() if limit is not None}


def _of_role(rows: list[Limit], arr: Decimal | None) -> Limit | None:
    if arr is None and any(row.is_banded for row in rows):
        return _of_unknown_arr(rows)
    fitting = [row for row in rows if _in_band(row, arr)]
    return max(fitting, key=lambda row: (bool(row.segment), row.is_banded), default=None)


def _of_unknown_arr(rows: list[Limit]) -> Limit | None:
    """With ARR unknown the smallest limit that could hold applies, and none where some ARR may have no row at all."""
    if not any(not row.is_banded for row in rows):
        return None
    return min(rows, key=lambda row: (row.up_to is None, row.up_to or Decimal(0)))


def _in_band(row: Limit, arr: Decimal | None) -> bool:
    if arr is None:
        return not row.is_banded
    return (row.arr_from is None or arr >= row.arr_from) and (row.arr_to is None or arr < row.arr_to)


def chain_for(
    limits: Iterable[Limit], *, concession: str, amount: Decimal | None, segment: str = "", arr: Decimal | None = None
) -> Chain:
    """Roles in order of authority, split into those that cover the amount and those that stop below it."""
    ordered = sorted(applying(limits, concession=concession, segment=segment, arr=arr).values(), key=lambda x: x.rank)
    return Chain(
        covering=tuple(limit for limit in ordered if covers(limit, amount)),
        below=tuple(limit for limit in ordered if not covers(limit, amount)),
    )


def explain(limit: Limit, below: Iterable[Limit], amount: Decimal | None, granted: Decimal) -> str:
    """Why this role: its limit, who stops below, what was added up, who must be consulted."""
    parts = [_fits(limit, amount)]
    if granted:
        parts.append(f"That counts {amount_words(limit.unit, granted)} granted to this account in the last 90 days.")
    stops = [f"{each.role_name} stops at {each.words}" for each in below]
    if stops:
        parts.append(", ".join(stops) + ".")
    if limit.needs_function:
        parts.append(f"{limit.needs_function.replace('-', ' ').capitalize()} must be consulted.")
    return " ".join(parts)


def _fits(limit: Limit, amount: Decimal | None) -> str:
    if limit.unit == YES:
        return f"{limit.role_name} may grant this."
    if limit.up_to is None:
        return f"{limit.role_name} may grant any amount."
    edge = ", so this is the last that fits" if amount == limit.up_to else ""
    return f"{limit.role_name} may grant up to {limit.words}{edge}."
