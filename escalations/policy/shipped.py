"""The shipped policy, version 1. Tables only: an administrator changes every row in a draft, without code.

The numbers come from the escalation framework; the others are our defaults, with the reason beside them.
"""

from typing import Final, NamedTuple

from escalations import states

RED, YELLOW, GREEN, ANY = states.RED, states.YELLOW, states.GREEN, ""
ONE, TWO, THREE = 1, 2, 3
CHAIN, EXPERT, OUTSIDE = states.HIERARCHICAL, states.FUNCTIONAL, states.OUTSIDE
HOUR, DAY = 60, 24 * 60
CLOCK, BUSINESS, DAYS = "clock", "business", "business_days"
ESCALATE, REMIND = "escalate", "remind"
BUSINESS_CALENDAR, ROUND_THE_CLOCK = "business", "round-the-clock"


class LevelRow(NamedTuple):
    """`role` decides if the matrix has no row for the level."""

    rank: int
    slug: str
    name: str
    decides: str
    role: str = ""
    counts_as_executive: bool = False


LEVELS: Final = (
    LevelRow(
        ONE,
        "team",
        "Team lead",
        "Non-material terms inside the playbook: minor clause edits, schedule tweaks",
        "team-lead",
    ),
    LevelRow(
        TWO,
        "director",
        "Director",
        "Policy exceptions within limits: discounts and risk caps up to the limit",
        "director",
    ),
    LevelRow(
        THREE,
        "executive",
        "Executive",
        "Material exceptions, also by the steering committee: indemnity, liability caps, strategic give-gets",
        "executive-sponsor",
        counts_as_executive=True,
    ),
)


class TierRow(NamedTuple):
    """Health half-open [from, to); ARR in USD."""

    slug: str
    health_from: int
    health_to: int
    score_from: int
    renewal_days: int | None = None
    arr_from: int | None = None
    arr_needs_negative_tone: bool = False


TIERS: Final = (
    TierRow(RED, 0, 40, 70, renewal_days=30, arr_from=500_000),
    TierRow(YELLOW, 40, 70, 40, renewal_days=60, arr_from=250_000, arr_needs_negative_tone=True),
    TierRow(GREEN, 70, 101, 0),
)

# They add up to 100, so that the points are a percentage.
WEIGHTS: Final = (
    ("arr", "ARR at risk", 15),
    ("renewal", "Renewal date", 15),
    ("health", "Account health", 15),
    ("sentiment", "Tone of the customer", 12),
    ("flags", "Legal, security and executive flags", 12),
    ("phrases", "Risk phrases", 10),
    ("blocker", "Open blocker", 8),
    ("strategic", "Strategic account", 4),
    ("reopens", "Reopened before", 3),
    ("stalled", "Time without progress", 3),
    ("history", "Earlier cases", 3),
)


class TargetRow(NamedTuple):
    """The most specific row applies: issue type before level before tier."""

    clock: str
    amount: int
    unit: str
    tier: str = ANY
    level: int | None = None
    issue_type: str = ANY
    on_breach: str = REMIND


def _decision(amount: int, level: int | None = None, issue_type: str = ANY) -> TargetRow:
    return TargetRow(states.DECISION, amount, CLOCK, level=level, issue_type=issue_type, on_breach=ESCALATE)


def _fix(amount: int, unit: str, level: int, issue_type: str) -> TargetRow:
    return TargetRow(states.RESOLUTION, amount, unit, level=level, issue_type=issue_type, on_breach=ESCALATE)


TARGETS: Final = (
    # Half of the first response each, so that accepting and the first act still leave time to answer the customer.
    # Red cases and cash-critical types are accepted and answered on clock hours, also on a weekend.
    TargetRow(states.ACCEPTANCE, 30, CLOCK, RED, on_breach=ESCALATE),
    TargetRow(states.ACCEPTANCE, 2 * HOUR, BUSINESS, YELLOW, on_breach=ESCALATE),
    TargetRow(states.ACCEPTANCE, 1, DAYS, GREEN, on_breach=ESCALATE),
    TargetRow(states.ACCEPTANCE, 30, CLOCK, issue_type="payment-terms-dispute", on_breach=ESCALATE),
    TargetRow(states.FIRST_ACT, 30, BUSINESS, RED),
    TargetRow(states.FIRST_ACT, 2 * HOUR, BUSINESS, YELLOW),
    TargetRow(states.FIRST_ACT, 1, DAYS, GREEN),
    TargetRow(states.RESPONSE, HOUR, CLOCK, RED),
    TargetRow(states.RESPONSE, HOUR, CLOCK, issue_type="payment-terms-dispute"),
    TargetRow(states.RESPONSE, 4 * HOUR, BUSINESS, YELLOW),
    TargetRow(states.RESPONSE, 1, DAYS, GREEN),
    _decision(DAY, ONE),
    _decision(2 * DAY, TWO),
    _decision(3 * DAY, THREE),
    _decision(2 * HOUR, issue_type="payment-terms-dispute"),
    _decision(DAY, issue_type="compliance-exception"),
    _decision(DAY, issue_type="vip-at-risk"),
    _decision(2 * DAY, issue_type="scope-cost-variance"),
    _decision(DAY, issue_type="supplier-remediation"),
    _decision(4 * HOUR, TWO, "technical-outage"),
    _decision(HOUR, THREE, "technical-outage"),
    # Impasse to opened: under a day, shorter for more serious tiers.
    TargetRow(states.TIME_TO_ESCALATE, 4 * HOUR, CLOCK, RED),
    TargetRow(states.TIME_TO_ESCALATE, 12 * HOUR, CLOCK, YELLOW),
    TargetRow(states.TIME_TO_ESCALATE, DAY, CLOCK, GREEN),
    # Daily for active Red cases; twice a week for Yellow ones, as their rhythm says; Green ones have none. The next internal
    # update has no target of its own: it follows the rhythm of the tier.
    TargetRow(states.CHECK_IN, 1, DAYS, RED),
    TargetRow(states.CHECK_IN, 3, DAYS, YELLOW),
    TargetRow(states.CUSTOMER_UPDATE, DAY, CLOCK, RED),
    TargetRow(states.CUSTOMER_UPDATE, 2, DAYS, YELLOW),
    TargetRow(states.CUSTOMER_UPDATE, 5, DAYS, GREEN),
    TargetRow(states.RESOLUTION, 10, DAYS, on_breach=ESCALATE),
    _fix(8 * HOUR, BUSINESS, ONE, "technical-outage"),
    _fix(4 * HOUR, CLOCK, TWO, "technical-outage"),
    _fix(HOUR, CLOCK, THREE, "technical-outage"),
    _fix(8 * HOUR, BUSINESS, ONE, "billing-dispute"),
    _fix(4 * HOUR, BUSINESS, TWO, "billing-dispute"),
    _fix(HOUR, BUSINESS, THREE, "billing-dispute"),
    TargetRow(states.REVIEW_DUE, 5, DAYS),
)


class FactorRow(NamedTuple):
    """Half-open range [from, to) of a part; `percent` of the target remains."""

    part: str
    from_value: int | None
    to_value: int | None
    percent: int


# Our numbers. Together they more than halve a target, and never take it below a quarter.
FACTORS: Final = (
    FactorRow("tier", 2, None, 90),
    FactorRow("arr", 500_000, None, 80),
    FactorRow("arr", 250_000, 500_000, 90),
    FactorRow("renewal_days", None, 30, 80),
    FactorRow("renewal_days", 30, 60, 90),
    FactorRow("age_hours", 72, None, 90),
    FactorRow("queue_load", 15, None, 90),
    FactorRow("sentiment", 5, None, 80),
    FactorRow("sentiment", 2, 5, 90),
    FactorRow("history", 3, None, 90),
)
# Switched on where the base number is our default; for other clocks (with numbers from the framework) they are off at
# first.
FACTORS_ON: Final = (states.FIRST_ACT, states.RESOLUTION, states.INTERNAL_UPDATE)

# Tier → letter → roles. The Accountable is the role that decides at the tier's level.
RACI: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    RED: {
        "A": ("executive-sponsor",),
        "R": ("csm", "ae", "director"),
        "C": ("product", "finance-lead", "legal"),
        "I": ("team-lead", "cro"),
    },
    YELLOW: {
        "A": ("director",),
        "R": ("csm", "ae", "team-lead"),
        "C": ("product", "finance-lead", "legal"),
        "I": ("executive-sponsor",),
    },
    GREEN: {"A": ("team-lead",), "R": ("csm",), "C": ("ae",), "I": ("product",)},
}


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
    outage: bool = False
    needs_risk_acceptance: bool = False


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
        needs_risk_acceptance=True,
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
        outage=True,
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
        "The customer asks for money back; above $10,000 it is escalated automatically",
        concession="refund",
        function="finance",
    ),
    IssueRow(
        "discount-beyond-limit",
        "Discount beyond limit",
        "The ask is above the limit of the deal's owner",
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

# slug, name, condition, threshold, issue type. The first that fires opens the case.
TRIGGERS: Final = (
    ("refund-above-limit", "Refund above the limit", "refund_over", 10_000, "refund-credit"),
    ("risky-renewal", "Risk language before renewal", "risk_language_renewal", 60, "renewal-at-risk"),
    ("no-movement", "No movement on terms", "no_concession", 3, "contract-exception"),
)


# After a breach that nobody answered, people are notified again: Red every hour, others every four hours, three times
# at most.
REPEAT_RED, REPEAT_OTHERS, REPEAT_TIMES = HOUR, 4 * HOUR, 3


class RouteRow(NamedTuple):
    """The deciding role, the owner role, the time to decide, and the next role. At the top, everyone on the case is
    notified."""

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
        """Minutes after a breach until people are notified again."""
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
        note="The CRO if there is no other sponsor. Protect strategic revenue",
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
    # One row for each tier for everything else, so that every case can be escalated.
    RouteRow(ANY, GREEN, ONE, CHAIN, "team-lead", "team-lead", DAY, "director"),
    RouteRow(ANY, YELLOW, TWO, CHAIN, "director", "team-lead", 2 * DAY, "executive-sponsor"),
    RouteRow(ANY, RED, THREE, CHAIN, "executive-sponsor", "director", 3 * DAY),
)


class Rhythm(NamedTuple):
    """How often the customer and internal people get updates on a case, and who meets."""

    tier: str
    customer_minutes: int
    internal_minutes: int
    meeting: str
    attends: str


CADENCES: Final = (
    Rhythm(
        RED,
        DAY,
        4 * HOUR,
        "Real-time alerts, daily check-in of 15 minutes",
        "Owner, executive sponsor, communication lead, scribe and consulted people",
    ),
    Rhythm(YELLOW, 2 * DAY, DAY, "Check-in on Tuesday and Friday", "Owner, director, CSM, AE"),
    Rhythm(GREEN, 7 * DAY, 7 * DAY, "", ""),
)
