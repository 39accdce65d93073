"""The demo's cases: current ones, each in its state, and those that ended over the last six months."""

from typing import NamedTuple

from demo.lives import Script
from demo.telling import Plot
from escalations import states


class Scene(NamedTuple):
    """One case: account, hours since opening, subject, course, and opener ("": the account's CSM)."""

    account: str
    age: float
    plot: Plot
    script: Script
    raised: str = ""


def today(until: str, **more: bool | str | tuple[str, ...]) -> Script:
    """A case that is in this state today."""
    return Script(until=until, **more)  # type: ignore[arg-type]


HANDED, DIAGNOSING = today(states.HANDED_OFF), today(states.DIAGNOSING)
APPROVING, EXECUTING = today(states.APPROVING), today(states.EXECUTING)
RESOLVED, IN_REVIEW = today(states.RESOLVED), today(states.IN_REVIEW)

TODAY = (
    # Waits for a decision: of Dana, Noor, Lena, Henrik, Tom; of a chain, a committee, a stand-in.
    Scene("Northwind Logistics", 58, Plot("contract-exception", 1, 18, with_signal=True, blocker=True), APPROVING),
    Scene("Harbor Health", 20, Plot("compliance-exception", 0, with_signal=True), APPROVING),
    Scene("Brightline Energy", 22, Plot("vip-at-risk", 0, 40_000, with_signal=True),
          today(states.APPROVING, questioned=True)),
    Scene("Cobalt Insurance", 69, Plot("discount-beyond-limit", 0, 38, blocker=True),
          today(states.APPROVING, one_vote=True)),
    Scene("Linden Pharma", 66, Plot("renewal-at-risk", 2, 18, with_signal=True, blocker=True), APPROVING),
    Scene("Prairie Rail", 30, Plot("contract-exception", 2, 24), today(states.APPROVING, delegated=("noor", "dana"))),
    Scene("Alder & Co", 38, Plot("discount-beyond-limit", 1, 18, blocker=True), APPROVING),
    Scene("Kestrel Bank", 40, Plot("refund-credit", 0, 9_400, with_signal=True), APPROVING),
    Scene("Granite Mutual", 10, Plot("contract-exception", 0, 12), today(states.APPROVING, recalled=True)),
    Scene("Solent Retail", 1.6, Plot("payment-terms-dispute", 0, 60, with_signal=True), APPROVING),
    Scene("Redwood Transit", 3, Plot("billing-dispute", 0, 1_800), APPROVING),
    # Waits to be accepted.
    Scene("Vantage Robotics", 0.8, Plot("renewal-at-risk", 1, 10), HANDED, "marcus"),
    Scene("Zephyr Airports", 0.3, Plot("refund-credit", 1, 7_200, with_signal=True), HANDED),
    Scene("Mosaic Schools Trust", 0.2, Plot("discount-beyond-limit", 2, 16), HANDED),
    # Is in diagnosis, waits for an outside party, or gets no more updates.
    Scene("Keystone Steel", 1.5, Plot("technical-outage", 0, with_signal=True), DIAGNOSING),
    Scene("Fjord Shipping", 30, Plot("renewal-at-risk", 2, 12, blocker=True), today(states.DIAGNOSING, silent=True)),
    Scene("Tallis Media", 28, Plot("scope-cost-variance", 0), DIAGNOSING),
    Scene("Cedar Grocers", 34, Plot("contract-exception", 1, 15), DIAGNOSING),
    Scene("Oakridge Schools", 70, Plot("contract-exception", 1, 12), today(states.DIAGNOSING, waits="customer")),
    Scene("Harbor Health", 15, Plot("compliance-exception", 1, confidential=True),
          today(states.DIAGNOSING, waits="third_party")),
    Scene("Stonebridge Parts", 18, Plot("supplier-remediation", 0), DIAGNOSING, "stefan"),
    # Is being carried out, or has ended.
    Scene("Copperline Hosting", 40, Plot("supplier-remediation", 1), EXECUTING, "stefan"),
    Scene("Brightline Energy", 90, Plot("discount-beyond-limit", 1, 20), today(states.EXECUTING, conditions=True)),
    Scene("Juniper Games", 50, Plot("discount-beyond-limit", 2, 4), EXECUTING),
    Scene("Larkspur Beauty", 80, Plot("refund-credit", 1, 1_200), RESOLVED),
    Scene("Solent Retail", 170, Plot("billing-dispute", 1, 2_200), IN_REVIEW),
    Scene("Yarrow Biotech", 200, Plot("refund-credit", 0, 4_100), IN_REVIEW),
    Scene("Arbor Legal", 240, Plot("discount-beyond-limit", 2, 12), today(states.WITHDRAWN)),
    Scene("Fjord Shipping", 15, Plot("renewal-at-risk", 1, 12), today(states.DUPLICATE)),
)  # fmt: skip

# What ended: how many days before today each was opened, with a director and an executive alternating. Every week of
# the last quarter has a decision of each, so that the charts have a point for each. Cases without a decision ended
# before.
ENDED_DAYS = (
    176, 166, 155, 146, 136, 125, 115, 105, 97,
    93, 90, 86, 83, 79, 76, 72, 69, 65, 62, 58, 55, 51, 48, 44, 41, 37, 34, 30, 27, 23, 20, 16, 13, 9,
    # For the weeks in which no executive would have decided.
    60, 88, 32, 74, 25, 53, 45, 7,
)  # fmt: skip
DIRECTOR = (
    Plot("discount-beyond-limit", amount=16), Plot("refund-credit", amount=6_400), Plot("contract-exception", amount=10),
    Plot("renewal-at-risk", amount=14), Plot("payment-terms-dispute", amount=60), Plot("billing-dispute", amount=3_600),
    Plot("discount-beyond-limit", amount=12),
)  # fmt: skip
EXECUTIVE = (
    Plot("vip-at-risk", amount=18_000), Plot("discount-beyond-limit", amount=24), Plot("compliance-exception"),
    Plot("refund-credit", amount=11_500), Plot("contract-exception", amount=20), Plot("renewal-at-risk", amount=26),
)  # fmt: skip
UNDECIDED = {2: Plot("scope-cost-variance"), 6: Plot("technical-outage")}


def ended(place: int) -> tuple[Plot, Script]:
    """The story of an ended case and its course: alternating between a director and an executive, with every kind of
    event."""
    row = EXECUTIVE if place % 2 else DIRECTOR
    script = Script(
        refused=place % 17 == 5,
        ignored=place % 19 == 11,
        declined=place % 13 == 4,
        conditions=place % 5 == 2,
        recalled=place % 23 == 9,
        slow=place % 18 == 7,
        late_word=place % 11 == 3,
        questioned=place % 7 == 1,
        waits="customer" if place % 15 == 6 else "",
        waived=place % 16 == 9,
        reopened=place % 25 == 12,
    )
    return UNDECIDED.get(place) or row[place // 2 % len(row)], script
