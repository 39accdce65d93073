"""The index of the words by which rows are found: FTS5 on SQLite, a tsvector with GIN on PostgreSQL.

A kind of rows has an index when a model of its app subclasses `SearchWords`. The verbs that write the indexed columns call
`write` or `add`; nothing else does, and `rebuild_search` compares and repairs.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple, Self, TypeVar

from django.apps import apps
from django.core.exceptions import EmptyResultSet
from django.db import connection, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q
from django.db.models.expressions import RawSQL

from ledger.models import SearchWords
from ledger.search.rules import Query

BATCH = 500
Row = TypeVar("Row", bound=models.Model)


@dataclass(frozen=True)
class Dialect:
    """The SQL of a database. `w` is the index, {table} its name; {keys} is a select of keys."""

    tables: tuple[str, ...]
    match: str
    fit: str
    among: str
    newest: str


DIALECTS = {
    "sqlite": Dialect(
        # Words are cut already, so anything but a space belongs to a word. Prefixes of two and three letters are kept.
        tables=("CREATE VIRTUAL TABLE {table} USING fts5(head, body, tokenize = 'ascii', prefix = '2 3')",),
        # FTS5 keeps the whole row in a column that is named as the table. Less is better in bm25.
        match="w.{table} MATCH %s",
        fit="-bm25(w.{table}, 8.0, 1.0)",
        # Without the plus, SQLite would ask FTS5 once for each key, which takes seconds.
        among="+w.rowid IN ({keys})",
        newest="SELECT w.rowid, {fit}, {lead} FROM {table} w WHERE {match} AND {check} ORDER BY w.rowid DESC LIMIT %s",
    ),
    "postgresql": Dialect(
        tables=(
            # The border keeps a phrase from reaching from the head into the body.
            """CREATE TABLE {table} (
                rowid bigint PRIMARY KEY, head text NOT NULL, body text NOT NULL, terms tsvector GENERATED ALWAYS AS
                (setweight(to_tsvector('simple', head || ' ß'), 'A') || to_tsvector('simple', body)) STORED
            )""",
            "CREATE INDEX {index} ON {table} USING gin (terms)",
        ),
        match="w.terms @@ to_tsquery('simple', %s)",
        fit="ts_rank(w.terms, to_tsquery('simple', %s))",
        # As an array: given a subquery, PostgreSQL reads all rows of a common word to join them.
        among="w.rowid = ANY(ARRAY({keys}))",
        # In two steps, or PostgreSQL would check all hits before it takes the newest.
        newest="""SELECT w.rowid, {fit}, {lead}
            FROM (SELECT w.rowid, w.terms FROM {table} w WHERE {match} ORDER BY w.rowid DESC) w
            WHERE {check} ORDER BY w.rowid DESC LIMIT %s""",
    ),
}


class Hits(NamedTuple):
    """Ids of rows, the best first, and whether there are more rows than were looked at."""

    ids: list[int]
    more: bool


NOTHING = Hits([], more=False)
# Asked for each hit. Of a join or an EXISTS, PostgreSQL may read all rows first; SQLite may ask the index once for each row.
ONE = "({keys} LIMIT 1) IS NOT NULL"


def matches(model: type[models.Model], text: str) -> Q:
    """The condition of `SearchableQuerySet.matching`, for flags and alternatives."""
    query, table = Query.read(text), _table(model)
    if not query:
        return Q(pk__in=())
    match = DIALECTS[connection.vendor].match.format(table=table)
    # A subquery, not a join: joined, SQLite might ask the index once for each row.
    return Q(pk__in=RawSQL(f"SELECT w.rowid FROM {table} w WHERE {match}", [_asked(query)]))  # noqa: S608, S611


class SearchableQuerySet(models.QuerySet[Row]):
    """Rows that have an index under the name `words`."""

    def matching(self, text: str) -> Self:
        """The rows with all words that a person typed, by their beginnings; words in quotation marks stand side by side.
        Text without a letter or digit finds nothing."""
        return self.filter(matches(self.model, text))

    def best(self, text: str, most: int, *, first: Q | None = None, within: models.QuerySet[Row] | None = None) -> Hits:
        """Of the rows with all these words: the newest `most`, the best first; those that meet `first` before the others.
        A word in the head counts more than one in the body; a rare word counts more than a common one on SQLite only.

        The conditions of this queryset are checked hit by hit until there are enough. The ids of `within`, to which the hits
        must belong, are read first, so it should be a small part of all rows.
        """
        query = Query.read(text)
        if not query:
            return NOTHING
        dialect, table, asked = DIALECTS[connection.vendor], _table(self.model), _asked(query)
        this = Q(pk=RawSQL("w.rowid", ()))
        match, fit, lead, check = dialect.match.format(table=table), dialect.fit.format(table=table), "0", "1 = 1"
        values: list[Any] = [asked] * fit.count("%s")
        try:
            if first:
                lead = _compiled(self.model._default_manager.filter(this, first), ONE, values)
            values.append(asked)
            if within is not None:
                match += " AND " + _compiled(within, dialect.among, values)
            if self.query.where:
                check = _compiled(self.filter(this), ONE, values)
        except EmptyResultSet:
            return NOTHING
        with connection.cursor() as cursor:
            newest = dialect.newest.format(table=table, match=match, fit=fit, lead=lead, check=check)
            cursor.execute(newest, [*values, most + 1])
            rows = cursor.fetchall()
        ranked = sorted(rows[:most], key=lambda row: (-row[2], -row[1], -row[0]))
        return Hits([each for each, *_ in ranked], len(rows) > most)


def _compiled(rows: models.QuerySet[Any], condition: str, values: list[Any]) -> str:
    """A condition on the keys of a queryset; its values are added to `values`. Raises EmptyResultSet."""
    keys, own = rows.order_by().values("pk").query.sql_with_params()
    values += own
    return condition.format(keys=keys)


def _asked(query: Query) -> str:
    return query.fts5 if connection.vendor == "sqlite" else query.tsquery


def _table(model: type[models.Model]) -> str:
    """The name of the index of a model, in SQL."""
    field: Any = model._meta.get_field("words")
    return connection.ops.quote_name(field.related_model._meta.db_table)


class Difference(NamedTuple):
    """A row whose words are not as they should be; None where there are none."""

    pk: int
    wanted: SearchWords | None
    found: SearchWords | None

    def __str__(self) -> str:
        word = "missing" if self.found is None else "of no row" if self.wanted is None else "out of date"
        row = self.wanted or self.found
        return f"{row._meta.label if row else ''} {self.pk}: {word}"


def indexes() -> list[type[SearchWords]]:
    """The indexes of all apps."""
    return [model for model in apps.get_models() if issubclass(model, SearchWords)]


def add(index: type[SearchWords], owner: models.Model) -> None:
    """Index a row that was just created. Call it inside the transaction that created it."""
    index.of(owner).save(force_insert=True)


def renew(index: type[SearchWords], owner: models.Model) -> None:
    """Index a row that was changed. Call it inside the transaction that holds its lock."""
    index.of(owner).save()


@transaction.atomic
def write(index: type[SearchWords], ids: Collection[int]) -> None:
    """Index these rows as they are now, under their locks. Call it inside the transaction that changed them."""
    waiting, owners = iter(sorted(set(ids))), _owners(index)
    while some := list(islice(waiting, BATCH)):
        list(owners.filter(pk__in=some).select_for_update(no_key=True).order_by("pk").values_list("pk"))
        _repair(index, list(_differences(index, some)))


def differences(index: type[SearchWords]) -> Iterator[Difference]:
    """All rows whose words are not as they should be."""
    last, owners = 0, _owners(index)
    while some := list(owners.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        last = some[-1]
        yield from _differences(index, some)
    left_over = index._default_manager.exclude(pk__in=owners.order_by().values("pk"))
    yield from [Difference(words.pk, None, words) for words in left_over]


def rebuild(index: type[SearchWords], tell: Callable[[Difference], object] = lambda difference: None) -> int:
    """Repair every difference, some at a time; returns how many."""
    count, wrong = 0, differences(index)
    while some := list(islice(wrong, BATCH)):
        for each in some:
            tell(each)
        write(index, [each.pk for each in some])
        count += len(some)
    return count


def _owners(index: type[SearchWords]) -> models.QuerySet[Any]:
    return index.owners().model._default_manager.all()


def _differences(index: type[SearchWords], ids: Collection[int]) -> Iterator[Difference]:
    wanted = {owner.pk: index.of(owner) for owner in index.owners().filter(pk__in=ids)}
    found = index._default_manager.in_bulk(ids)
    for pk in ids:
        want, have = wanted.get(pk), found.get(pk)
        if (want and (want.head, want.body)) != (have and (have.head, have.body)):
            yield Difference(pk, want, have)


def _repair(index: type[SearchWords], wrong: Sequence[Difference]) -> None:
    if outdated := [each.pk for each in wrong if each.found]:
        index._default_manager.filter(pk__in=outdated).delete()
    index._default_manager.bulk_create([each.wanted for each in wrong if each.wanted])


# Its tables


def install(using: str = "default") -> None:
    """Create the tables that do not exist yet, and index the rows that do."""
    connection = connections[using]
    for index in _missing(connection):
        table = connection.ops.quote_name(index._meta.db_table)
        name = connection.ops.quote_name(f"{index._meta.db_table}_terms")
        with connection.cursor() as cursor:
            for statement in DIALECTS[connection.vendor].tables:
                cursor.execute(statement.format(table=table, index=name))
        rebuild(index)


def missing(using: str = "default") -> list[str]:
    """Names of tables that should exist and do not."""
    return [index._meta.db_table for index in _missing(connections[using])]


def _missing(connection: BaseDatabaseWrapper) -> list[type[SearchWords]]:
    existing = set(connection.introspection.table_names())
    return [
        index
        for index in indexes()
        if index._meta.db_table not in existing and index.owners().model._meta.db_table in existing
    ]
