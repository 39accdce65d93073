"""Imports of accounts, subscriptions and contacts: staged, checked, then applied in short batches."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from django.db import DatabaseError, transaction

from accounts.imports.cells import Cells, Problem
from accounts.imports.plans import AccountPlanner, ContactPlanner, Outcome, Planner, SubscriptionPlanner
from accounts.imports.rules import Row, is_blank
from accounts.imports.setup import (
    LARGEST_FILE,
    REQUIRED,
    Choices,
    cells_read,
    configure,
    fields_of,
    fitting_mapping,
    missing_fields,
    needs_currency,
    open_questions,
    open_rows,
    preview,
    reading,
    save_mapping,
    stage,
)
from accounts.models import Account, ImportProblem, ImportRun
from ledger import files, statistics
from ledger.errors import AlreadyDone, Invalid, Stale
from ledger.now import now

# After so many rows the database chooses its indexes anew.
MANY_ROWS = 1000

__all__ = [
    "LARGEST_FILE",
    "REQUIRED",
    "Check",
    "Choices",
    "apply",
    "begin",
    "cells_read",
    "check",
    "configure",
    "fields_of",
    "fitting_mapping",
    "missing_fields",
    "needs_currency",
    "open_questions",
    "preview",
    "save_mapping",
    "stage",
    "stop",
]

BATCH = 100
CHOSEN = ("columns", "default_currency", "encoding", "dates", "decimals")
Progress = Callable[[int, int], None]


class Check(NamedTuple):
    """The effect of applying now. `bad_rows` counts rows, `problems` has the first of them."""

    created: int
    updated: int
    unchanged: int
    bad_rows: int
    problems: list[Problem]


def check(*, run: ImportRun, most: int = 200) -> Check:
    """Reads every row as `apply` would and writes nothing. Keeps the first `most` problems."""
    _require_ready(run)
    created = updated = unchanged = 0
    bad: set[int] = set()
    problems: list[Problem] = []
    planner = _planner(run)
    for _, batch in _batches(run):
        outcome, broken = _plan(planner, batch)
        created, updated = created + len(outcome.create), updated + len(outcome.update)
        unchanged += outcome.unchanged
        bad |= {problem.row for problem in broken}
        problems += broken[: most - len(problems)]
    return Check(created, updated, unchanged, len(bad), problems)


def apply(*, run: ImportRun, on_progress: Progress | None = None) -> ImportRun:
    """Writes the rows in transactions of 100, each row whole or absent; bad rows become problems of the run.

    Continues where an interrupted or stopped run ended; two processes never write a row twice. Stops after the batch in
    which the state was set to stopped. Raises AlreadyDone when finished, Invalid when a required column is missing.
    """
    run = begin(run=run)
    planner = _planner(run)
    for offset, batch in _batches(run):
        if offset + len(batch) <= run.applied:
            _plan_ids(planner, batch)
            continue
        skip = max(0, run.applied - offset)
        _plan_ids(planner, batch[:skip])
        if not _apply_batch(run, planner, batch[skip:]):
            return run
        if on_progress:
            on_progress(run.applied, run.total)
    _link_parents(run)
    run.state, run.finished_at = ImportRun.DONE, now()
    run.save(update_fields=["state", "finished_at"])
    if run.total >= MANY_ROWS:
        statistics.renew()
    return run


def stop(*, run: ImportRun) -> ImportRun:
    """Asks a running import to stop after its batch. Imported rows stay, and it can continue later."""
    ImportRun.objects.filter(pk=run.pk, state=ImportRun.RUNNING).update(state=ImportRun.STOPPED)
    run.refresh_from_db()
    return run


def begin(*, run: ImportRun) -> ImportRun:
    """Marks an import as running, before it is handed to the worker. Raises as `apply` does, Stale if its choices change
    meanwhile."""
    read = ImportRun.objects.get(pk=run.pk)
    if read.state != ImportRun.DONE:
        # It reads the whole file, so it stands before the lock.
        _require_ready(read)
    with transaction.atomic():
        run = ImportRun.objects.select_for_update().get(pk=run.pk)
        if run.state == ImportRun.DONE:
            raise AlreadyDone("This import is finished. To import the file again, upload it again.")
        if any(getattr(run, name) != getattr(read, name) for name in CHOSEN):
            raise Stale("The columns of this import were changed just now. Look at them and start it again.")
        run.state = ImportRun.RUNNING
        run.save(update_fields=["state"])
    return run


def _require_ready(run: ImportRun) -> None:
    if missing := missing_fields(run):
        raise Invalid(f"Choose the column for: {', '.join(missing)}.", field="columns")
    date, amount = open_questions(run)
    if date:
        raise Invalid(f"“{date}” can be read with the day or the month first. Say which.", field="dates")
    if amount:
        raise Invalid(f"“{amount}” can be read with decimals or with thousands. Say which.", field="decimals")


def _rows(run: ImportRun) -> Iterator[Row]:
    return open_rows(files.read(run.file), run.encoding)[1]


def _batches(run: ImportRun) -> Iterator[tuple[int, list[Row]]]:
    rows, offset = _rows(run), 0
    while batch := list(islice(rows, BATCH)):
        yield offset, batch
        offset += len(batch)


def _planner(run: ImportRun) -> Planner:
    read_as = reading(run)
    if run.kind == ImportRun.ACCOUNTS:
        return AccountPlanner(run, read_as, _known_parents(run))
    return (SubscriptionPlanner if run.kind == ImportRun.SUBSCRIPTIONS else ContactPlanner)(run, read_as)


def _known_parents(run: ImportRun) -> frozenset[str]:
    """Ids and names that a row may give as its parent: those of the file and those known from its source."""
    if "parent" not in run.columns:
        return frozenset()
    wanted = [run.columns[name] for name in ("external_id", "name") if name in run.columns]
    of_file = {row.values.get(header, "").strip().lower() for row in _rows(run) for header in wanted}
    known = Account.objects.filter(source=run.source).values_list("external_id", "name")
    return frozenset(of_file | {text.lower() for pair in known for text in pair})


def _plan_ids(planner: Planner, batch: Sequence[Row]) -> list[Cells]:
    """The rows' cells, with their ids remembered."""
    cells = [planner.cells(row.line, row.values) for row in batch]
    for row in cells:
        planner.note(row)
    return cells


def _plan(planner: Planner, batch: Sequence[Row]) -> tuple[Outcome, list[Problem]]:
    broken = [
        Problem(row.line, planner.cells(row.line, row.values).ref, "", "", row.problem[:300])
        for row in batch
        if row.problem
    ]
    outcome = planner.plan(_plan_ids(planner, [row for row in batch if not row.problem]))
    return outcome, sorted([*broken, *outcome.problems])


def _apply_batch(run: ImportRun, planner: Planner, batch: Sequence[Row]) -> bool:
    """One transaction; if the database refuses it, its rows are written one by one. False if another user stopped it."""
    seen = dict(planner.first_seen)
    try:
        return _write_batch(run, planner, batch)
    except DatabaseError:
        planner.first_seen = seen
        if len(batch) == 1:
            return _refuse_row(run, batch[0])
    return all(_apply_batch(run, planner, [row]) for row in batch)


@transaction.atomic
def _write_batch(run: ImportRun, planner: Planner, batch: Sequence[Row]) -> bool:
    if not _still_ours(run):
        return False
    outcome, problems = _plan(planner, batch)
    planner.write(outcome)
    _count(run, len(batch), outcome, problems)
    return True


@transaction.atomic
def _refuse_row(run: ImportRun, row: Row) -> bool:
    if not _still_ours(run):
        return False
    reason = "The database refused this row. Check it for unusual characters or very long values."
    _count(run, 1, Outcome(), [Problem(row.line, "", "", "", reason)])
    return True


def _still_ours(run: ImportRun) -> bool:
    """Locks the run's row and compares: another worker may have continued it, or a person may have stopped it."""
    fresh = ImportRun.objects.select_for_update().get(pk=run.pk)
    ours = fresh.state == ImportRun.RUNNING and fresh.applied == run.applied
    run.state = fresh.state
    run.created, run.updated, run.unchanged = fresh.created, fresh.updated, fresh.unchanged
    return ours


def _count(run: ImportRun, looked_at: int, outcome: Outcome, problems: Sequence[Problem]) -> None:
    applied, run.created = run.applied + looked_at, run.created + len(outcome.create)
    run.updated, run.unchanged = run.updated + len(outcome.update), run.unchanged + outcome.unchanged
    ImportProblem.objects.bulk_create(ImportProblem(run=run, **problem._asdict()) for problem in problems)
    counts = {"applied": applied, "created": run.created, "updated": run.updated, "unchanged": run.unchanged}
    ImportRun.objects.filter(pk=run.pk).update(**counts)
    run.applied = applied


def _link_parents(run: ImportRun) -> None:
    """Sets parents after all accounts of the file are imported. A parent that was not imported, or a circle, is
    ignored."""
    if run.kind != ImportRun.ACCOUNTS or "parent" not in run.columns:
        return
    named = {}
    for row in _rows(run):
        cells = Cells(row.line, row.values, run.columns)
        if not is_blank(cells.raw("parent")):
            named[cells.raw("external_id").strip()] = cells.raw("parent").strip().lower()
    _set_parents(run, named)


@transaction.atomic
def _set_parents(run: ImportRun, named: Mapping[str, str]) -> None:
    accounts = list(Account.objects.filter(source=run.source))
    by_text = {account.name.lower(): account for account in accounts}
    by_text |= {account.external_id.lower(): account for account in accounts}
    above = {account.pk: account.parent_id for account in accounts}
    for account in accounts:
        parent = by_text.get(named.get(account.external_id, ""))
        if parent and parent.pk != account.parent_id and not _reaches(above, parent.pk, account.pk):
            above[account.pk] = parent.pk
            Account.objects.filter(pk=account.pk).update(parent=parent)


def _reaches(above: Mapping[int, int | None], start: int, goal: int) -> bool:
    at: int | None = start
    while at is not None and at != goal:
        at = above.get(at)
    return at == goal
