"""Ids put aside for rows that are written in bulk, so that a desk that runs meanwhile never takes the same ones."""

from collections.abc import Iterator, Mapping

from django.db import connection, models, transaction
from django.db.models import Max

Model = type[models.Model]
Ids = Mapping[Model, Iterator[int]]
SPARE = 5000
FIRST_NUMBER = 1001  # of cases


@transaction.atomic
def reserve(a_case: Mapping[Model, int], cases: int) -> Ids:
    """The next ids of each model, enough for so many cases; its own sequence goes on behind them."""
    found: dict[Model, Iterator[int]] = {}
    for model, each in a_case.items():
        number = each * cases + (SPARE if each > 1 else 0)
        first = max(_last(model) + 1, FIRST_NUMBER if model.__name__ == "Escalation" else 1)
        _set_last(model, first + number - 1)
        found[model] = iter(range(first, first + number))
    return found


@transaction.atomic
def give_back(a_case: Mapping[Model, int]) -> None:
    """What was put aside and not used is free again."""
    for model in a_case:
        _hold(model)
        _set_last(model, model._default_manager.aggregate(last=Max("pk"))["last"] or 1)


def _last(model: Model) -> int:
    """The last id given, whether or not its row is still there."""
    _hold(model)
    name = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_sequence_last_value(pg_get_serial_sequence(%s, 'id')::regclass)", [name])
        else:
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [name])
        row = cursor.fetchone()
    return int(row[0]) if row and row[0] is not None else 0


def _hold(model: Model) -> None:
    """On PostgreSQL nobody inserts until our transaction ends; SQLite has one writer anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {connection.ops.quote_name(model._meta.db_table)} IN SHARE ROW EXCLUSIVE MODE")


def _set_last(model: Model, last: int) -> None:
    name = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [name, last])
            return
        cursor.execute("UPDATE sqlite_sequence SET seq = %s WHERE name = %s", [last, name])
        if not cursor.rowcount:
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [name, last])
