"""Clients signed in as people of the cast."""

from collections.abc import Callable

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def browse(db: None) -> Callable[[User], Client]:
    """`browse(person)`: a browser in which the person is signed in."""

    def signed_in(person: User) -> Client:
        client = Client()
        client.force_login(person, backend=BACKEND)
        return client

    return signed_in


@pytest.fixture
def api(db: None) -> Callable[[User], APIClient]:
    """`api(person)`: an API client with the person's rights."""

    def signed_in(person: User) -> APIClient:
        client = APIClient()
        client.force_authenticate(person)
        return client

    return signed_in
