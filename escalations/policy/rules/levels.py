"""The levels of a policy as an ordered ladder. Pure: rows in, answers out."""

from collections.abc import Sequence
from dataclasses import dataclass

RESERVED = "external"
WORKS = 0  # the rank of a role that works on cases and decides nothing


@dataclass(frozen=True)
class Level:
    """One level of a policy. `slug` stays the same in every version; `rank` orders the levels of one version.

    `role`: who decides at this level if the matrix has no row for it.
    """

    rank: int
    slug: str
    name: str
    counts_as_executive: bool = False
    role: str = ""


@dataclass(frozen=True)
class Ladder:
    """The levels of one policy version, the lowest rank first."""

    levels: tuple[Level, ...]

    @property
    def lowest(self) -> Level:
        """The level that decides the least serious cases."""
        return self.levels[0]

    @property
    def top(self) -> Level:
        """The highest level."""
        return self.levels[-1]

    @property
    def executive(self) -> Level:
        """The lowest level that counts as executive, else the top: it decides if nobody else may."""
        return next((level for level in self.levels if level.counts_as_executive), self.top)

    def find(self, rank: int | None) -> Level | None:
        """The level of this rank."""
        return next((level for level in self.levels if level.rank == rank), None)

    def name(self, rank: int | None) -> str:
        """Its name; a rank without a level is shown as a number."""
        level = self.find(rank)
        return level.name if level else f"Level {rank}"

    def label(self, rank: int | None) -> str:
        """Level 3, Executive sponsor."""
        level = self.find(rank)
        return f"Level {rank}, {level.name}" if level else self.name(rank)

    def slug(self, rank: int | None) -> str:
        """Its slug, the same in all versions."""
        level = self.find(rank)
        return level.slug if level else ""

    def rank_of(self, slug: str) -> int:
        """The rank of a role's level. A level that this version does not have counts as its top, which is the safe
        choice."""
        if not slug:
            return WORKS
        return next((level.rank for level in self.levels if level.slug == slug), self.top.rank)

    def above(self, rank: int) -> Level | None:
        """The next level up; None at the top."""
        return next((level for level in self.levels if level.rank > rank), None)

    def goes_up(self, rank: int) -> bool:
        """Whether there is a level above this one."""
        return self.above(rank) is not None


def problems(levels: Sequence[Level]) -> list[str]:
    """There is a level, ranks are unique, each level has a role, and one counts as executive."""
    if not levels:
        return ["There is no level. Add at least one."]
    ranks = [level.rank for level in levels]
    found = [f"{level.name}: the rank must be above 0." for level in levels if level.rank < 1]
    reserved = [level.name for level in levels if level.slug == RESERVED]
    found += [f"{name}: choose another slug, “external” means third parties." for name in reserved]
    found += [
        f"Two levels have rank {rank}. Give each a different rank."
        for rank in sorted(set(ranks))
        if ranks.count(rank) > 1
    ]
    if not any(level.counts_as_executive for level in levels):
        found.append("No level counts as executive. Mark at least one: it decides if nobody else may.")
    return found + [
        f"{level.name}: enter the role that decides at this level if the matrix has no row for it."
        for level in levels
        if not level.role
    ]


def unknown_ranks(ladder: Ladder, used: Sequence[tuple[str, int]]) -> list[str]:
    """`used`: (where, rank) of every row that names a level."""
    return [f"{where} names level {rank}, which does not exist." for where, rank in used if ladder.find(rank) is None]


def roles_without_level(ladder: Ladder, roles: Sequence[tuple[str, str]]) -> list[str]:
    """`roles`: (name, slug of its level) of the roles this policy names for deciding."""
    known = {level.slug for level in ladder.levels}
    return [
        f"The role {name} decides at the level “{slug}”, which this policy does not have."
        for name, slug in roles
        if slug and slug not in known
    ]
