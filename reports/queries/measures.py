"""Durations computed by the database as plain numbers, so that Python converts no row to a date."""

from datetime import datetime
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, DateTimeField, Expression, F, FloatField, Func, IntegerField, Value
from django.db.models.expressions import Combinable
from django.db.models.sql.compiler import SQLCompiler

Sql = tuple[str, tuple[str | int, ...]]


class SecondsBetween(Func):
    """Seconds from the first moment to the second, to the millisecond."""

    output_field = FloatField()
    template = "EXTRACT(EPOCH FROM (%(expressions)s))"
    arg_joiner = " - "

    def __init__(self, start: Combinable, end: Combinable) -> None:
        super().__init__(end, start)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        """Julian days are exact to well under a millisecond."""
        later, earlier = self.source_expressions
        later_sql, later_values = compiler.compile(later)
        earlier_sql, earlier_values = compiler.compile(earlier)
        sql = f"ROUND((julianday({later_sql}) - julianday({earlier_sql})) * 86400.0, 3)"
        return sql, (*later_values, *earlier_values)


class WholeSteps(Func):
    """The number of whole steps of `size` seconds in a number of seconds that is not negative."""

    output_field = IntegerField()
    template = "CAST(FLOOR((%(expressions)s) / %(size)s) AS INTEGER)"

    def __init__(self, seconds: Expression, size: int) -> None:
        super().__init__(seconds, size=size)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        """SQLite cuts towards zero, which is the floor of a value that is not negative."""
        return self.as_sql(compiler, connection, template="CAST((%(expressions)s) / %(size)s AS INTEGER)", **context)


class MonthOf(Func):
    """The calendar month of a moment in UTC, such as 2026-02."""

    output_field = CharField()
    template = "TO_CHAR((%(expressions)s) AT TIME ZONE 'UTC', 'YYYY-MM')"

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        """Moments are kept as text that starts with the month."""
        return self.as_sql(compiler, connection, template="SUBSTR(%(expressions)s, 1, 7)", **context)


def since(start: datetime, field: str) -> SecondsBetween:
    """Seconds from a fixed moment to a column."""
    return SecondsBetween(Value(start, output_field=DateTimeField()), F(field))
