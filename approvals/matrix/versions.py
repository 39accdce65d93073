"""Drafts of the authority matrix: copied from the published one, checked, published by a second person."""

import json
from datetime import datetime

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Max

from accounts.models import User
from approvals.matrix.drafts import KEYS, ROWS, changes, problems
from approvals.models import AuthorityVersion
from ledger import versions
from ledger.errors import Invalid, NotAllowed, Stale
from ledger.now import now

__all__ = ["KEYS", "ROWS", "check", "clone_draft", "diff", "publish"]

WINDOW_LABEL = "Window days"


@transaction.atomic
def clone_draft(*, by: User) -> AuthorityVersion:
    """A new draft with the rows of the version in force. Raises Invalid when none is, NotAllowed outside operations."""
    _ops(by)
    base = AuthorityVersion.objects.current(now())
    if base is None:
        raise Invalid("There is no version in force to start from.")
    number = (AuthorityVersion.objects.aggregate(most=Max("number"))["most"] or 0) + 1
    draft: AuthorityVersion = versions.clone(base, ROWS, number, by)
    draft.window_days = base.window_days
    draft.save(update_fields=["window_days"])
    return draft


def diff(version: AuthorityVersion) -> list[versions.Change]:
    """The changes since the version it was made from."""
    return changes(version)


def check(version: AuthorityVersion, at: datetime | None = None) -> list[str]:
    """Every reason not to publish the version (from a moment on), as text."""
    return problems(version, at)


@transaction.atomic
def publish(*, version_id: int, by: User, effective_from: datetime | None = None, note: str = "") -> AuthorityVersion:
    """Put a draft in force from a moment (now when none is given). Requests made before keep the version they were made
    on.

    Raises NotAllowed for people who made or changed the draft (a second person publishes) and outside operations, Stale
    if it is not a draft or another version was published since it was made, Invalid with every problem of the checks or
    for a moment in the past.
    """
    _ops(by)
    at = now()
    version = AuthorityVersion.objects.select_for_update(of=("self",)).get(pk=version_id)
    if version.state != AuthorityVersion.DRAFT:
        raise Stale(f"{version} is not a draft.")
    if version.author_id == by.pk:
        raise NotAllowed("You made this draft, so a second person must publish it.")
    if by.pk in _changed_by(version):
        raise NotAllowed("You changed rows of this draft, so a second person must publish it.")
    start = effective_from or at
    if start < at:
        raise Invalid("Enter a moment in the future. A matrix cannot change the past.", field="effective_from")
    _not_overtaken(version)
    if found := check(version, start):
        raise Invalid(" ".join(found))
    version.state, version.publisher, version.published_at = AuthorityVersion.PUBLISHED, by, at
    version.effective_from, version.note = start, note or version.note
    version.save(update_fields=["state", "publisher", "published_at", "effective_from", "note"])
    return version


def _changed_by(version: AuthorityVersion) -> set[int]:
    """The people who changed the rows or the window of the draft, not only its note or date."""
    kind = ContentType.objects.get_for_model(AuthorityVersion)
    entries = LogEntry.objects.filter(content_type=kind, object_id=str(version.pk))
    return {entry.user_id for entry in entries if _is_of_rows(entry.change_message)}


def _is_of_rows(message: str) -> bool:
    """Whether the admin's log entry of a save names rows: it has one part for the version and one for each row."""
    try:
        parts = [value for part in json.loads(message or "[]") for value in part.values()]
    except (ValueError, AttributeError):
        return True
    return any(part.get("object") or WINDOW_LABEL in part.get("fields", []) for part in parts if part)


def _not_overtaken(version: AuthorityVersion) -> None:
    published = AuthorityVersion.objects.filter(state=AuthorityVersion.PUBLISHED)
    newest = published.order_by("-published_at", "-id").first()
    if newest and version.based_on_id and newest.pk != version.based_on_id:
        raise Stale(f"{newest} was published after this draft was made. Make a new draft from it.")


def _ops(by: User) -> None:
    if not (by.is_ops or by.is_staff):
        raise NotAllowed("Only operations and administrators change the authority matrix.")
