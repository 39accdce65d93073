"""A copy of a case: what differs from its template, and its logs, moved to the copy and signed again."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models

from approvals.models import ApprovalRequest, DecisionEntry
from escalations.models import Action, Clock, Commitment, Escalation, Event, EventText, HandOff
from ledger import chain

Model = type[models.Model]
# Ids, moments and people that entries name in their data, by key.
IDS: dict[str, Model] = {
    "handoff": HandOff, "request": ApprovalRequest, "entry": DecisionEntry, "action": Action, "commitment": Commitment,
    "about": Commitment,
}  # fmt: skip
MOMENTS, PEOPLE = ("due_at", "moment"), ("to", "user", "owner")
# What comes after the chain's own columns; the content of an entry is the end of it.
COLUMNS: dict[Model, tuple[str, ...]] = {
    Event: ("text_id", "kind", "audience", "actor_id", "actor_name", "summary", "text_hash", "clock_id", "replaces_id",
            "data"),
    DecisionEntry: ("kind", "actor_id", "on_behalf_of_id", "channel", "role", "limit", "rule_version", "seat",
                    "terms_hash", "options", "rationale", "conditions", "override", "facts"),
}  # fmt: skip
PARENT: dict[Model, str] = {Event: "case_id", DecisionEntry: "request_id"}
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Copy:
    """One case to be: the template, its new number, account and people, days further back. `shifts`: what is added to the ids
    of the template's rows, by model."""

    case_id: int
    new_case: int
    days: int
    account_id: int
    old_name: str
    new_name: str
    old_csm: int | None
    csm: int | None
    old_ae: int | None
    ae: int | None
    shifts: dict[Model, int]

    def moved(self, model: Model, pk: Any) -> Any:
        """The id of a copied row."""
        return None if pk is None else pk + self.shifts[model]


class Line:
    """An entry of a template's log, with what a copy of it changes worked out once."""

    def __init__(self, entry: Event | DecisionEntry) -> None:
        self.model: Model = type(entry)
        self.pk, self.at, self.content = entry.pk, entry.at, dict(entry.content())
        self.text_id = entry.text_id if isinstance(entry, Event) else None
        # Where JSON stands among the columns, as text.
        self.json = [
            (place, json.dumps(value))
            for place, value in enumerate(self.content.values())
            if isinstance(value, (dict, list))
        ]
        data = self.content["data"] if isinstance(entry, Event) else {}
        self.moments = [(key, datetime.fromisoformat(data[key])) for key in MOMENTS if data.get(key)]
        self.people = [key for key in PEOPLE if data.get(key)]
        self.ids = [(key, model, data[key]) for key, model in IDS.items() if data.get(key)]
        self.data_changes = bool(self.moments or self.people or self.ids)


@dataclass
class Template:
    """A case of the demo with its logs."""

    case: Escalation
    events: list[Line] = field(default_factory=list)
    decisions: dict[int, list[Line]] = field(default_factory=dict)


class _Parent:
    """What the chain needs of the owner of a log."""

    def __init__(self, pk: int) -> None:
        self.pk, self.log_count, self.log_last, self.log_seal = pk, 0, "", ""


class _Entry:
    """An entry of a copied log on its way into the table."""

    __slots__ = ("at", "content_digest", "digest", "key_id", "row", "seq")
    seq: int
    digest: str
    content_digest: str
    key_id: str

    def __init__(self, at: datetime, row: dict[str, Any]) -> None:
        self.at, self.row = at, row

    def content(self) -> dict[str, Any]:
        """As the chain signs it."""
        return self.row


def signed(copy: Copy, parent_id: int, lines: Sequence[Line], seals: list[Row]) -> Iterator[Row]:
    """The rows of a copied log, numbered and signed. The seal of its parent is added to `seals`."""
    back, people = timedelta(days=copy.days), {copy.old_csm: copy.csm, copy.old_ae: copy.ae}
    parent: Any = _Parent(parent_id)
    made = [_Entry(line.at - back, _content(line, copy, people, back)) for line in lines]
    chain.number(parent, made)
    seals.append((parent.log_count, parent.log_last, parent.log_seal, parent_id))
    for line, new in zip(lines, made, strict=True):
        values = [*new.row.values()]
        for place, text in line.json:
            values[place] = json.dumps(values[place]) if line.data_changes else text
        if line.model is Event:
            values.insert(0, copy.moved(EventText, line.text_id))
        pk = copy.moved(line.model, line.pk)
        yield pk, parent_id, new.seq, new.at, new.content_digest, new.digest, new.key_id, *values


def _content(line: Line, copy: Copy, people: dict[int | None, int | None], back: timedelta) -> dict[str, Any]:
    row = dict(line.content)
    row["actor_id"] = people.get(row["actor_id"], row["actor_id"])
    if line.model is DecisionEntry:
        return row
    row["clock_id"] = copy.moved(Clock, row["clock_id"])
    row["replaces_id"] = copy.moved(Event, row["replaces_id"])
    if copy.old_name in row["summary"]:
        row["summary"] = row["summary"].replace(copy.old_name, copy.new_name)[:400]
    if line.data_changes:
        data = row["data"] = dict(row["data"])
        for key, moment in line.moments:
            data[key] = (moment - back).isoformat()
        for key in line.people:
            data[key] = people.get(data[key], data[key])
        for key, model, pk in line.ids:
            data[key] = copy.moved(model, pk)
    return row


def insert(model: Model, rows: Iterable[Row]) -> int:
    """Write rows from `signed` as they are made; returns how many."""
    columns = ["id", PARENT[model], "seq", "at", "content_digest", "digest", "key_id", *COLUMNS[model]]
    names, table = ", ".join(f'"{name}"' for name in columns), model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # The server stores what it has while the next rows are signed.
            with cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as target:
                for row in rows:
                    target.write_row(row)
        else:
            marks = ", ".join(["%s"] * len(columns))
            statement = f'INSERT INTO "{table}" ({names}) VALUES ({marks})'  # noqa: S608
            cursor.executemany(statement, [_for_sqlite(row) for row in rows])
        return int(cursor.rowcount)


def _for_sqlite(row: Row) -> Row:
    """With the moment as Django keeps it there: text without the zone, which is UTC."""
    return *row[:3], row[3].isoformat(" ").removesuffix("+00:00"), *row[4:]
