"""People around the outbox, and the outbox on a real SMTP server."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.utils.module_loading import import_string

from tests.support.smtp import Mailbox

# Models and services come by name: this file may be read before Django's registry is ready.
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
BELONGS = ("case_key", "account_name", "thread_id", "reply_to")
PASSWORD = "long-enough-for-all-1"


def _person(email: str, name: str) -> Any:
    return get_user_model().objects.create_user(email, PASSWORD, name=name)


@pytest.fixture
def dana(db: None) -> Any:
    """An executive who gets mail."""
    return _person("dana@desk.example", "Dana Whitfield")


@pytest.fixture
def tom(db: None) -> Any:
    """Somebody else without a role."""
    return _person("tom@desk.example", "Tom Becker")


@pytest.fixture
def sana(db: None) -> Any:
    """Operations."""
    user = _person("sana@desk.example", "Sana Khan")
    roles = import_string("accounts.models.Role").objects
    role, _ = roles.get_or_create(slug="pmo", defaults={"name": "PMO / operations", "sees": "all", "operations": True})
    user.holdings.create(role=role)
    return user


@pytest.fixture
def real_smtp(mailbox: Mailbox, settings: Any) -> Mailbox:
    """The desk sends to this mailbox."""
    parts = urlsplit(mailbox.url)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = parts.hostname, parts.port
    return mailbox


@pytest.fixture
def post(db: None) -> Callable[..., Any]:
    """Post a message with as little as the test cares for."""
    outbox, kinds = import_module("messaging.outbox.messages"), import_module("messaging.kinds")

    def make(number: int = 1, **values: Any) -> Any:
        words = {"subject": f"Message {number}", "text": f"Text {number}", "html": ""}
        belongs = {name: values.pop(name) for name in BELONGS if name in values}
        words |= {name: values.pop(name) for name in words if name in values}
        wanted = {"key": f"test:{number}", "kind": "handoff", "to": f"person{number}@desk.example", **values}
        outbox.post(content=kinds.Content(**words), regarding=outbox.Regarding(**belongs), **wanted)
        return import_module("messaging.models").Message.objects.get(key=wanted["key"])

    return make


@pytest.fixture
def clock() -> Iterator[Any]:
    """A clock that stands still until moved."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def note(settings: Any) -> Iterator[Any]:
    """Register the kind `note` for one test."""
    kind = import_string("tests.messaging.kinds.Note")
    settings.MESSAGE_KINDS = [*settings.MESSAGE_KINDS, "tests.messaging.kinds.Note"]
    yield kind
    kind.stale.clear()
    kind.asked.clear()
