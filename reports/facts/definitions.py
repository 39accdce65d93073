"""What the facts of a case are: the one definition of each, as a query over the case's own rows.

`reports.rules.kpis` says in words what is counted.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, TypeAlias

from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    Count,
    DateTimeField,
    Exists,
    F,
    Max,
    Min,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Concat, Greatest, Least, Lower, Round, Trim

from approvals.models import ApprovalRequest, DecisionEntry
from escalations import states
from escalations.models import CaseDecision, CaseRequest, Clock, Escalation, Event, HandOff, Level
from reports.models import CaseFact, ClockFact, DecisionFact, HandOffFact, ReopeningFact
from reports.queries.measures import DayOf, Joined, MonthOf, SecondsBetween
from reports.rules import tallies

SOON = timedelta(hours=72)
# Ids of cases.
Ids = Sequence[int]
# What the facts get from the rest of the facts, when all are written.
LATER = ("id", "first_on", "last_on")
# The columns of the facts in the order in which the definitions give them.
COLUMNS: Mapping[type[Model], tuple[str, ...]] = {
    model: tuple(field.attname for field in model._meta.concrete_fields if field.name not in LATER)
    for model in (CaseFact, DecisionFact, HandOffFact, ClockFact, ReopeningFact)
}


def length_of_logs() -> Combinable:
    """The number of entries in the logs of a case and of its requests. Facts are as old as this number says."""
    linked = CaseRequest.objects.filter(case=OuterRef("pk")).order_by().values("case")
    return F("log_count") + Coalesce(Subquery(linked.annotate(n=Sum("request__log_count")).values("n")), 0)


# No model has the columns that a query adds, and a fact has those of its model.
Rows: TypeAlias = "QuerySet[Any]"
Fact: TypeAlias = tuple[Any, ...]


def cases(ids: Ids) -> Rows:
    """The fact of each case."""
    level = Level.objects.filter(version=OuterRef("policy"), rank=OuterRef("level"))
    columns = {
        "entries": length_of_logs(),
        "opened_on": DayOf("opened_at"),
        "took": SecondsBetween(F("impasse_at"), F("opened_at")),
        "duplicate": Case(When(state=states.DUPLICATE, then=True), default=False, output_field=BooleanField()),
        "slug": Coalesce(Subquery(level.values("slug")[:1]), Value("")),
        "resolved_on": DayOf("resolved_at"),
        "month": Coalesce(MonthOf(DayOf("resolved_at")), Value("")),
        "cause": Trim("root_cause"),
        "same_cause": Lower(Trim("root_cause")),
        "decided": _levels_that_decided(),
        "cents": Cast(Round(F("arr_at_risk") * 100), BigIntegerField()),
    }
    rows = Escalation.objects.filter(pk__in=ids).order_by().annotate(**columns)
    return rows.values_list(
        *("pk", "account_id", "entries", "opened_on", "took", "duplicate", "slug", "resolved_on", "resolved_at"),
        *("month", "cause", "same_cause", "decided", "outcome", "arr_currency", "cents"),
    )


def _levels_that_decided() -> Combinable:
    """The slugs, each between commas: of requests, and of decisions without one. A case brought from another system has a
    level that decided, but neither."""
    linked = CaseRequest.objects.filter(case=OuterRef("pk")).order_by()
    by_people = linked.filter(request__state__in=ApprovalRequest.DECIDED, request__by_rule=False)
    slugs = by_people.values("case").annotate(slugs=Joined("request__decided_level", distinct=True)).values("slugs")
    posted = CaseDecision.objects.filter(case=OuterRef("pk")).order_by()
    without = posted.values("case").annotate(slugs=Joined("level", distinct=True)).values("slugs")
    both = Concat(
        Coalesce(Subquery(slugs), Value(""), output_field=TextField()),
        Value(","),
        Coalesce(Subquery(without), Value(""), output_field=TextField()),
        output_field=TextField(),
    )
    found = Case(
        When(Exists(posted), then=both),
        When(Exists(linked), then=Coalesce(Subquery(slugs), Value(""), output_field=TextField())),
        default=F("decided_level"),
        output_field=TextField(),
    )
    return Concat(Value(","), found, Value(","), output_field=TextField())


def decisions(ids: Ids) -> Rows:
    """The facts of decisions by people: on requests, and without a request."""
    return _on_requests(ids).union(_without_request(ids), all=True)


def _on_requests(ids: Ids) -> Rows:
    rows = CaseRequest.objects.filter(
        case__in=ids,
        request__state__in=ApprovalRequest.DECIDED,
        request__by_rule=False,
        request__decided_at__isnull=False,
    )
    ranked = rows.order_by().annotate(rank=_rank("request__decided_level"))
    against = DecisionEntry.objects.filter(request=OuterRef("request"), override=True)
    return (
        ranked.annotate(got=_got("request__decided_level", "request__decided_at", F("request__asked_since")))
        .annotate(
            day=DayOf("request__decided_at"),
            took=SecondsBetween(F("got"), F("request__decided_at")),
            override=Exists(against),
        )
        .values_list(
            *("case_id", "case__account_id", "day", "request__decided_at", "request__decided_level"),
            *("case__kind", "request__concession_name", "got", "took", "override"),
        )
    )


def _without_request(ids: Ids) -> Rows:
    """Asked for when the decision clock started that the decision ended."""
    ended = Clock.objects.filter(case=OuterRef("case"), kind=states.DECISION, stopped_at=OuterRef("at"))
    ranked = CaseDecision.objects.filter(case__in=ids).order_by().annotate(rank=_rank("level"))
    awaited = Subquery(ended.order_by("pk").values("started_at")[:1])
    return (
        ranked.annotate(got=_got("level", "at", awaited))
        .filter(got__isnull=False)
        .annotate(
            day=DayOf("at"),
            took=SecondsBetween(F("got"), F("at")),
            concession=Value("", output_field=TextField()),
            override=Value(None, output_field=BooleanField(null=True)),
        )
        .values_list(
            *("case_id", "case__account_id", "day", "at", "level"),
            *("case__kind", "concession", "got", "took", "override"),
        )
    )


def _rank(level: str) -> Subquery:
    """The rank of the deciding level in the policy of the case. `level`: the path to its slug."""
    levels = Level.objects.filter(version=OuterRef("case__policy"), slug=OuterRef(level))
    return Subquery(levels.values("rank")[:1])


def _got(level: str, at: str, asked: Combinable) -> Case:
    """When the deciding level got the case; see the definitions in the rules. `level` and `at`: the paths to the slug of the
    level and to the moment of the decision; `asked`: when it was asked for."""
    on_requests = CaseRequest.objects.filter(
        case=OuterRef("case"),
        request__decided_level=OuterRef(level),
        request__by_rule=False,
        request__decided_at__lt=OuterRef(at),
    )
    without = CaseDecision.objects.filter(case=OuterRef("case"), level=OuterRef(level), at__lt=OuterRef(at))
    sent = (
        HandOff.objects.filter(case=OuterRef("case"), level=OuterRef("rank"), sent_at__lte=OuterRef(at))
        .order_by()
        .values("case")
        .annotate(first=Min("sent_at"))
        .values("first")
    )
    stands = Q(case__level=F("rank"), case__level_since__lte=F(at))
    return Case(
        When(Exists(on_requests) | Exists(without.order_by()), then=asked),
        When(stands, then=F("case__level_since")),
        default=Coalesce(Subquery(sent), asked),
        output_field=DateTimeField(),
    )


def handoffs(ids: Ids) -> Rows:
    """The facts of hand-offs."""
    rows = HandOff.objects.filter(case__in=ids).order_by()
    timed = rows.annotate(
        day=DayOf("sent_at"),
        answered=SecondsBetween(F("sent_at"), F("answered_at")),
        acted=SecondsBetween(F("answered_at"), F("first_act_at")),
    )
    return timed.values_list("case_id", "case__account_id", "day", "state", "answered", "acted")


def reopenings(ids: Ids) -> Iterator[Fact]:
    """The facts of reopenings, from the log: a move out of resolved, in review or closed."""
    # The count finds the few cases whose moves are worth reading.
    back = Escalation.objects.filter(pk__in=ids, reopened_count__gt=0).values("pk")
    moves = Event.objects.filter(case__in=back, kind="moved").order_by("case_id", "seq")
    columns = moves.values_list("case_id", "case__account_id", "at", "data")
    for (case, account), group in groupby(columns, key=lambda row: row[:2]):
        solved: list[datetime] = []
        for *_, at, data in group:
            if data["to"] == states.RESOLVED:
                solved.append(at)
            if data["verb"] == "reopen":
                yield case, account, at.astimezone(UTC).date(), any(at - before <= SOON for before in solved)


def clocks(ids: Ids) -> Iterator[Fact]:
    """The facts of the clocks that were met or missed, with the tally as text. Those that were stopped are in no figure."""
    ended = Clock.objects.filter(case__in=ids, state__in=[Clock.MET, Clock.MISSED], stopped_at__isnull=False)
    warned = Case(When(warned_at__isnull=False, then=True), default=False, output_field=BooleanField())
    of_day = ("case_id", "case__account_id", "day")
    rows = ended.annotate(day=DayOf("stopped_at"), warned=warned).values_list(*of_day, "kind", "state", "warned")
    counted = rows.annotate(n=Count("pk")).order_by(*of_day)
    for key, group in groupby(counted.iterator(chunk_size=2000), key=lambda row: row[:3]):
        counts: Counter[tallies.Kind] = Counter()
        for *_, kind, state, is_warned, number in group:
            counts[kind, tallies.colour(missed=state == Clock.MISSED, warned=is_warned)] += number
        yield (*key, tallies.write(counts))


# What the tables should hold for these cases, in the order of `COLUMNS`.
FACTS: Mapping[type[Model], Callable[[Ids], Iterable[Fact]]] = {
    CaseFact: cases,
    DecisionFact: decisions,
    HandOffFact: handoffs,
    ClockFact: clocks,
    ReopeningFact: reopenings,
}


def spans(ids: Ids) -> Rows:
    """The facts of these cases with `first` and `last`: the days between which all facts of a case lie."""
    own = (F("opened_on"), Coalesce("resolved_on", "opened_on"))
    others = (DecisionFact, HandOffFact, ClockFact, ReopeningFact)

    def of_others(end: type[Min] | type[Max]) -> list[Combinable]:
        rows = (model._default_manager.filter(case=OuterRef("pk")).order_by().values("case") for model in others)
        return [Coalesce(Subquery(each.annotate(day=end("day")).values("day")), "opened_on") for each in rows]

    columns = {"first": Least(*own, *of_others(Min)), "last": Greatest(*own, *of_others(Max))}
    return CaseFact.objects.filter(case__in=ids).annotate(**columns)
