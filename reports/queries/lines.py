"""The numbers behind all figures of a page, counted by the database in one query."""

from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from django.db import connection
from django.db.models import Count, DateField, F, Max, Q, QuerySet, Sum, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Concat

from accounts.models import Account
from reports.models import CaseFact, ClockFact, DecisionFact, HandOffFact, ReopeningFact, Tally
from reports.queries.measures import Joined
from reports.queries.scope import Counted
from reports.rules.periods import Period

OPENED, DECIDED, RESOLVED, CAUSED, MONEY = "opened", "decided", "resolved", "caused", "money"
ENDED, TALLIES, HANDED_OFF, REOPENED, REGIONS = "ended", "tallies", "handed_off", "reopened", "regions"
# What figures need; the rest is for charts and the numbers beside them.
FIGURES = (OPENED, DECIDED, RESOLVED, CAUSED)
EMPTY = Value("", output_field=TextField())
# No model has the columns that a query adds.
Rows: TypeAlias = "QuerySet[Any]"


class Line(NamedTuple):
    """A group of equal facts: the day and the texts by which they are grouped, how many they are, and their numbers."""

    day: date
    first: str
    second: str
    third: str
    number: int
    values: list[int]
    more: list[int]


def _numbers(joined: str | None) -> list[int]:
    """The numbers in a text of `Joined`."""
    return [*map(int, joined.split(","))] if joined else []


def opened(counted: Counted) -> Rows:
    """Cases by day, without duplicates; `values`: seconds from impasse to opening."""
    rows = CaseFact.objects.filter(either(counted.period, "opened_on"), duplicate=False)
    return _lines(OPENED, counted.narrow(rows), F("opened_on"), values=Joined("took"))


def decided(counted: Counted) -> Rows:
    """Decisions by day, level and type of the case; `values`: seconds, `more`: how many override, and how many had a
    recommendation."""
    rows = DecisionFact.objects.filter(either(counted.period, "day"))
    overrides, recommended = Count("pk", filter=Q(override=True)), Count("override")
    comma = Value(",", output_field=TextField())
    both = Concat(Cast(overrides, TextField()), comma, Cast(recommended, TextField()), output_field=TextField())
    return _lines(DECIDED, counted.narrow(rows), F("day"), F("level"), F("kind"), values=Joined("took"), more=both)


def resolved(counted: Counted) -> Rows:
    """Resolved cases by day, levels that decided, and level."""
    rows = CaseFact.objects.filter(either(counted.period, "resolved_on"))
    return _lines(RESOLVED, counted.narrow(rows), F("resolved_on"), F("decided"), F("level"))


def money(counted: Counted) -> Rows:
    """Resolved cases of the period by day, currency and outcome; `values`: the sum of their ARR at risk, in cents."""
    rows = CaseFact.objects.filter(within(counted.period, "resolved_on")).exclude(outcome="")
    cents = Cast(Sum("cents"), TextField())
    return _lines(MONEY, counted.narrow(rows), F("resolved_on"), F("currency"), F("outcome"), values=cents)


def caused(counted: Counted) -> Rows:
    """Resolved cases by month, cause and spelling; `values`: how many in the period, how many before, and the newest case of
    the period."""
    period = counted.period
    rows = CaseFact.objects.filter(
        either(period, "resolved_on"),
        month__gte=str(period.previous_start.date())[:7],
        month__lte=str(period.last_day)[:7],
    ).exclude(same_cause="")
    present = Count("pk", filter=Q(resolved_on__gte=period.first_day))
    newest = Coalesce(Max("case_id", filter=Q(resolved_on__gte=period.first_day)), 0)
    counts = Concat(
        *(Cast(present, TextField()), Value(","), Cast(Count("pk") - present, TextField()), Value(",")),
        Cast(newest, TextField()),
        output_field=TextField(),
    )
    return _lines(
        CAUSED, counted.narrow(rows), _any_day(period), F("month"), F("same_cause"), F("cause"), values=counts
    )


def ended(counted: Counted) -> Rows:
    """Days of cases on which clocks ended in the period, by day and tally; `values`: the number of the tally."""
    rows = ClockFact.objects.filter(within(counted.period, "day"))
    return _lines(ENDED, counted.narrow(rows), F("day"), values=Cast(Max("tally_id"), TextField()), by=("tally_id",))


def all_tallies(counted: Counted) -> Rows:
    """The texts of all tallies; `values`: the number of each."""
    number = Cast(Max("pk"), TextField())
    return _lines(TALLIES, Tally.objects.all(), _any_day(counted.period), F("text"), values=number)


def handed_off(counted: Counted) -> Rows:
    """Hand-offs of the period by day and state; `values`: seconds to the answer, `more`: from there to the first act."""
    rows = HandOffFact.objects.filter(within(counted.period, "day"))
    return _lines(
        HANDED_OFF, counted.narrow(rows), F("day"), F("state"), values=Joined("answered"), more=Joined("acted")
    )


def reopened(counted: Counted) -> Rows:
    """Reopenings of the period by day; `values`: how many came soon."""
    rows = ReopeningFact.objects.filter(within(counted.period, "day"))
    soon = Cast(Count("pk", filter=Q(soon=True)), TextField())
    return _lines(REOPENED, counted.narrow(rows), F("day"), values=soon)


def regions(counted: Counted) -> Rows:
    """Regions with cases that have anything in one of the two periods, for the filter."""
    accounts = Account.objects.filter(pk__in=counted.visible(counted.cases()).values("account"))
    return _lines(REGIONS, accounts.exclude(region=""), _any_day(counted.period), F("region"))


READS: Mapping[str, Callable[[Counted], Rows]] = {
    OPENED: opened,
    DECIDED: decided,
    RESOLVED: resolved,
    CAUSED: caused,
    MONEY: money,
    ENDED: ended,
    TALLIES: all_tallies,
    HANDED_OFF: handed_off,
    REOPENED: reopened,
    REGIONS: regions,
}


def read(counted: Counted, *names: str) -> dict[str, list[Line]]:
    """The lines of these reads by their names, in one query."""
    first, *others = (READS[name](counted) for name in names)
    found: dict[str, list[Line]] = {name: [] for name in names}
    sql, values = first.union(*others, all=True).query.sql_with_params()
    with connection.cursor() as cursor:
        # Not through the ORM, which takes as long for tens of thousands of rows as the database does for counting them.
        cursor.execute(sql, values)
        for what, day, first_text, second, third, count, joined, more in cursor.fetchall():
            line = Line(_as_date(day), first_text, second, third, count, _numbers(joined), _numbers(more))
            found[what].append(line)
    return found


@lru_cache(maxsize=4096)
def _as_date(day: date | str) -> date:
    """SQLite keeps days as text."""
    return day if isinstance(day, date) else date.fromisoformat(day)


def within(period: Period, field: str) -> Q:
    """Days of the period."""
    return Q(**{f"{field}__gte": period.first_day, f"{field}__lt": period.end.date()})


def either(period: Period, field: str) -> Q:
    """Days of the period and of the one before it: one range of the index, whose gap, if there is one, is left out."""
    both = Q(**{f"{field}__gte": period.previous_start.date(), f"{field}__lt": period.end.date()})
    if period.previous_end == period.start:
        return both
    return both & (Q(**{f"{field}__gte": period.first_day}) | Q(**{f"{field}__lt": period.previous_end.date()}))


def _any_day(period: Period) -> Value:
    """For rows that no day divides: a constant, by which nothing is grouped."""
    return Value(period.first_day, output_field=DateField())


def _lines(
    what: str,
    rows: Rows,
    day: Combinable,
    *texts: Combinable,
    values: Combinable = EMPTY,
    more: Combinable = EMPTY,
    by: tuple[str, ...] = (),
) -> Rows:
    """Rows grouped by day, texts and the columns `by`, with the columns of a `Line`."""
    named = {f"text{place}": text for place, text in enumerate((*texts, *[EMPTY] * (3 - len(texts))))}
    groups = rows.order_by().values(*by, what=Value(what, output_field=TextField()), on=day, **named)
    counted = groups.annotate(rows=Count("pk"), joined=values, joined_too=more)
    return counted.values_list("what", "on", *named, "rows", "joined", "joined_too")
