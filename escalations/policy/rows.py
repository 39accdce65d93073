"""The rows of a policy version as plain values for the pure rules.

Rows of a published version never change, so a process reads them once (`rows_of`); those of a draft are read each time.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property, lru_cache

from django.db.models import Q

from accounts.models import Role
from escalations.clocks.rules.factors import Factor
from escalations.clocks.rules.targets import TargetRow
from escalations.models import (
    Cadence,
    IssueType,
    MatrixRow,
    PolicyVersion,
    ScoreWeight,
    Stakeholder,
    Target,
    TargetFactor,
    Tier,
    TriggerRule,
)
from escalations.policy.rules.levels import Ladder
from escalations.triage.rules.routing import Row
from escalations.triage.rules.triage import TierBand

BAND_FIELDS = (
    "slug",
    "health_from",
    "health_to",
    "score_from",
    "renewal_days",
    "arr_from",
    "arr_needs_negative_tone",
)
TARGET_FIELDS = ("clock", "tier", "level", "issue_type", "amount", "unit", "warn_percent", "on_breach", "also_warn_at")


@dataclass(frozen=True)
class PolicyRows:
    """The rows of one version that triage, routing and clocks use, each kind read when it is first asked for. They name roles
    only by id, because people may change roles."""

    version: int

    @cached_property
    def bands(self) -> tuple[TierBand, ...]:
        """The tiers with their bands."""
        return tuple(tier_band(row) for row in Tier.objects.filter(version=self.version))

    @cached_property
    def weights(self) -> Mapping[str, tuple[str, int]]:
        """Part of the score → (name, points)."""
        return {row.part: (row.name, row.points) for row in ScoreWeight.objects.filter(version=self.version)}

    @cached_property
    def issue_types(self) -> Mapping[str, IssueType]:
        """The issue types by slug, in order."""
        return {row.slug: row for row in IssueType.objects.filter(version=self.version)}

    @cached_property
    def triggers(self) -> tuple[TriggerRule, ...]:
        """The triggers, in order."""
        return tuple(TriggerRule.objects.filter(version=self.version))

    @cached_property
    def matrix(self) -> tuple[MatrixRow, ...]:
        """The rows of the matrix in the order in which they are tried."""
        return tuple(MatrixRow.objects.filter(version=self.version))

    @cached_property
    def targets(self) -> tuple[TargetRow, ...]:
        """The targets of every clock."""
        return tuple(plain_target(row) for row in Target.objects.filter(version=self.version))

    @cached_property
    def factors(self) -> tuple[Factor, ...]:
        """The factors that are switched on, in order."""
        return tuple(plain_factor(row) for row in TargetFactor.objects.filter(version=self.version, active=True))

    @cached_property
    def cadences(self) -> Mapping[str, Cadence]:
        """How often people get updates, by tier."""
        return {row.tier: row for row in Cadence.objects.filter(version=self.version)}

    @cached_property
    def stakeholders(self) -> tuple[Stakeholder, ...]:
        """The letters of roles, by tier."""
        return tuple(Stakeholder.objects.filter(version=self.version).order_by("tier", "id"))


def rows_of(version: PolicyVersion) -> PolicyRows:
    """The rows of a version."""
    if version.state == version.DRAFT or version.published_at is None:
        return PolicyRows(version.pk)
    return published_rows(version.pk, version.published_at)


@lru_cache(maxsize=64)
def published_rows(version_id: int, published_at: datetime) -> PolicyRows:
    """The rows of a published version. `published_at` distinguishes two versions with the same id (`published_ladder`)."""
    return PolicyRows(version_id)


def tiers(version: PolicyVersion) -> list[TierBand]:
    """The tiers with their bands."""
    return [tier_band(tier) for tier in Tier.objects.filter(version=version)]


def tier_band(tier: Tier) -> TierBand:
    """One tier for the rules."""
    return TierBand(**{name: getattr(tier, name) for name in BAND_FIELDS})


def weights(version: PolicyVersion) -> list[tuple[str, int]]:
    """(part, points) of the score."""
    return list(version.scoreweights.values_list("part", "points"))


def plain_row(row: MatrixRow, ladder: Ladder, roles: Mapping[int, Role], name: str = "") -> Row:
    """One row of the matrix for the rules. `name`: the name of its issue type."""
    then = roles[row.then_role_id] if row.then_role_id else None
    return Row(
        row.pk,
        row.issue_type,
        row.tier,
        row.level,
        row.kind,
        roles[row.role_id].slug,
        roles[row.owner_role_id].slug,
        then.slug if then else "",
        ladder.rank_of(then.level) if then else 0,
        name,
    )


def plain_rows(version: PolicyVersion, roles: Mapping[int, Role] | None = None) -> list[Row]:
    """The matrix for the rules, in order, with the names of the issue types. `roles`: all roles by id, if they are known."""
    rows, by_id = rows_of(version), roles or Role.objects.in_bulk()
    names = {slug: row.name for slug, row in rows.issue_types.items()}
    return [plain_row(row, version.ladder, by_id, names.get(row.issue_type, "")) for row in rows.matrix]


def matrix(version: PolicyVersion) -> list[tuple[Row, int]]:
    """(row, minutes to wait) of the matrix, in order."""
    roles = Role.objects.in_bulk()
    return [(plain_row(row, version.ladder, roles), row.wait_minutes) for row in rows_of(version).matrix]


def targets(version: PolicyVersion) -> list[TargetRow]:
    """The targets of every clock."""
    return [plain_target(row) for row in Target.objects.filter(version=version)]


def plain_target(row: Target) -> TargetRow:
    """One target for the rules."""
    return TargetRow(**{name: getattr(row, name) for name in TARGET_FIELDS})


def factors(version: PolicyVersion, *, active: bool = False) -> list[Factor]:
    """The factors of targets, in order; optionally only those that are switched on."""
    rows = TargetFactor.objects.filter(version=version, **({"active": True} if active else {}))
    return [plain_factor(row) for row in rows]


def plain_factor(row: TargetFactor) -> Factor:
    """One factor for the rules."""
    return Factor(row.part, row.from_value, row.to_value, row.percent, row.clock)


def letters(version: PolicyVersion) -> list[tuple[str, str]]:
    """(tier, letter) of every stakeholder."""
    return list(version.stakeholders.values_list("tier", "letter"))


def thresholds(version: PolicyVersion) -> list[tuple[str, str, Decimal]]:
    """(name, condition, threshold) of the triggers."""
    return list(version.triggerrules.values_list("name", "condition", "threshold"))


def levels_used(version: PolicyVersion) -> list[tuple[str, int]]:
    """(where, rank) of every row that names a level."""
    found = [(f"Matrix row {row.sort}", row.level) for row in version.matrixrows.all()]
    return found + [(f"Target “{row}”", row.level) for row in version.targets.all() if row.level is not None]


def deciding_roles(version: PolicyVersion) -> list[tuple[str, str]]:
    """(name, slug of the level) of every role that the matrix or a level names for deciding."""
    named = Q(pk__in=version.matrixrows.values("role")) | Q(pk__in=version.levels.values("role"))
    named |= Q(pk__in=version.matrixrows.exclude(then_role=None).values("then_role"))
    return list(Role.objects.filter(named).values_list("name", "level"))


def issue_types_used(version: PolicyVersion) -> Iterator[tuple[str, str]]:
    """(where, slug) of every row that names an issue type."""
    for row in version.matrixrows.all():
        yield f"Matrix row {row.sort}", row.issue_type
    for name, slug in version.triggerrules.values_list("name", "issue_type"):
        yield f"Trigger “{name}”", slug or "(empty)"
    for target in version.targets.all():
        yield f"Target “{target}”", target.issue_type
