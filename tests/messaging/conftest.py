"""People around the outbox, and the outbox on a real SMTP server."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from pytest_django import Settings
from time_machine import Traveller

from accounts.models import Role, User
from messaging.kinds import Content
from messaging.models import Message
from messaging.outbox import messages
from tests.messaging.kinds import Note

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
BELONGS = ("case_key", "account_name", "thread_id", "reply_to")
PASSWORD = "long-enough-for-all-1"


def _person(email: str, name: str) -> User:
    return User.objects.create_user(email, PASSWORD, name=name)


@pytest.fixture
def dana(db: None) -> User:
    """An executive who gets mail."""
    return _person("dana@desk.example", "Dana Whitfield")


@pytest.fixture
def tom(db: None) -> User:
    """Somebody else without a role."""
    return _person("tom@desk.example", "Tom Becker")


@pytest.fixture
def sana(db: None) -> User:
    """Operations."""
    user = _person("sana@desk.example", "Sana Khan")
    role, _ = Role.objects.get_or_create(
        slug="pmo", defaults={"name": "PMO / operations", "sees": "all", "operations": True}
    )
    user.holdings.create(role=role)
    return user


@pytest.fixture
def post(db: None) -> Callable[..., Message]:
    """Post a message with as little as the test cares for."""

    def make(number: int = 1, **values: Any) -> Message:
        words = {"subject": f"Message {number}", "text": f"Text {number}", "html": ""}
        belongs = {name: values.pop(name) for name in BELONGS if name in values}
        words |= {name: values.pop(name) for name in words if name in values}
        wanted = {"key": f"test:{number}", "kind": "handoff", "to": f"person{number}@desk.example", **values}
        messages.post(content=Content(**words), regarding=messages.Regarding(**belongs), **wanted)
        return Message.objects.get(key=wanted["key"])

    return make


@pytest.fixture
def clock() -> Iterator[Traveller]:
    """A clock that stands still until moved."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def note(settings: Settings) -> Iterator[type[Note]]:
    """Register the kind `note` for one test."""
    settings.MESSAGE_KINDS = [*settings.MESSAGE_KINDS, "tests.messaging.kinds.Note"]
    yield Note
    Note.stale.clear()
    Note.asked.clear()
