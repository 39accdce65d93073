"""The levels of the shipped policy, for tests that name them."""

from escalations.policy import shipped
from escalations.policy.rules.levels import Ladder, Level

TEAM, DIRECTOR, EXECUTIVE = 1, 2, 3
LADDER = Ladder(tuple(Level(row.rank, row.slug, row.name, row.counts_as_executive, row.role) for row in shipped.LEVELS))
