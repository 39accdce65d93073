"""What rules suggest for an ask: from decisions on similar asks, else from policy. Pure: facts in, a suggestion with
reasons out. A suggestion is shown to the person who decides and never acted on. A suggestion that is not certain enough
is not made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import sqrt

from approvals.matrix.rules.units import MONEY, amount_words
from approvals.requests.rules.verdicts import APPROVED, CONDITIONS, DECLINED
from ledger.format import percent

LIKE_ASKS, POLICY = "like-asks", "policy"
# As people read it.
NAMES = {LIKE_ASKS: "Decisions on similar requests", POLICY: "Cost beside the revenue, by policy"}
# Raise it with every change of a figure or of the reasoning below, so that override rates belong to one rule.
VERSION = 2
LEAST_LIKE_ASKS = 5
# An ask is similar to another if its amount is between half and twice as much.
NEAR = (Decimal("0.5"), Decimal(2))
CERTAIN_ENOUGH = 50
# Policy: a grant is worth it if it costs at most this share of the yearly revenue it protects …
WORTH = Decimal("0.05")
# … and the account's health is at least this, or the ask is at most this share of the role's limit.
FAR_INSIDE = Decimal("0.5")


@dataclass(frozen=True)
class Past:
    """A decision of people on the same concession. `amount` in USD for money."""

    verdict: str
    amount: Decimal | None
    conditions: bool = False


@dataclass(frozen=True)
class Ask:
    """The ask. `amount`, `total` (with earlier grants), `limit` and `arr` in USD for money; `limit` of the role that is
    asked, None: any amount."""

    unit: str
    amount: Decimal | None
    limit: Decimal | None
    arr: Decimal | None
    recommended: str
    conditions: str = ""
    total: Decimal | None = None


@dataclass(frozen=True)
class Proposal:
    """A proposed resolution. `reasons`: sentences, strongest first; `certainty`: 0 to 100."""

    rule: str
    verdict: str
    reasons: tuple[str, ...]
    certainty: int
    amount: Decimal | None = None
    conditions: str = ""


def propose(ask: Ask, past: Sequence[Past]) -> Proposal | None:
    """The suggestion for an ask, or None if nothing is certain enough."""
    found = _from_like_asks(ask, past) or _from_policy(ask)
    return found if found and found.certainty >= CERTAIN_ENOUGH else None


def outcome(suggested: str, decided: str, *, as_recommended: bool = False) -> str:
    """`accepted`, `changed` (granted too, on other conditions) or `rejected`. A grant exactly as the brief recommends it
    accepts every suggestion to grant: the suggestion is about the ask, and the ask includes the recommended conditions."""
    if suggested == decided:
        return "accepted"
    if DECLINED in (suggested, decided):
        return "rejected"
    return "accepted" if as_recommended else "changed"


def like(ask: Ask, past: Sequence[Past]) -> list[Past]:
    """Decisions on similar amounts; for a yes-or-no concession all decisions."""
    if ask.amount is None:
        return list(past)
    low, high = (ask.amount * edge for edge in NEAR)
    return [each for each in past if each.amount is not None and low <= each.amount <= high]


def certainty(agreeing: int, of: int) -> int:
    """The lower end of Wilson's 90 % interval for a share, in percent: few cases give little certainty.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    """
    if not of:
        return 0
    z, share = 1.2816, agreeing / of
    middle = share + z * z / (2 * of)
    spread = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return int(100 * (middle - spread) / (1 + z * z / of))


def _from_like_asks(ask: Ask, past: Sequence[Past]) -> Proposal | None:
    near = like(ask, past)
    if len(near) < LEAST_LIKE_ASKS:
        return None
    granted = [each for each in near if each.verdict != DECLINED]
    declined = len(near) - len(granted)
    if declined > len(granted):
        said = f"{declined} of {len(near)} similar requests were declined."
        return Proposal(LIKE_ASKS, DECLINED, (said,), certainty(declined, len(near)))
    bound = sum(each.verdict == CONDITIONS for each in granted)
    reasons = [
        f"{len(granted)} of {len(near)} similar requests were granted{f', {bound} with conditions' if bound else ''}."
    ]
    reasons += _largest(ask, granted)
    verdict = CONDITIONS if ask.conditions and bound * 2 >= len(granted) else APPROVED
    kept = ask.conditions if verdict == CONDITIONS else ""
    sure = certainty(len(granted), len(near))
    return Proposal(LIKE_ASKS, verdict, tuple(reasons), sure, ask.amount, kept)


def _largest(ask: Ask, granted: list[Past]) -> list[str]:
    amounts = [each.amount for each in granted if each.amount is not None]
    if ask.amount is None or not amounts:
        return []
    words = amount_words(ask.unit, max(amounts))
    more = "this is more" if ask.amount > max(amounts) else "this is not more"
    return [f"The largest of them was {words}; {more}."]


def _from_policy(ask: Ask) -> Proposal | None:
    """Without similar asks: money that costs little compared with the revenue it protects, well within the authority."""
    if ask.unit != MONEY or ask.amount is None or not ask.arr or ask.recommended == DECLINED:
        return None
    share = ask.amount / ask.arr
    if share > WORTH:
        return None
    cost, worth = percent(share * 100, 1), percent(WORTH * 100)
    reasons = [f"It costs {cost} of the yearly revenue it protects; by policy up to {worth} is worth it."]
    # Earlier grants count against the limit, but not against the value of this grant.
    far = ask.limit is None or (ask.total or ask.amount) <= ask.limit * FAR_INSIDE
    if far and ask.limit is not None:
        reasons.append(f"It is well within the role's limit, {amount_words(ask.unit, ask.limit)}.")
    return Proposal(POLICY, ask.recommended, tuple(reasons), 70 if far else 55, ask.amount, ask.conditions)
