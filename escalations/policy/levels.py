"""Levels across policy versions: a case names the rank in its own version, the slug is the same in all of them."""

from django.db.models import Exists, OuterRef, Q

from escalations import states
from escalations.policy.models import Level, PolicyVersion

EXTERNAL = (states.OUTSIDE, "External")


def rank_choices(policy: PolicyVersion | None) -> list[tuple[str, str]]:
    """(rank, name) of every level of the policy in force, and external, for a case that is opened now."""
    levels = policy.ladder.levels if policy else ()
    return [*((str(level.rank), level.name) for level in levels), EXTERNAL]


def at_level(slug: str) -> Q:
    """Cases at this level, each by its own policy version; for `external`, cases that need a third party."""
    if slug == states.OUTSIDE:
        return Q(kind=states.OUTSIDE)
    return Q(Exists(Level.objects.filter(version=OuterRef("policy"), rank=OuterRef("level"), slug=slug)))
