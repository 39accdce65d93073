"""The shape of a story. {braces} are filled per case."""

from typing import NamedTuple


class Variant(NamedTuple):
    """One way an issue shows: title, issue, impact, and the customer's own words."""

    title: str
    issue: str
    impact: str
    words: str


class Story(NamedTuple):
    """What the cases of an issue type share. Amounts are a range with a step; weight is the share of all cases."""

    weight: int
    variants: tuple[Variant, ...]
    support: str
    recommendation: str
    grant: str
    cost: str
    keep: str
    causes: tuple[str, ...]
    resolution: str
    proof: str
    outcomes: tuple[str, ...]
    concession: str = ""
    amounts: tuple[int, int, int] = (0, 0, 1)
