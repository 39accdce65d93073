"""The delegations that a person sees."""

from datetime import datetime
from typing import NamedTuple

from accounts.models import User
from approvals.models import Delegation

MOST = 50


class GivenRow(NamedTuple):
    """A delegation, and whether it is in force."""

    delegation: Delegation
    running: bool


def of(user: User, at: datetime) -> dict[str, list[GivenRow]]:
    """Delegations that the person gave or got and that are not over; for operations also those of everybody else."""
    rows = Delegation.objects.select_related("user", "to").order_by("starts_at", "id")
    live = rows.filter(ends_at__gt=at, ended_at=None)
    over = rows.filter(user=user).exclude(pk__in=live.values("pk")).order_by("-ends_at")
    others = live.exclude(user=user) if user.is_ops else live.none()
    return {
        "given": [_row(each, at) for each in live.filter(user=user)],
        "taken": [_row(each, at) for each in live.filter(to=user)],
        "over": [_row(each, at) for each in over[:10]],
        "others": [_row(each, at) for each in others[:MOST]],
    }


def _row(given: Delegation, at: datetime) -> GivenRow:
    return GivenRow(given, given.starts_at <= at < given.ends_at and given.ended_at is None)
