"""The index of the words by which rows are found: FTS5 on SQLite, a tsvector with GIN on PostgreSQL.

A kind of rows has an index when a model of its app subclasses `SearchWords`. The verbs that write the indexed columns call
`write` or `add`; nothing else does, and `rebuild_search` compares and repairs.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice
from typing import Any, ClassVar, NamedTuple, Self, TypeVar

from django.apps import apps
from django.db import connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Col
from django.db.models.lookups import In
from django.db.models.sql.compiler import SQLCompiler

from ledger.search.rules import Query, joined

BATCH = 500
Row = TypeVar("Row", bound=models.Model)
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


class Hits(NamedTuple):
    """Ids of rows, the best first, and whether there are more rows than were looked at."""

    ids: list[int]
    more: bool


class SearchableQuerySet(models.QuerySet[Row]):
    """Rows that have an index under the name `words`."""

    def matching(self, text: str) -> Self:
        """The rows with all words that a person typed, by their beginnings; words in quotation marks stand side by side.
        Text without a letter or digit finds nothing."""
        query = Query.read(text)
        # A subquery, not a join: joined, SQLite may ask the index once for each row, which takes seconds.
        return (
            self.filter(pk__in=self._index.objects.filter(head__matches=query).values("pk")) if query else self.none()
        )

    def best(self, text: str, most: int, *, within: "models.QuerySet[Row] | None" = None) -> Hits:
        """Of the rows with all these words: the newest `most`, the best first. The conditions of this queryset are checked
        hit by hit until there are enough; the ids of `within`, to which the hits must belong, are read first, so it should
        be a small part of all rows."""
        query = Query.read(text)
        if not query:
            return Hits([], more=False)
        # Joined only if there is something to check.
        rows, path = (self, "words__") if self.query.where else (self._index.objects.all(), "")
        found = rows.filter(**{f"{path}head__matches": query})
        if within is not None and within.query.where:
            found = found.filter(**{f"{path}head__among": within.order_by().values("pk")})
        pk = path + self._index._meta.pk.attname
        newest = list(found.order_by(f"-{pk}").values_list(pk, Fit(f"{path}head", query))[: most + 1])
        ranked = sorted(newest[:most], key=lambda row: (-row[1], -row[0]))
        return Hits([each for each, _ in ranked], len(newest) > most)

    @property
    def _index(self) -> "type[SearchWords]":
        field: Any = self.model._meta.get_field("words")
        return field.related_model


class SearchWords(models.Model):
    """The words of one row: `head` says what it is, `body` what else is known. Made by `install`, not by a migration: on
    SQLite it is a virtual table, whose key is the column `rowid`."""

    head = IndexedText()
    body = IndexedText()
    objects: ClassVar[models.Manager[Any]]

    class Meta:
        abstract = True
        managed = False

    @classmethod
    def owners(cls) -> models.QuerySet[Any]:
        """The rows that have words, with all that `texts` reads."""
        raise NotImplementedError

    @classmethod
    def texts(cls, owner: Any) -> tuple[Sequence[str], Sequence[str]]:
        """The indexed texts of a row: those of the head, those of the body."""
        raise NotImplementedError

    @classmethod
    def of(cls, owner: models.Model) -> Self:
        """The words of a row as they should be."""
        head, body = cls.texts(owner)
        return cls(pk=owner.pk, head=joined(*head), body=joined(*body))


class Difference(NamedTuple):
    """A row whose words are not as they should be; None where there are none."""

    pk: int
    wanted: SearchWords | None
    found: SearchWords | None

    def __str__(self) -> str:
        word = "missing" if self.found is None else "of no row" if self.wanted is None else "out of date"
        model = type(self.wanted or self.found)
        return f"{model._meta.label} {self.pk}: {word}"


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


TABLES = {
    # Words are cut already, so that anything but a space belongs to a word; prefixes of two and three letters are kept.
    "sqlite": ("CREATE VIRTUAL TABLE {table} USING fts5(head, body, tokenize = 'ascii', prefix = '2 3')",),
    "postgresql": (
        # The border keeps a phrase from reaching from the head into the body.
        """CREATE TABLE {table} (
            rowid bigint PRIMARY KEY, head text NOT NULL, body text NOT NULL, terms tsvector GENERATED ALWAYS AS
            (setweight(to_tsvector('simple', head || ' ß'), 'A') || to_tsvector('simple', body)) STORED
        )""",
        "CREATE INDEX {index} ON {table} USING gin (terms)",
    ),
}


def install(using: str = "default") -> None:
    """Create the tables that do not exist yet, and index the rows that do."""
    connection = connections[using]
    for index in _missing(connection):
        table = connection.ops.quote_name(index._meta.db_table)
        name = connection.ops.quote_name(f"{index._meta.db_table}_terms")
        with connection.cursor() as cursor:
            for statement in TABLES[connection.vendor]:
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
