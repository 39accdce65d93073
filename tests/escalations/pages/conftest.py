"""A case in the hands of the cast, and people at their screens."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils.module_loading import import_string

# Models and services come by name: this file may be read before Django's registry is ready.
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
HEAD = b"From: eve@nobody.example\r\nTo: desk@desk.example\r\nSubject: Help\r\nMessage-ID: <m1@nobody.example>"
HELP = HEAD + b"\r\n\r\nWe are stuck."


@pytest.fixture
def open_case(cast: Any) -> Callable[..., Any]:
    """`open_case(title="…")` raises one more case on Northwind by its CSM."""
    return lambda **facts: import_string("tests.escalations.pages.stories.raise_case")(cast, **facts)


@pytest.fixture
def case(open_case: Callable[..., Any]) -> Any:
    """Open and handed off, not accepted yet."""
    return open_case(title="Discount blocks the Northwind renewal")


@pytest.fixture
def accepted(case: Any) -> Any:
    """Owned by whoever it was handed to."""
    return import_string("tests.escalations.pages.stories.accept")(case)


@pytest.fixture
def as_user() -> Callable[[Any], Client]:
    """`as_user(cast.csm)` is that person's browser."""

    def sign_in(user: Any) -> Client:
        client = Client()
        client.force_login(user, backend=BACKEND)
        return client

    return sign_in


@pytest.fixture
def waiting_mail(db: None) -> Any:
    """A mail of a sender nobody knows."""
    return import_string("messaging.inbound.receive.receive")(raw=HELP)
