"""Several counts in one statement."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import IntegerField, Model, QuerySet, Subquery

Counted = TypeVar("Counted", bound=Model)


class RowCount(Subquery):
    """`SELECT COUNT(*)` over a whole query, as one column of another. With `most`, counting stops at `most` + 1."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()

    def __init__(self, queryset: QuerySet[Counted], *, most: int | None = None) -> None:
        rows = queryset.order_by().values("pk")
        super().__init__(rows if most is None else rows[: most + 1])


def counts_of(queries: Mapping[str, QuerySet[Any]]) -> dict[str, int]:
    """How many rows each query has, in one statement."""
    return read_counts(tuple(queries), *counting(queries.values()))


def counting(queries: Iterable[QuerySet[Any]]) -> tuple[str, list[Any]]:
    """The statement and its parameters. Put together as text: every page runs it, and nesting the queries in another one
    takes Django two milliseconds more."""
    columns: list[str] = []
    values: list[Any] = []
    for rows in queries:
        try:
            sql, places = rows.order_by().values("pk").query.sql_with_params()
        except EmptyResultSet:
            sql, places = "SELECT 1 WHERE 1 = 0", ()
        columns.append(f"(SELECT COUNT(*) FROM ({sql}) counted)")  # noqa: S608 SQL of our own queries
        values += places
    return f"SELECT {', '.join(columns)}", values


def read_counts(names: Sequence[str], sql: str, values: Sequence[Any]) -> dict[str, int]:
    """The numbers that the statement finds."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return dict(zip(names, cursor.fetchone(), strict=True))
