"""Reads about customers' messages: where one may be moved, what came back, what nobody has opened."""

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Case, QuerySet, Value, When

from accounts.models import User
from escalations import states
from escalations.cases.access import standing
from escalations.cases.queries.thread import Shown
from escalations.cases.rules.addressing import GUESS
from escalations.cases.rules.permissions import may
from escalations.models import CustomerMessage, Escalation, Event, may_see
from ledger.now import now

CASES_OFFERED = 20
LISTED = 100
# Younger messages are left to the people who were told of them.
AFTER = timedelta(hours=1)
GUESSES_LISTED = timedelta(days=7)


def came_back(user: User) -> QuerySet[Escalation]:
    """The ended cases with a message that waits for a person, as far as this person sees them, in no order."""
    waiting = CustomerMessage.objects.came_back().order_by().values("case")
    return Escalation.objects.visible_to(user, few=True).filter(pk__in=waiting).order_by()


def answerable(user: User, ids: Iterable[int]) -> set[int]:
    """Those of these cases on which the person may say what becomes of a message that came back."""
    cases = Escalation.objects.filter(pk__in=list(ids)).select_related("account").prefetch_related("people")
    return {case.pk for case in cases if may("reopen", standing(case, user))}


def told_since_decision(case: Escalation) -> Event | None:
    """The newest customer update since the case was decided; since it was opened, if nothing was decided."""
    updates = case.events.filter(kind=Event.CUSTOMER_UPDATE, at__gte=case.decided_at or case.opened_at)
    return updates.select_related("actor").order_by("-seq").first()


def other_cases(case: Escalation, user: User) -> list[Escalation]:
    """The cases of the same account that a message can be moved to, open ones first."""
    ended = Case(When(state__in=states.OPEN, then=Value(0)), default=Value(1))
    seen = Escalation.objects.visible_to(user, few=True).filter(account=case.account_id).exclude(pk=case.pk)
    return list(seen.exclude(state=states.DUPLICATE).only("title", "state").order_by(ended, "-pk")[:CASES_OFFERED])


def unopened_of(shown: Iterable[Shown]) -> list[int]:
    """The ids of the messages among these entries that nobody has opened yet."""
    found = [row.message for row in shown if row.message]
    return [message.pk for message in found if message.opened_at is None and not message.moved_to_id]


def waiting_long() -> QuerySet[CustomerMessage]:
    """Messages that nobody has opened within an hour, the oldest first."""
    rows = CustomerMessage.objects.unopened().filter(at__lte=now() - AFTER)
    return rows.select_related("event", "case__account", "case__owner", "signal__contact").order_by("at", "pk")


def guessed(user: User) -> list[CustomerMessage]:
    """What customers wrote in the last days that was placed on an open case by guess, newest first, as far as this person sees
    the case."""
    rows = CustomerMessage.objects.filter(placed=GUESS, moved_to=None, at__gte=now() - GUESSES_LISTED)
    rows = rows.filter(event__kind=Event.CUSTOMER_MESSAGE, case__state__in=states.OPEN)
    seen = rows.filter(may_see(user, "case", few=True))
    return list(seen.select_related("event", "case__account", "case__owner", "signal__contact")[:LISTED])


def unopened(user: User) -> list[CustomerMessage]:
    """Those on cases that this person may see."""
    return list(waiting_long().filter(may_see(user, "case", few=True))[:LISTED])
