"""The tracker's rows in groups by due time."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db.models import Prefetch
from django.utils import timezone

from escalations.models import Action, CaseFile, Commitment, Escalation

LATE, TODAY, LATER, DONE = "Late", "Due today", "Later", "Done"


class Group(NamedTuple):
    """Actions in the same due group."""

    name: str
    rows: list[Action]


def groups(actions: Iterable[Action], at: datetime) -> list[Group]:
    """Late, due today (in the viewer's zone), later, done; empty groups are left out."""
    found: dict[str, list[Action]] = {name: [] for name in (LATE, TODAY, LATER, DONE)}
    for action in actions:
        found[_group(action, at)].append(action)
    return [Group(name, rows) for name, rows in found.items() if rows]


def _group(action: Action, at: datetime) -> str:
    if action.state in (Action.DONE, Action.CANCELLED):
        return DONE
    if action.is_late(at):
        return LATE
    zone = timezone.get_current_timezone()
    return TODAY if action.due_at.astimezone(zone).date() == at.astimezone(zone).date() else LATER


def page(case: Escalation, at: datetime) -> dict[str, object]:
    """Actions in groups, proofs of execution, blocked actions."""
    files = Prefetch("files", CaseFile.objects.to_show(), to_attr="shown_files")
    actions = list(case.actions.select_related("owner", "done_by").prefetch_related(files))
    return {
        "groups": groups(actions, at),
        "proofs": [each for each in actions if each.execution and each.state != Action.CANCELLED],
        "blocked": [each for each in actions if each.state == Action.BLOCKED],
        "today": at.astimezone(timezone.get_current_timezone()).date(),
        "OPEN": Commitment.OPEN,
    }
