"""The names of states, stages, lanes, types and moves of a case."""

from dataclasses import dataclass
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


def in_a_sentence(state: str) -> str:
    """The state after "is": `withdrawn`, `a duplicate`."""
    return "a duplicate" if state == DUPLICATE else dict(STATES)[state].lower()


# The case is open; clocks may run.
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

HIERARCHICAL: Final = "hierarchical"
FUNCTIONAL: Final = "functional"
OUTSIDE: Final = "external"
TYPES: Final = [(HIERARCHICAL, "Hierarchical"), (FUNCTIONAL, "Functional"), (OUTSIDE, "External")]


@dataclass(frozen=True)
class Waiting:
    """Whom or what a case may wait for. Everything but "nobody" pauses the clocks whose kind waits."""

    slug: str
    name: str

    @property
    def words(self) -> str:
        """The text after "waiting on"."""
        return self.name.lower()

    @property
    def pauses(self) -> bool:
        """Whether clocks pause."""
        return self.slug != NOBODY


NOBODY: Final = "nobody"
CUSTOMER: Final = "customer"
THIRD_PARTY: Final = "third_party"
WAITING: Final = {
    row.slug: row
    for row in (Waiting(NOBODY, "Nobody"), Waiting(CUSTOMER, "Customer"), Waiting(THIRD_PARTY, "Third party"))
}
WAITING_ON: Final = [(row.slug, row.name) for row in WAITING.values()]
CHOOSE_WAITING: Final = f"Choose one of: {', '.join(row.words for row in WAITING.values())}."

# Kinds of clock; their names and behaviour are in the table of clocks/rules/kinds.py.
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
