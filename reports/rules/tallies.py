"""How many clocks of each kind were met before their warning, met after it, or missed, as one short text.

`acceptance:green:1 decision:red:2`, kinds in the order of the alphabet. Many cases have the same text, so the database
counts equal texts and Python adds up what they say.
"""

from collections.abc import Mapping
from functools import lru_cache

GREEN, YELLOW, RED = "green", "yellow", "red"
# Clocks of one kind with one result.
Kind = tuple[str, str]


def colour(*, missed: bool, warned: bool) -> str:
    """The result of one clock that ended."""
    return RED if missed else YELLOW if warned else GREEN


def write(counts: Mapping[Kind, int]) -> str:
    """The text of these counts."""
    return " ".join(f"{kind}:{result}:{number}" for (kind, result), number in sorted(counts.items()))


@lru_cache(maxsize=4096)
def read(tally: str) -> tuple[tuple[Kind, int], ...]:
    """The counts of a text."""
    parts = (part.split(":") for part in tally.split())
    return tuple(((kind, result), int(number)) for kind, result, number in parts)
