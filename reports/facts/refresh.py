"""Writes the facts of cases anew, and compares them with their definitions."""

from collections.abc import Iterable, Iterator, Sequence

from django.db import connection, transaction
from django.db.models import F, Max, Min, Model, QuerySet

from escalations.models import Escalation
from ledger.now import now
from reports.facts.definitions import COLUMNS, FACTS, Ids, spans
from reports.models import ClockFact, Progress, Tally

AT_ONCE = 250


@transaction.atomic
def refresh(ids: Ids) -> None:
    """Write the facts of these cases anew. One at a time: others wait for the row of the progress."""
    Progress.objects.get_or_create(pk=1, defaults={"at": now()})
    Progress.objects.select_for_update().get(pk=1)
    if not ids:
        return
    # The case first: it says how long the logs were before anything else is read, so that an entry committed meanwhile
    # is never taken for one that was counted.
    for model in FACTS:
        old = model._default_manager.filter(case__in=ids)
        old._raw_delete(old.db)
        _write(model, FACTS[model](ids))
    spans(ids).update(first_on=F("first"), last_on=F("last"))


def _write(model: type[Model], rows: Iterable[tuple[object, ...]]) -> None:
    """What is a query is written by the database itself."""
    if not isinstance(rows, QuerySet):
        if model is ClockFact:
            rows = _with_tallies(list(rows))
        made = [model(**dict(zip(COLUMNS[model], row, strict=True))) for row in rows]
        model._default_manager.bulk_create(made, batch_size=2000)
        return
    sql, values = rows.query.sql_with_params()
    names = ", ".join(f'"{name}"' for name in COLUMNS[model])
    with connection.cursor() as cursor:
        cursor.execute(f'INSERT INTO "{model._meta.db_table}" ({names}) {sql}', values)


def _with_tallies(rows: Sequence[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """The same rows with the id of the tally for its text."""
    texts = {str(text) for *_, text in rows}
    known = Tally.objects.in_bulk(texts, field_name="text")
    Tally.objects.bulk_create([Tally(text=text) for text in sorted(texts - known.keys())])
    known = Tally.objects.in_bulk(texts, field_name="text")
    return [(*values, known[str(text)].pk) for *values, text in rows]


def parts() -> Iterator[list[int]]:
    """The ids of all cases, in parts that are written in one transaction each."""
    ends = Escalation.objects.aggregate(low=Min("pk"), high=Max("pk"))
    if ends["low"] is not None:
        for start in range(ends["low"], ends["high"] + 1, AT_ONCE):
            yield list(Escalation.objects.filter(pk__gte=start, pk__lt=start + AT_ONCE).values_list("pk", flat=True))


def differences(ids: Ids) -> Iterator[str]:
    """Every row that is missing or should not be there, as text."""
    for model, columns in COLUMNS.items():
        wanted = [_comparable(row) for row in FACTS[model](ids)]
        shown = ("tally__text" if name == "tally_id" else name for name in columns)
        stored = [_comparable(row) for row in model._default_manager.filter(case__in=ids).values_list(*shown)]
        for row in sorted(set(wanted) - set(stored)):
            yield f"{model._meta.verbose_name} is missing: {', '.join(row)}"
        for row in sorted(set(stored) - set(wanted)):
            yield f"{model._meta.verbose_name} is wrong: {', '.join(row)}"
        if len(stored) != len(wanted) and set(stored) == set(wanted):
            yield f"{model._meta.verbose_name}: {len(stored)} rows of cases {ids[0]} to {ids[-1]}, not {len(wanted)}"
    for case in spans(ids).exclude(first_on=F("first"), last_on=F("last")):
        yield f"{case}: the days of its facts are wrong"


def _comparable(row: tuple[object, ...]) -> tuple[str, ...]:
    return tuple(str(each) for each in row)
