"""Issue types, triggers and the escalation matrix of policy version 1. Tables only; see `default_policy`."""

from typing import Final, NamedTuple

from escalations import states
from escalations.policy.default_numbers import (
    ANY,
    BUSINESS_CALENDAR,
    CHAIN,
    DAY,
    EXPERT,
    GREEN,
    HOUR,
    ONE,
    OUTSIDE,
    RED,
    ROUND_THE_CLOCK,
    THREE,
    TWO,
    YELLOW,
)


class IssueRow(NamedTuple):
    """`help` is the trigger in a few words, shown in the form and in the matrix."""

    slug: str
    name: str
    help: str
    lane: str = states.GUARDRAILED
    kind: str = CHAIN
    concession: str = ""
    function: str = ""
    calendar: str = BUSINESS_CALENDAR
    minimum_tier: str = GREEN
    negotiation: bool = False


ISSUE_TYPES: Final = (
    IssueRow(
        "payment-terms-dispute",
        "Payment terms dispute",
        "Not resolved in the live session",
        kind=EXPERT,
        concession="payment-terms",
        function="finance",
        calendar=ROUND_THE_CLOCK,
        negotiation=True,
    ),
    IssueRow(
        "compliance-exception",
        "Compliance exception",
        "High-severity legal or regulatory risk",
        lane=states.HUMAN_FIRST,
        kind=EXPERT,
        concession="risk-acceptance",
        function="legal",
        calendar=ROUND_THE_CLOCK,
        minimum_tier=RED,
    ),
    IssueRow(
        "vip-at-risk",
        "VIP account at risk",
        "Negative milestones or sentiment",
        lane=states.HUMAN_FIRST,
        minimum_tier=YELLOW,
    ),
    IssueRow(
        "scope-cost-variance",
        "Scope or cost variance",
        "Budget impact over 10%",
        kind=EXPERT,
        function="procurement",
        minimum_tier=YELLOW,
    ),
    IssueRow(
        "supplier-remediation",
        "Supplier remediation stall",
        "Remediation milestone missed",
        kind=OUTSIDE,
        function="vendor management",
        minimum_tier=YELLOW,
    ),
    IssueRow(
        "technical-outage",
        "Technical outage",
        "Critical incident opened",
        lane=states.HUMAN_FIRST,
        kind=EXPERT,
        function="engineering",
        calendar=ROUND_THE_CLOCK,
        minimum_tier=YELLOW,
    ),
    IssueRow(
        "billing-dispute",
        "Billing dispute",
        "An invoice is contested",
        kind=EXPERT,
        concession="credit",
        function="billing",
    ),
    IssueRow(
        "refund-credit",
        "Refund or credit",
        "Money back is asked for; above $10,000 it escalates by itself",
        concession="refund",
        function="finance",
    ),
    IssueRow(
        "discount-beyond-limit",
        "Discount beyond limit",
        "The ask is above the limit of who holds the deal",
        concession="discount",
        function="deal desk",
        negotiation=True,
    ),
    IssueRow(
        "contract-exception",
        "Contract exception",
        "A term outside the playbook, or rounds without a concession",
        concession="liability-cap",
        function="legal",
        minimum_tier=YELLOW,
        negotiation=True,
    ),
    IssueRow(
        "renewal-at-risk",
        "Renewal at risk",
        "Renewal within 60 days with legal or cancellation language",
        function="success",
        negotiation=True,
    ),
)

# slug, name, condition, params, issue type. The first that fires opens the case.
TRIGGERS: Final = (
    ("refund-above-limit", "Refund above the limit", "refund_over", {"amount_usd": 10_000}, "refund-credit"),
    ("risky-renewal", "Risk language before renewal", "risk_language_renewal", {"days": 60}, "renewal-at-risk"),
    ("no-movement", "No movement on terms", "no_concession", {"rounds": 3}, "contract-exception"),
)


# After a breach nobody answered, people are told again: Red every hour, others every four, three times at most.
REPEAT_RED, REPEAT_OTHERS, REPEAT_TIMES = HOUR, 4 * HOUR, 3


class RouteRow(NamedTuple):
    """Who decides, who owns the work, how long before it goes on, and to whom. At the top, everyone on the case is told."""

    issue_type: str
    tier: str
    level: int
    kind: str
    role: str
    owner_role: str
    wait_minutes: int
    then_role: str = ""
    note: str = ""

    @property
    def repeat_minutes(self) -> int:
        """How long after a breach people are told again."""
        return REPEAT_RED if self.tier == RED else REPEAT_OTHERS


MATRIX: Final = (
    RouteRow(
        "payment-terms-dispute",
        ANY,
        ONE,
        EXPERT,
        "finance-lead",
        "finance-lead",
        2 * HOUR,
        "finance-director",
        "Cash-critical: clock hours, not business hours",
    ),
    RouteRow(
        "compliance-exception",
        ANY,
        THREE,
        EXPERT,
        "legal-sponsor",
        "director",
        DAY,
        note="At once. A written risk acceptance is required",
    ),
    RouteRow(
        "vip-at-risk",
        ANY,
        THREE,
        CHAIN,
        "executive-sponsor",
        "director",
        DAY,
        note="The CRO where nobody else sponsors. Protect strategic revenue",
    ),
    RouteRow(
        "scope-cost-variance",
        ANY,
        TWO,
        EXPERT,
        "procurement-director",
        "functional-lead",
        2 * DAY,
        "executive-sponsor",
        "Scope guardrail",
    ),
    RouteRow(
        "supplier-remediation",
        ANY,
        ONE,
        OUTSIDE,
        "vendor-lead",
        "vendor-lead",
        DAY,
        "executive-committee",
        "Keep contractual leverage",
    ),
    RouteRow("technical-outage", RED, THREE, CHAIN, "executive-sponsor", "director", HOUR, note="At once, people lead"),
    RouteRow(
        "technical-outage",
        ANY,
        TWO,
        EXPERT,
        "director",
        "functional-lead",
        4 * HOUR,
        "executive-sponsor",
        "At once, people lead",
    ),
    RouteRow("billing-dispute", GREEN, ONE, EXPERT, "finance-lead", "billing", DAY, "finance-director"),
    RouteRow("billing-dispute", YELLOW, TWO, EXPERT, "finance-director", "finance-lead", 2 * DAY, "executive-sponsor"),
    # One row a tier for everything else, so that no case is ever without a way up.
    RouteRow(ANY, GREEN, ONE, CHAIN, "team-lead", "team-lead", DAY, "director"),
    RouteRow(ANY, YELLOW, TWO, CHAIN, "director", "team-lead", 2 * DAY, "executive-sponsor"),
    RouteRow(ANY, RED, THREE, CHAIN, "executive-sponsor", "director", 3 * DAY),
)
