"""The published authority matrix as a table for the page and the API."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db.models import Count

from accounts.models import Role, User
from approvals.matrix.authority import Answer
from approvals.matrix.rules.limits import band_words
from approvals.matrix.rules.units import MONEY, amount_words, unit_of
from approvals.models import (
    ApprovalRequest,
    AuthorityLimit,
    AuthorityVersion,
    ChainRule,
    Committee,
    ConcessionType,
    QuarterCap,
)
from ledger.format import counted


@dataclass(frozen=True)
class Cell:
    """How much of a concession a role may grant. `hit`: the row that would decide the ask."""

    lines: list[str]
    hit: bool

    @property
    def none(self) -> bool:
        """The role may grant nothing of it."""
        return not self.lines


@dataclass(frozen=True)
class Row:
    """A role with a cell for every concession. `mine`: the viewer holds it."""

    role: Role
    mine: bool
    quorum: str
    cells: list[Cell]


@dataclass(frozen=True)
class Function:
    """A function besides the authority, its part, and for which asks."""

    role: str
    does: str
    what: str


@dataclass(frozen=True)
class Cap:
    """The most that a role may grant of a concession in a quarter."""

    role: str
    what: str
    most: str


@dataclass(frozen=True)
class Band:
    """A pre-approved range, and how often it was used in the window."""

    name: str
    tier: str
    used: int


@dataclass(frozen=True)
class Table:
    """The authority matrix in force; empty if none is published."""

    version: AuthorityVersion | None = None
    columns: Sequence[ConcessionType] = ()
    rows: Sequence[Row] = ()
    bands: Sequence[Band] = ()
    functions: Sequence[Function] = ()
    caps: Sequence[Cap] = ()


def matrix(at: datetime, user: User, hit: Answer | None = None, concession: str = "") -> Table:
    """Version, columns (concessions), rows (roles with a cell each, own ones marked), bands, caps, functions; `hit` marks its
    cell. Limits whose last day has passed are left out; those still to come are shown with their first day."""
    version = AuthorityVersion.objects.current(at)
    if version is None:
        return Table()
    columns, today = list(version.concessions.all()), at.astimezone(UTC).date()
    limits = limits_shown(version, today)
    quorums = {row.role_id: row.get_quorum_display().lower() for row in version.committees.all()}
    rows = [
        Row(
            role=role,
            mine=role.slug in user.role_slugs,
            quorum=quorums.get(role.pk, ""),
            cells=[_cell(limits, role.pk, column.pk, hit, column.slug == concession) for column in columns],
        )
        for role in dict.fromkeys(limit.role for limit in limits)
    ]
    return Table(
        version=version,
        columns=columns,
        rows=rows,
        bands=_bands(version, at),
        functions=functions(version),
        caps=[cap_words(cap) for cap in _caps(version)],
    )


def limits_shown(version: AuthorityVersion, today: date) -> list[AuthorityLimit]:
    """Current and future limits, in order of authority, those for all before those with conditions."""
    rows = version.limits.select_related("role", "concession").order_by("role__level", "role__sort", "id")
    live = [row for row in rows if row.effective_to is None or row.effective_to > today]
    return sorted(live, key=lambda row: (row.role.rank, row.role.sort, bool(conditions(row)), row.pk))


def _cell(limits: list[AuthorityLimit], role_id: int, concession_id: int, hit: Answer | None, asked: bool) -> Cell:
    found = [limit for limit in limits if limit.role_id == role_id and limit.concession_id == concession_id]
    return Cell([words(limit) for limit in found], hit=bool(asked and hit and hit.role.pk == role_id))


def words(limit: AuthorityLimit) -> str:
    """`20% (enterprise, ARR $0 to $250,000, from 2026-01-01 to 2026-03-31, with legal)`."""
    amount = amount_words(limit.concession.unit, limit.up_to, limit.currency)
    amount = amount[:1].upper() + amount[1:]
    function = f"with {limit.needs_function.replace('-', ' ')}" if limit.needs_function else ""
    notes = ", ".join(part for part in (conditions(limit), dates(limit), function) if part)
    return f"{amount} ({notes})" if notes else amount


def conditions(limit: AuthorityLimit) -> str:
    """The conditions of the row as text."""
    asked_in = f"asked in {limit.asked_in}" if limit.asked_in else ""
    parts = (limit.segment, limit.region, asked_in, band_words(limit.arr_from, limit.arr_to))
    return ", ".join(part for part in parts if part)


def dates(limit: AuthorityLimit) -> str:
    """The dates of the row, with the last day included; empty for always."""
    last = limit.effective_to - timedelta(days=1) if limit.effective_to else None
    parts = [f"from {limit.effective_from}" if limit.effective_from else "", f"to {last}" if last else ""]
    return " ".join(part for part in parts if part)


def functions(version: AuthorityVersion) -> list[Function]:
    """The functions besides the authority: function, its part, for which asks."""
    return [
        Function(rule.role.name, does(rule), rule.concession.name if rule.concession else "Every ask")
        for rule in version.chain_rules.select_related("role", "concession")
    ]


def does(rule: ChainRule) -> str:
    """`Must approve before the authority, above $10,000, EMEA`."""
    above = ""
    if rule.above is not None:
        unit = rule.concession.unit if rule.concession else MONEY
        above = f"above {amount_words(unit, rule.above)}"
    place = "" if rule.part == ChainRule.CONSULT else f" {rule.get_place_display().lower()}"
    parts = (f"{rule.get_part_display()}{place}", quorum_words(rule), above, rule.segment, rule.region)
    return ", ".join(part for part in parts if part)


def quorum_words(row: Committee | ChainRule) -> str:
    """`any one of them`, `3 of them`, `50% of them`; nothing for all."""
    few = {row.ALL: "", row.ANY: "any one of them"}
    return few.get(row.quorum, f"{row.quorum_of}{'%' if row.quorum == row.PERCENT else ''} of them")


def _caps(version: AuthorityVersion) -> list[QuarterCap]:
    return list(version.caps.select_related("role", "concession"))


def cap_words(cap: QuarterCap) -> Cap:
    """Role, concession and the most it may grant in a quarter."""
    unit = unit_of(cap.concession.unit)
    most = unit.quantity(cap.up_to, cap.currency) if unit.takes_amount else counted(cap.up_to, "time")
    return Cap(cap.role.name, cap.concession.name, most)


def _bands(version: AuthorityVersion, at: datetime) -> list[Band]:
    since = at - timedelta(days=version.window_days)
    recent = ApprovalRequest.objects.filter(by_rule=True, decided_at__gt=since)
    counted_uses = recent.order_by().values_list("concession", "tier").annotate(uses=Count("pk"))
    used = {(concession, tier): uses for concession, tier, uses in counted_uses}
    return [
        Band(
            name=f"{band.concession.name} up to {amount_words(band.concession.unit, band.up_to, band.currency)}",
            tier=band.tier,
            used=used.get((band.concession.slug, band.tier), 0),
        )
        for band in version.bands.select_related("concession")
    ]
