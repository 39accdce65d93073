"""The three lists of the approvals page, a part at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, OrderBy, Prefetch, Q, QuerySet
from django.utils.dateparse import parse_datetime

from accounts.models import User
from approvals.models import ApprovalRequest, Seat
from approvals.requests.models import LISTED_AT
from ledger.counts import RowCount

NEEDS_YOU, WAITING, DECIDED = "needs-you", "waiting", "decided"
PER_PAGE = 25
# Decisions are counted up to here: the number of all that were ever made helps nobody and takes long to find.
MOST_COUNTED = 500


def needs_you(user: User) -> QuerySet[ApprovalRequest]:
    """Open and waiting for this person, or for a person they stand in for."""
    return ApprovalRequest.objects.waiting_on(user)


def waiting_on_others(user: User) -> QuerySet[ApprovalRequest]:
    """Open, visible and waiting for somebody else."""
    mine = ApprovalRequest.objects.waiting_on(user).values("pk")
    return ApprovalRequest.objects.visible_to(user).open().exclude(pk__in=mine)


def decided(user: User) -> QuerySet[ApprovalRequest]:
    """Visible and ended."""
    return ApprovalRequest.objects.visible_to(user).exclude(state=ApprovalRequest.OPEN)


LISTS = {NEEDS_YOU: needs_you, WAITING: waiting_on_others, DECIDED: decided}


@dataclass(frozen=True)
class Counts:
    """The number of requests in each list; of decisions at most `MOST_COUNTED` + 1."""

    needs_you: int
    waiting: int
    decided: int

    @property
    def decided_words(self) -> str:
        """Such as 58 or 500+."""
        return f"{MOST_COUNTED}+" if self.decided > MOST_COUNTED else str(self.decided)


def _counted(user: User) -> dict[str, RowCount]:
    return {
        "in_needs_you": RowCount(needs_you(user)),
        "in_waiting": RowCount(waiting_on_others(user)),
        "in_decided": RowCount(decided(user), most=MOST_COUNTED),
    }


@dataclass(frozen=True)
class Part:
    """Requests of one list, the places before and after them (empty where the list ends), and the counts of all lists."""

    rows: Sequence[ApprovalRequest]
    counts: Counts
    before: str = ""
    after: str = ""


def part(user: User, tab: str, *, before: str = "", after: str = "") -> Part:
    """A page of a list: its first, or the requests before or after a place. Open requests have the soonest due first,
    decided ones the latest first. A page is found from its place, not by counting, so the last one costs no more than
    the first. A place that cannot be read is the start.
    """
    place, key = _place(before or after), KEYS.get(tab, F("deadline"))
    back = bool(before) and place is not None
    descending = (tab in KEYS) != back
    counted = _counted(user)
    order = OrderBy(F("key"), descending=descending), OrderBy(F("id"), descending=descending)
    listed = LISTS[tab](user).alias(key=key).order_by(*order)
    if place:
        listed = listed.filter(_beyond(*place, descending=descending))
    # The page is found by keys alone: for whole rows SQLite does not follow the index of the order, and sorts them all.
    keys = listed.values("pk")[: PER_PAGE + 1]
    rows = ApprovalRequest.objects.filter(pk__in=keys).alias(key=key).annotate(**counted).order_by(*order)
    found = list(_shown(rows, tab))
    more, found = len(found) > PER_PAGE, found[:PER_PAGE]
    if place and (not found or (back and not more)):
        return part(user, tab)
    if not found:
        return Part([], Counts(*User.objects.filter(pk=user.pk).order_by().values_list(*counted.values()).get()))
    if back:
        found.reverse()
    # The counts are columns of the rows, which saves a query.
    counts = Counts(*(getattr(found[0], name) for name in counted))
    return Part(found, counts, _name(found[0], tab) if place else "", _name(found[-1], tab) if back or more else "")


# The order of a list that does not go by the deadline.
KEYS = {DECIDED: LISTED_AT}
# What a row shows.
COLUMNS = (
    *("ask", "state", "deadline", "warn_at", "paused_at", "decided_at", "asked_since"),
    *("concession_name", "unit", "amount", "currency", "account__name", "account__arr", "account__currency"),
)


def _shown(rows: QuerySet[ApprovalRequest], tab: str) -> QuerySet[ApprovalRequest]:
    rows = rows.select_related("account").only(*COLUMNS)
    if tab != WAITING:
        return rows
    return rows.prefetch_related(Prefetch("seats", queryset=Seat.objects.select_related("person")))


def _beyond(at: datetime, pk: int, *, descending: bool) -> Q:
    if descending:
        return Q(key__lte=at) & (Q(key__lt=at) | Q(pk__lt=pk))
    return Q(key__gte=at) & (Q(key__gt=at) | Q(pk__gt=pk))


def _name(request: ApprovalRequest, tab: str) -> str:
    """The place of a request in a list, for an address."""
    at = (request.decided_at or request.asked_since) if tab in KEYS else request.deadline
    return f"{at.isoformat()}_{request.pk}"


def _place(name: str) -> tuple[datetime, int] | None:
    at, _, pk = name.partition("_")
    try:
        moment = parse_datetime(at)
    except ValueError:
        return None
    if moment is None or moment.tzinfo is None or not pk.isdecimal() or len(pk) > 18:
        return None
    return moment, int(pk)
