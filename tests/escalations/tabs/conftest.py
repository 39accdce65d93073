"""Browsers of people of the cast."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def browse(db: None) -> Callable[..., Any]:
    """`browse(user, "/path/")` reads a page as this person; with data it posts."""

    def go(user: User, path: str, data: dict[str, Any] | None = None) -> Any:
        client = Client()
        client.force_login(user, backend=BACKEND)
        return client.get(path) if data is None else client.post(path, data)

    return go
