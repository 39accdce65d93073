"""The rows of the queue: their order, their pages and what a row shows.

A page begins at a place, not at a number of rows: the address has the sort key of the last row that was shown, so that
cases which come and go move nobody's page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Aggregate, DateTimeField, F, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Cast, Coalesce, Concat, Left
from django.db.models.sql.compiler import SQLCompiler

from accounts.people.rules import avatar, initials
from approvals.models import ApprovalRequest, Seat
from escalations import states
from escalations.clocks.queries import STATUS_ORDER, status_place
from escalations.clocks.rules.kinds import KINDS
from escalations.models import CasePerson, CustomerMessage, Escalation, HandOff
from escalations.policy.models import published_ladder
from ledger.format import listed

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Cases without a due time are sorted as if it were then.
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
# Letters of a customer's message in the list of what came back.
WORDS_SHOWN = 160
# The sort key, and whether a column ascends.
ORDER = {"place": True, "due": True, "arr_at_risk": False, "pk": True}


@dataclass(frozen=True)
class Cursor:
    """A place in the sorted list: the sort key of a case that is or was there."""

    place: int
    due: datetime
    arr_at_risk: Decimal
    pk: int

    @classmethod
    def read(cls, text: str) -> "Cursor | None":
        """From an address; None if it is not a cursor."""
        try:
            place, seconds, arr, pk = text.split("_")
            due = EPOCH + timedelta(microseconds=int(seconds)) if seconds else NEVER
            found = cls(int(place), due, Decimal(arr), int(pk))
        except (ValueError, InvalidOperation, OverflowError):
            return None
        sound = found.arr_at_risk.is_finite() and abs(found.arr_at_risk) < 10**12
        return found if sound and 0 <= found.place <= len(STATUS_ORDER) and 0 <= found.pk < 2**63 else None

    def __str__(self) -> str:
        """For an address."""
        due = "" if self.due == NEVER else (self.due - EPOCH) // timedelta(microseconds=1)
        return f"{self.place}_{due}_{self.arr_at_risk}_{self.pk}"

    def beyond(self, *, forward: bool) -> Q:
        """The cases after this place, or before it. Needs the annotations of `with_order`."""
        found = Q()
        for name, ascends in reversed(ORDER.items()):
            value = getattr(self, name)
            further = Q(**{f"{name}__{'gt' if ascends == forward else 'lt'}": value})
            found = further | Q(**{name: value}) & found if found else further
        return found


# Between the seats of one text, and between the place of a seat and its name.
SEAT, FIELD = "\x1e", "\x1f"
NEWEST = 10**12


class SeatNames(Aggregate):
    """The names of seats as one text, each with its place: newer requests first, then the number of the seat."""

    template = "GROUP_CONCAT(%(expressions)s, char(30))"
    output_field = TextField()

    def __init__(self, name: str) -> None:
        request = Cast(Value(NEWEST) - F("request"), TextField())
        number = Cast(Value(1000) + F("number"), TextField())
        super().__init__(Concat(request, number, Value(FIELD), F(name), output_field=TextField()))

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: object
    ) -> tuple[str, Sequence[object]]:
        """PostgreSQL joins with STRING_AGG."""
        return self.as_sql(compiler, connection, template="STRING_AGG(%(expressions)s, chr(30))", **context)


# After the last case.
END = Cursor(len(STATUS_ORDER), NEVER, Decimal(0), 0)


def with_order(cases: QuerySet[Escalation], at: datetime) -> QuerySet[Escalation]:
    """The cases with the columns that the list is sorted by: worst status, then soonest due, then largest ARR."""
    due = Coalesce("sla_due_at", Value(NEVER, output_field=DateTimeField()))
    return cases.annotate(place=status_place(at), due=due)


@dataclass(frozen=True, slots=True)
class Row:
    """One case of the list and what its row shows. The fields are columns of the case, or of ELSEWHERE."""

    pk: int
    title: str
    state: str
    tier: str
    lane: str
    opened_at: datetime
    issue_type: str
    account: str
    renewal_date: date | None
    arr_at_risk: Decimal
    arr_currency: str
    level: int
    policy_id: int
    published_at: datetime
    owner_id: int | None
    owner: str | None
    owner_email: str | None
    waiting_on: str
    next_update_at: datetime | None
    sla_clock: str
    sla_due_at: datetime | None
    sla_warn_at: datetime | None
    sla_paused_at: datetime | None
    place: int
    due: datetime
    asked: str | None
    decider: str | None
    deciders: str | None
    back_from: str | None
    back_words: str | None

    @property
    def key(self) -> str:
        """ESC-1042."""
        return f"ESC-{self.pk}"

    @property
    def cursor(self) -> Cursor:
        """Its place in the list."""
        return Cursor(self.place, self.due, self.arr_at_risk, self.pk)

    @property
    def status(self) -> str:
        """Code of its SLA chip."""
        return STATUS_ORDER[self.place]

    @property
    def clock(self) -> str:
        """The name of its worst clock; empty if none runs."""
        kind = KINDS.get(self.sla_clock)
        return kind.name if kind else ""

    @property
    def stage(self) -> str:
        """Diagnose, Reassign, Approve or Execute."""
        return states.STAGE_OF[self.state]

    @property
    def level_name(self) -> str:
        """Name of the level in the policy of the case."""
        return published_ladder(self.policy_id, self.published_at).name(self.level)

    @property
    def owner_initials(self) -> str:
        """Two letters for the avatar of the owner."""
        return initials(self.owner or "", self.owner_email or "")

    @property
    def owner_avatar(self) -> str:
        """The avatar colour of the owner."""
        return avatar(self.owner_id or 0)

    @property
    def state_name(self) -> str:
        """Its state in words."""
        return dict(states.STATES)[self.state]

    @property
    def waits_for(self) -> str:
        """Whom or what it waits for."""
        if self.waiting_on != states.NOBODY:
            return states.WAITING[self.waiting_on].name
        if self.asked:
            return f"{self.asked} to accept"
        if self.state == states.APPROVING:
            return self._deciding or self.decider or "Decision authority"
        return {states.EXECUTING: "Execution", states.DIAGNOSING: "Diagnosis"}.get(self.state, "Owner")

    @property
    def _deciding(self) -> str:
        """Everybody whose decision is waited for, in the order of the case's page: the newest request first, then the seats."""
        seats = sorted(each.split(FIELD) for each in (self.deciders or "").split(SEAT) if each)
        return listed(list(dict.fromkeys(name for _, name in seats)))


ELSEWHERE = {
    "issue_type": "issue_type__name",
    "account": "account__name",
    "renewal_date": "account__renewal_date",
    "published_at": "policy__published_at",
    "owner": "owner__name",
    "owner_email": "owner__email",
}
COLUMNS = tuple(ELSEWHERE.get(each.name, each.name) for each in fields(Row))


def page(
    cases: QuerySet[Escalation], *, after: Cursor | None, before: Cursor | None, size: int, at: datetime
) -> list[Row]:
    """The rows after or before a place; the first ones without a place, or if nothing is there any more."""
    if before and not after:
        found = _page(cases.filter(before.beyond(forward=False)), size, at, forward=False)
        # Fewer than a page before it: the list begins here.
        return found if len(found) == size else _page(cases, size, at)
    found = _page(cases.filter(after.beyond(forward=True)), size, at) if after else []
    return found or _page(cases, size, at)


def every(cases: QuerySet[Escalation]) -> Iterator[Row]:
    """All rows in the order of the list, read in portions."""
    return (Row(*values) for values in _read(_sorted(cases)).iterator(chunk_size=500))


def _page(cases: QuerySet[Escalation], size: int, at: datetime, *, forward: bool = True) -> list[Row]:
    # Only the rows of the page are joined with accounts and people; the others are sorted by the columns of one index.
    keys = _sorted(cases, forward=forward).values("pk")[:size]
    shown = _sorted(with_order(Escalation.objects.filter(pk__in=keys), at))
    return [Row(*values) for values in _read(shown)]


def _sorted(cases: QuerySet[Escalation], *, forward: bool = True) -> QuerySet[Escalation]:
    return cases.order_by(*(name if ascends == forward else f"-{name}" for name, ascends in ORDER.items()))


# Any: the values of COLUMNS have the types of the fields of Row, which a tuple of unknown length cannot say.
def _read(cases: QuerySet[Escalation]) -> QuerySet[Escalation, tuple[Any, ...]]:
    waiting = HandOff.objects.filter(case=OuterRef("pk"), state=HandOff.WAITING, duty=CasePerson.OWNER)
    deciding = CasePerson.objects.filter(case=OuterRef("pk"), duty=CasePerson.AUTHORITY)
    seats = Seat.objects.filter(
        request__case_link__case=OuterRef("pk"), request__state=ApprovalRequest.OPEN, state=Seat.ASKED, part=Seat.DECIDE
    )
    deciders = Subquery(
        seats.order_by().values("request__case_link__case").annotate(names=SeatNames("person__name")).values("names")
    )
    asked = Subquery(waiting.order_by("pk").values("to_user__name")[:1])
    decider = Subquery(deciding.order_by("pk").values("user__name")[:1])
    back = CustomerMessage.objects.came_back().filter(case=OuterRef("pk")).order_by("-pk")
    back_from, back_words = (
        Subquery(back.values("event__actor_name")[:1]),
        Subquery(back.annotate(start=Left("event__text__body", WORDS_SHOWN)).values("start")[:1]),
    )
    names = {"asked": asked, "decider": decider, "deciders": deciders}
    return cases.annotate(**names, back_from=back_from, back_words=back_words).values_list(*COLUMNS)
