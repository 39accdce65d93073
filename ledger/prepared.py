"""Queries that nearly every page runs, with their SQL put together once.

Django takes several times as long to put such SQL together as the database to answer. So it is done once for each process,
from markers instead of values, and only the values change. What a query says still stands in one place, its queryset.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)
Value = int | datetime

# No real number and no real moment is one of these.
MARKED_NUMBER, MARKED_MOMENT = -987_654_321_000, datetime(1, 1, 2, tzinfo=UTC)


class PreparedSQL:
    """SQL with its parameters. `build` makes both from the values. Each value is a parameter and decides nothing else."""

    def __init__(self, build: Callable[..., tuple[str, Sequence[Any]]], *kinds: type[int] | type[datetime]) -> None:
        self._build = build
        self._markers: list[Value] = [
            MARKED_NUMBER - place if kind is int else MARKED_MOMENT + timedelta(days=place)
            for place, kind in enumerate(kinds)
        ]

    @cached_property
    def _made(self) -> tuple[str, list[tuple[int | None, Any]]]:
        """The SQL; of each parameter the place of its value, or None and the parameter itself."""
        sql, parameters = self._build(*self._markers)
        places = {_adapted(marker): place for place, marker in enumerate(self._markers)}
        return sql, [(places.get(each), each) for each in parameters]

    def with_values(self, *values: Value) -> tuple[str, list[Any]]:
        """The SQL, and its parameters for these values."""
        sql, parameters = self._made
        return sql, [each if place is None else _adapted(values[place]) for place, each in parameters]


class PreparedRows(Generic[Row]):
    """The rows of one model that a queryset reads; `build` makes it from the values."""

    def __init__(
        self, model: type[Row], build: Callable[..., QuerySet[Row]], *kinds: type[int] | type[datetime]
    ) -> None:
        self._model = model
        self._sql = PreparedSQL(lambda *markers: build(*markers).query.sql_with_params(), *kinds)

    def read(self, *values: Value) -> list[Row]:
        """The rows for these values. One query."""
        return list(self._model._default_manager.raw(*self._sql.with_values(*values)))


def _adapted(value: Value) -> Any:  # `Any`: what the driver of the database takes
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value
