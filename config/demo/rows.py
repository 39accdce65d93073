"""Rows without the weight of a model instance, and their way into the database in large batches.

A row class takes its columns, defaults and what the chain signs from its model, so it cannot drift from it.
"""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from itertools import count
from operator import attrgetter
from typing import Any

from django.db import connection, models

from approvals.models import ApprovalRequest, ApprovalStep, DecisionEntry
from escalations.models import (
    Action,
    BriefPart,
    BriefSnapshot,
    CasePerson,
    CaseRequest,
    Clock,
    Commitment,
    Escalation,
    Event,
    EventText,
    HandOff,
    Review,
)

# In the order of insertion: a row stands behind the rows it points to.
MODELS: tuple[type[models.Model], ...] = (
    Escalation,
    CasePerson,
    BriefPart,
    BriefSnapshot,
    HandOff,
    Clock,
    EventText,
    Event,
    ApprovalRequest,
    ApprovalStep,
    DecisionEntry,
    CaseRequest,
    Action,
    Commitment,
    Review,
)
FIRST_NUMBER = {Escalation: 1001}


class Row:
    """One row to be. Columns that are not given have the model's default, kept on the class."""

    id: int

    def __init__(self, **values: Any) -> None:
        self.__dict__ = values

    @property
    def pk(self) -> int:
        """As models call it; the chain asks for it."""
        return self.id


def row_class(model: type[models.Model]) -> Any:
    """The row class of a model: its columns' defaults, and the names of what a chain signs and a clock is called."""
    space: dict[str, Any] = {field.attname: field.get_default() for field in model._meta.concrete_fields}
    del space["id"]
    space |= {name: vars(model)[name] for name in ("content", "label", "key") if name in vars(model)}
    return type(f"{model.__name__}Row", (Row,), space)


class Table:
    """How the rows of one model become parameters of an INSERT."""

    def __init__(self, model: type[models.Model]) -> None:
        fields = model._meta.concrete_fields
        quote = connection.ops.quote_name
        self.name = model._meta.db_table
        self.columns = ", ".join(quote(field.column) for field in fields)
        self.places = ", ".join(["%s"] * len(fields))
        self.values = attrgetter(*(field.attname for field in fields))
        self.changes = [(place, change) for place, field in enumerate(fields) if (change := _change(field))]

    def parameters(self, row: Row) -> list[Any]:
        """The row's values as the driver takes them."""
        values = list(self.values(row))
        for place, change in self.changes:
            if values[place] is not None:
                values[place] = change(values[place])
        return values


def _change(field: models.Field[Any, Any]) -> Callable[[Any], Any] | None:
    """What the driver cannot take as it is. Moments are in UTC throughout, so SQLite's text is the moment without its zone."""
    if isinstance(field, models.JSONField):
        return json.dumps
    if connection.vendor == "postgresql":
        return None
    if isinstance(field, models.DateTimeField):
        return _moment
    return str if isinstance(field, models.DateField | models.DecimalField) else None


def _moment(moment: datetime) -> str:
    return str(moment)[:-6]


class Batch:
    """Rows that are written together, with ids given here so that they can point at each other.

    Open one inside the transaction that writes it: nobody else may insert into these tables meanwhile.
    """

    classes: dict[type[models.Model], Any] = {}

    def __init__(self) -> None:
        _hold_tables()
        self.rows: dict[type[models.Model], list[Row]] = {model: [] for model in MODELS}
        self._ids = {model: count(_next_id(model)) for model in MODELS}
        if not self.classes:
            self.classes.update({model: row_class(model) for model in MODELS})

    def add(self, model: type[models.Model], **values: Any) -> Any:
        """A new row with the next id."""
        row = self.classes[model](id=next(self._ids[model]), **values)
        self.rows[model].append(row)
        return row

    def write(self) -> int:
        """Insert everything; returns how many rows."""
        for model in MODELS:
            _insert(Table(model), self.rows[model])
        _move_sequences()
        return sum(len(rows) for rows in self.rows.values())


def _next_id(model: type[models.Model]) -> int:
    last = model._default_manager.aggregate(last=models.Max("pk"))["last"] or 0
    return max(FIRST_NUMBER.get(model, 1), last + 1)


def _hold_tables() -> None:
    """SQLite has one writer; on PostgreSQL other writers of these tables wait until we commit."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            names = ", ".join(connection.ops.quote_name(model._meta.db_table) for model in MODELS)
            cursor.execute(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE")


def _insert(table: Table, rows: Iterable[Row]) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table.name} ({table.columns}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(table.parameters(row))
        else:
            statement = f"INSERT INTO {table.name} ({table.columns}) VALUES ({table.places})"  # noqa: S608
            cursor.executemany(statement, map(table.parameters, rows))


def _move_sequences() -> None:
    """Ids given by us do not move PostgreSQL's sequences; SQLite keeps count by itself."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for model in MODELS:
            last = model._default_manager.aggregate(last=models.Max("pk"))["last"]
            if last:
                cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [model._meta.db_table, last])


def money(amount: int | str) -> Decimal:
    """Two places, as the columns have."""
    return Decimal(amount).quantize(Decimal("0.01"))
