"""Dynamic targets: factors make a target shorter or longer for a case like this. Pure: rows and facts in, seconds and
reasons out.

Factors of different parts multiply, so their order does not matter; within one part the first row that fits applies.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from escalations import states
from ledger.format import counted, hours, money, number

Value = Decimal | int
Facts = Mapping[str, Value | None]

MINUTE, HOUR = 60, 3600
LEAST_SHARE = 4  # never below a quarter of the target, for any combination
TIER_NAMES = [name for _, name in states.TIERS]  # the index is the value of the part


@dataclass(frozen=True)
class Factor:
    """One row of the policy. The range is half-open [low, high); None leaves that side open. Empty clock: every clock."""

    part: str
    low: Decimal | None
    high: Decimal | None
    percent: int
    clock: str = ""

    def fits(self, value: Value) -> bool:
        """Whether the value is in the range."""
        return (self.low is None or value >= self.low) and (self.high is None or value < self.high)


@dataclass(frozen=True)
class Part:
    """A fact that a target may depend on, and how its values are written."""

    slug: str
    name: str
    of_case: Callable[[Value], str]  # 12 → in 12 days
    edge: Callable[[Value], str]  # 30 → 30 days, the edge of a range


def _days(value: Value) -> str:
    if value == 0:
        return "today"
    return f"in {counted(value, 'day')}" if value > 0 else f"{counted(-value, 'day')} ago"


def _hours(value: Value) -> str:
    return f"{number(value)}h"


def _tier(value: Value) -> str:
    return TIER_NAMES[int(value)] if 0 <= value < len(TIER_NAMES) else number(value)


PARTS = (
    Part("tier", "Tier", _tier, _tier),
    Part("arr", "ARR at risk", money, money),
    Part("renewal_days", "Renewal", _days, lambda value: counted(value, "day")),
    Part("age_hours", "Age since the impasse", _hours, _hours),
    Part("queue_load", "Open cases of the owner", number, number),
    Part("sentiment", "Negative signals in 90 days", number, number),
    Part("history", "Earlier cases in 12 months", number, number),
)
BY_SLUG = {part.slug: part for part in PARTS}


def tier_value(tier: str) -> int:
    """Green 0, Yellow 1, Red 2."""
    return [slug for slug, _ in states.TIERS].index(tier)


def for_clock(rows: Sequence[Factor], clock: str) -> list[Factor]:
    """The rows for a clock: its own, and for parts without one those for every clock."""
    own = [row for row in rows if row.clock == clock]
    parts = {row.part for row in own}
    return own + [row for row in rows if not row.clock and row.part not in parts]


def between(row: Factor) -> str:
    """The range as text: under 30 days, $250,000 to under $500,000, 3 or more, Yellow or Red."""
    if row.part == "tier":
        return " or ".join(name for value, name in enumerate(TIER_NAMES) if row.fits(value)) or "no tier"
    edge = BY_SLUG[row.part].edge
    if row.high is not None:
        return f"under {edge(row.high)}" if row.low is None else f"{edge(row.low)} to under {edge(row.high)}"
    return "any" if row.low is None else f"{edge(row.low)} or more"


def in_words(row: Factor) -> str:
    """A row on the SLA page: Renewal under 30 days: 80% of the time."""
    return f"{BY_SLUG[row.part].name} {between(row)}: {row.percent}% of the time"


@dataclass(frozen=True)
class Adjusted:
    """The adjusted target in seconds, and the reasons: a line for each factor that applied, and one for the others."""

    seconds: int
    lines: tuple[str, ...]


def adjust(rows: Sequence[Factor], facts: Facts, seconds: int) -> Adjusted:
    """Multiply the target by the factors that fit. `rows` are those for the clock, in order. A fact that is None is
    unknown and changes nothing. The result is cut to whole minutes, and never below a quarter of the target or 1
    minute. Every part is named in the lines.
    """
    left, lines, same, unknown, silent = Fraction(seconds), [], [], [], []
    for part in PARTS:
        own = [row for row in rows if row.part == part.slug]
        value = facts.get(part.slug)
        row = next((row for row in own if value is not None and row.fits(value)), None)
        if row is not None and value is not None:
            before, left = left, left * row.percent / 100
            lines.append(_applied(part, value, row, before, left))
        elif not own:
            silent.append(part.name)
        elif value is None:
            unknown.append(part.name)
        else:
            same.append(f"{part.name} {part.of_case(value)}")
    result = _bounded(seconds, left, lines) if lines else seconds
    return Adjusted(result, (*lines, *_others(same, unknown, silent)))


def _applied(part: Part, value: Value, row: Factor, before: Fraction, after: Fraction) -> str:
    how = f"{hours(int(after))} {'left of' if after <= before else 'instead of'} {hours(int(before))}"
    return f"{part.name} {part.of_case(value)} ({between(row)}): {row.percent}% of the time, {how}"


def _bounded(seconds: int, left: Fraction, lines: list[str]) -> int:
    least = min(seconds, max(MINUTE, -(-seconds // (LEAST_SHARE * MINUTE)) * MINUTE))
    result = int(left) // MINUTE * MINUTE
    if result >= least:
        return result
    lines.append(f"Never below a quarter of the target or 1 minute: {hours(least)}")
    return least


def _others(same: list[str], unknown: list[str], silent: list[str]) -> tuple[str, ...]:
    told = [("Changes nothing", same), ("Unknown, so it changes nothing", unknown), ("No rule for", silent)]
    found = ". ".join(f"{how}: {', '.join(names)}" for how, names in told if names)
    return (found,) if found else ()
