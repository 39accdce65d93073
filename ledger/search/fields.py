"""The columns of the search index, and what SQL asks of them."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Col
from django.db.models.lookups import In
from django.db.models.sql.compiler import SQLCompiler

from ledger.search.rules import Query

SQL = tuple[str, list[Any]]


class IndexedText(models.TextField):
    """Words of the index. The lookup `matches` takes a Query, and asks the whole index whichever field it is used on."""


def _index_of(column: Col, compiler: SQLCompiler) -> tuple[str, str]:
    """The index in SQL: as it is named in the statement, and its own name, which SQLite's MATCH and bm25 ask for."""
    table = column.target.model._meta.db_table
    return compiler.quote_name_unless_alias(column.alias), compiler.connection.ops.quote_name(table)


@IndexedText.register_lookup
class Matches(models.Lookup):
    """Whether the index finds the row."""

    lookup_name = "matches"
    prepare_rhs = False

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> SQL:
        """FTS5 keeps the whole row in a column that is named as the table."""
        alias, table = _index_of(self.lhs, compiler)
        return f"{alias}.{table} MATCH %s", [self.rhs.fts5]

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> SQL:
        """The column `terms` is made by the database."""
        return f"{_index_of(self.lhs, compiler)[0]}.terms @@ to_tsquery('simple', %s)", [self.rhs.tsquery]


@IndexedText.register_lookup
class Among(In):
    """Whether the key of the row is among others, given as a queryset."""

    lookup_name = "among"

    def process_lhs(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, lhs: Any = None) -> SQL:
        """With a plus, SQLite does not ask FTS5 once for each of the others."""
        alias, _name = _index_of(self.lhs, compiler)
        return f"{'+' * (connection.vendor == 'sqlite')}{alias}.rowid", []


class Fit(models.Func):
    """How well a row fits the query, more is better: a word in `head` counts more than one in `body`, a rare one more
    than a common one on SQLite (bm25; PostgreSQL has ts_rank)."""

    def __init__(self, column: str, query: Query) -> None:
        super().__init__(models.F(column), output_field=models.FloatField())
        self.query = query

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> SQL:
        """Less is better in SQLite."""
        alias, table = _index_of(self.source_expressions[0], compiler)
        return f"-bm25({alias}.{table}, 8.0, 1.0)", []

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> SQL:
        """The weights of `head` and `body` are A and D."""
        alias, _name = _index_of(self.source_expressions[0], compiler)
        return f"ts_rank({alias}.terms, to_tsquery('simple', %s))", [self.query.tsquery]
