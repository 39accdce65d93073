"""The rows of a filled desk, in the order in which they go in."""

from typing import Any

from approvals.models import ApprovalRequest, ApprovalStep, DecisionEntry
from demo.bulk import Model, Row, row_class, table
from demo.ids import Ids
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
