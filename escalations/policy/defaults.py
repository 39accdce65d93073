"""Writes policy version 1, the first policy of every installation. Its rows are in `shipped`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

from django.db import transaction

from accounts import defaults as accounts
from accounts.models import Calendar, Role
from escalations.models import (
    Cadence,
    HealthScore,
    IssueType,
    Level,
    MatrixRow,
    PolicyVersion,
    ScoreWeight,
    Stakeholder,
    Target,
    TargetFactor,
    Tier,
    TriggerRule,
)
from escalations.policy import shipped
from ledger.now import now

# Long ago, so that a policy is in force for imported or seeded history.
IN_FORCE_FROM = datetime(2015, 1, 1, tzinfo=UTC)

T = TypeVar("T")


@transaction.atomic
def ensure_defaults() -> PolicyVersion:
    """Publishes version 1 with the shipped policy if there is no version, and returns the oldest version. Adds the
    shipped roles and calendars first. Existing rows do not change, so it can run any time.
    """
    accounts.ensure_defaults()
    first = PolicyVersion.objects.order_by("number").first()
    return first or _version_one()


def _version_one() -> PolicyVersion:
    at = now()
    version = PolicyVersion.objects.create(
        number=1,
        state=PolicyVersion.PUBLISHED,
        note="Shipped policy",
        created_at=at,
        published_at=at,
        effective_from=IN_FORCE_FROM,
    )
    for add in ADDERS:
        add(version)
    return version


def _places(rows: Sequence[T]) -> list[tuple[int, T]]:
    """Rows with their sort number: 10, 20, 30 …, so that a row can be inserted between two."""
    return [(place * 10, row) for place, row in enumerate(rows, start=1)]


def _levels(version: PolicyVersion) -> None:
    roles = _roles()
    Level.objects.bulk_create(
        Level(version=version, **row._asdict() | {"role": roles.get(row.role)}) for row in shipped.LEVELS
    )


def _tiers(version: PolicyVersion) -> None:
    Tier.objects.bulk_create(
        Tier(version=version, sort=sort, **row._asdict() | {"arr_from": row.arr_from and Decimal(row.arr_from)})
        for sort, row in _places(shipped.TIERS)
    )


def _weights(version: PolicyVersion) -> None:
    ScoreWeight.objects.bulk_create(
        ScoreWeight(version=version, part=part, name=name, points=points, sort=sort)
        for sort, (part, name, points) in _places(shipped.WEIGHTS)
    )


def _issue_types(version: PolicyVersion) -> None:
    calendars = {calendar.slug: calendar for calendar in Calendar.objects.all()}
    IssueType.objects.bulk_create(
        IssueType(version=version, sort=sort, **row._asdict() | {"calendar": calendars[row.calendar]})
        for sort, row in _places(shipped.ISSUE_TYPES)
    )


def _triggers(version: PolicyVersion) -> None:
    names = ("slug", "name", "condition", "threshold", "issue_type")
    TriggerRule.objects.bulk_create(
        TriggerRule(version=version, sort=sort, **dict(zip(names, row, strict=True)))
        for sort, row in _places(shipped.TRIGGERS)
    )


def _roles() -> dict[str, Role]:
    return {role.slug: role for role in Role.objects.all()}


def _matrix(version: PolicyVersion) -> None:
    roles = _roles()
    for sort, row in _places(shipped.MATRIX):
        people = {"role": roles[row.role], "owner_role": roles[row.owner_role], "then_role": roles.get(row.then_role)}
        again = {"repeat_minutes": row.repeat_minutes, "repeat_times": shipped.REPEAT_TIMES}
        MatrixRow.objects.create(version=version, sort=sort, **row._asdict() | people | again)


def _targets(version: PolicyVersion) -> None:
    Target.objects.bulk_create(Target(version=version, **row._asdict()) for row in shipped.TARGETS)


def _factors(version: PolicyVersion) -> None:
    scopes = [*((clock, True) for clock in shipped.FACTORS_ON), ("", False)]
    rows = [(clock, active, row) for clock, active in scopes for row in shipped.FACTORS]
    TargetFactor.objects.bulk_create(
        TargetFactor(version=version, clock=clock, active=active, sort=sort, **row._asdict())
        for sort, (clock, active, row) in _places(rows)
    )


def _stakeholders(version: PolicyVersion) -> None:
    roles = _roles()
    Stakeholder.objects.bulk_create(
        Stakeholder(version=version, tier=tier, role=roles[slug], letter=letter)
        for tier, letters in shipped.RACI.items()
        for letter, slugs in letters.items()
        for slug in slugs
    )


def _cadences(version: PolicyVersion) -> None:
    Cadence.objects.bulk_create(Cadence(version=version, **row._asdict()) for row in shipped.CADENCES)


def _health_score(version: PolicyVersion) -> None:
    HealthScore.objects.create(version=version)


ADDERS = (
    _levels,
    _tiers,
    _weights,
    _issue_types,
    _triggers,
    _matrix,
    _targets,
    _factors,
    _stakeholders,
    _cadences,
    _health_score,
)
