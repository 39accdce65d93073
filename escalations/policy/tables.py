"""The published policy as tables: where issues go, and who is on a case."""

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


class Line(NamedTuple):
    """Where an issue type goes, and its times there; no row if the matrix has none."""

    kind: IssueType
    row: MatrixRow | None
    response: str
    decide: str


class Row(NamedTuple):
    """A row of the matrix as text."""

    row: MatrixRow
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
    matrix = rows.matrix_rows(version)
    names = dict(version.issuetypes.values_list("slug", "name"))
    return {
        "lines": _lines(version, matrix, tier),
        "rows": [_row(row, names) for row in matrix],
        "triggers": [
            Trigger(
                rule, triggers.in_words(rule.condition, rule.threshold), names.get(rule.issue_type, rule.issue_type)
            )
            for rule in version.triggerrules.all()
        ],
        "rhythm": _rhythm(version),
    }


def _lines(version: PolicyVersion, matrix: list[MatrixRow], tier: str) -> list[Line]:
    plain, by_id = rows.plain_rows(version), {row.pk: row for row in matrix}
    promises = rows.targets(version)
    found = []
    for kind in version.issuetypes.select_related("calendar"):
        try:
            row = by_id[routing.pick_row(plain, kind.slug, tier).id]
        except routing.NoRoute:
            row = None
        found.append(Line(kind, row, *_times(promises, kind, row, tier)))
    return found


def _times(promises: list[targets.TargetRow], kind: IssueType, row: MatrixRow | None, tier: str) -> tuple[str, str]:
    """First response and decision time of an issue type at its level."""
    if row is None:
        return "", ""
    response, decide = (
        targets.pick(promises, clock=clock, tier=tier, level=row.level, issue_type=kind.slug)
        for clock in (states.RESPONSE, states.DECISION)
    )
    wait = span(row.wait_minutes * 60)
    return wording.short(response) if response else "", wording.short(decide) if decide else wait


def _row(row: MatrixRow, names: dict[str, str]) -> Row:
    return Row(
        row=row,
        issue_type=names.get(row.issue_type, row.issue_type) or "Every issue type",
        tier=row.get_tier_display() or "Every",
        wait=span(row.wait_minutes * 60),
        again=wording.again(row.repeat_minutes, row.repeat_times),
    )


def _rhythm(version: PolicyVersion) -> list[Rhythm]:
    found = {cadence.tier: cadence for cadence in version.cadences.all()}
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
    letters = {(row.tier, row.role_id): row for row in version.stakeholders.select_related("role")}
    columns = sorted({row.role for row in letters.values()}, key=lambda role: (role.sort, role.name))
    rhythm = {line.cadence.tier: line for line in _rhythm(version)}
    promises, bands = rows.targets(version), {band.slug: band for band in rows.tiers(version)}
    matrix = rows.plain_rows(version)
    open_cases = _open_by_tier(user)
    return {
        "columns": [Column(role, role.slug in user.role_slugs) for role in columns],
        "tiers": [
            TierRow(
                name=name,
                level=_usual_level(matrix, version.ladder, slug),
                cells=[_cell(letters.get((slug, role.pk)), role, user) for role in columns],
                response=_response(promises, slug),
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


def _response(promises: list[targets.TargetRow], tier: str) -> str:
    row = targets.pick(promises, clock=states.RESPONSE, tier=tier, level=0, issue_type="")
    return wording.short(row) if row else ""
