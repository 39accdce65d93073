"""Durations computed by the database as plain numbers, so that Python converts no row to a date."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    Aggregate,
    BigIntegerField,
    BooleanField,
    CharField,
    DateField,
    F,
    Func,
    TextField,
)
from django.db.models.expressions import Combinable
from django.db.models.sql.compiler import SQLCompiler

Sql = tuple[str, tuple[str | int, ...]]


class SecondsBetween(Func):
    """Whole seconds from the first moment to the second, never below zero. Moments count to the millisecond."""

    output_field = BigIntegerField()

    def __init__(self, start: Combinable, end: Combinable) -> None:
        super().__init__(start, end)

    def _written(self, compiler: SQLCompiler, seconds: str) -> Sql:
        """`seconds` as SQL with `{start}` and `{end}`. Written twice, so that nothing stays nothing."""
        (start, start_values), (end, end_values) = map(compiler.compile, self.source_expressions)
        whole = f"FLOOR(ROUND({seconds.format(start=start, end=end)}, 3))"
        values = (*end_values, *start_values)
        return f"CASE WHEN {whole} < 0 THEN 0 ELSE CAST({whole} AS bigint) END", (*values, *values)

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        """Exact to the microsecond."""
        return self._written(compiler, "EXTRACT(EPOCH FROM ({end} - {start}))")

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        """Julian days are exact to well under a millisecond."""
        return self._written(compiler, "(julianday({end}) - julianday({start})) * 86400.0")


class MonthOf(Func):
    """The calendar month of a day, such as 2026-02."""

    output_field = CharField()
    template = "TO_CHAR(%(expressions)s, 'YYYY-MM')"

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        """Days are kept as text that starts with the month."""
        return self.as_sql(compiler, connection, template="SUBSTR(%(expressions)s, 1, 7)", **context)


class DayOf(Func):
    """The day of a moment in UTC."""

    output_field = DateField()
    template = "CAST((%(expressions)s) AT TIME ZONE 'UTC' AS date)"

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        """Moments are kept as text that starts with the day."""
        return self.as_sql(compiler, connection, template="SUBSTR(%(expressions)s, 1, 10)", **context)


class Joined(Aggregate):
    """All values as one text with commas between them; None without values.

    One text with a hundred thousand numbers is read several times faster than as many rows.
    """

    name = "Joined"
    output_field = TextField()
    allow_distinct = True
    template = "STRING_AGG(%(distinct)sCAST(%(expressions)s AS text), ',')"

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        """The comma is SQLite's own choice."""
        return self.as_sql(compiler, connection, template="GROUP_CONCAT(%(distinct)s%(expressions)s)", **context)


class OneOf(Func):
    """Whether a column holds one of many ids, which come as `Joined` gave them: as one text and one parameter."""

    output_field = BooleanField()

    def __init__(self, field: str, ids: str) -> None:
        super().__init__(F(field))
        self.ids = ids

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        """An array, which is hashed when it is long."""
        column_sql, column_values = compiler.compile(self.source_expressions[0])
        return f"({column_sql} = ANY(%s::bigint[]))", (*column_values, f"{{{self.ids}}}")

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        """A list in JSON, which becomes a table with an index."""
        column_sql, column_values = compiler.compile(self.source_expressions[0])
        inside = f"({column_sql} IN (SELECT value FROM json_each(%s)))"  # noqa: S608 a column of our own
        return inside, (*column_values, f"[{self.ids}]")
