"""The words a case can be in: states, stages, lanes, levels, types, and what each move between states is called."""

from typing import Final

NEW: Final = "new"
TRIAGED: Final = "triaged"
HANDED_OFF: Final = "handed_off"
DIAGNOSING: Final = "diagnosing"
APPROVING: Final = "approving"
EXECUTING: Final = "executing"
RESOLVED: Final = "resolved"
IN_REVIEW: Final = "in_review"
CLOSED: Final = "closed"
WITHDRAWN: Final = "withdrawn"
DUPLICATE: Final = "duplicate"

STATES: Final = [
    (NEW, "New"),
    (TRIAGED, "Triaged"),
    (HANDED_OFF, "Handed off"),
    (DIAGNOSING, "Diagnosing"),
    (APPROVING, "Awaiting decision"),
    (EXECUTING, "Executing"),
    (RESOLVED, "Resolved"),
    (IN_REVIEW, "In review"),
    (CLOSED, "Closed"),
    (WITHDRAWN, "Withdrawn"),
    (DUPLICATE, "Duplicate"),
]
# Work goes on; clocks may run.
OPEN: Final = (NEW, TRIAGED, HANDED_OFF, DIAGNOSING, APPROVING, EXECUTING)
AFTER: Final = (RESOLVED, IN_REVIEW)
ENDED: Final = (CLOSED, WITHDRAWN, DUPLICATE)

DIAGNOSE: Final = "Diagnose"
REASSIGN: Final = "Reassign"
APPROVE: Final = "Approve"
EXECUTE: Final = "Execute"
STAGES: Final = (DIAGNOSE, REASSIGN, APPROVE, EXECUTE)
STAGE_OF: Final = {
    NEW: DIAGNOSE,
    TRIAGED: DIAGNOSE,
    HANDED_OFF: REASSIGN,
    DIAGNOSING: DIAGNOSE,
    APPROVING: APPROVE,
    EXECUTING: EXECUTE,
    RESOLVED: EXECUTE,
    IN_REVIEW: EXECUTE,
    CLOSED: EXECUTE,
    WITHDRAWN: DIAGNOSE,
    DUPLICATE: DIAGNOSE,
}

GREEN: Final = "green"
YELLOW: Final = "yellow"
RED: Final = "red"
TIERS: Final = [(GREEN, "Green"), (YELLOW, "Yellow"), (RED, "Red")]

AUTONOMOUS: Final = "autonomous"
GUARDRAILED: Final = "guardrailed"
HUMAN_FIRST: Final = "human_first"
LANES: Final = [(AUTONOMOUS, "Autonomous"), (GUARDRAILED, "Guardrailed"), (HUMAN_FIRST, "Human-first")]

TEAM_LEAD: Final = 1
DIRECTOR: Final = 2
EXECUTIVE: Final = 3
EXTERNAL: Final = 4
LEVELS: Final = [
    (TEAM_LEAD, "Team lead"),
    (DIRECTOR, "Director"),
    (EXECUTIVE, "Executive sponsor"),
    (EXTERNAL, "External"),
]

HIERARCHICAL: Final = "hierarchical"
FUNCTIONAL: Final = "functional"
OUTSIDE: Final = "external"
TYPES: Final = [(HIERARCHICAL, "Hierarchical"), (FUNCTIONAL, "Functional"), (OUTSIDE, "External")]

NOBODY: Final = "nobody"
CUSTOMER: Final = "customer"
THIRD_PARTY: Final = "third_party"
WAITING_ON: Final = [(NOBODY, "Nobody"), (CUSTOMER, "Customer"), (THIRD_PARTY, "Third party")]

# Kinds of clock (domain.md §2). The label stands on the case, in mails and in figures.
ACCEPTANCE: Final = "acceptance"
FIRST_ACT: Final = "first_act"
RESPONSE: Final = "response"
DECISION: Final = "decision"
CUSTOMER_UPDATE: Final = "customer_update"
RESOLUTION: Final = "resolution"
REVIEW_DUE: Final = "review_due"
CUSTOMER_DEADLINE: Final = "customer_deadline"
TIME_TO_ESCALATE: Final = "time_to_escalate"
INTERNAL_UPDATE: Final = "internal_update"
CHECK_IN: Final = "check_in"
COMMITMENT: Final = "commitment"
# The rhythm inside the house: nobody's broken promise to a customer.
RHYTHM: Final = (INTERNAL_UPDATE, CHECK_IN)
CLOCKS: Final = [
    (ACCEPTANCE, "Acceptance"),
    (FIRST_ACT, "First act"),
    (RESPONSE, "First response"),
    (DECISION, "Decision"),
    (CUSTOMER_UPDATE, "Next customer update"),
    (RESOLUTION, "Resolution"),
    (REVIEW_DUE, "Review"),
    (CUSTOMER_DEADLINE, "Customer deadline"),
    (TIME_TO_ESCALATE, "Time to escalate"),
    (INTERNAL_UPDATE, "Next internal update"),
    (CHECK_IN, "Next check-in"),
    (COMMITMENT, "Commitment"),
]

OUTCOMES: Final = [
    ("renewed", "Renewed as agreed"),
    ("signed", "Contract signed"),
    ("saved", "At-risk revenue saved"),
    ("fixed", "Problem fixed"),
    ("credited", "Refund or credit given"),
    ("declined", "Declined, customer stays"),
    ("lost", "Customer or deal lost"),
    ("other", "Other"),
]
