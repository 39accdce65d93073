"""The rows of a policy version as plain values for the pure rules."""

from collections.abc import Iterator
from decimal import Decimal

from django.db.models import Q

from accounts.models import Role
from escalations.clocks.rules.factors import Factor
from escalations.clocks.rules.targets import TargetRow
from escalations.models import MatrixRow, PolicyVersion, Target, TargetFactor, Tier
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


def tiers(version: PolicyVersion) -> list[TierBand]:
    """The tiers with their bands."""
    return [tier_band(tier) for tier in Tier.objects.filter(version=version)]


def tier_band(tier: Tier) -> TierBand:
    """One tier for the rules."""
    return TierBand(**{name: getattr(tier, name) for name in BAND_FIELDS})


def weights(version: PolicyVersion) -> list[tuple[str, int]]:
    """(part, points) of the score."""
    return list(version.scoreweights.values_list("part", "points"))


def matrix_rows(version: PolicyVersion) -> list[MatrixRow]:
    """The rows of the matrix with their roles, in the order in which they are tried."""
    return list(version.matrixrows.select_related("role", "owner_role", "then_role"))


def plain_row(row: MatrixRow, ladder: Ladder, name: str = "") -> Row:
    """One row of the matrix for the rules. `name`: the name of its issue type."""
    return Row(
        row.pk,
        row.issue_type,
        row.tier,
        row.level,
        row.kind,
        row.role.slug,
        row.owner_role.slug,
        row.then_role.slug if row.then_role else "",
        ladder.rank_of(row.then_role.level) if row.then_role else 0,
        name,
    )


def plain_rows(version: PolicyVersion) -> list[Row]:
    """The matrix for the rules, in order, with the names of the issue types."""
    names = dict(version.issuetypes.values_list("slug", "name"))
    return [plain_row(row, version.ladder, names.get(row.issue_type, "")) for row in matrix_rows(version)]


def matrix(version: PolicyVersion) -> list[tuple[Row, int]]:
    """(row, minutes to wait) of the matrix, in order."""
    return [(plain_row(row, version.ladder), row.wait_minutes) for row in matrix_rows(version)]


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
