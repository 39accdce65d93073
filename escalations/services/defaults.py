"""Policy version 1, as every installation starts with it. The numbers stand in the modules `default_*`."""

from datetime import UTC, datetime
from decimal import Decimal

from django.db import transaction

from accounts.models import Calendar, Role
from accounts.services import defaults as accounts
from escalations.models import (
    Cadence,
    IssueType,
    MatrixRow,
    PolicyVersion,
    ScoreWeight,
    Stakeholder,
    Target,
    TextTemplate,
    Tier,
    TriggerRule,
)
from escalations.services import default_policy as numbers
from escalations.services import default_routes as routes
from escalations.services import default_texts as texts
from ledger.now import now

# Long ago, so that history which is imported or seeded finds a policy in force.
IN_FORCE_FROM = datetime(2015, 1, 1, tzinfo=UTC)


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
    for add in (_tiers, _weights, _issue_types, _triggers, _matrix, _targets, _stakeholders, _cadences, _texts):
        add(version)
    return version


def _places(rows: tuple) -> list[tuple[int, tuple]]:
    """Rows with their sort number: 10, 20, 30 …, so that one can be put between two."""
    return [(place * 10, row) for place, row in enumerate(rows, start=1)]


def _tiers(version: PolicyVersion) -> None:
    for sort, row in _places(numbers.TIERS):
        values = row._asdict() | {"arr_from": None if row.arr_from is None else Decimal(row.arr_from)}
        Tier.objects.create(version=version, sort=sort, **values)


def _weights(version: PolicyVersion) -> None:
    for sort, (part, name, points) in _places(numbers.WEIGHTS):
        ScoreWeight.objects.create(version=version, part=part, name=name, points=points, sort=sort)


def _issue_types(version: PolicyVersion) -> None:
    calendars = {calendar.slug: calendar for calendar in Calendar.objects.all()}
    for sort, row in _places(routes.ISSUE_TYPES):
        IssueType.objects.create(version=version, sort=sort, **row._asdict() | {"calendar": calendars[row.calendar]})


def _triggers(version: PolicyVersion) -> None:
    for sort, (slug, name, condition, params, issue_type) in _places(routes.TRIGGERS):
        TriggerRule.objects.create(
            version=version,
            slug=slug,
            name=name,
            condition=condition,
            params=params,
            issue_type=issue_type,
            sort=sort,
        )


def _roles() -> dict[str, Role]:
    return {role.slug: role for role in Role.objects.all()}


def _matrix(version: PolicyVersion) -> None:
    roles = _roles()
    for sort, row in _places(routes.MATRIX):
        people = {"role": roles[row.role], "owner_role": roles[row.owner_role], "then_role": roles.get(row.then_role)}
        MatrixRow.objects.create(version=version, sort=sort, **row._asdict() | people)


def _targets(version: PolicyVersion) -> None:
    for row in numbers.TARGETS:
        Target.objects.create(version=version, **row._asdict())


def _stakeholders(version: PolicyVersion) -> None:
    roles = _roles()
    for tier, letters in numbers.RACI.items():
        for letter, slugs in letters.items():
            for slug in slugs:
                Stakeholder.objects.create(version=version, tier=tier, role=roles[slug], letter=letter)


def _cadences(version: PolicyVersion) -> None:
    for row in texts.CADENCES:
        Cadence.objects.create(version=version, **row._asdict())


def _texts(version: PolicyVersion) -> None:
    for slug, name, kind, body in texts.TEXTS:
        TextTemplate.objects.create(version=version, slug=slug, name=name, kind=kind, body=body)
