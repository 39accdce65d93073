"""Questions about authority and requests. Nothing here writes."""

from approvals.matrix.authority import Answer, band_for, concession_choices, version_at, who_approves
from approvals.matrix.concessions import is_money_back, money_back_slug
from approvals.matrix.drafts import changes, history
from approvals.matrix.running_totals import granted
from approvals.matrix.table import matrix
from approvals.matrix.weighing import chain_of
from approvals.requests.lists import counts, decided, needs_you, waiting_on_others, with_people
from approvals.requests.permissions import Standing, standing, what_happened

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
    "is_money_back",
    "matrix",
    "money_back_slug",
    "needs_you",
    "standing",
    "version_at",
    "waiting_on_others",
    "what_happened",
    "who_approves",
    "with_people",
]
