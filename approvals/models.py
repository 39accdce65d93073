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
from approvals.requests.models.decision import DecisionEntry
from approvals.requests.models.request import ApprovalRequest, ApprovalStep, DecisionLink
from approvals.requests.models.suggestion import Suggestion

__all__ = [
    "ApprovalRequest",
    "ApprovalStep",
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
    "Suggestion",
]
