"""The only writer of `CaseAccess`: computes from their sources who sees a case, and writes the difference."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from django.db import connection, transaction
from django.db.models import F, QuerySet, Value

from approvals.models import Seat
from escalations.models import CaseAccess, CasePerson, Escalation, HandOff

TABLE = CaseAccess._meta.db_table
# Cases in one transaction of a rebuild, which then holds the only write lock of SQLite for less than 0.2 seconds.
BATCH = 1000


def keep(case_ids: Sequence[int], *, adds: bool = False) -> int:
    """Make the rows of some cases agree with what they are computed from; returns how many rows differed. Two statements;
    one if the caller only `adds` people. The caller's transaction holds the locks of what it has changed."""
    count = 0
    for start in range(0, len(case_ids), BATCH):
        missing, extra = _differences(case_ids[start : start + BATCH])
        # An import of accounts and a rebuild may find the same row missing at the same time.
        missing_rows = f'("case_id", "user_id", "kind") {missing[0]} ON CONFLICT DO NOTHING'
        count += _run(f'INSERT INTO "{TABLE}" {missing_rows}', missing[1])
        if adds:
            continue
        count += _run(f'DELETE FROM "{TABLE}" WHERE "id" IN ({extra[0]})', extra[1])  # noqa: S608 our own model
    return count


def keep_accounts(account_ids: Sequence[int]) -> int:
    """The same for all cases of some accounts, whose team has changed."""
    return keep(list(Escalation.objects.filter(account__in=account_ids).order_by("pk").values_list("pk", flat=True)))


def rebuild(tell: Callable[[int], None], *, write: bool = True) -> int:
    """Compare the rows of all cases, and mend them unless `write` is False; returns how many rows differed. Short
    transactions; `tell` gets the number of cases that were looked at after each."""
    count = done = 0
    for ids in _batches():
        with transaction.atomic():
            if write:
                # A verb on one of them ends first.
                list(
                    Escalation.objects.select_for_update(no_key=True)
                    .filter(pk__in=ids)
                    .order_by("pk")
                    .values_list("pk")
                )
                count += keep(ids)
            else:
                count += differing(ids)
        done += len(ids)
        tell(done)
    return count


def differing(case_ids: Sequence[int]) -> int:
    """How many rows of these cases are missing or should not be there."""
    with connection.cursor() as cursor:
        count = 0
        for select, values in _differences(case_ids):
            cursor.execute(f"SELECT COUNT(*) FROM ({select}) differing", values)  # noqa: S608 our own models
            count += int(cursor.fetchone()[0])
    return count


def _batches() -> Iterator[list[int]]:
    last = 0
    while ids := list(Escalation.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        yield ids
        last = ids[-1]


def _rule(case_ids: Sequence[int]) -> QuerySet[Any]:
    """Who sees these cases, and why: case, person, kind, each once."""
    cases = Escalation.objects.all()
    sources: list[tuple[QuerySet[Any], int, str, str]] = [
        (CasePerson.objects.all(), CaseAccess.NAMED, "case_id", "user_id"),
        (HandOff.objects.all(), CaseAccess.HANDED, "case_id", "to_user_id"),
        (Seat.objects.addressed(), CaseAccess.HANDED, "request__case_link__case_id", "person_id"),
        (cases, CaseAccess.OWN, "pk", "owner_id"),
        (cases, CaseAccess.OWN, "pk", "opened_by_id"),
        (cases, CaseAccess.TEAM, "pk", "account__csm_id"),
        (cases, CaseAccess.TEAM, "pk", "account__ae_id"),
    ]
    first, *others = [
        rows.filter(**{f"{case}__in": case_ids, f"{person}__isnull": False})
        .order_by()
        .annotate(of_case=F(case), seer=F(person), reason_kind=Value(kind))
        .values_list("of_case", "seer", "reason_kind")
        for rows, kind, case, person in sources
    ]
    return first.union(*others)


Statement = tuple[str, tuple[int | str, ...]]


def _differences(case_ids: Sequence[int]) -> tuple[Statement, Statement]:
    """Two selects: the rows that are missing, and the ids of those that should not be there."""
    rule, places = _compiled(len(case_ids))
    # Places that are negative stand for the ids of the cases.
    values = tuple(case_ids[each] if isinstance(each, int) and each < 0 else each for each in places)
    # Names of our own models and marks for values.
    found = f'"{TABLE}" a WHERE a."case_id" IN ({", ".join(["%s"] * len(case_ids))})'
    same = 'a."case_id" = rule."of_case" AND a."user_id" = rule."seer" AND a."kind" = rule."reason_kind"'
    missing = f'{rule} EXCEPT SELECT a."case_id", a."user_id", a."kind" FROM {found}'  # noqa: S608
    # A join, because PostgreSQL compares a NOT IN row by row.
    extra = (
        f'SELECT a."id" FROM (SELECT * FROM {found}) a '  # noqa: S608
        f'LEFT JOIN ({rule}) rule ON {same} WHERE rule."of_case" IS NULL'
    )
    return (missing, (*values, *case_ids)), (extra, (*case_ids, *values))


@lru_cache(maxsize=8)
def _compiled(cases: int) -> tuple[str, tuple[int | str, ...]]:
    """The rule for this number of cases as SQL, and its values with places for their ids. Every verb of a case runs it, and
    Django takes ten times as long to write the SQL as the database to answer it."""
    sql, values = _rule(range(-cases, 0)).query.sql_with_params()
    return sql, tuple(values)


def _run(statement: str, values: Sequence[int | str]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)
