"""How serious a case is: score with named parts, tier and lane, each with its reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from accounts.signals.rules.tone_words import in_words
from escalations import states
from ledger.format import money, number

ORDER = {states.GREEN: 0, states.YELLOW: 1, states.RED: 2}
NEGATIVE = -0.2  # compound sentiment at or below this counts as negative


@dataclass(frozen=True)
class Facts:
    """The facts about a case and its account at triage. Money in USD, sentiment -1 to 1."""

    arr: Decimal
    health: int | None = None
    renewal_days: int | None = None
    sentiment: float = 0.0
    phrases: tuple[tuple[str, str], ...] = ()  # (kind, words)
    blocker: bool = False
    legal: bool = False
    security: bool = False
    executive_complaint: bool = False
    outage: bool = False
    strategic: bool = False
    reopens: int = 0
    earlier_cases: int = 0
    stalled_hours: float = 0.0
    hard_threshold: str = ""
    in_band: bool = False


@dataclass(frozen=True)
class TierBand:
    """One tier of the policy. Health is half-open [from, to)."""

    slug: str
    health_from: int
    health_to: int
    score_from: int
    renewal_days: int | None
    arr_from: Decimal | None
    arr_needs_negative_tone: bool


@dataclass(frozen=True)
class Part:
    """The points of one part, its maximum, and the reason."""

    name: str
    points: int
    of: int
    why: str


@dataclass(frozen=True)
class Assessment:
    """The answer, explained."""

    score: int
    parts: tuple[Part, ...]
    tier: str
    tier_reasons: tuple[str, ...]
    lane: str
    lane_reason: str
    sentence: str = field(default="")


def arr_share(arr: Decimal) -> float:
    """Fraction of the ARR weight by band: under 50k, 50–250k, 250–500k, 500k and more (USD)."""
    for floor, share in ((500_000, 1.0), (250_000, 0.7), (50_000, 0.4)):
        if arr >= floor:
            return share
    return 0.1


def renewal_share(days: int | None) -> float:
    """Fraction of the renewal weight: 30, 60, 90 days; a date in the past counts as due now."""
    if days is None:
        return 0.0
    for limit, share in ((30, 1.0), (60, 0.7), (90, 0.3)):
        if days <= limit:
            return share
    return 0.0


def _shares(facts: Facts) -> dict[str, tuple[float, str]]:
    """Per part: the fraction of its weight that applies and the reason as text."""
    words = ", ".join(f"“{text}”" for _, text in facts.phrases[:3])
    flags = [
        name
        for name, on in (("legal", facts.legal), ("security", facts.security), ("executive", facts.executive_complaint))
        if on
    ]
    return {
        "arr": (arr_share(facts.arr), f"ARR at risk is {money(facts.arr)}"),
        "renewal": (renewal_share(facts.renewal_days), f"renewal in {facts.renewal_days} days"),
        "sentiment": (
            max(0.0, -facts.sentiment),
            f"the customer's tone is {in_words(facts.sentiment)}",
        ),
        "phrases": (min(1.0, len(facts.phrases) / 2), f"risk phrases: {words}"),
        "health": (
            (100 - facts.health) / 100 if facts.health is not None else 0.0,
            f"account health is {facts.health}",
        ),
        "flags": (min(1.0, len(flags) * 0.6), f"flags: {', '.join(flags)}"),
        "blocker": (float(facts.blocker), "something blocks the renewal or the signature"),
        "strategic": (float(facts.strategic), "a strategic account"),
        "reopens": (min(1.0, facts.reopens / 2), f"reopened {facts.reopens} times"),
        "stalled": (min(1.0, facts.stalled_hours / 72), f"stalled for {number(facts.stalled_hours, 0)} hours"),
        "history": (
            min(1.0, facts.earlier_cases / 3),
            f"{facts.earlier_cases} earlier {'case' if facts.earlier_cases == 1 else 'cases'} in 12 months",
        ),
    }


def score(facts: Facts, weights: Mapping[str, tuple[str, int]]) -> tuple[int, tuple[Part, ...]]:
    """Points from 0 to 100 and their parts, largest first. `weights`: part → (name, points)."""
    shares = _shares(facts)
    parts = [
        Part(name, round(points * shares[part][0]), points, shares[part][1])
        for part, (name, points) in weights.items()
        if part in shares
    ]
    total = sum(points for _, points in weights.values()) or 1
    raised = sorted((part for part in parts if part.points > 0), key=lambda part: -part.points)
    return min(100, round(100 * sum(part.points for part in parts) / total)), tuple(raised)


def _band_reasons(facts: Facts, band: TierBand, points: int) -> list[str]:
    negative = facts.sentiment <= NEGATIVE
    reasons = []
    if facts.health is not None and band.health_from <= facts.health < band.health_to:
        reasons.append(f"Account health {facts.health} is within {band.health_from} to {band.health_to - 1}")
    if (
        band.renewal_days
        and facts.blocker
        and facts.renewal_days is not None
        and facts.renewal_days <= band.renewal_days
    ):
        reasons.append(f"Renewal in {facts.renewal_days} days with an open blocker (limit {band.renewal_days})")
    if band.arr_from is not None and facts.arr >= band.arr_from and (negative or not band.arr_needs_negative_tone):
        tone = " and the tone is negative" if band.arr_needs_negative_tone else ""
        reasons.append(f"ARR at risk {money(facts.arr)} reaches {money(band.arr_from)}{tone}")
    if band.score_from and points >= band.score_from:
        reasons.append(f"Score {points} reaches {band.score_from}")
    return reasons


def tier(facts: Facts, bands: Sequence[TierBand], points: int, minimum: str) -> tuple[str, tuple[str, ...]]:
    """The most serious tier whose rules hold, with the reasons. Flags and hard thresholds are Red for any score."""
    hard = [
        text
        for text, on in (
            ("Legal flag", facts.legal),
            ("Security flag", facts.security),
            ("Executive complaint", facts.executive_complaint),
            (facts.hard_threshold, bool(facts.hard_threshold)),
        )
        if on
    ]
    if hard:
        return states.RED, tuple(hard)
    for band in sorted(bands, key=lambda band: -ORDER[band.slug]):
        if band.slug != states.GREEN and (reasons := _band_reasons(facts, band, points)):
            return _at_least(band.slug, minimum, tuple(reasons))
    return _at_least(states.GREEN, minimum, ("Nothing calls for a higher tier",))


def _at_least(slug: str, minimum: str, reasons: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    if ORDER.get(minimum, 0) > ORDER[slug]:
        return minimum, (*reasons, f"This issue type is never below {minimum.capitalize()}")
    return slug, reasons


def lane(facts: Facts, chosen: str, usual: str) -> tuple[str, str]:
    """Who acts: people own legal, executive, security and outage cases; a Green case inside a band runs by rule."""
    human = [
        word
        for word, on in (
            ("a legal threat", facts.legal or any(kind == "legal" for kind, _ in facts.phrases)),
            ("an executive complaint", facts.executive_complaint),
            ("a security matter", facts.security),
            ("a major outage", facts.outage),
        )
        if on
    ]
    if human:
        return states.HUMAN_FIRST, f"People own it: {human[0]}"
    if facts.in_band and chosen == states.GREEN:
        return states.AUTONOMOUS, "Inside a pre-approved band on a Green case"
    if usual == states.AUTONOMOUS:
        return states.GUARDRAILED, "Outside every band: prepared by the system, approved by a person"
    return usual, f"Usual lane of this issue type is {dict(states.LANES)[usual]}"


def assess(
    facts: Facts,
    *,
    bands: Sequence[TierBand],
    weights: Mapping[str, tuple[str, int]],
    usual_lane: str,
    minimum_tier: str,
) -> Assessment:
    """Score, tier and lane of a case, with a summary sentence."""
    points, parts = score(facts, weights)
    chosen, reasons = tier(facts, bands, points, minimum_tier)
    lane_slug, lane_reason = lane(facts, chosen, usual_lane)
    leading = ", ".join(part.why for part in parts[:3]) or "nothing adds to the score"
    sentence = f"{chosen.capitalize()} tier, score {points}: {reasons[0]}. Most points: {leading}."
    return Assessment(points, parts, chosen, reasons, lane_slug, lane_reason, sentence)
