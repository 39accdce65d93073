"""The decision: authority, requests, delegation, suggestions, the decision log."""

from approvals.models.authority import (
    AuthorityLimit,
    AuthorityVersion,
    ChainRule,
    Committee,
    ConcessionType,
    ExceptionBand,
    QuarterCap,
)
from approvals.models.decision import DecisionEntry
from approvals.models.delegation import CalendarFeed, Delegation
from approvals.models.request import ApprovalRequest, ApprovalStep, DecisionLink
from approvals.models.suggestion import Suggestion

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
