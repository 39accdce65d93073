"""Account health: an explained score from 0 (lost) to 100 (thriving). It is neither the tier of a case nor an SLA."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from accounts.signals.rules.tone_words import in_words
from ledger import format as write

Word = Literal["red", "yellow", "green"]

YELLOW_FROM = 40
GREEN_FROM = 70
WEIGHTS: Mapping[str, int] = {
    "escalations": 35,
    "sentiment": 25,
    "sla": 15,
    "usage": 10,
    "renewal": 10,
    "commitments": 5,
}
# One open red case costs the whole part, and so do two yellow ones.
TIER_COST: Mapping[str, float] = {"red": 1.0, "yellow": 0.5, "green": 0.2}
# A neutral tone keeps three quarters of the part: -0.6 or less gives nothing, +0.2 or more gives all.
WORST_TONE, GOOD_TONE = -0.6, 0.2
IDLE_USE, FULL_USE = 20, 80  # percent of what was bought
RENEWAL_STEPS = ((0, 0.0), (31, 0.2), (61, 0.5), (91, 0.8))  # fewer days than the first number → this share
BREACH_SHARES = (1.0, 0.6, 0.3, 0.0)
OVERDUE_SHARES = (1.0, 0.5, 0.0)


@dataclass(frozen=True)
class HealthInputs:
    """The known facts of an account. None means not known: the part is left out of the score and named as missing."""

    sentiment: Sequence[float] | None = None
    """Compound tone (-1 to 1) of recent signals, newest first; empty counts as not known."""
    open_escalations: Mapping[str, int] | None = field(default_factory=dict)
    """Open cases by tier: red, yellow, green."""
    sla_breaches: int | None = 0
    """Targets missed in the last 90 days."""
    days_to_renewal: int | None = None
    """Negative when the renewal date has passed; None also for suppliers and partners."""
    overdue_commitments: int | None = 0
    usage: float | None = None
    """Percent of what was bought that is in use."""


class Part(NamedTuple):
    """One part of the score: `points` of at most `weight`, and the reason as text."""

    name: str
    points: int
    weight: int
    why: str


class Health(NamedTuple):
    """The score, its word, the parts it is made of, the names of missing parts, and one sentence for people."""

    score: int
    word: Word
    parts: tuple[Part, ...]
    missing: tuple[str, ...]
    sentence: str


class _Share(NamedTuple):
    share: float
    why: str


def health_word(score: int) -> Word:
    """Red below 40, yellow from 40, green from 70."""
    if score < YELLOW_FROM:
        return "red"
    return "yellow" if score < GREEN_FROM else "green"


def account_health(inputs: HealthInputs) -> Health | None:
    """The health of an account; the known parts are scaled up to 100. None ("no health yet") if only the renewal date
    is known, because a date alone says nothing about a relationship.
    """
    shares = {
        "escalations": _escalations(inputs.open_escalations),
        "sentiment": _sentiment(inputs.sentiment),
        "sla": _sla(inputs.sla_breaches),
        "usage": _usage(inputs.usage),
        "renewal": _renewal(inputs.days_to_renewal),
        "commitments": _commitments(inputs.overdue_commitments),
    }
    known = {name: share for name, share in shares.items() if share is not None}
    if not known.keys() - {"renewal"}:
        return None
    parts = tuple(Part(name, round(WEIGHTS[name] * share), WEIGHTS[name], why) for name, (share, why) in known.items())
    total = sum(WEIGHTS[name] * share for name, (share, _) in known.items())
    score = round(100 * total / sum(part.weight for part in parts))
    missing = tuple(name for name in shares if name not in known)
    return Health(score, health_word(score), parts, missing, _sentence(score, parts, missing))


def _sentence(score: int, parts: Sequence[Part], missing: Sequence[str]) -> str:
    """Names the parts that cost most points, the worst first, and the unknown parts."""
    costly = sorted((part for part in parts if part.points < part.weight), key=lambda part: part.points - part.weight)
    reasons = "; ".join(part.why for part in costly[:3]) or "no negative factors"
    unknown = f" Not known: {', '.join(missing)}." if missing else ""
    return f"{health_word(score).capitalize()}, {score}: {reasons}.{unknown}"


def _escalations(by_tier: Mapping[str, int] | None) -> _Share | None:
    if by_tier is None:
        return None
    open_tiers = [(tier, by_tier.get(tier, 0)) for tier in TIER_COST if by_tier.get(tier, 0) > 0]
    cost = sum(TIER_COST[tier] * count for tier, count in open_tiers)
    words = ", ".join(f"{count} {tier} tier" for tier, count in open_tiers)
    total = sum(count for _, count in open_tiers)
    why = f"{write.counted(total, 'escalation')} open ({words})" if total else "no escalation is open"
    return _Share(max(0.0, 1 - cost), why)


def _sentiment(values: Sequence[float] | None) -> _Share | None:
    """The newest signal weighs most, the oldest least, in even steps."""
    if not values:
        return None
    weights = range(len(values), 0, -1)
    mean = sum(value * weight for value, weight in zip(values, weights, strict=True)) / sum(weights)
    why = f"recent tone is {in_words(mean, write.counted(len(values), 'signal'))}"
    return _Share(_between(mean, WORST_TONE, GOOD_TONE), why)


def _sla(breaches: int | None) -> _Share | None:
    if breaches is None:
        return None
    share = BREACH_SHARES[min(max(breaches, 0), len(BREACH_SHARES) - 1)]
    missed = write.counted(breaches, "target") if breaches > 0 else "no target was"
    why = f"{missed} missed in 90 days"
    return _Share(share, why)


def _usage(percent: float | None) -> _Share | None:
    if percent is None:
        return None
    return _Share(_between(percent, IDLE_USE, FULL_USE), f"{write.percent(percent, 0)} of what was bought is in use")


def _renewal(days: int | None) -> _Share | None:
    if days is None:
        return None
    share = next((share for limit, share in RENEWAL_STEPS if days < limit), 1.0)
    if days < 0:
        return _Share(share, f"the renewal date passed {write.counted(-days, 'day')} ago")
    return _Share(share, f"renewal is in {write.counted(days, 'day')}" if days else "renewal is today")


def _commitments(overdue: int | None) -> _Share | None:
    if overdue is None:
        return None
    share = OVERDUE_SHARES[min(max(overdue, 0), len(OVERDUE_SHARES) - 1)]
    return _Share(
        share, f"{write.counted(overdue, 'commitment')} overdue" if overdue > 0 else "no commitment is overdue"
    )


def _between(value: float, worst: float, best: float) -> float:
    return min(1.0, max(0.0, (value - worst) / (best - worst)))
