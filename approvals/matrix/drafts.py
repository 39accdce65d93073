"""The rows of a version for checking and comparing: every reason not to publish it, and its changes."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from django.db import models

from accounts.customers.rates import known_currencies, usd
from accounts.models import Account, User
from approvals.matrix.rules import chain_checks as checks
from approvals.matrix.rules.limit_checks import Known, Row, check_matrix
from approvals.matrix.rules.units import MONEY
from approvals.models import (
    AuthorityLimit,
    AuthorityVersion,
    ChainRule,
    Committee,
    ConcessionType,
    ExceptionBand,
    QuarterCap,
)
from ledger import versions
from ledger.errors import Invalid
from ledger.now import now

ROWS = (ConcessionType, AuthorityLimit, ExceptionBand, QuarterCap, Committee, ChainRule)
CONDITIONS = ("segment", "region", "asked_in", "effective_from", "arr_from", "arr_to")
KEYS: versions.Keys = {
    ConcessionType: ("slug",),
    AuthorityLimit: ("role__slug", "concession__slug", *CONDITIONS),
    ExceptionBand: ("concession__slug", "tier"),
    QuarterCap: ("role__slug", "concession__slug"),
    Committee: ("role__slug",),
    ChainRule: ("role__slug", "concession__slug", "segment", "region", "above"),
}
TIERS = ("green", "yellow", "red")


def changes(version: AuthorityVersion) -> list[versions.Change]:
    """The changes since the version it was made from: its window, then row by row."""
    base = version.based_on
    found = versions.diff(base, version, ROWS, KEYS)
    if isinstance(base, AuthorityVersion) and base.window_days != version.window_days:
        days = (str(base.window_days), str(version.window_days))
        found.insert(0, versions.Change("Authority version", "", "window days", *days, "~"))
    return found


def known(at: datetime | None = None) -> Known:
    """The names that rows may use: currencies with a rate, segments and regions of accounts."""
    return Known(
        currencies=known_currencies(),
        segments=_of_accounts("segment"),
        regions=_of_accounts("region"),
        tiers=TIERS,
        today=(at or now()).date(),
    )


def _of_accounts(name: str) -> set[str]:
    return set(Account.objects.exclude(**{name: ""}).order_by(name).values_list(name, flat=True).distinct())


def problems(version: AuthorityVersion, at: datetime | None = None) -> list[str]:
    """Every reason not to publish the version, as text."""
    start = at or max(moment for moment in (version.effective_from, now()) if moment)
    facts, names = known(start), list(version.concessions.all())
    limits = list(version.limits.select_related("role", "concession"))
    rows = [Row(concession=each.name, unit=each.unit) for each in names] + [row_of(limit) for limit in limits]
    found = [] if names else ["The version lists no concession."]
    found += [
        f"{row}: the concession belongs to another version. Choose the one of this draft." for row in _mixed(version)
    ]
    found += check_matrix(rows, facts) + checks.check_window(version.window_days)
    found += checks.check_mailed(mailed_of(each) for each in names)
    found += checks.check_bands(bands_of(version.bands.select_related("concession")), facts)
    found += checks.check_caps(caps_of(version.caps.select_related("role", "concession"), limits), facts)
    found += _seats(version, limits, facts)
    return list(dict.fromkeys(found))


def _mixed(version: AuthorityVersion) -> list[models.Model]:
    """Rows that point to a concession of another version."""
    own = version.concessions.all()
    rows: list[models.Model] = [*version.limits.exclude(concession__in=own), *version.bands.exclude(concession__in=own)]
    rows += version.caps.exclude(concession__in=own)
    return rows + list(version.chain_rules.filter(concession__isnull=False).exclude(concession__in=own))


def _seats(version: AuthorityVersion, limits: list[AuthorityLimit], facts: Known) -> list[str]:
    """Committees count only if their role is asked at all."""
    asked = {limit.role_id for limit in limits} | set(version.chain_rules.values_list("role", flat=True))
    committees = version.committees.filter(role__in=asked).select_related("role")
    rules = version.chain_rules.select_related("role", "concession")
    found = checks.check_seats(seats_of(committees), facts, committees=True)
    return found + checks.check_seats(seats_of(rules), facts, committees=False)


def row_of(limit: AuthorityLimit) -> Row:
    """A limit, saved or not, in the form of the checks."""
    return Row(
        concession=limit.concession.name,
        unit=limit.concession.unit,
        role=limit.role.name,
        up_to=limit.up_to,
        currency=limit.currency,
        segment=limit.segment,
        region=limit.region,
        asked_in=limit.asked_in,
        arr_from=limit.arr_from,
        arr_to=limit.arr_to,
        starts=limit.effective_from,
        ends=limit.effective_to,
    )


def bands_of(rows: Iterable[ExceptionBand]) -> list[checks.Band]:
    """Bands, saved or not, with money in USD so that tiers compare."""
    found = []
    for row in rows:
        band = checks.Band(row.concession.name, row.concession.unit, row.tier, row.up_to, row.currency)
        found.append(replace(band, in_usd=_in_usd(row)) if row.concession.unit == MONEY else band)
    return found


def _in_usd(row: ExceptionBand) -> Decimal | None:
    try:
        return usd(row.up_to, row.currency, now().date())
    except Invalid:
        return None


def caps_of(rows: Iterable[QuarterCap], limits: Iterable[AuthorityLimit]) -> list[checks.CapRow]:
    """Caps, saved or not."""
    may = {(limit.role_id, limit.concession_id) for limit in limits}
    return [
        checks.CapRow(
            concession=row.concession.name,
            unit=row.concession.unit,
            role=row.role.name,
            up_to=row.up_to,
            currency=row.currency,
            has_limit=(row.role_id, row.concession_id) in may,
        )
        for row in rows
    ]


def mailed_of(row: ConcessionType) -> checks.Mailed:
    """The amounts of a concession that a mail may decide."""
    return checks.Mailed(row.name, row.unit, row.reply_up_to, row.link_up_to)


def seats_of(rows: Iterable[Committee | ChainRule]) -> list[checks.Seats]:
    """Committees or functions, saved or not, with how many people hold the role."""
    found = []
    for row in rows:
        people = User.objects.holding([row.role.slug]).filter(kind=User.PERSON).count()
        seats = checks.Seats(role=row.role.name, holders=people, quorum=row.quorum, quorum_of=row.quorum_of)
        found.append(_function(seats, row) if isinstance(row, ChainRule) else seats)
    return found


def _function(seats: checks.Seats, row: ChainRule) -> checks.Seats:
    return replace(
        seats,
        concession=row.concession.name if row.concession else "",
        unit=row.concession.unit if row.concession else "",
        consult=row.part == ChainRule.CONSULT,
        place=row.place,
        above=row.above,
        segment=row.segment,
        region=row.region,
    )


def history(at: datetime) -> list[AuthorityVersion]:
    """Published versions, the newest first, each with `in_force`: whether it is the current one."""
    rows = AuthorityVersion.objects.filter(state=AuthorityVersion.PUBLISHED)
    found = list(rows.select_related("author", "publisher", "based_on").order_by("-effective_from", "-id"))
    current = AuthorityVersion.objects.current(at)
    for version in found:
        version.in_force = version == current
    return found
