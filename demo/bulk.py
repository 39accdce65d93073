"""Many rows at once: COPY on PostgreSQL, executemany on SQLite, and rows without the weight of a model instance.

A row class takes its columns, defaults and what a chain signs from its model, so it cannot drift from it. Nothing here
calls `save()` or sends a signal: who writes in bulk keeps the rules himself.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any

from django.db import connection, models

Model = type[models.Model]


def encode(value: Any) -> str:
    """JSON of a column; most columns are empty, and an encoder costs more than they do."""
    if not value and isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    return json.dumps(value)


class Row:
    """One row to be. Columns that are not given have the model's default, kept on the class."""

    id: int

    def __init__(self, **values: Any) -> None:
        self.__dict__ = values

    @property
    def pk(self) -> int:
        """As models call it; the chain asks for it."""
        return self.id


@cache
def row_class(model: Model) -> Any:
    """The row class of a model: its columns' defaults, and the names of what a chain signs and a clock is called."""
    space: dict[str, Any] = {field.attname: field.get_default() for field in model._meta.concrete_fields}
    del space["id"]
    # What a model works out itself; a column of such a name is no such thing.
    space |= {
        name: vars(model)[name]
        for name in ("content", "label", "key", "rule")
        if name in vars(model) and name not in space
    }
    return type(f"{model.__name__}Row", (Row,), space)


class Table:
    """How the rows of one model become parameters of an INSERT. Without `numbered`, the database gives the ids."""

    def __init__(self, model: Model, *, numbered: bool = True) -> None:
        fields = [field for field in model._meta.concrete_fields if numbered or not field.primary_key]
        quote = connection.ops.quote_name
        self.name = quote(model._meta.db_table)
        self.columns = ", ".join(quote(str(field.column)) for field in fields)
        self.places = ", ".join(["%s"] * len(fields))
        self.values = attrgetter(*(field.attname for field in fields))
        self.changes = [(place, change) for place, field in enumerate(fields) if (change := change_of(field))]

    def parameters(self, row: Any) -> list[Any]:
        """The row's values as the driver takes them."""
        values = list(self.values(row))
        for place, change in self.changes:
            if values[place] is not None:
                values[place] = change(values[place])
        return values

    def insert(self, rows: Sequence[Sequence[Any]]) -> None:
        """Write rows made by `parameters`."""
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                with cursor.copy(f"COPY {self.name} ({self.columns}) FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
            else:
                statement = f"INSERT INTO {self.name} ({self.columns}) VALUES ({self.places})"  # noqa: S608
                cursor.executemany(statement, rows)


@cache
def table(model: Model, *, numbered: bool = True) -> Table:
    """The table of a model."""
    return Table(model, numbered=numbered)


def insert(model: Model, rows: Iterable[Any]) -> None:
    """Write rows (of `row_class`, or unsaved instances) whose ids the database gives."""
    made = table(model, numbered=False)
    made.insert(list(map(made.parameters, rows)))


def among(rows: "models.QuerySet[Any]", column: str, values: Iterable[int]) -> "models.QuerySet[Any]":
    """The rows whose integer column is one of many values: one parameter however many, where `__in` would make one each."""
    place = f"{connection.ops.quote_name(rows.model._meta.db_table)}.{connection.ops.quote_name(column)}"
    if connection.vendor == "postgresql":
        return rows.extra(where=[f"{place} = ANY(%s)"], params=[list(values)])  # noqa: S610
    return rows.extra(where=[f"{place} IN (SELECT value FROM json_each(%s))"], params=[json.dumps(list(values))])  # noqa: S608, S610


class Mould:
    """Parameters for many like rows of one model: what they share is worked out once, then each gives what differs."""

    def __init__(self, model: Model, varying: Sequence[str], **shared: Any) -> None:
        self._table = table(model, numbered=False)
        self._base = self._table.parameters(row_class(model)(**shared))
        names = [field.attname for field in model._meta.concrete_fields if not field.primary_key]
        self._places = [names.index(name) for name in varying]
        changes = dict(self._table.changes)
        self._changes = [(place, changes[place]) for place in self._places if place in changes]

    def row(self, values: Sequence[Any]) -> list[Any]:
        """One row from the varying values, in their order."""
        made = self._base.copy()
        for place, value in zip(self._places, values, strict=True):
            made[place] = value
        for place, change in self._changes:
            if made[place] is not None:
                made[place] = change(made[place])
        return made

    def insert(self, rows: Sequence[Sequence[Any]]) -> None:
        """Write rows made by `row`."""
        self._table.insert(rows)


def read(rows: "models.QuerySet[Any]", names: Sequence[str]) -> list[list[Any]]:
    """The columns `names` of a queryset as lists, without the weight of Django's converters.

    Moments come in UTC and JSON as values, as everywhere; other columns as the driver gives them.
    """
    statement, parameters = rows.values_list(*names).query.sql_with_params()
    fields = [_field(rows.model, name) for name in names]
    changes = [(place, change) for place, field in enumerate(fields) if (change := _reading(field))]
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found = list(map(list, cursor.fetchall()))
    for row in found:
        for place, change in changes:
            if row[place] is not None:
                row[place] = change(row[place])
    return found


def _field(model: Model, path: str) -> "models.Field[Any, Any]":
    """The field at the end of a path such as account__name or case_id."""
    fields = {name: field for field in model._meta.concrete_fields for name in (field.attname, field.name)}
    head, _, tail = path.partition("__")
    field = fields[head] if head != "pk" else model._meta.pk
    return _field(field.related_model, tail) if tail else field  # type: ignore[arg-type]


def _reading(field: "models.Field[Any, Any]") -> Callable[[Any], Any] | None:
    if isinstance(field, models.JSONField):
        return _decode
    if isinstance(field, models.DateTimeField) and connection.vendor != "postgresql":
        return _in_utc
    return None


def _decode(text: Any) -> Any:
    if text in ("[]", "{}"):
        return [] if text == "[]" else {}
    return json.loads(text) if isinstance(text, str) else text


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


class Change:
    """One UPDATE by primary key for many rows: the columns to write, and a guard column that must still hold a value.

    The guard makes it a claim: a row whose guard changed meanwhile is left alone.
    """

    def __init__(self, model: Model, columns: Sequence[str], *, guard: str = "") -> None:
        fields = {field.attname: field for field in model._meta.concrete_fields}
        wanted = [fields[name] for name in (*columns, *([guard] if guard else []))]
        quote, name = connection.ops.quote_name, connection.ops.quote_name(model._meta.db_table)
        self.changes = [(place, change) for place, field in enumerate(wanted) if (change := change_of(field))]
        names = [quote(str(field.column)) for field in wanted]
        pk = quote(str(model._meta.pk.column))
        written = names[: len(columns)]
        if connection.vendor == "postgresql":
            types = [field.db_type(connection) for field in wanted]
            given = ", ".join(f"%s::{kind}[]" for kind in (*types, "bigint"))
            alias = ", ".join(f"c{place}" for place in range(len(wanted) + 1))
            settings = ", ".join(f"{each} = v.c{place}" for place, each in enumerate(written))
            check = f" AND t.{names[-1]} = v.c{len(columns)}" if guard else ""
            self.statement = (
                f"UPDATE {name} t SET {settings} FROM unnest({given}) AS v({alias}) "  # noqa: S608
                f"WHERE t.{pk} = v.c{len(wanted)}{check}"
            )
        else:
            settings = ", ".join(f"{each} = %s" for each in written)
            check = f" AND {names[-1]} = %s" if guard else ""
            # Parameters come as columns, guard, key.
            self.statement = f"UPDATE {name} SET {settings} WHERE 1=1{check} AND {pk} = %s"  # noqa: S608

    def run(self, rows: Sequence[Sequence[Any]]) -> int:
        """Write rows of (column values …, guard value, primary key); returns how many were changed."""
        if not rows:
            return 0
        made = [list(row) for row in rows]
        for values in made:
            for place, change in self.changes:
                if values[place] is not None:
                    values[place] = change(values[place])
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(self.statement, [list(column) for column in zip(*made, strict=True)])
            else:
                cursor.executemany(self.statement, made)
            return int(cursor.rowcount)


def change_of(field: "models.Field[Any, Any]") -> Callable[[Any], Any] | None:
    """What the driver cannot take as it is. Moments are in UTC throughout, so SQLite's text is the moment without its zone."""
    if isinstance(field, models.JSONField):
        return encode
    if connection.vendor == "postgresql":
        return None
    if isinstance(field, models.DateTimeField):
        return _moment
    return str if isinstance(field, models.DateField | models.DecimalField) else None


@lru_cache(maxsize=4096)
def _moment(moment: datetime) -> str:
    return moment.isoformat(" ")[:-6]
