"""What every test can ask for. TEST_DATABASE=sqlite (default) or postgres picks the database."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils.module_loading import import_string
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import Browser

from tests.support import browser as browsers
from tests.support import dovecot, pages, postgres, server, smtp
from tests.support.databases import Templates

ROOT = Path(__file__).resolve().parent.parent
IN_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")

hypothesis_settings.register_profile("laptop", deadline=None, max_examples=50)
hypothesis_settings.register_profile("ci", deadline=None, max_examples=50, derandomize=True)
hypothesis_settings.register_profile("prove", deadline=None, max_examples=2000)
hypothesis_settings.load_profile("prove" if os.environ.get("PROVE") else "ci" if IN_CI else "laptop")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the database before Django reads its settings. The controller starts PostgreSQL for its workers."""
    if not hasattr(config, "workerinput"):
        kind = os.environ.get("TEST_DATABASE", "sqlite")
        if kind not in ("sqlite", "postgres"):
            raise pytest.UsageError(f"TEST_DATABASE={kind}: use sqlite or postgres")
        # Set, not merely unset: a developer's .env fills what is missing, and tests must not reach it.
        for name in ("EMAIL_URL", "HEARTBEAT_URL", "IMAP_URL", "AUTHSERV_ID", "INBOUND_ESP", "INBOUND_SECRET"):
            os.environ[name] = ""
        os.environ["DATABASE_URL"] = _start_postgres() if kind == "postgres" else f"sqlite:///{ROOT}/var/test.sqlite3"
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
    assert django_settings.DATABASES


def _start_postgres() -> str:
    try:
        return postgres.start()
    except Exception as error:
        raise pytest.UsageError(f"PostgreSQL could not be started: {error}") from error


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what we started."""
    if not hasattr(config, "workerinput") and postgres.FOLDER_VARIABLE in os.environ:
        postgres.stop()


LONG_FORM_SECONDS = 3 * 3600


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long forms get the time they need. Tests marked `postgres` need that server; elsewhere they are skipped and say so."""
    for item in items if os.environ.get("PROVE") else []:
        if item.get_closest_marker("prove") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(LONG_FORM_SECONDS))
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        return
    for item in items:
        if item.get_closest_marker("postgres"):
            item.add_marker(pytest.mark.skip(reason="needs PostgreSQL: TEST_DATABASE=postgres"))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """SQLite tests run on a file: threads and processes then meet the same locks as in life."""
    database = django_settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Lets the flush after a transactional test through the append-only triggers."""
    operations = type(connection.ops)
    operations.execute_sql_flush = _with_triggers_lifted(operations.execute_sql_flush)


def _with_triggers_lifted(flush: Any) -> Any:
    def lifted_flush(operations: Any, statements: list[str]) -> Any:
        # By name: this file is read before Django's registry is ready, and the triggers need its models.
        with import_string("ledger.triggers.lifted")(operations.connection.alias):
            return flush(operations, statements)

    return lifted_flush


@pytest.fixture(scope="session", autouse=True)
def _stored_files_in_a_temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    django_settings.MEDIA_ROOT = tmp_path_factory.mktemp("media")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the repository (SHARED_DATA overrides); its tests are skipped without it."""
    folder = Path(os.environ.get("SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no shared data beside the repository (SHARED_DATA names another folder)")
    return folder


@pytest.fixture(scope="session")
def proving() -> bool:
    """Whether the long form is wanted (`make prove`); otherwise keep it under 20 seconds."""
    return bool(os.environ.get("PROVE"))


@pytest.fixture
def mailbox() -> Iterator[smtp.Mailbox]:
    """A real SMTP server."""
    with smtp.running_smtp() as box:
        yield box


@pytest.fixture
def imap() -> Iterator[dovecot.Server]:
    """A real IMAP server with one empty mailbox. Missing in CI it fails the test, on a laptop it skips it."""
    if dovecot.program() is None:
        message = "no Dovecot: install the package dovecot-imapd"
        pytest.fail(message) if IN_CI else pytest.skip(message)
    with dovecot.running() as found:
        yield found


@pytest.fixture(scope="session")
def database_templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Makes databases for test desks: `with database_templates.copy("seed_demo") as url`."""
    return Templates(tmp_path_factory.mktemp("desks"))


@pytest.fixture
def empty_desk(database_templates: Templates, mailbox: smtp.Mailbox, tmp_path: Path) -> Iterator[server.Desk]:
    """A running desk (web and engine) on a migrated, empty database; its mail goes to `mailbox`."""
    with (
        database_templates.copy() as url,
        server.running_desk(url, tmp_path, EMAIL_URL=mailbox.url) as desk,
    ):
        yield desk


@pytest.fixture
def demo_desk(database_templates: Templates, mailbox: smtp.Mailbox, tmp_path: Path) -> Iterator[server.Desk]:
    """A running desk (web and engine) with the demo data; its mail goes to `mailbox`."""
    with (
        database_templates.copy("seed_demo") as url,
        server.running_desk(url, tmp_path, EMAIL_URL=mailbox.url) as desk,
    ):
        yield desk


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Chromium. Missing in CI it fails the test, on a laptop it skips it."""
    if browsers.chromium_path() is None:
        message = "no Chromium: install the package chromium or set CHROMIUM"
        pytest.fail(message) if IN_CI else pytest.skip(message)
    # Playwright's event loop runs in this thread; Django would take the ORM calls of a test for asynchronous ones.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with browsers.chromium() as browser:
        yield browser


@pytest.fixture
def watch(chromium: Browser) -> Iterator[Any]:
    """`watch(url)` opens a watched page for one more person; all are closed at the end."""
    opened: list[pages.Watched] = []

    def open_page(base_url: str, **options: Any) -> pages.Watched:
        opened.append(pages.Watched(chromium, base_url, **options))
        return opened[-1]

    yield open_page
    for each in opened:
        each.close()


@pytest.fixture
def cast(db: None) -> Any:
    """The people and accounts of the stories (tests.support.cast.Cast). Models load only once Django is set up."""
    return import_string("tests.support.cast.make_cast")()
