"""What every test can ask for. tests/plugin.py has chosen the database and set Django up before this file is read."""

import os
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.test import TransactionTestCase
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import Browser
from pytest_django import DjangoDbBlocker, Settings

from escalations.policy.rows import published_rows
from ledger.now import moved_to
from tests.support import browser as browsers
from tests.support import databases, dovecot, pages, server, smtp
from tests.support.cast import Cast

ROOT = Path(__file__).resolve().parent.parent
IN_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")

hypothesis_settings.register_profile("laptop", deadline=None, max_examples=50)
hypothesis_settings.register_profile("ci", deadline=None, max_examples=50, derandomize=True)
hypothesis_settings.register_profile("prove", deadline=None, max_examples=2000)
hypothesis_settings.load_profile("prove" if os.environ.get("PROVE") else "ci" if IN_CI else "laptop")

# The database a test runs on follows from what it asks for; without one of these it is migrated and empty.
STAGES = {
    "deciders": databases.DECIDING,
    "cast": databases.CAST,
    "shipped": databases.SHIPPED,
    "demo": databases.DEMO,
}


@pytest.fixture(scope="session")
def database_templates(
    tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> databases.Templates:
    """Databases of this test run: `with database_templates.copy(databases.DEMO) as url` gives a desk one of its own."""
    folder = tmp_path_factory.getbasetemp()
    # All workers of a run share the folder above theirs.
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    (folder / "databases").mkdir(exist_ok=True)
    return databases.Templates(folder / "databases", django_db_blocker)


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, database_templates: databases.Templates
) -> databases.WorkerDatabases:
    """Copies of templates take the place of pytest-django's database and of the flush after each transactional test."""
    TransactionTestCase._fixture_teardown = lambda self: None  # type: ignore[attr-defined]
    return databases.WorkerDatabases(database_templates, os.environ.get("PYTEST_XDIST_WORKER", "only"))


@pytest.fixture
def _stage(
    request: pytest.FixtureRequest, django_db_setup: databases.WorkerDatabases, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    stage = next((stage for name, stage in STAGES.items() if name in request.fixturenames), databases.EMPTY)
    marker = request.node.get_closest_marker("django_db")
    commits = "transactional_db" in request.fixturenames or bool(marker and marker.kwargs.get("transaction"))
    with django_db_blocker.unblock():
        django_db_setup.use(stage)
    yield
    if commits:
        with django_db_blocker.unblock():
            django_db_setup.spoil(stage)


@pytest.fixture
def _django_db_helper(_stage: None, _django_db_helper: None) -> None:
    """pytest-django's transaction around a test begins once the test's database is chosen."""


@pytest.fixture(autouse=True)
def _published_rows_of_this_test() -> None:
    """A process reads the rows of a published policy once. Each test has a database of its own, and some change such rows."""
    published_rows.cache_clear()


@pytest.fixture
def shipped(db: None) -> None:
    """The database of a new installation: roles, calendars and rates, policy and authority."""


@pytest.fixture
def cast(db: None, database_templates: databases.Templates) -> Cast:
    """The people and accounts of the stories, with the shipped policy and authority."""
    found: Cast = pickle.loads(database_templates.made(databases.CAST))
    found.renew_soon()
    return found


@pytest.fixture
def demo(db: None, database_templates: databases.Templates) -> Iterator[None]:
    """The demo, at the moment that it was told for."""
    with moved_to(pickle.loads(database_templates.made(databases.DEMO))):
        yield


@pytest.fixture(scope="session", autouse=True)
def _stored_files_in_a_temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    django_settings.MEDIA_ROOT = tmp_path_factory.mktemp("media")


SAMPLE = ROOT / "tests" / "data"
LARGE = Path(os.environ.get("SHARED_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session", params=[SAMPLE, LARGE] if LARGE.is_dir() else [SAMPLE], ids=lambda folder: folder.name)
def real_data(request: pytest.FixtureRequest) -> Path:
    """The sample in tests/data and, where it is there, the large folder beside the repository (SHARED_DATA overrides)."""
    folder: Path = request.param
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
def real_smtp(mailbox: smtp.Mailbox, settings: Settings) -> smtp.Mailbox:
    """The desk sends to this mailbox."""
    parts = urlsplit(mailbox.url)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = parts.hostname, parts.port
    return mailbox


@pytest.fixture
def imap() -> Iterator[dovecot.Server]:
    """A real IMAP server with one empty mailbox. Missing in CI it fails the test, on a laptop it skips it."""
    if dovecot.program() is None:
        message = "no Dovecot: install the package dovecot-imapd"
        pytest.fail(message) if IN_CI else pytest.skip(message)
    with dovecot.running() as found:
        yield found


@pytest.fixture
def empty_desk(database_templates: databases.Templates, mailbox: smtp.Mailbox, tmp_path: Path) -> Iterator[server.Desk]:
    """A running desk (web and engine) on a migrated, empty database; its mail goes to `mailbox`."""
    with (
        database_templates.copy() as url,
        server.running_desk(url, tmp_path, EMAIL_URL=mailbox.url) as desk,
    ):
        yield desk


@pytest.fixture
def demo_desk(database_templates: databases.Templates, mailbox: smtp.Mailbox, tmp_path: Path) -> Iterator[server.Desk]:
    """A running desk (web and engine) with the demo data; its mail goes to `mailbox`."""
    with (
        database_templates.copy(databases.DEMO) as url,
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
def watch(chromium: Browser) -> Iterator[Callable[..., pages.Watched]]:
    """`watch(url)` opens a watched page for one more person; all are closed at the end."""
    opened: list[pages.Watched] = []

    def open_page(base_url: str, **options: Any) -> pages.Watched:
        opened.append(pages.Watched(chromium, base_url, **options))
        return opened[-1]

    yield open_page
    for each in opened:
        each.close()


@pytest.fixture
def served(chromium: Browser) -> Iterator[Callable[..., pages.Served]]:
    """`served(viewport=…)` opens a browser that is shown what the desk answers in this process; all are closed at the end."""
    opened: list[pages.Served] = []

    def open_browser(**options: Any) -> pages.Served:
        opened.append(pages.Served(chromium, **options))
        return opened[-1]

    yield open_browser
    for each in opened:
        each.close()
