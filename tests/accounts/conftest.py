"""A bare installation, and clients signed in as people of the cast."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils.module_loading import import_string

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def shipped(db: None) -> None:
    """Roles, calendars and rates of a new installation."""
    # By name: this file may be read before Django's registry is ready.
    import_string("accounts.defaults.ensure_defaults")()


@pytest.fixture
def browse(db: None) -> Callable[[Any], Client]:
    """`browse(person)`: a browser in which the person is signed in."""

    def signed_in(person: Any) -> Client:
        client = Client()
        client.force_login(person, backend=BACKEND)
        return client

    return signed_in


@pytest.fixture
def api(db: None) -> Callable[[Any], Any]:
    """`api(person)`: an API client with the person's rights."""

    def signed_in(person: Any) -> Any:
        client = import_string("rest_framework.test.APIClient")()
        client.force_authenticate(person)
        return client

    return signed_in
