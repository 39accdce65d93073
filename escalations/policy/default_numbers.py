"""The numbers of policy version 1. Tables only: an administrator changes every one of them in a draft, without code.

Where domain.md gives a number it is that number; the rest are our defaults, with the reason beside them.
"""

from typing import Final, NamedTuple

from escalations import states

RED, YELLOW, GREEN, ANY = states.RED, states.YELLOW, states.GREEN, ""
ONE, TWO, THREE = states.TEAM_LEAD, states.DIRECTOR, states.EXECUTIVE
CHAIN, EXPERT, OUTSIDE = states.HIERARCHICAL, states.FUNCTIONAL, states.OUTSIDE
HOUR, DAY = 60, 24 * 60
CLOCK, BUSINESS, DAYS = "clock", "business", "business_days"
ESCALATE, REMIND = "escalate", "remind"
BUSINESS_CALENDAR, ROUND_THE_CLOCK = "business", "round-the-clock"


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

# They add up to 100, so that the points read as a percentage.
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
    TargetRow(states.ACCEPTANCE, 30, BUSINESS, RED, on_breach=ESCALATE),
    TargetRow(states.ACCEPTANCE, 2 * HOUR, BUSINESS, YELLOW, on_breach=ESCALATE),
    TargetRow(states.ACCEPTANCE, 1, DAYS, GREEN, on_breach=ESCALATE),
    TargetRow(states.FIRST_ACT, 30, BUSINESS, RED),
    TargetRow(states.FIRST_ACT, 2 * HOUR, BUSINESS, YELLOW),
    TargetRow(states.FIRST_ACT, 1, DAYS, GREEN),
    TargetRow(states.RESPONSE, HOUR, CLOCK, RED),
    TargetRow(states.RESPONSE, 4 * HOUR, BUSINESS, YELLOW),
    TargetRow(states.RESPONSE, 1, DAYS, GREEN),
    _decision(DAY, ONE),
    _decision(2 * DAY, TWO),
    _decision(3 * DAY, THREE),
    _decision(3 * DAY, states.EXTERNAL),
    _decision(2 * HOUR, issue_type="payment-terms-dispute"),
    _decision(DAY, issue_type="compliance-exception"),
    _decision(DAY, issue_type="vip-at-risk"),
    _decision(2 * DAY, issue_type="scope-cost-variance"),
    _decision(DAY, issue_type="supplier-remediation"),
    _decision(4 * HOUR, TWO, "technical-outage"),
    _decision(HOUR, THREE, "technical-outage"),
    # Impasse to opened: under a day, the more serious the sooner.
    TargetRow(states.TIME_TO_ESCALATE, 4 * HOUR, CLOCK, RED),
    TargetRow(states.TIME_TO_ESCALATE, 12 * HOUR, CLOCK, YELLOW),
    TargetRow(states.TIME_TO_ESCALATE, DAY, CLOCK, GREEN),
    # Daily for active Red cases; twice a week for Yellow ones, as their rhythm says; Green ones have none. The next internal
    # update has no target of its own: it follows the rhythm of the tier.
    TargetRow(states.CHECK_IN, 1, DAYS, RED),
    TargetRow(states.CHECK_IN, 3, DAYS, YELLOW),
    TargetRow(states.CUSTOMER_UPDATE, DAY, CLOCK, RED),
    TargetRow(states.CUSTOMER_UPDATE, 2 * DAY, CLOCK, YELLOW),
    TargetRow(states.CUSTOMER_UPDATE, 7 * DAY, CLOCK, GREEN),
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
# On where the base number is ours as well; for every other clock (its promise is exact) they wait to be switched on.
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
