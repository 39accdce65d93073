"""The published policy as tables: where issues go, and who is on a case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count

from accounts.models import Role, User
from escalations import states
from escalations.clocks.rules import targets
from escalations.models import Cadence, Escalation, IssueType, MatrixRow, PolicyVersion, Stakeholder, TriggerRule
from escalations.policy import rows
from escalations.policy.rules import wording
from escalations.policy.rules.levels import Ladder
from escalations.triage.rules import routing, triggers
from ledger.format import span

SEVEREST_FIRST = (states.RED, states.YELLOW, states.GREEN)
THIRD_PARTIES = (
    "External",
    "Vendor, regulator, partner",
    "Joint task force, regulator's guidance, arbitration",
)
TIERS = [(slug, dict(states.TIERS)[slug]) for slug in SEVEREST_FIRST]


def in_force(at: datetime) -> PolicyVersion | None:
    """The policy with the people behind it."""
    return PolicyVersion.objects.select_related("author", "publisher").in_force(at).first()


def levels(at: datetime) -> list[tuple[str, str, str]]:
    """(rank, name, what it decides) of every level in force, the lowest first, and of third parties."""
    version = in_force(at)
    rows = version.levels.all() if version else []
    return [*((str(row.rank), row.name, row.decides) for row in rows), THIRD_PARTIES]


class Trigger(NamedTuple):
    """A trigger as text, and the case it opens."""

    rule: TriggerRule
    words: str
    opens: str


class Place(NamedTuple):
    """Where a row of the matrix sends a case. Roles are read for each page, because people may rename them."""

    row: MatrixRow
    level: str
    role: Role
    owner_role: Role
    then_role: Role | None


class Line(NamedTuple):
    """Where an issue type goes, and its times there; no place if the matrix has none."""

    kind: IssueType
    place: Place | None
    response: str
    decide: str


class Row(NamedTuple):
    """A row of the matrix as text."""

    place: Place
    issue_type: str
    tier: str
    wait: str
    again: str


class Rhythm(NamedTuple):
    """How often a tier gets updates."""

    tier: str
    cadence: Cadence
    customer: str
    internal: str


class Column(NamedTuple):
    """A role of the stakeholder matrix. `mine`: the viewer holds it."""

    role: Role
    mine: bool


class Cell(NamedTuple):
    """The letter of a role on a case of a tier."""

    letter: str
    role: Role
    mine: bool


@dataclass(frozen=True)
class TierRow:
    """A tier of the stakeholder matrix."""

    name: str
    level: str
    cells: list[Cell]
    response: str
    rhythm: Rhythm | None
    rules: list[str]
    open: int


def escalation(version: PolicyVersion, tier: str) -> dict[str, object]:
    """Where each issue type goes in a tier, every row of the matrix in order, triggers and rhythm."""
    kept, roles = rows.rows_of(version), Role.objects.in_bulk()
    places = {row.pk: _place(row, version.ladder, roles) for row in kept.matrix}
    names = {slug: kind.name for slug, kind in kept.issue_types.items()}
    return {
        "lines": _lines(version, places, roles, tier),
        "rows": [_row(place, names) for place in places.values()],
        "triggers": [
            Trigger(
                rule, triggers.in_words(rule.condition, rule.threshold), names.get(rule.issue_type, rule.issue_type)
            )
            for rule in kept.triggers
        ],
        "rhythm": _rhythm(version),
    }


def _place(row: MatrixRow, ladder: Ladder, roles: Mapping[int, Role]) -> Place:
    then = roles[row.then_role_id] if row.then_role_id else None
    return Place(row, ladder.name(row.level), roles[row.role_id], roles[row.owner_role_id], then)


def _lines(version: PolicyVersion, places: Mapping[int, Place], roles: Mapping[int, Role], tier: str) -> list[Line]:
    kept, plain = rows.rows_of(version), rows.plain_rows(version, roles)
    found = []
    for kind in kept.issue_types.values():
        try:
            place = places[routing.pick_row(plain, kind.slug, tier).id]
        except routing.NoRoute:
            place = None
        found.append(Line(kind, place, *_times(kept.targets, kind, place, tier)))
    return found


def _times(promises: Sequence[targets.TargetRow], kind: IssueType, place: Place | None, tier: str) -> tuple[str, str]:
    """First response and decision time of an issue type at its level."""
    if place is None:
        return "", ""
    row = place.row
    response, decide = (
        targets.pick(promises, clock=clock, tier=tier, level=row.level, issue_type=kind.slug)
        for clock in (states.RESPONSE, states.DECISION)
    )
    wait = span(row.wait_minutes * 60)
    return wording.short(response) if response else "", wording.short(decide) if decide else wait


def _row(place: Place, names: Mapping[str, str]) -> Row:
    row = place.row
    return Row(
        place=place,
        issue_type=names.get(row.issue_type, row.issue_type) or "Every issue type",
        tier=row.get_tier_display() or "Every",
        wait=span(row.wait_minutes * 60),
        again=wording.again(row.repeat_minutes, row.repeat_times),
    )


def _rhythm(version: PolicyVersion) -> list[Rhythm]:
    found = rows.rows_of(version).cadences
    return [
        Rhythm(
            tier=name,
            cadence=found[slug],
            customer=span(found[slug].customer_minutes * 60),
            internal=span(found[slug].internal_minutes * 60),
        )
        for slug, name in TIERS
        if slug in found
    ]


def raci(version: PolicyVersion, user: User) -> dict[str, object]:
    """Stakeholders by tier, own columns marked, with response, updates, meeting, rules and the open cases one may see."""
    kept, roles = rows.rows_of(version), Role.objects.in_bulk()
    letters = {(row.tier, row.role_id): row for row in kept.stakeholders}
    named = {row.role_id for row in kept.stakeholders}
    columns = [role for role in roles.values() if role.pk in named]
    rhythm = {line.cadence.tier: line for line in _rhythm(version)}
    bands = {band.slug: band for band in kept.bands}
    matrix = rows.plain_rows(version, roles)
    open_cases = _open_by_tier(user)
    return {
        "columns": [Column(role, role.slug in user.role_slugs) for role in columns],
        "tiers": [
            TierRow(
                name=name,
                level=_usual_level(matrix, version.ladder, slug),
                cells=[_cell(letters.get((slug, role.pk)), role, user) for role in columns],
                response=_response(kept.targets, slug),
                rhythm=rhythm.get(slug),
                rules=wording.tier_rules(bands[slug]) if slug in bands else [],
                open=open_cases.get(slug, 0),
            )
            for slug, name in TIERS
        ],
    }


def _cell(row: Stakeholder | None, role: Role, user: User) -> Cell:
    return Cell(row.letter if row else "", role, role.slug in user.role_slugs)


def _open_by_tier(user: User) -> dict[str, int]:
    seen = Escalation.objects.open().visible_to(user, few=True).order_by()
    return dict(seen.values_list("tier").annotate(number=Count("pk")))


def _usual_level(matrix: list[routing.Row], ladder: Ladder, tier: str) -> str:
    try:
        return ladder.label(routing.pick_row(matrix, "", tier).level)
    except routing.NoRoute:
        return ""


def _response(promises: Sequence[targets.TargetRow], tier: str) -> str:
    row = targets.pick(promises, clock=states.RESPONSE, tier=tier, level=0, issue_type="")
    return wording.short(row) if row else ""
