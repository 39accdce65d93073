"""The decision: authority, requests, delegation, suggestions, the decision log."""

from approvals.absence.models import CalendarFeed, Delegation
from approvals.matrix.models import (
    AuthorityLimit,
    AuthorityVersion,
    ChainRule,
    Committee,
    ConcessionType,
    ExceptionBand,
    QuarterCap,
)
from approvals.requests.models import ApprovalRequest, DecisionEntry, DecisionLink, Seat, Suggestion

__all__ = [
    "ApprovalRequest",
    "AuthorityLimit",
    "AuthorityVersion",
    "CalendarFeed",
    "ChainRule",
    "Committee",
    "ConcessionType",
    "DecisionEntry",
    "DecisionLink",
    "Delegation",
    "ExceptionBand",
    "QuarterCap",
    "Seat",
    "Suggestion",
]
