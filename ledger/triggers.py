"""Database triggers that forbid UPDATE and DELETE of append-only tables, on SQLite and PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ledger.chain import chained_models


def protected_tables() -> list[str]:
    """Tables whose rows are written once."""
    return sorted(model._meta.db_table for model in chained_models(apps.get_models()))


def install(using: str = "default") -> None:
    """(Re)create the triggers of every protected table that exists. SQLite drops them when Django remakes a table."""
    connection = connections[using]
    existing = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'append-only table %', TG_TABLE_NAME; END $$"
            )
        for table in set(protected_tables()) & existing:
            for statement in _statements(connection, table):
                cursor.execute(statement)


def _statements(connection: BaseDatabaseWrapper, table: str) -> Iterator[str]:
    for verb in ("update", "delete"):
        name = f"{table}_no_{verb}"
        if connection.vendor == "postgresql":
            yield f'DROP TRIGGER IF EXISTS "{name}" ON "{table}"'
            yield (
                f'CREATE TRIGGER "{name}" BEFORE {verb.upper()} ON "{table}" '
                f"FOR EACH ROW EXECUTE FUNCTION ledger_refuse()"
            )
        else:
            yield f'DROP TRIGGER IF EXISTS "{name}"'
            yield (
                f'CREATE TRIGGER "{name}" BEFORE {verb.upper()} ON "{table}" '
                f"BEGIN SELECT RAISE(ABORT, 'append-only table {table}'); END"
            )


def missing(using: str = "default") -> list[str]:
    """Names of triggers that should exist and do not."""
    connection = connections[using]
    tables = set(protected_tables()) & set(connection.introspection.table_names())
    wanted = {f"{table}_no_{verb}" for table in tables for verb in ("update", "delete")}
    query = (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        return sorted(wanted - {row[0] for row in cursor.fetchall()})


@contextmanager
def lifted(using: str = "default") -> Iterator[None]:
    """Drop the triggers inside the block. Only tests may use this (around the flush)."""
    connection = connections[using]
    with connection.cursor() as cursor:
        for table in set(protected_tables()) & set(connection.introspection.table_names()):
            for verb in ("update", "delete"):
                on = f' ON "{table}"' if connection.vendor == "postgresql" else ""
                cursor.execute(f'DROP TRIGGER IF EXISTS "{table}_no_{verb}"{on}')
    try:
        yield
    finally:
        install(using)
