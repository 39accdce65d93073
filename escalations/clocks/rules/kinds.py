"""The kinds of clock, one row each: what it measures, its keeper and its behaviour. Pure.

A new behaviour is a new column.
"""

from dataclasses import dataclass

from escalations import states

OWNER, AUTHORITY, COMMUNICATION = "owner", "authority", "communication"


@dataclass(frozen=True)
class ClockKind:
    """One kind of clock. The defaults are those of a target for the whole case."""

    slug: str
    name: str
    about: str  # what it measures, on the SLA page
    keeper: str  # the keeper, on the SLA page
    duties: tuple[str, ...] = (OWNER, COMMUNICATION)  # duties on the case that are notified
    waits: bool = True  # pauses while the case waits for an outside party
    in_queue: bool = True  # counts for the SLA status of the case
    reminds: bool = False  # a breach reminds people; otherwise the case goes to the next level
    rhythm: bool = False  # an internal rhythm: a breach is not one towards the customer
    met_by_resolving: bool = False  # resolving the case meets the target
    outlives_case: bool = False  # continues after the case has ended
    dated: bool = False  # runs only to a date that a person entered; the policy has no target for it
    hands_on: bool = False  # a breach asks another person to take the case
    decays: bool = False  # after twice the target the case goes to another person


KINDS = {
    kind.slug: kind
    for kind in (
        ClockKind(states.ACCEPTANCE, "Acceptance", "Hand-off sent to accepted", "Receiver", waits=False, hands_on=True),
        ClockKind(states.FIRST_ACT, "First act", "After acceptance", "Owner", decays=True),
        ClockKind(
            states.RESPONSE,
            "First response",
            "Opened to the first word to the customer",
            "Communication lead",
            duties=(COMMUNICATION, OWNER),
        ),
        ClockKind(
            states.DECISION,
            "Decision",
            "The level got the case to decision",
            "Decision authority",
            duties=(AUTHORITY, OWNER),
        ),
        ClockKind(
            states.CUSTOMER_UPDATE,
            "Next customer update",
            "Since the last one",
            "Communication lead",
            duties=(COMMUNICATION, OWNER),
            waits=False,
            reminds=True,
            met_by_resolving=True,
        ),
        ClockKind(
            states.RESOLUTION,
            "Resolution",
            "Opened to resolved; deals run to the customer's deadline",
            "Owner",
            met_by_resolving=True,
        ),
        ClockKind(states.REVIEW_DUE, "Review", "After resolution", "Reviewer"),
        ClockKind(
            states.CUSTOMER_DEADLINE,
            "Customer deadline",
            "Given by the customer; deals resolve by it",
            "Owner",
            waits=False,
            reminds=True,
            met_by_resolving=True,
            dated=True,
        ),
        ClockKind(
            states.TIME_TO_ESCALATE,
            "Time to escalate",
            "Impasse to opened, measured when a case opens",
            "Who raised it",
            in_queue=False,
        ),
        ClockKind(
            states.INTERNAL_UPDATE,
            "Next internal update",
            "Since the last internal post or status",
            "Owner",
            waits=False,
            in_queue=False,
            reminds=True,
            rhythm=True,
            met_by_resolving=True,
        ),
        ClockKind(
            states.CHECK_IN,
            "Next check-in",
            "Since the status was last written or the next update set",
            "Owner",
            waits=False,
            in_queue=False,
            reminds=True,
            rhythm=True,
            met_by_resolving=True,
        ),
        ClockKind(
            states.COMMITMENT,
            "Commitment",
            "Made to the end of business on its day",
            "Owner of the commitment",
            waits=False,
            in_queue=False,
            reminds=True,
            outlives_case=True,
            dated=True,
        ),
    )
}
CHOICES = [(kind.slug, kind.name) for kind in KINDS.values()]
RHYTHM = tuple(kind.slug for kind in KINDS.values() if kind.rhythm)
