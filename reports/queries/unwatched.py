"""Targets that no clock watches: open cases whose state needs a clock that is missing, and clocks without a next step.
Only targets of the case's own policy count. The cases are one query from the index on their state; each check of a case
is a separate subquery that uses an index.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet

from approvals.models import ApprovalRequest
from escalations import states
from escalations.models import CasePerson, CaseRequest, Clock, Escalation, HandOff, Review, Target
from reports.rules.vitals import missing_words, step_words

# There is no target before a case is triaged; afterwards somebody always has to act by some time.
PROMISED = tuple(state for state in states.OPEN if state != states.NEW)
THIS_CASE = OuterRef("pk")
# A running clock whose breach is not scheduled: its step was lost.
LOST = Q(state=Clock.RUNNING, fire_at=None, breached_at=None, parked=False)


@dataclass(frozen=True)
class Unwatched:
    """One case, and the missing clocks as text."""

    key: str
    title: str
    state: str
    words: str


def _live(kind: str = "") -> Q:
    """Whether the case has a live clock of this kind, or of any. Live clocks are few, so they are read once for all cases."""
    rows = Clock.objects.live().order_by()
    return Q(pk__in=(rows.filter(kind=kind) if kind else rows).values("case"))


def _promised(*kinds: str) -> Exists:
    """Whether the case's policy has a target for one of these clocks that fits the case."""
    fits = Q(tier="") | Q(tier=OuterRef("tier")), Q(level=None) | Q(level=OuterRef("level"))
    issue = Q(issue_type="") | Q(issue_type=OuterRef("issue_type__slug"))
    wanted = {"clock": kinds[0]} if len(kinds) == 1 else {"clock__in": kinds}
    return Exists(Target.objects.filter(*fits, issue, version=OuterRef("policy"), **wanted).order_by())


def _lacks() -> dict[str, Q]:
    """For each clock that can be missing, the condition."""
    waiting = HandOff.objects.filter(case=THIS_CASE, state=HandOff.WAITING, duty=CasePerson.OWNER)
    asked = CaseRequest.objects.filter(case=THIS_CASE, request__state=ApprovalRequest.OPEN)
    review = Review.objects.filter(case=THIS_CASE, state=Review.OPEN)
    worked = (states.RESPONSE, states.DECISION, states.CUSTOMER_UPDATE, states.RESOLUTION)
    return {
        "acceptance": Q(state=states.HANDED_OFF)
        & ~_live(states.ACCEPTANCE)
        & Q(Exists(waiting.order_by()))
        & Q(_promised(states.ACCEPTANCE)),
        "decision": Q(state=states.APPROVING)
        & ~_live(states.DECISION)
        & Q(Exists(asked.order_by()))
        & Q(_promised(states.DECISION)),
        "review": Q(state__in=states.AFTER)
        & ~_live(states.REVIEW_DUE)
        & Q(Exists(review.order_by()))
        & Q(_promised(states.REVIEW_DUE)),
        "resolution": Q(state__in=PROMISED) & ~_live(states.RESOLUTION) & Q(_promised(states.RESOLUTION)),
        "any": Q(state__in=PROMISED) & ~_live() & Q(_promised(*worked)),
    }


def unwatched() -> QuerySet[Escalation]:
    """The cases with a target that no clock watches."""
    found = Q()
    for lack in _lacks().values():
        found |= lack
    return Escalation.objects.filter(found, state__in=(*PROMISED, *states.AFTER)).order_by()


def ids() -> list[int]:
    """The ids of those cases, ascending. Sorted here: to sort by id, a database would read every case."""
    return sorted(unwatched().values_list("pk", flat=True))


def listed(limit: int, cases: Sequence[int] | None = None) -> list[Unwatched]:
    """The first cases of both kinds, each with the missing clocks. `cases`: what `ids` found, if it was read."""
    # Sorted here: to sort by case, a database would read every clock until it has found enough.
    lost = Clock.objects.filter(LOST).select_related("case").order_by()[:limit]
    steps = sorted(lost, key=lambda clock: (clock.case_id, clock.pk))
    rows = [
        *_cases((ids() if cases is None else cases)[:limit]),
        *(Unwatched(each.case.key, each.case.title, _state(each.case), step_words(each.label)) for each in steps),
    ]
    return rows[:limit]


def _cases(cases: Sequence[int]) -> list[Unwatched]:
    lacks = {f"lacks_{code}": ExpressionWrapper(lack, BooleanField()) for code, lack in _lacks().items()}
    found = []
    for case in Escalation.objects.filter(pk__in=cases).annotate(**lacks).order_by("pk"):
        codes = [name.removeprefix("lacks_") for name in lacks if getattr(case, name)]
        found.append(Unwatched(case.key, case.title, _state(case), missing_words(codes)))
    return found


def _state(case: Escalation) -> str:
    return str(case.get_state_display())
