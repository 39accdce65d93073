"""Rows without the weight of a model instance, and their way into the database in large batches.

A row class takes its columns, defaults and what the chain signs from its model, so it cannot drift from it.
"""

import json
from collections.abc import Callable
from datetime import datetime
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any

from django.db import connection, models

from approvals.models import ApprovalRequest, ApprovalStep, DecisionEntry
from config.demo.ids import Ids
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

Model = type[models.Model]
Parameters = dict[str, list[list[Any]]]

# In the order of insertion, a row stands behind the rows it points to. With how many ids are put aside for each case.
MODELS: dict[Model, int] = {
    Escalation: 1,
    CasePerson: 20,
    BriefPart: 12,
    BriefSnapshot: 12,
    HandOff: 8,
    Clock: 40,
    EventText: 40,
    Event: 200,
    ApprovalRequest: 4,
    ApprovalStep: 8,
    DecisionEntry: 20,
    CaseRequest: 4,
    Action: 6,
    Commitment: 3,
    Review: 1,
}


def _encode(value: Any) -> str:
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
    space |= {name: vars(model)[name] for name in ("content", "label", "key") if name in vars(model)}
    return type(f"{model.__name__}Row", (Row,), space)


class Table:
    """How the rows of one model become parameters of an INSERT."""

    def __init__(self, model: Model) -> None:
        fields = model._meta.concrete_fields
        quote = connection.ops.quote_name
        self.name = quote(model._meta.db_table)
        self.columns = ", ".join(quote(str(field.column)) for field in fields)
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

    def insert(self, rows: list[list[Any]]) -> None:
        """Write the rows."""
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                with cursor.copy(f"COPY {self.name} ({self.columns}) FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
            else:
                statement = f"INSERT INTO {self.name} ({self.columns}) VALUES ({self.places})"  # noqa: S608
                cursor.executemany(statement, rows)


@cache
def table(model: Model) -> Table:
    """The table of a model."""
    return Table(model)


def _change(field: "models.Field[Any, Any]") -> Callable[[Any], Any] | None:
    """What the driver cannot take as it is. Moments are in UTC throughout, so SQLite's text is the moment without its zone."""
    if isinstance(field, models.JSONField):
        return _encode
    if connection.vendor == "postgresql":
        return None
    if isinstance(field, models.DateTimeField):
        return _moment
    return str if isinstance(field, models.DateField | models.DecimalField) else None


@lru_cache(maxsize=4096)
def _moment(moment: datetime) -> str:
    return moment.isoformat(" ")[:-6]


class Batch:
    """Rows that are written together, with ids given here so that they can point at each other. Touches no database."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self.rows: dict[Model, list[Row]] = {model: [] for model in MODELS}

    def add(self, model: Model, **values: Any) -> Any:
        """A new row with the next id."""
        row = row_class(model)(id=next(self._ids[model]), **values)
        self.rows[model].append(row)
        return row

    def take(self, model: Model, rows: list[Row]) -> None:
        """Rows made elsewhere get their ids in this order."""
        ids = self._ids[model]
        for row in rows:
            row.id = next(ids)
        self.rows[model] += rows

    def parameters(self) -> Parameters:
        """Everything as plain values, by table: they travel between processes."""
        return {model._meta.label: list(map(table(model).parameters, rows)) for model, rows in self.rows.items()}


def write(parameters: Parameters) -> int:
    """Insert everything, in the caller's transaction; returns how many rows."""
    for model in MODELS:
        table(model).insert(parameters[model._meta.label])
    return sum(map(len, parameters.values()))
