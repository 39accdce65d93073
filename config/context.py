"""The values around the content of every page. Each is read from the database only if a template uses it."""

from functools import cache, cached_property
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import User
from accounts.people.models import kept
from approvals.models import ApprovalRequest, Delegation
from config import watch
from escalations.cases.queries import reviews
from escalations.models import Escalation
from ledger.counts import counting, counts_of, read_counts
from ledger.prepared import PreparedSQL
from messaging.models import Notice
from reports.rules.vitals import Alarm

# The navigation entry of a page: by its name, else by its app.
PAGES = {
    "accounts:profile": "profile",
    "accounts:imports": "imports",
    "accounts:import_new": "imports",
    "accounts:import_run": "imports",
    "messaging:notifications": "notifications",
    "messaging:preferences": "profile",
    "escalations:departures": "departures",
    "escalations:leaving": "departures",
    "messaging:inbox": "mail",
    "messaging:inbound": "mail",
    "messaging:outbox": "outbox",
    "messaging:message": "outbox",
    "escalations:reviews": "reviews",
    "escalations:review": "reviews",
    "escalations:matrices": "matrices",
    "escalations:matrix_escalation": "matrices",
    "escalations:matrix_authority": "matrices",
    "escalations:matrix_authority_history": "matrices",
    "escalations:matrix_raci": "matrices",
    "escalations:matrix_sla": "matrices",
    "reports:engine": "engine",
    "approvals:who": "matrices",
    "approvals:delegations": "profile",
    "api-docs": "api",
    "search": "search",
}
APPS = {"escalations": "queue", "approvals": "approvals", "accounts": "accounts", "reports": "dashboard"}


NAMES = ("queue_count", "approvals_count", "reviews_count", "unread_count")


def _counted(user: User) -> dict[str, QuerySet[Any]]:
    """What the counters count."""
    found = (
        Escalation.objects.open().visible_to(user, few=True),
        ApprovalRequest.objects.waiting_on(user),
        reviews.waiting(user),
        Notice.objects.filter(user=user, read_at__isnull=True),
    )
    return dict(zip(NAMES, found, strict=True))


@cache
def _statement(sees: str) -> PreparedSQL:
    """The statement for people with this scope who stand in for nobody: the same but for the id of the person."""

    def build(pk: int) -> tuple[str, list[Any]]:
        person = User.anyone(pk, sees)
        kept(person, "delegations", list)
        return counting(_counted(person).values())

    return PreparedSQL(build, int)


class Navigation:
    """The counters beside the entries, and the current entry. All counters together are one query, after a small one
    for the people the visitor stands in for."""

    def __init__(self, request: HttpRequest, user: User) -> None:
        self._user = user
        match = request.resolver_match
        self.page = PAGES.get(match.view_name, APPS.get(match.namespace, "")) if match else ""

    @cached_property
    def _counts(self) -> dict[str, int]:
        user = self._user
        if user.is_superuser or Delegation.objects.given_to(user):
            return counts_of(_counted(user))
        return read_counts(NAMES, *_statement(user.sees).with_values(user.pk))

    @property
    def queue_count(self) -> int:
        """Open cases this person may see."""
        return self._counts["queue_count"]

    @property
    def approvals_count(self) -> int:
        """Requests that wait for this person."""
        return self._counts["approvals_count"]

    @property
    def reviews_count(self) -> int:
        """Open reviews this person may see."""
        return self._counts["reviews_count"]

    @property
    def unread_count(self) -> int:
        """Notifications not read yet."""
        return self._counts["unread_count"]

    @cached_property
    def alarm(self) -> Alarm | None:
        """The alarm for operations on every page except the engine page, which shows it itself."""
        return watch.alarm() if self.is_ops and self.page != "engine" else None

    @property
    def is_ops(self) -> bool:
        """Whether the pages of operations are shown."""
        return self._user.is_ops


def navigation(request: HttpRequest) -> dict[str, Navigation]:
    """Counters of the navigation; nothing for visitors who are not signed in."""
    user = getattr(request, "user", None)
    return {"nav": Navigation(request, user)} if user is not None and user.is_authenticated else {}
