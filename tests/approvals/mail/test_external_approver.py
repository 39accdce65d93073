"""Somebody who was asked becomes an external party: neither the reply nor the link decides, before the seat has moved on."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import Role
from accounts.people import leaving
from approvals.models import ApprovalRequest, ConcessionType
from messaging.models import InboundMail
from tests.approvals.mail.replies import AUTHSERV, receive, token_of
from tests.support.cast import Cast

Ask = Callable[..., ApprovalRequest]
pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture(autouse=True)
def _both_doors_are_open(settings: Settings, deciders: Cast) -> None:
    settings.AUTHSERV_ID = AUTHSERV
    ConcessionType.objects.update(reply_up_to=Decimal(100), link_up_to=Decimal(100))


def make_outside(deciders: Cast) -> None:
    """The director, who is asked; nothing has moved yet."""
    leaving.make_external(user_id=deciders.director.pk, role=Role.objects.get(sees=Role.SHARED), by=deciders.ops)


def test_a_reply_goes_into_quarantine(ask: Ask, deciders: Cast) -> None:
    made = ask()
    make_outside(deciders)
    mail = receive(token_of(made))
    assert mail.state == InboundMail.QUARANTINED
    made.refresh_from_db()
    assert made.state == "open"


def test_the_link_shows_and_decides_nothing(ask: Ask, deciders: Cast) -> None:
    made = ask()
    here = f"/d/{token_of(made)}/"
    assert made.ask in Client().get(here).content.decode()
    make_outside(deciders)
    answer = Client().get(here)
    assert answer.status_code == 302
    assert "/auth/login/" in answer["Location"]
    assert Client().post(here, {"verdict": "approved", "version": made.version}).status_code == 302
    made.refresh_from_db()
    assert made.state == "open"


def test_then_the_seat_and_the_links_move_on(ask: Ask, deciders: Cast) -> None:
    made = ask()
    token = token_of(made)
    make_outside(deciders)
    while leaving.follow():
        pass
    made = ApprovalRequest.objects.get(pk=made.pk)
    assert made.approver not in (None, deciders.director)
    receive(token, number=2)
    made.refresh_from_db()
    assert made.state == "open"
