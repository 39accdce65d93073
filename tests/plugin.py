"""Chooses the database and sets Django up before any conftest is read, so that conftests import models like other modules.

TEST_DATABASE=sqlite (default) or postgres picks the database. Loaded by `-p tests.plugin` in pyproject.toml.
"""

import os
import tempfile
from pathlib import Path

import django
import pytest

from tests.findings import register
from tests.support import postgres

ROOT = Path(__file__).resolve().parent.parent
LONG_FORM_SECONDS = 3 * 3600
# Set, not merely unset: a developer's .env fills what is missing, and tests must not reach it.
NOT_FOR_TESTS = ("EMAIL_URL", "HEARTBEAT_URL", "IMAP_URL", "AUTHSERV_ID", "INBOUND_ESP", "INBOUND_SECRET")
# Begun first, in this order, so that no worker is left with one of them at the end. The first one needs no demo: it runs
# while the second makes the demo, which those after it copy.
LONG_FILES = (
    "test_killed_sender.py",
    "test_demo.py",
    "test_demo_commands.py",
    "test_mailbox.py",
    "test_chaos_clocks.py",
    "test_chaos_worker.py",
    "test_fill.py",
    "test_supervisor.py",
)
# Files that no expression of these parts can select are not read: collecting all files takes longer than these parts.
MARKERS_OF_PART = {
    "postgres": ("both_databases", "mark.postgres", "mark.prove", "mark.chaos"),
    "browser": ("mark.browser",),
}


def pytest_load_initial_conftests() -> None:
    """Set the environment in the controller, which the workers inherit, and then Django."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        for name in NOT_FOR_TESTS:
            os.environ[name] = ""
        os.environ["DATABASE_URL"] = _database_url(os.environ.get("TEST_DATABASE", "sqlite"))
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
    django.setup()


def _database_url(kind: str) -> str:
    if kind == "sqlite":
        # Never opened: each worker works on copies of the templates of tests.support.databases.
        return f"sqlite:///{tempfile.gettempdir()}/no-test-opens-this.sqlite3"
    if kind != "postgres":
        raise pytest.UsageError(f"TEST_DATABASE={kind}: use sqlite or postgres")
    try:
        return postgres.start()
    except Exception as error:
        raise pytest.UsageError(f"PostgreSQL could not be started: {error}") from error


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server that the controller started."""
    if not hasattr(config, "workerinput") and postgres.FOLDER_VARIABLE in os.environ:
        postgres.stop()


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out files without a test of the part that `make test` runs (TEST_PART)."""
    wanted = MARKERS_OF_PART.get(os.environ.get("TEST_PART", ""))
    if wanted is None or not collection_path.name.startswith("test_") or collection_path.suffix != ".py":
        return None
    if "both_databases" in wanted and _named(collection_path) in register.FILES:
        return None
    text = collection_path.read_text("utf-8")
    return True if not any(marker in text for marker in wanted) else None


def _named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else ""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long forms get the time they need. Tests marked `postgres` need that server; elsewhere they are skipped and say so.

    Long files come first. Tests of the register of findings run on both databases.
    """
    for item in items:
        if item.nodeid.partition("[")[0] in register.TESTS:
            item.add_marker(pytest.mark.both_databases)
    items.sort(key=lambda item: LONG_FILES.index(item.path.name) if item.path.name in LONG_FILES else len(LONG_FILES))
    on_postgres = os.environ["DATABASE_URL"].startswith("postgres")
    for item in items:
        if os.environ.get("PROVE") and item.get_closest_marker("prove") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(LONG_FORM_SECONDS))
        if item.get_closest_marker("postgres") and not on_postgres:
            item.add_marker(pytest.mark.skip(reason="needs PostgreSQL: TEST_DATABASE=postgres"))
