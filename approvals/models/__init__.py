"""The decision: authority, requests, the decision log."""

from approvals.models.authority import AuthorityLimit, AuthorityVersion, ConcessionType, ExceptionBand
from approvals.models.decision import DecisionEntry
from approvals.models.request import ApprovalRequest, ApprovalStep, DecisionLink

__all__ = [
    "ApprovalRequest",
    "ApprovalStep",
    "AuthorityLimit",
    "AuthorityVersion",
    "ConcessionType",
    "DecisionEntry",
    "DecisionLink",
    "ExceptionBand",
]
