"""Creates the append-only triggers, the search index and the table of the cache after every migrate, and checks that
triggers and index exist."""

from collections.abc import Iterable

from django.core.checks import Error, Tags, register
from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.db.models.signals import post_migrate

from ledger import triggers
from ledger.search import index


def _install(using: str = "default", **_: object) -> None:
    triggers.install(using)
    index.install(using)
    call_command("createcachetable", database=using, verbosity=0)


def check_database(app_configs: object, databases: Iterable[str] | None = None, **_: object) -> list[Error]:
    """Append-only triggers and the search index must exist, and SQLite must run with the options that make commits durable."""
    found = []
    for using in databases or []:
        if names := triggers.missing(using):
            found.append(Error(f"Append-only triggers are missing: {', '.join(names)}. Run migrate.", id="ledger.E001"))
        if (names := index.missing(using)) and not _migrations_wait(using):
            reason = f"Tables of the search index are missing: {', '.join(names)}. Run migrate --skip-checks."
            found.append(Error(reason, id="ledger.E003"))
        found += _sqlite_options(using)
    return found


def _migrations_wait(using: str) -> bool:
    """Whether there are migrations to run. `migrate` checks before it runs them, and creates afterwards what is missing."""
    executor = MigrationExecutor(connections[using])
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _sqlite_options(using: str) -> list[Error]:
    connection = connections[using]
    if connection.vendor != "sqlite":
        return []
    options = connection.settings_dict.get("OPTIONS", {})
    wanted = {"transaction_mode": "IMMEDIATE"}
    return [
        Error(f"SQLite must run with {name}={value} (database {using}).", id="ledger.E002")
        for name, value in wanted.items()
        if options.get(name) != value
    ]


post_migrate.connect(_install, dispatch_uid="ledger.triggers")
register(check_database, Tags.database)
