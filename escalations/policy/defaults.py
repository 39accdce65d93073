"""Policy version 1, as every installation starts with it. The numbers stand in the modules `default_*`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

from django.db import transaction

from accounts import defaults as accounts
from accounts.models import Calendar, Role
from escalations.models import (
    Cadence,
    IssueType,
    MatrixRow,
    PolicyVersion,
    ScoreWeight,
    Stakeholder,
    Target,
    TargetFactor,
    TextTemplate,
    Tier,
    TriggerRule,
)
from escalations.policy import default_numbers as numbers
from escalations.policy import default_routes as routes
from escalations.policy import default_texts as texts
from ledger.now import now

# Long ago, so that history which is imported or seeded finds a policy in force.
IN_FORCE_FROM = datetime(2015, 1, 1, tzinfo=UTC)

T = TypeVar("T")


@transaction.atomic
def ensure_defaults() -> PolicyVersion:
    """Publishes version 1 with the shipped policy when there is no version at all, and answers the oldest version.

    Adds the shipped roles and calendars first. What exists stays as it is, so run it any time.
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
    """Rows with their sort number: 10, 20, 30 …, so that one can be put between two."""
    return [(place * 10, row) for place, row in enumerate(rows, start=1)]


def _tiers(version: PolicyVersion) -> None:
    Tier.objects.bulk_create(
        Tier(version=version, sort=sort, **row._asdict() | {"arr_from": row.arr_from and Decimal(row.arr_from)})
        for sort, row in _places(numbers.TIERS)
    )


def _weights(version: PolicyVersion) -> None:
    ScoreWeight.objects.bulk_create(
        ScoreWeight(version=version, part=part, name=name, points=points, sort=sort)
        for sort, (part, name, points) in _places(numbers.WEIGHTS)
    )


def _issue_types(version: PolicyVersion) -> None:
    calendars = {calendar.slug: calendar for calendar in Calendar.objects.all()}
    IssueType.objects.bulk_create(
        IssueType(version=version, sort=sort, **row._asdict() | {"calendar": calendars[row.calendar]})
        for sort, row in _places(routes.ISSUE_TYPES)
    )


def _triggers(version: PolicyVersion) -> None:
    names = ("slug", "name", "condition", "params", "issue_type")
    TriggerRule.objects.bulk_create(
        TriggerRule(version=version, sort=sort, **dict(zip(names, row, strict=True)))
        for sort, row in _places(routes.TRIGGERS)
    )


def _roles() -> dict[str, Role]:
    return {role.slug: role for role in Role.objects.all()}


def _matrix(version: PolicyVersion) -> None:
    roles = _roles()
    for sort, row in _places(routes.MATRIX):
        people = {"role": roles[row.role], "owner_role": roles[row.owner_role], "then_role": roles.get(row.then_role)}
        again = {"repeat_minutes": row.repeat_minutes, "repeat_times": routes.REPEAT_TIMES}
        MatrixRow.objects.create(version=version, sort=sort, **row._asdict() | people | again)


def _targets(version: PolicyVersion) -> None:
    Target.objects.bulk_create(Target(version=version, **row._asdict()) for row in numbers.TARGETS)


def _factors(version: PolicyVersion) -> None:
    scopes = [*((clock, True) for clock in numbers.FACTORS_ON), ("", False)]
    rows = [(clock, active, row) for clock, active in scopes for row in numbers.FACTORS]
    TargetFactor.objects.bulk_create(
        TargetFactor(version=version, clock=clock, active=active, sort=sort, **row._asdict())
        for sort, (clock, active, row) in _places(rows)
    )


def _stakeholders(version: PolicyVersion) -> None:
    roles = _roles()
    Stakeholder.objects.bulk_create(
        Stakeholder(version=version, tier=tier, role=roles[slug], letter=letter)
        for tier, letters in numbers.RACI.items()
        for letter, slugs in letters.items()
        for slug in slugs
    )


def _cadences(version: PolicyVersion) -> None:
    Cadence.objects.bulk_create(Cadence(version=version, **row._asdict()) for row in texts.CADENCES)


def _texts(version: PolicyVersion) -> None:
    TextTemplate.objects.bulk_create(
        TextTemplate(version=version, slug=slug, name=name, kind=kind, body=body.strip())
        for slug, name, kind, body in texts.TEXTS
    )


ADDERS = (_tiers, _weights, _issue_types, _triggers, _matrix, _targets, _factors, _stakeholders, _cadences, _texts)
