"""Drafts of the authority matrix: copied from the published one, checked, published by a second person."""

from datetime import datetime

from django.db import transaction
from django.db.models import Max

from accounts.models import User
from accounts.queries import known_currencies
from approvals.models import AuthorityLimit, AuthorityVersion, ConcessionType, ExceptionBand
from approvals.rules.matrix_checks import Band, Row, check_matrix
from ledger import versions
from ledger.errors import Invalid, NotAllowed, Stale
from ledger.now import now

ROWS = (ConcessionType, AuthorityLimit, ExceptionBand)
KEYS: versions.Keys = {
    ConcessionType: ("slug",),
    AuthorityLimit: ("role__slug", "concession__slug", "segment", "arr_from", "arr_to"),
    ExceptionBand: ("concession__slug", "tier"),
}
TIERS = ("green", "yellow", "red")


@transaction.atomic
def clone_draft(*, by: User) -> AuthorityVersion:
    """A new draft with the rows of the version in force. Raises Invalid when none is, NotAllowed outside operations."""
    _ops(by)
    base = AuthorityVersion.objects.current(now())
    if base is None:
        raise Invalid("There is no version in force to start from.")
    number = (AuthorityVersion.objects.aggregate(most=Max("number"))["most"] or 0) + 1
    draft: AuthorityVersion = versions.clone(base, ROWS, number, by)
    return draft


def diff(version: AuthorityVersion) -> list[versions.Change]:
    """What a version changes against the one it was made from."""
    return versions.diff(version.based_on, version, ROWS, KEYS)


def check(version: AuthorityVersion) -> list[str]:
    """Every reason not to publish the version, in words."""
    names = {each.pk: each for each in version.concessions.all()}
    rows = [Row(concession=each.name, unit=each.unit) for each in names.values()]
    rows += [
        Row(
            concession=limit.concession.name,
            unit=limit.concession.unit,
            role=limit.role.name,
            up_to=limit.up_to,
            currency=limit.currency,
            segment=limit.segment,
            arr_from=limit.arr_from,
            arr_to=limit.arr_to,
        )
        for limit in version.limits.select_related("role", "concession")
    ]
    bands = [
        Band(row.concession.name, row.concession.unit, row.tier, row.up_to, row.currency)
        for row in version.bands.select_related("concession")
    ]
    mixed = [str(row) for row in version.limits.exclude(concession__in=names)]
    mixed += [str(row) for row in version.bands.exclude(concession__in=names)]
    problems = [f"{each}: the concession belongs to another version. Choose the one of this draft." for each in mixed]
    empty = [] if names else ["The version lists no concession."]
    return empty + problems + check_matrix(rows, bands=bands, currencies=known_currencies(), tiers=TIERS)


@transaction.atomic
def publish(*, version_id: int, by: User, effective_from: datetime | None = None, note: str = "") -> AuthorityVersion:
    """Put a draft in force from a moment (now when none is given). Requests made before keep the version they were made on.

    Raises NotAllowed for the author (a second person publishes) and outside operations, Stale when it is no draft or an
    other version was published since it was made, Invalid with every problem of the checks or for a moment in the past.
    """
    _ops(by)
    at = now()
    version = AuthorityVersion.objects.select_for_update(of=("self",)).get(pk=version_id)
    if version.state != AuthorityVersion.DRAFT:
        raise Stale(f"{version} is not a draft.")
    if version.author_id == by.pk:
        raise NotAllowed("You made this draft, so a second person publishes it.")
    start = effective_from or at
    if start < at:
        raise Invalid("Enter a moment from now on: a matrix never changes the past.", field="effective_from")
    _not_overtaken(version)
    if problems := check(version):
        raise Invalid(" ".join(problems))
    version.state, version.publisher, version.published_at = AuthorityVersion.PUBLISHED, by, at
    version.effective_from, version.note = start, note or version.note
    version.save(update_fields=["state", "publisher", "published_at", "effective_from", "note"])
    return version


def _not_overtaken(version: AuthorityVersion) -> None:
    published = AuthorityVersion.objects.filter(state=AuthorityVersion.PUBLISHED)
    newest = published.order_by("-published_at", "-id").first()
    if newest and version.based_on_id and newest.pk != version.based_on_id:
        raise Stale(f"{newest} was published after this draft was made. Make a new draft from it.")


def _ops(by: User) -> None:
    if not (by.is_ops or by.is_staff):
        raise NotAllowed("Only operations and administrators change the authority matrix.")
