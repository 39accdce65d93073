"""The demo's cases: which account, which story, how old, and where each stands today."""

from typing import NamedTuple

from demo.beginning import Script
from escalations import states


class Scene(NamedTuple):
    """A case that lives today. `age` in hours since it was opened; variant and amount pick the story; `raised` by whom."""

    account: str
    issue_type: str
    variant: int
    age: float
    script: Script
    amount: int | None = None
    raised: str = ""
    with_signal: bool = False
    blocker: bool = False
    confidential: bool = False


def at(until: str, **more: bool | str) -> Script:
    """A script that stops in a state of today, with a full thread."""
    return Script(until=until, rich=True, **more)  # type: ignore[arg-type]


NEW, TRIAGED, HANDED = at(states.NEW), at(states.TRIAGED), at(states.HANDED_OFF)
DIAGNOSING, APPROVING, EXECUTING = at(states.DIAGNOSING), at(states.APPROVING), at(states.EXECUTING)
RESOLVED, IN_REVIEW = at(states.RESOLVED), at(states.IN_REVIEW)
PAUSED = at(states.DIAGNOSING, waits="customer", paused_now=True)
AT_AUDITOR = at(states.DIAGNOSING, waits="third_party", paused_now=True)
SILENT = at(states.DIAGNOSING, silent=True)
ASKED_BACK = at(states.APPROVING, questioned=True)
WITHDRAWN, DUPLICATE = at(states.WITHDRAWN), at(states.DUPLICATE)

SCENES = (
    Scene("Northwind Logistics", "contract-exception", 1, 58, APPROVING, 18, with_signal=True, blocker=True),
    Scene("Harbor Health", "compliance-exception", 0, 20, APPROVING, with_signal=True),
    Scene("Brightline Energy", "vip-at-risk", 0, 22, ASKED_BACK, 40_000, with_signal=True),
    Scene("Cobalt Insurance", "discount-beyond-limit", 0, 75, APPROVING, 24, blocker=True),
    Scene("Linden Pharma", "renewal-at-risk", 2, 80, APPROVING, 18, blocker=True, with_signal=True),
    Scene("Prairie Rail", "contract-exception", 2, 30, APPROVING, 24),
    Scene("Alder & Co", "discount-beyond-limit", 1, 38, APPROVING, 18, blocker=True),
    Scene("Kestrel Bank", "refund-credit", 0, 40, APPROVING, 9_400, with_signal=True),
    Scene("Granite Mutual", "contract-exception", 0, 10, APPROVING, 12),
    Scene("Westfold Paper", "renewal-at-risk", 0, 44, APPROVING, 14),
    Scene("Solent Retail", "payment-terms-dispute", 0, 1.6, APPROVING, 90, with_signal=True),
    Scene("Redwood Transit", "billing-dispute", 0, 3, APPROVING, 1_800),
    Scene("Juniper Games", "discount-beyond-limit", 2, 5, APPROVING, 8),
    Scene("Vantage Robotics", "renewal-at-risk", 1, 0.8, HANDED, 10, raised="marcus"),
    Scene("Valley Credit Union", "discount-beyond-limit", 1, 0.5, HANDED, 12),
    Scene("Ibis Travel", "billing-dispute", 2, 0.7, HANDED, 650),
    Scene("Zephyr Airports", "refund-credit", 1, 0.3, HANDED, 7_200, with_signal=True),
    Scene("Elm Street Clinics", "billing-dispute", 1, 0.4, HANDED, 900),
    Scene("Umber Fashion", "renewal-at-risk", 0, 1.1, HANDED, 8),
    Scene("Mosaic Schools Trust", "discount-beyond-limit", 2, 0.2, NEW, 16),
    Scene("Nimbus Couriers", "billing-dispute", 0, 0.3, TRIAGED, 400),
    Scene("Bluff Construction", "renewal-at-risk", 1, 0.6, TRIAGED, 10),
    Scene("Keystone Steel", "technical-outage", 0, 1.5, DIAGNOSING, with_signal=True),
    Scene("Meridian Foods", "discount-beyond-limit", 0, 7, DIAGNOSING, 14),
    Scene("Fjord Shipping", "renewal-at-risk", 2, 44, SILENT, 12, blocker=True),
    Scene("Tallis Media", "scope-cost-variance", 0, 28, DIAGNOSING),
    Scene("Quill Publishing", "discount-beyond-limit", 2, 12, DIAGNOSING, 10, blocker=True),
    Scene("Cedar Grocers", "contract-exception", 1, 34, DIAGNOSING, 15),
    Scene("Pinecrest Hotels", "refund-credit", 2, 26, DIAGNOSING, 3_400, with_signal=True),
    Scene("Tidewater Utilities", "renewal-at-risk", 0, 53, at(states.DIAGNOSING), 8),
    Scene("Oakridge Schools", "contract-exception", 1, 70, PAUSED, 12),
    Scene("Delta Optics", "discount-beyond-limit", 0, 29, PAUSED, 12),
    Scene("Harbor Health", "compliance-exception", 1, 15, AT_AUDITOR, confidential=True),
    Scene("Stonebridge Parts", "supplier-remediation", 0, 18, DIAGNOSING, raised="stefan"),
    Scene("Copperline Hosting", "supplier-remediation", 1, 40, EXECUTING, raised="stefan"),
    Scene("Northwind Logistics", "refund-credit", 2, 60, EXECUTING, 2_600),
    Scene("Brightline Energy", "discount-beyond-limit", 1, 90, EXECUTING, 20),
    Scene("Orchard Software", "billing-dispute", 0, 20, EXECUTING, 1_400),
    Scene("Sable Insurance Brokers", "discount-beyond-limit", 2, 50, EXECUTING, 8),
    Scene("Granite Mutual", "scope-cost-variance", 1, 65, EXECUTING),
    Scene("Larkspur Beauty", "refund-credit", 1, 96, RESOLVED, 1_200),
    Scene("Kestrel Bank", "discount-beyond-limit", 0, 140, RESOLVED, 12),
    Scene("Solent Retail", "billing-dispute", 1, 120, IN_REVIEW, 2_200),
    Scene("Keystone Steel", "contract-exception", 0, 200, IN_REVIEW, 12),
    Scene("Yarrow Biotech", "refund-credit", 0, 150, IN_REVIEW, 4_100),
    Scene("Arbor Legal", "discount-beyond-limit", 2, 240, WITHDRAWN, 12),
    Scene("Hollow Creek Farms", "billing-dispute", 2, 400, WITHDRAWN, 300),
    Scene("Fjord Shipping", "renewal-at-risk", 1, 15, DUPLICATE, 12),
)

# What has ended over the last six months: as many again, drawn from the stories.
ENDED = 54
ENDED_DAYS = 178
# Every third ended case was for the executives.
EXECUTIVE = (
    ("vip-at-risk", 30_000), ("discount-beyond-limit", 24), ("compliance-exception", None), ("refund-credit", 11_500),
    ("contract-exception", 24), ("renewal-at-risk", 30),
)  # fmt: skip
