"""Reviews: the list, the eight tasks of one review, repeated causes, commitments by owner."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, QuerySet
from django.db.models.functions import Lower

from accounts.calendars.rules import deadlines
from accounts.models import User
from escalations.models import Commitment, Escalation, Review

SOON = timedelta(days=1)
VIEWS = {"open": "Open", "mine": "Mine", "signed": "Signed off", "waived": "Waived"}
MOST_COMMITMENTS = 60
MOST_CAUSES = 40


@dataclass(frozen=True)
class Task:
    """One of the eight tasks, for components/tasklist.html."""

    name: str
    href: str
    detail: str
    done: bool
    begun: bool = False

    @property
    def state(self) -> str:
        """green: done, wait: in progress, none: not started."""
        return "green" if self.done else "wait" if self.begun else "none"

    @property
    def label(self) -> str:
        """The label of the state."""
        return "Done" if self.done else "In progress" if self.begun else "Not started"


def tasks(review: Review, commitments: int, entries: int = 0) -> list[Task]:
    """The tasks of the reviewer. `commitments`: the number of open ones of the case; `entries`: the number in the
    timeline."""
    handed = f"{commitments} handed on, each with owner and due date" if commitments else "None open"
    lessons = bool(review.lessons.strip())
    return [
        Task("Timeline checked", "#id_timeline_checked", f"{entries} entries, from the case", review.timeline_checked),
        Task("What triggered it", "#id_triggered", _first(review.triggered), bool(review.triggered.strip())),
        Task("What worked", "#id_worked", _first(review.worked), bool(review.worked.strip())),
        Task("What to change", "#id_change", _first(review.change), *_change(review)),
        Task("Root cause", "#id_root_cause", review.root_cause, bool(review.root_cause.strip())),
        Task("Commitments", "#commitments", handed, done=True),
        Task("Lessons and training", "#id_lessons", _first(review.lessons), lessons, bool(review.automate.strip())),
        Task("Sign-off", "#sign", _signed(review), review.state != Review.OPEN),
    ]


def _change(review: Review) -> tuple[bool, bool]:
    return bool(review.change.strip()), bool(review.change_target.strip())


def _first(text: str) -> str:
    line = text.strip().splitlines()[0] if text.strip() else ""
    return line if len(line) <= 120 else f"{line[:119]}…"


def _signed(review: Review) -> str:
    if review.state == Review.WAIVED:
        return f"Waived by {review.signed_by}: {review.waived_reason}"
    if review.state == Review.DONE:
        return f"Signed by {review.signed_by}"
    return str(review.reviewer or "")


def progress(review: Review) -> int:
    """How many of the eight tasks are done."""
    return sum(task.done for task in tasks(review, 0))


def visible(user: User) -> QuerySet[Review]:
    """Reviews of the cases this person may see, and their own."""
    cases = Escalation.objects.visible_to(user).values("pk")
    return Review.objects.filter(case__in=cases).select_related(
        "case", "case__account", "case__issue_type", "reviewer", "signed_by"
    )


def views_of(user: User) -> dict[str, QuerySet[Review]]:
    """The tabs of the list."""
    seen = visible(user)
    waiting = seen.filter(state=Review.OPEN)
    return {
        "open": waiting,
        "mine": waiting.filter(reviewer=user),
        "signed": seen.filter(state=Review.DONE).order_by("-signed_at"),
        "waived": seen.filter(state=Review.WAIVED).order_by("-signed_at"),
    }


@dataclass(frozen=True)
class ReviewRow:
    """A review in the list. `repeat`: another visible case had the same root cause."""

    review: Review
    state: str
    warn_at: datetime
    done: int
    repeat: bool

    @property
    def percent(self) -> float:
        """Share of the eight tasks."""
        return 100 * self.done / 8


def rows(reviews: list[Review], user: User, at: datetime) -> list[ReviewRow]:
    """Rows of the list with progress, chip state and the mark of a repeated cause. One query for all."""
    repeated = repeated_causes(user)
    return [
        ReviewRow(
            review=each,
            state=due_state(each, at),
            warn_at=each.due_at - SOON,
            done=progress(each),
            repeat=each.root_cause.strip().lower() in repeated,
        )
        for each in reviews
    ]


def due_state(review: Review, at: datetime) -> str:
    """Colour of the due chip: red past due, yellow on the last day."""
    return deadlines.colour(at, due_at=review.due_at, warn_at=review.due_at - SOON)


def repeated_causes(user: User) -> set[str]:
    """Root causes that more than one visible case had, in lower case."""
    counted = (
        visible(user).exclude(root_cause="").order_by().annotate(cause=Lower("root_cause")).values("cause")
    ).annotate(cases=Count("pk"))
    return {str(row["cause"]).strip() for row in counted if row["cases"] > 1}


def used_causes(user: User) -> list[str]:
    """Root causes used before, the most used first, so that the same cause gets the same name."""
    written = visible(user).exclude(root_cause="").order_by().values_list("root_cause", flat=True)
    return [cause for cause, _ in Counter(written[:2000]).most_common(MOST_CAUSES)]


class Owned(NamedTuple):
    """A person's open commitments."""

    owner: User
    rows: list[Commitment]


def commitments_by_owner(user: User) -> list[Owned]:
    """Open commitments of visible cases, grouped by owner, soonest due first."""
    cases = Escalation.objects.visible_to(user).values("pk")
    found = Commitment.objects.filter(state=Commitment.OPEN, case__in=cases).select_related("owner", "account", "case")
    groups: dict[int, Owned] = {}
    for each in found.order_by("due_on", "pk")[:MOST_COMMITMENTS]:
        groups.setdefault(each.owner_id, Owned(each.owner, [])).rows.append(each)
    return list(groups.values())


def facts(case: Escalation) -> dict[str, timedelta | None]:
    """Spans of the case: impasse to opened, opened to decided, opened to resolved."""
    return {
        "time_to_escalate": case.opened_at - case.impasse_at,
        "time_to_decision": case.decided_at - case.opened_at if case.decided_at else None,
        "time_to_resolve": case.resolved_at - case.opened_at if case.resolved_at else None,
    }
