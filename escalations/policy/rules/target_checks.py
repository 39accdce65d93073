"""The checks of targets and factors before a policy is published. Pure: rows in, problems as sentences out."""

from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise

from escalations import states
from escalations.clocks.rules import factors, targets
from escalations.clocks.rules.kinds import CHOICES

CLOCK_NAMES, TIER_NAMES = dict(CHOICES), dict(states.TIERS)
LEAST, MOST = 10, 300


def further_warnings(rows: Sequence[targets.TargetRow]) -> list[str]:
    """Further warnings are whole percents before the breach, ascending, and not the main warning again."""
    return [
        f"{row_name(row)}: further warnings “{row.also_warn_at}”. {problem}"
        for row in rows
        if (problem := warning_problem(row.also_warn_at, row.warn_percent))
    ]


def warning_problem(text: str, warn_percent: int) -> str:
    """The fault of the typed further warnings and how to fix it; '' if they are valid."""
    if not text.strip():
        return ""
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdecimal() and 1 <= int(word) <= 99 for word in words):
        return "Write whole numbers from 1 to 99 with commas between, such as 50, 90."
    percents = [int(word) for word in words]
    if any(before >= after for before, after in pairwise(percents)):
        return f"Write them in ascending order, each once: {', '.join(str(each) for each in sorted(set(percents)))}."
    if warn_percent in percents:
        return f"{warn_percent} is the main warning already. Leave it out here."
    return ""


def row_name(row: targets.TargetRow) -> str:
    """The name of the target: First response, Red tier, level 2, billing-dispute."""
    words = [CLOCK_NAMES.get(row.clock, row.clock), f"{TIER_NAMES[row.tier]} tier" if row.tier else ""]
    words += [f"level {row.level}" if row.level else "", row.issue_type]
    return ", ".join(word for word in words if word)


def factor_rows(rows: Iterable[factors.Factor], switched_on: Sequence[factors.Factor]) -> list[str]:
    """Factors stay within bounds and their ranges are not empty; no value is in two factors that are switched on."""
    problems = [problem for row in rows for problem in row_problems(row)]
    return problems + [_overlap(one, two) for one, two in combinations(switched_on, 2) if overlap(one, two)]


def row_problems(row: factors.Factor) -> list[str]:
    """The faults of one factor by itself."""
    problems = []
    if not LEAST <= row.percent <= MOST:
        problems.append(f"{factor_name(row)}: the percent must be from {LEAST} to {MOST}, not {row.percent}.")
    if row.low is not None and row.high is not None and row.low >= row.high:
        problems.append(f"{factor_name(row)}: the end value must be above the start value.")
    return problems


def factor_name(row: factors.Factor) -> str:
    """The name of the factor: its clock and range."""
    name, between = factors.BY_SLUG[row.part].name, factors.between(row)
    return f"Factor “{name} {between}” of {_clock(row.clock)}"


def _clock(clock: str) -> str:
    return CLOCK_NAMES.get(clock, clock) if clock else "every clock"


def overlap(one: factors.Factor, two: factors.Factor) -> bool:
    """Whether a value is in both, for the same clock."""
    if (one.clock, one.part) != (two.clock, two.part):
        return False
    starts_first = two.high is None or one.low is None or one.low < two.high
    return starts_first and (one.high is None or two.low is None or two.low < one.high)


def _overlap(one: factors.Factor, two: factors.Factor) -> str:
    other = factors.between(two)
    return f"{factor_name(one)} overlaps “{other}”. Let one end where the other starts."
