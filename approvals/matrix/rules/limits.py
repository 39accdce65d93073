"""Which role may grant an ask: the lowest role whose limit is large enough. Without a limit nobody may.

Of the rows of one role, the most specific that fits applies. Order: the row with more conditions (segment, region,
asked-in currency, ARR band); with the same number, one that names the segment, then the region, then the currency, then
the band. Dates say when a row exists; they do not make it more specific. Of two rows with the same rank, the smaller
limit applies. Unknown facts can only reduce authority: a row that might fit never grants more than the rows that
certainly do.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TypeVar

from approvals.matrix.rules.units import amount_words, quantity_words, unit_of
from ledger.format import money

Rank = tuple[int, bool, Decimal, int]
Edge = TypeVar("Edge", Decimal, date)
LAST = ", so this is the last that fits"


@dataclass(frozen=True)
class Facts:
    """The facts for conditions. Empty or None: not known."""

    segment: str = ""
    region: str = ""
    asked_in: str = ""
    arr: Decimal | None = None
    on: date | None = None


@dataclass(frozen=True)
class Cap:
    """How much of a concession a role may grant in the current quarter, over all accounts. Money in USD; yes-or-no is
    counted."""

    role: str
    unit: str
    up_to: Decimal
    used: Decimal = Decimal(0)
    shown: str = ""

    @property
    def words(self) -> str:
        """`$80,000 of $100,000 used this quarter`."""
        most = self.shown or quantity_words(self.unit, self.up_to)
        return f"{quantity_words(self.unit, self.used)} of {most} used this quarter"

    def takes(self, amount: Decimal | None) -> bool:
        """Whether this ask still fits; exactly at the cap does."""
        asked = amount if unit_of(self.unit).takes_amount else Decimal(1)
        return asked is not None and self.used + asked <= self.up_to


@dataclass(frozen=True)
class Limit:
    """How much of one concession a role may grant. For money, `up_to` is in USD; `shown` keeps the words of the matrix.

    ARR bands (in USD) and dates (days, UTC) are half-open: from inclusive, to exclusive. `stopped`: why the role does
    not cover an ask that its limit would cover. `cautious`: a fact about the ask is not known, so the smallest limit
    applies. `converted`: the rate by which a limit in another currency became USD.
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
    region: str = ""
    asked_in: str = ""
    starts: date | None = None
    ends: date | None = None
    stopped: str = ""
    cautious: bool = False
    converted: tuple[tuple[str, str], ...] = ()
    cap: Cap | None = None

    @property
    def words(self) -> str:
        """The limit as written in the matrix; a concession without an amount has none."""
        if not unit_of(self.unit).takes_amount:
            return "any wording"
        return self.shown or amount_words(self.unit, self.up_to)

    @property
    def conditions(self) -> str:
        """The conditions as text: "enterprise, EMEA, asked in EUR, ARR $0 to $250,000"; empty for all."""
        parts = [self.segment, self.region, f"asked in {self.asked_in}" if self.asked_in else ""]
        return ", ".join(part for part in (*parts, band_words(self.arr_from, self.arr_to)) if part)

    @property
    def stops(self) -> str:
        """Why it does not cover the ask: "has a limit of 20%", or that its quarterly cap is used up."""
        return self.stopped or f"has a limit of {self.words}"

    @property
    def rank(self) -> Rank:
        """Order of authority: level, then how much may be granted."""
        return (self.level, self.up_to is None, self.up_to or Decimal(0), self.sort)

    @property
    def is_banded(self) -> bool:
        """Whether it has an ARR band."""
        return self.arr_from is not None or self.arr_to is not None

    @property
    def specificity(self) -> tuple[int, bool, bool, bool, bool]:
        """The rank among fitting rows of one role: the largest applies."""
        given = (bool(self.segment), bool(self.region), bool(self.asked_in), self.is_banded)
        return (sum(given), *given)


@dataclass(frozen=True)
class Coverage:
    """The roles whose limit covers an ask, lowest first, and those whose limit or cap is too small."""

    covering: tuple[Limit, ...]
    below: tuple[Limit, ...]

    def above(self, role: str, rank: Rank | None) -> list[Limit]:
        """Covering roles of higher authority than the one given."""
        return [limit for limit in self.covering if limit.role != role and (rank is None or limit.rank > rank)]

    def passed(self, limit: Limit) -> list[Limit]:
        """Roles of lower authority that do not cover the ask."""
        return [each for each in self.below if each.rank < limit.rank]


def band_words(low: Decimal | None, high: Decimal | None) -> str:
    """`ARR $0 to $250,000`, `ARR $250,000 and more`; nothing for every ARR."""
    if low is None and high is None:
        return ""
    return f"ARR {money(low or Decimal(0))} {'and more' if high is None else f'to {money(high)}'}"


def covers(limit: Limit, amount: Decimal | None) -> bool:
    """Whether the limit is large enough; exactly at the limit is within it. Without an amount only yes-or-no is covered."""
    if limit.stopped:
        return False
    if not unit_of(limit.unit).takes_amount:
        return True
    if amount is None:
        return False
    return limit.up_to is None or amount <= limit.up_to


def fits(row: Limit, facts: Facts) -> bool | None:
    """Whether every condition of the row holds; None if that is not known."""
    answers = (
        _same(row.segment, facts.segment),
        _same(row.region, facts.region),
        _same(row.asked_in, facts.asked_in),
        _within(row.arr_from, row.arr_to, facts.arr),
        _within(row.starts, row.ends, facts.on),
    )
    if False in answers:
        return False
    return None if None in answers else True


def _same(wanted: str, found: str) -> bool | None:
    if not wanted:
        return True
    return wanted.strip().casefold() == found.strip().casefold() if found.strip() else None


def _within(low: Edge | None, high: Edge | None, value: Edge | None) -> bool | None:
    """Half-open."""
    if low is None and high is None:
        return True
    if value is None:
        return None
    return (low is None or low <= value) and (high is None or value < high)


def applying(limits: Iterable[Limit], *, concession: str, facts: Facts = Facts()) -> dict[str, Limit]:
    """The limit of each role that applies to this ask; a role without a row that certainly fits is left out."""
    by_role: dict[str, list[Limit]] = {}
    for limit in limits:
        if limit.concession == concession:
            by_role.setdefault(limit.role, []).append(limit)
    found = {role: _of_role(rows, facts) for role, rows in by_role.items()}
    return {role: limit for role, limit in found.items() if limit is not None}


def _of_role(rows: list[Limit], facts: Facts) -> Limit | None:
    """The smallest of the rows that may apply; None unless one certainly does."""
    fitting = [(row, fits(row, facts)) for row in rows]
    sure = [row for row, answer in fitting if answer]
    if not sure:
        return None
    best = max(row.specificity for row in sure)
    possible = [row for row, answer in fitting if answer is not False and row.specificity >= best]
    least = min(possible, key=lambda row: (row.up_to is None, row.up_to or Decimal(0), not row.needs_function))
    return replace(least, cautious=True) if any(row not in sure for row in possible) else least


def coverage_for(
    limits: Iterable[Limit],
    *,
    concession: str,
    amount: Decimal | None,
    facts: Facts = Facts(),
    caps: Mapping[str, Cap] | None = None,
    own: Decimal | None = None,
) -> Coverage:
    """Roles in order of authority, split into those that cover the amount and those that do not.

    `amount` counts earlier grants to the account; `own` is the ask alone, which must fit into the quarterly cap of a
    role.
    """
    found = applying(limits, concession=concession, facts=facts)
    capped = [_capped(limit, (caps or {}).get(limit.role), own) for limit in found.values()]
    ordered = sorted(capped, key=lambda limit: limit.rank)
    return Coverage(
        covering=tuple(limit for limit in ordered if covers(limit, amount)),
        below=tuple(limit for limit in ordered if not covers(limit, amount)),
    )


def _capped(limit: Limit, cap: Cap | None, own: Decimal | None) -> Limit:
    if cap is None:
        return limit
    return replace(limit, cap=cap, stopped="" if cap.takes(own) else f"has {cap.words}")


def explain(
    limit: Limit,
    below: Iterable[Limit],
    amount: Decimal | None,
    granted: Decimal,
    *,
    window_days: int = 90,
    others: Decimal = Decimal(0),
    rates: Iterable[str] = (),
) -> str:
    """Explains the role: its limit, conversions and sums, the roles that do not cover the ask, and who must take part."""
    parts = [_fits(limit, amount), *rates]
    if granted:
        parts.append(_added(limit.unit, granted, others, window_days))
    stops = [f"{each.role_name} {each.stops}" for each in below]
    if stops:
        parts.append(", ".join(stops) + ".")
    if limit.cautious:
        parts.append("Some facts about the account are not known, so the smallest possible limit applies.")
    if limit.needs_function:
        parts.append(f"{limit.needs_function.replace('-', ' ').capitalize()} must take part.")
    return " ".join(parts)


def untold(sentence: str, unit: str, granted: Decimal, others: Decimal, days: int) -> str:
    """The same explanation for a person who may not see earlier grants: it says that they count, without amounts."""
    short = f"Grants of the last {days} days are included."
    head, told, tail = sentence.partition(_added(unit, granted, others, days))
    return head.replace(LAST, "") + short + tail if told else short


def _added(unit: str, granted: Decimal, others: Decimal, days: int) -> str:
    words = f"That counts {quantity_words(unit, granted)} granted"
    if not others:
        return f"{words} to this account in the last {days} days."
    of_it = "all of it" if others == granted else f"{quantity_words(unit, others)} of it"
    return f"{words} in the last {days} days, {of_it} to accounts of the same group or on the same renewal."


def _fits(limit: Limit, amount: Decimal | None) -> str:
    where = f" ({limit.conditions})" if limit.conditions else ""
    if not unit_of(limit.unit).takes_amount:
        return f"{limit.role_name} may grant this{where}."
    if limit.up_to is None:
        return f"{limit.role_name} may grant any amount{where}."
    edge = LAST if amount == limit.up_to else ""
    return f"{limit.role_name} may grant up to {limit.words}{where}{edge}."
