"""Rules that open a case by themselves. Each reads plain facts of a signal and answers with its reason, or None."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ledger.format import money

RISKY = frozenset({"legal", "cancellation", "churn"})
# Phrases weigh 0 to 1; softer ones ("our lawyers") count from here, mere mentions do not.
CLEAR_ENOUGH = 0.6


@dataclass(frozen=True)
class Seen:
    """What a signal and its account say. Money in USD (None when unknown or not convertible)."""

    kind: str
    phrases: tuple[tuple[str, str, float], ...] = ()  # kind, words, weight
    amount: Decimal | None = None
    renewal_days: int | None = None
    rounds_without_concession: int = 0
    asks_refund: bool = False


def refund_over(seen: Seen, params: Mapping[str, Any]) -> str | None:
    """A refund or credit above the amount, whatever the sentiment is (domain.md §2, hard thresholds)."""
    limit = Decimal(str(params.get("amount_usd", 10_000)))
    if seen.asks_refund and seen.amount is not None and seen.amount > limit:
        return f"Refund or credit of {money(seen.amount)} is above {money(limit)}"
    return None


def risk_language_renewal(seen: Seen, params: Mapping[str, Any]) -> str | None:
    """Legal or cancellation language while the renewal is within the days given."""
    days = int(params.get("days", 60))
    words = [text for kind, text, weight in seen.phrases if kind in RISKY and weight >= CLEAR_ENOUGH]
    if words and seen.renewal_days is not None and 0 <= seen.renewal_days <= days:
        said = ", ".join(f"“{word}”" for word in words[:3])
        return f"Customer wrote {said} and renews in {seen.renewal_days} days (limit {days})"
    return None


def no_concession(seen: Seen, params: Mapping[str, Any]) -> str | None:
    """So many counterproposals in a row without any concession."""
    rounds = int(params.get("rounds", 3))
    if seen.kind == "counterproposal" and seen.rounds_without_concession >= rounds:
        return f"{seen.rounds_without_concession} counterproposals without a concession (limit {rounds})"
    return None


CONDITIONS = {
    "refund_over": refund_over,
    "risk_language_renewal": risk_language_renewal,
    "no_concession": no_concession,
}


@dataclass(frozen=True)
class Rule:
    """One trigger of the policy."""

    slug: str
    name: str
    condition: str
    params: Mapping[str, Any]
    issue_type: str


def first_fired(rules: Sequence[Rule], seen: Seen) -> tuple[Rule, str] | None:
    """The first rule, in policy order, that fires, with its reason. An unknown condition never fires."""
    for rule in rules:
        condition = CONDITIONS.get(rule.condition)
        reason = condition(seen, rule.params) if condition else None
        if reason:
            return rule, reason
    return None


def rounds_without_concession(conceded: Sequence[bool]) -> int:
    """Length of the run without a concession at the end of a series of counterproposals, oldest first."""
    rounds = 0
    for with_concession in reversed(conceded):
        if with_concession:
            break
        rounds += 1
    return rounds
