"""The structure of a story. {braces} are filled for each case."""

from typing import NamedTuple


class Variant(NamedTuple):
    """One variant of an issue: title, issue, impact, and the customer's own words."""

    title: str
    issue: str
    impact: str
    words: str


class Story(NamedTuple):
    """The common parts of the cases of an issue type. Amounts are a range with a step; weight is the share of all
    cases."""

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
