"""The checks before a policy is published. Pure: plain rows in, problems as sentences out."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from escalations import states
from escalations.clocks.rules import targets
from escalations.clocks.rules.kinds import CHOICES
from escalations.triage.rules.routing import NoRoute, Row, pick_row
from escalations.triage.rules.triage import TierBand

TIER_NAMES = dict(states.TIERS)
TOP = 101  # health runs from 0 to 100; bands are half-open
PARTS = frozenset("arr renewal sentiment phrases health flags blocker strategic reopens stalled history".split())
PROMISED = (states.ACCEPTANCE, states.RESPONSE, states.DECISION, states.RESOLUTION, states.CUSTOMER_UPDATE)


def missing_tiers(found: Collection[str], what: str) -> list[str]:
    """One sentence for each tier that has no row."""
    return [f"{name} tier has no {what}. Add one." for slug, name in states.TIERS if slug not in found]


def bands(tiers: Sequence[TierBand]) -> list[str]:
    """Tiers cover every health from 0 to 100 exactly once."""
    problems = missing_tiers({tier.slug for tier in tiers}, "band of health")
    problems += [
        f"{TIER_NAMES[tier.slug]} tier: health to {tier.health_to} must be above health from {tier.health_from}."
        for tier in tiers
        if tier.health_to <= tier.health_from
    ]
    reached = 0
    for tier in sorted(tiers, key=lambda tier: tier.health_from):
        if tier.health_from > reached:
            problems.append(f"No tier covers health {reached} to {tier.health_from - 1}.")
        elif tier.health_from < reached:
            problems.append(f"{TIER_NAMES[tier.slug]} tier overlaps another one at health {tier.health_from}.")
        reached = max(reached, tier.health_to)
    if tiers and reached < TOP:
        problems.append(f"No tier covers health {reached} to 100.")
    return problems + _score_order(tiers)


def _score_order(tiers: Sequence[TierBand]) -> list[str]:
    scores = {tier.slug: tier.score_from for tier in tiers}
    if {states.RED, states.YELLOW} <= scores.keys() and scores[states.RED] <= scores[states.YELLOW]:
        return ["The score of Red tier must be above the score of Yellow tier."]
    return []


def general_rows(rows: Sequence[Row]) -> list[str]:
    """Every tier has a row for issue types without one of their own."""
    return [
        f"The matrix has no general row for {name} tier. Add a row without an issue type."
        for slug, name in states.TIERS
        if not any(row.issue_type == "" and row.tier in ("", slug) for row in rows)
    ]


def unreachable_rows(rows: Sequence[Row]) -> list[str]:
    """A row after a wider one never applies, because the first row that fits applies."""
    problems = []
    for place, row in enumerate(rows):
        for before in rows[:place]:
            if before.issue_type in ("", row.issue_type) and before.tier in ("", row.tier):
                problems.append(
                    f"Matrix row “{in_words(row)}” never applies, because “{in_words(before)}” comes before it."
                )
                break
    return problems


def in_words(row: Row) -> str:
    """Issue type and tier of a matrix row."""
    return f"{row.issue_type or 'every issue type'}, {TIER_NAMES.get(row.tier, 'every')} tier"


def one_accountable(letters: Iterable[tuple[str, str]]) -> list[str]:
    """`letters`: (tier, letter) of every stakeholder row."""
    accountable = [tier for tier, letter in letters if letter == "A"]
    return [
        f"{name} tier has {accountable.count(slug) or 'no'} Accountable. Exactly one role must be."
        for slug, name in states.TIERS
        if accountable.count(slug) != 1
    ]


def positive_targets(rows: Sequence[targets.TargetRow]) -> list[str]:
    """Every target has a time, and its warning comes before the breach."""
    names = dict(CHOICES)
    problems = [f"{names[row.clock]}: a target must be above 0." for row in rows if row.amount < 1]
    return problems + [
        f"{names[row.clock]}: the warning must come at 1 to 99 percent, not {row.warn_percent}."
        for row in rows
        if not 0 < row.warn_percent < 100
    ]


def promised(rows: Sequence[targets.TargetRow], matrix: Sequence[Row]) -> list[str]:
    """Each required clock has a target for every level to which the matrix sends a case."""
    places = {(row.issue_type, tier, row.level) for row in matrix for tier in _tiers_of(row)}
    missing = {
        (clock, tier, level)
        for clock in PROMISED
        for issue_type, tier, level in places
        if targets.pick(rows, clock=clock, tier=tier, level=level, issue_type=issue_type) is None
    }
    names = dict(CHOICES)
    return [
        f"{names[clock]} has no target for {TIER_NAMES[tier]} tier at level {level}."
        for clock, tier, level in sorted(missing)
    ]


def _tiers_of(row: Row) -> list[str]:
    return [row.tier] if row.tier else [slug for slug, _ in states.TIERS]


def same_times(matrix: Sequence[tuple[Row, int]], rows: Sequence[targets.TargetRow]) -> list[str]:
    """The waiting time of a matrix row equals the target of its decision clock. `matrix`: (row, minutes), in order."""
    plain, problems = [row for row, _ in matrix], []
    for row, minutes in matrix:
        for tier in _tiers_of(row):
            found = targets.pick(rows, clock=states.DECISION, tier=tier, level=row.level, issue_type=row.issue_type)
            if _applies(plain, row, tier) and found and found.unit == targets.CLOCK and found.amount != minutes:
                says, runs = targets.in_words(replace(found, amount=minutes)), targets.in_words(found)
                problems.append(f"Matrix row “{in_words(row)}” waits {says}, but its decision clock runs {runs}.")
                break
    return problems


def _applies(rows: Sequence[Row], row: Row, tier: str) -> bool:
    try:
        return pick_row(rows, row.issue_type, tier) == row
    except NoRoute:
        return False


def weights(parts: Iterable[tuple[str, int]]) -> list[str]:
    """`parts`: (part, points). Each is a part that triage knows, with points."""
    parts = list(parts)
    problems = [
        f"Score part “{part}” is not known. Use {', '.join(sorted(PARTS))}." for part, _ in parts if part not in PARTS
    ]
    problems += [f"Score part “{part}” must have points above 0." for part, points in parts if points < 1]
    return problems or ([] if parts else ["The score has no parts. Add at least one."])


def known_issue_types(known: Collection[str], used: Iterable[tuple[str, str]]) -> list[str]:
    """`used`: (where, slug). An empty slug means every issue type."""
    problems = [] if known else ["There is no issue type. Add at least one."]
    return problems + [
        f"{where} names the issue type “{slug}”, which does not exist."
        for where, slug in used
        if slug and slug not in known
    ]
