"""Where a case goes: the first matrix row that fits, raised to the lowest level whose authority covers the ask."""

from collections.abc import Sequence
from dataclasses import dataclass

from escalations import states
from escalations.policy.rules.levels import Ladder


@dataclass(frozen=True)
class Row:
    """One row of the escalation matrix; empty issue type or tier means any. `name`: the name of the issue type."""

    id: int
    issue_type: str
    tier: str
    level: int
    kind: str
    role: str
    owner_role: str
    then_role: str
    then_level: int = 0
    name: str = ""


@dataclass(frozen=True)
class Need:
    """The requirement of the authority matrix: the level and role that may grant the ask, and the rule as text."""

    level: int
    role: str
    sentence: str


@dataclass(frozen=True)
class Route:
    """The answer, explained."""

    row: Row
    level: int
    kind: str
    role: str
    owner_role: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Override:
    """A level that differs from the matrix, with the reason. Without a rank the case goes to a third party."""

    reason: str
    level: int | None = None

    def label(self, ladder: Ladder) -> str:
        """Level 3, Executive sponsor; External."""
        return "External" if self.level is None else ladder.label(self.level)


class NoRoute(LookupError):
    """No row fits, so a person must decide."""


def pick_row(rows: Sequence[Row], issue_type: str, tier: str) -> Row:
    """First row, in matrix order, that fits issue type and tier. Raises NoRoute."""
    for row in rows:
        if row.issue_type in ("", issue_type) and row.tier in ("", tier):
            return row
    raise NoRoute(f"The escalation matrix has no row for {issue_type} in {tier} tier.")


def route(rows: Sequence[Row], ladder: Ladder, *, issue_type: str, tier: str, need: Need | None) -> Route:
    """Level, type, deciding role and owner role of a case. A functional escalation keeps its level and type."""
    row = pick_row(rows, issue_type, tier)
    where = f"{row.name or row.issue_type or 'any issue'} in {row.tier or 'any'} tier"
    reasons = [f"Matrix row: {where} goes to {ladder.label(row.level)}"]
    if need is None or need.level <= row.level:
        if need is not None:
            reasons.append(need.sentence)
        return Route(row, row.level, row.kind, row.role, row.owner_role, tuple(reasons))
    reasons.append(f"{need.sentence} Therefore the case is escalated to {ladder.label(need.level)}")
    return Route(row, need.level, states.HIERARCHICAL, need.role, row.owner_role, tuple(reasons))


def ways_up(rows: Sequence[Row], ladder: Ladder, *, issue_type: str, tier: str, level: int) -> list[tuple[int, str]]:
    """Levels and roles that may get a case that its level did not decide in time, the best first; empty at the top.

    The next role of the case's matrix row comes first; then the row of the same issue type one level up; then the
    general row of that level; then the levels above that. At the top level, the next roles are those that some row
    names after it, such as the steering committee. The caller takes the first way with a person.
    """
    row, above = pick_row(rows, issue_type, tier), ladder.above(level)
    found: list[tuple[int, str]] = []
    if row.level == level and row.then_role:
        found.append((max(above.rank, row.then_level) if above else level, row.then_role))
    if above is None:
        found += [(level, one.then_role) for one in rows if one.level == level and one.then_role]
        return list(dict.fromkeys(found))
    while above is not None:
        fitting = (one.role for one in rows if one.issue_type in ("", issue_type) and one.level == above.rank)
        if role := next(fitting, above.role):
            found.append((above.rank, role))
        above = ladder.above(above.rank)
    return list(dict.fromkeys(found))
