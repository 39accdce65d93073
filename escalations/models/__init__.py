"""The case and the policy it runs on."""

from escalations.models.brief import BriefPart, BriefSnapshot
from escalations.models.clock import Clock
from escalations.models.escalation import CaseRequest, Escalation
from escalations.models.event import Event, EventText
from escalations.models.policy import (
    Cadence,
    IssueType,
    MatrixRow,
    PolicyVersion,
    ScoreWeight,
    Stakeholder,
    Target,
    TargetFactor,
    TextTemplate,
    Tier,
    TriggerRule,
)
from escalations.models.review import IntakeDraft, Review
from escalations.models.roles import CasePerson, HandOff
from escalations.models.tracker import Action, CaseFile, Commitment

__all__ = [
    "Action",
    "BriefPart",
    "BriefSnapshot",
    "Cadence",
    "CaseFile",
    "CasePerson",
    "CaseRequest",
    "Clock",
    "Commitment",
    "Escalation",
    "Event",
    "EventText",
    "HandOff",
    "IntakeDraft",
    "IssueType",
    "MatrixRow",
    "PolicyVersion",
    "Review",
    "ScoreWeight",
    "Stakeholder",
    "Target",
    "TargetFactor",
    "TextTemplate",
    "Tier",
    "TriggerRule",
]
