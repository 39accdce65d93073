"""A case in the hands of the cast, and people at their screens."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from escalations.models import Escalation
from messaging.inbound.receive import receive
from messaging.models import InboundMail
from tests.escalations.pages import stories
from tests.support.cast import Cast

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
HEAD = b"From: eve@nobody.example\r\nTo: desk@desk.example\r\nSubject: Help\r\nMessage-ID: <m1@nobody.example>"
HELP = HEAD + b"\r\n\r\nWe are stuck."


@pytest.fixture
def open_case(cast: Cast) -> Callable[..., Escalation]:
    """`open_case(title="…")` raises one more case on Northwind by its CSM."""
    return lambda **facts: stories.raise_case(cast, **facts)


@pytest.fixture
def case(open_case: Callable[..., Escalation]) -> Escalation:
    """Open and handed off, not accepted yet."""
    return open_case(title="Discount blocks the Northwind renewal")


@pytest.fixture
def accepted(case: Escalation) -> Escalation:
    """Owned by whoever it was handed to."""
    return stories.accept(case)


@pytest.fixture
def as_user() -> Callable[[User], Client]:
    """`as_user(cast.csm)` is that person's browser."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend=BACKEND)
        return client

    return sign_in


@pytest.fixture
def waiting_mail(db: None) -> InboundMail:
    """A mail of a sender nobody knows."""
    return receive(raw=HELP)
