"""Questions about authority and requests. Nothing here writes."""

from approvals.queries.authority import (
    Answer,
    band_for,
    concession_choices,
    version_at,
    who_approves,
)
from approvals.queries.drafts import changes, history
from approvals.queries.lists import counts, decided, needs_you, waiting_on_others, with_people
from approvals.queries.matrix import matrix
from approvals.queries.running import granted
from approvals.queries.standing import Standing, standing, what_happened
from approvals.queries.weighing import chain_of

__all__ = [
    "Answer",
    "Standing",
    "band_for",
    "chain_of",
    "changes",
    "concession_choices",
    "counts",
    "decided",
    "granted",
    "history",
    "matrix",
    "needs_you",
    "standing",
    "version_at",
    "waiting_on_others",
    "what_happened",
    "who_approves",
    "with_people",
]
