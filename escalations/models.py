"""The case and its policy."""

from escalations.cases.models.access import CaseAccess, may_see
from escalations.cases.models.brief import BriefPart, BriefSnapshot
from escalations.cases.models.decision import CaseDecision
from escalations.cases.models.escalation import CaseRequest, Escalation
from escalations.cases.models.event import Event, EventText
from escalations.cases.models.files import CaseFile
from escalations.cases.models.message import CustomerMessage
from escalations.cases.models.review import IntakeDraft, Review
from escalations.cases.models.roles import CasePerson, HandOff
from escalations.cases.models.sharing import SharedPost, SharedThread
from escalations.cases.models.tracker import Action, Commitment
from escalations.cases.models.words import CaseWords
from escalations.clocks.models import Clock
from escalations.policy.models import (
    Cadence,
    HealthScore,
    IssueType,
    Level,
    MatrixRow,
    PolicyVersion,
    ScoreWeight,
    Stakeholder,
    Target,
    TargetFactor,
    Tier,
    TriggerRule,
)

__all__ = [
    "Action",
    "BriefPart",
    "BriefSnapshot",
    "Cadence",
    "CaseAccess",
    "CaseDecision",
    "CaseFile",
    "CasePerson",
    "CaseRequest",
    "CaseWords",
    "Clock",
    "Commitment",
    "CustomerMessage",
    "Escalation",
    "Event",
    "EventText",
    "HandOff",
    "HealthScore",
    "IntakeDraft",
    "IssueType",
    "Level",
    "MatrixRow",
    "PolicyVersion",
    "Review",
    "ScoreWeight",
    "SharedPost",
    "SharedThread",
    "Stakeholder",
    "Target",
    "TargetFactor",
    "Tier",
    "TriggerRule",
    "may_see",
]
