"""RACI letters of the people on a case. Pure."""

from collections.abc import Sequence

from ledger.format import listed

ACCOUNTABLE = "A"


def why_not(letters: Sequence[tuple[str, str]]) -> str:
    """Why these letters (name, letter) cannot be kept; empty if exactly one person is Accountable."""
    accountable = [name for name, letter in letters if letter == ACCOUNTABLE]
    if len(accountable) == 1:
        return ""
    if not accountable:
        return "Exactly one person is Accountable (A). Now nobody is."
    return f"Exactly one person is Accountable (A). Now {len(accountable)} are: {listed(accountable)}."
