"""Questions about authority and requests. Nothing here writes."""

from approvals.queries.authority import (
    Answer,
    band_for,
    chain_of,
    concession_choices,
    granted,
    version_at,
    who_approves,
)
from approvals.queries.lists import counts, decided, needs_you, waiting_on_others, with_people
from approvals.queries.matrix import matrix
from approvals.queries.standing import Standing, standing, what_happened

__all__ = [
    "Answer",
    "Standing",
    "band_for",
    "chain_of",
    "concession_choices",
    "counts",
    "decided",
    "granted",
    "matrix",
    "needs_you",
    "standing",
    "version_at",
    "waiting_on_others",
    "what_happened",
    "who_approves",
    "with_people",
]
