"""What is added up for an ask, in words: `25% asked + 24% granted on ESC-1033 in 90 days = 49%`. Pure."""

from collections.abc import Sequence
from decimal import Decimal

from approvals.matrix.rules.units import quantity_words
from ledger.format import listed

NAMED = 3


def added_up(unit: str, *, asked: Decimal, granted: Decimal, cases: Sequence[str], days: int) -> str:
    """The sum of an ask and earlier grants. `cases`: where they were granted, the latest first, as far as they may be named.
    Empty without earlier grants."""
    if not granted:
        return ""
    more = len(cases) - NAMED
    named = [*cases[:NAMED], *([f"{more} more"] if more > 0 else [])]
    where = f" on {listed(named)}" if named else ""
    parts = f"{quantity_words(unit, asked)} asked + {quantity_words(unit, granted)} granted{where} in {days} days"
    return f"{parts} = {quantity_words(unit, asked + granted)}"
