"""Reviews: the list, the eight tasks of one review, repeated causes, commitments by owner."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Lower

from accounts.calendars.rules import deadlines
from accounts.models import User
from escalations.models import Commitment, Escalation, Review, may_see


class View(NamedTuple):
    """A tab of the list: its label and the state of its reviews."""

    label: str
    state: str


SOON = timedelta(days=1)
OPEN, MINE = "open", "mine"
VIEWS = {
    OPEN: View("Open", Review.OPEN),
    MINE: View("Mine", Review.OPEN),
    "signed": View("Signed off", Review.DONE),
    "waived": View("Waived", Review.WAIVED),
}
LATEST = 500
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


def waiting(user: User) -> QuerySet[Review]:
    """Open reviews of the cases this person may see."""
    return Review.objects.filter(may_see(user, "case", few=True), state=Review.OPEN)


def of_view(view: str, user: User) -> QuerySet[Review]:
    """The rows of a tab. Those of ended reviews have the latest only: older ones stand on their cases."""
    shown = ("case__account", "case__issue_type", "reviewer", "signed_by")
    if view in (OPEN, MINE):
        rows = waiting(user).select_related(*shown)
        return rows.filter(reviewer=user) if view == MINE else rows
    ended = Review.objects.filter(may_see(user, "case", few=True), state=VIEWS[view].state).select_related(*shown)
    return ended.order_by("-signed_at", "-pk")[:LATEST]


def counts(user: User) -> dict[str, int]:
    """How many reviews wait in each tab that has a number. One query."""
    return waiting(user).aggregate(**{OPEN: Count("pk"), MINE: Count("pk", filter=Q(reviewer=user))})


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
    repeated = _repeated(reviews, user)
    return [
        ReviewRow(
            review=each,
            state=due_state(each, at),
            warn_at=each.due_at - SOON,
            done=progress(each),
            repeat=each.pk in repeated,
        )
        for each in reviews
    ]


def due_state(review: Review, at: datetime) -> str:
    """Colour of the due chip: red past due, yellow on the last day."""
    return deadlines.colour(at, due_at=review.due_at, warn_at=review.due_at - SOON)


def _repeated(reviews: list[Review], user: User) -> set[int]:
    """Those whose root cause another visible case had, in upper or lower case."""
    others = Review.objects.annotate(cause=Lower("root_cause")).filter(
        ~Q(pk=OuterRef("pk")), may_see(user, "case", few=True), cause=Lower(OuterRef("root_cause"))
    )
    shown = Review.objects.filter(pk__in=[each.pk for each in reviews]).exclude(root_cause="")
    # The first one found ends the search, while an EXISTS would be joined with all of them.
    found = shown.annotate(other=Subquery(others.order_by().values("pk")[:1])).filter(other__isnull=False)
    return set(found.order_by().values_list("pk", flat=True))


def used_causes(user: User) -> list[str]:
    """Root causes used lately, the most used first, so that the same cause gets the same name."""
    written = Review.objects.filter(may_see(user, "case", few=True)).exclude(root_cause="").order_by("-pk")
    return [cause for cause, _ in Counter(written.values_list("root_cause", flat=True)[:2000]).most_common(MOST_CAUSES)]


class Owned(NamedTuple):
    """A person's open commitments."""

    owner: User
    rows: list[Commitment]


def commitments_by_owner(user: User) -> list[Owned]:
    """Open commitments of visible cases, grouped by owner, soonest due first."""
    seen = Commitment.objects.filter(may_see(user, "case", few=True), state=Commitment.OPEN)
    found = seen.select_related("owner", "account", "case")
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
