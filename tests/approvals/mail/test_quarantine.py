"""Mail that nothing proves: a person reads it, places it as a comment or dismisses it. It never decides."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import Signal, User
from approvals.mail import replies as replying
from approvals.models import ApprovalRequest, ConcessionType, DecisionEntry
from ledger.errors import AlreadyDone, NotAllowed, NotThere
from messaging.models import InboundMail, Message
from tests.approvals.mail.replies import AUTHSERV, receive, token_of
from tests.approvals.test_pages import text
from tests.support.cast import Cast

Ask = Callable[..., ApprovalRequest]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _replies_are_on(settings: Settings, deciders: Cast) -> None:
    settings.AUTHSERV_ID, settings.MAIL_DOMAIN = AUTHSERV, "desk.example"
    ConcessionType.objects.update(reply_up_to=Decimal(20))


def signed_in(user: User) -> Client:
    """A browser of this person."""
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def held(ask: Ask, **more: Any) -> tuple[ApprovalRequest, InboundMail, str]:
    """A request and an unproven answer to it."""
    made = ask(**more)
    token = token_of(made)
    mail = receive(token, f"Approve\r\nI said so.\r\nSee http://127.0.0.1:8000/d/{token}/", proof="")
    assert mail.state == "quarantine"
    return made, mail, token


def test_operations_find_it_under_quarantine_and_place_it_as_a_comment(ask: Ask, deciders: Cast) -> None:
    made, mail, _ = held(ask)
    client = signed_in(deciders.ops)
    assert "Re: Decision needed" in client.get(reverse("messaging:inbox"), {"view": "quarantine"}).content.decode()
    page = text(client.get(reverse("messaging:inbound", args=[mail.pk])))
    assert "it never counts as a decision" in page
    assert "no DMARC pass" in page
    answer = client.post(reverse("approvals:place_reply", args=[mail.pk]))
    assert answer.status_code == 302
    made.refresh_from_db()
    mail.refresh_from_db()
    assert (made.state, mail.state, mail.handled_by) == ("open", "claimed", deciders.ops)
    entry = made.log.get(kind="comment")
    assert (entry.actor, entry.channel) == (deciders.ops, DecisionEntry.MAIL)
    assert entry.rationale.startswith("From a mail of lena@desk.example, not proven: Approve\nI said so.")


def test_it_is_dismissed_like_other_mail(ask: Ask, deciders: Cast) -> None:
    made, mail, _ = held(ask)
    signed_in(deciders.ops).post(reverse("messaging:dismiss", args=[mail.pk]))
    mail.refresh_from_db()
    assert mail.state == "dismissed"
    assert signed_in(deciders.ops).post(reverse("approvals:place_reply", args=[mail.pk])).status_code == 409
    assert made.log.count() == 1


def test_only_operations_place_it_and_only_what_is_in_quarantine(ask: Ask, deciders: Cast) -> None:
    made, mail, _ = held(ask)
    for user in (deciders.director, deciders.csm, deciders.outsider):
        assert signed_in(user).post(reverse("approvals:place_reply", args=[mail.pk])).status_code == 403
        with pytest.raises(NotAllowed):
            replying.place(mail=mail, by=user)
    other = receive("b" * 52, number=7)
    with pytest.raises(NotThere):
        replying.place(mail=other, by=deciders.ops)
    replying.place(mail=mail, by=deciders.ops)
    mail.refresh_from_db()
    with pytest.raises(AlreadyDone):
        replying.place(mail=mail, by=deciders.ops)
    assert made.log.filter(kind="comment").count() == 1


def test_no_page_shows_the_token_to_operations(ask: Ask, deciders: Cast) -> None:
    made, mail, token = held(ask)
    message = Message.objects.get(key=f"approval:{made.pk}:1")
    client = signed_in(deciders.ops)
    addresses = [
        reverse("messaging:inbound", args=[mail.pk]),
        reverse("messaging:inbox") + "?view=quarantine",
        reverse("messaging:message", args=[message.pk]),
        reverse("messaging:outbox") + "?view=waiting",
        reverse("admin:messaging_message_change", args=[message.pk]),
        reverse("admin:messaging_inboundmail_change", args=[mail.pk]),
    ]
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert token not in answer.content.decode().lower(), address
    client.post(reverse("approvals:place_reply", args=[mail.pk]))
    assert token not in made.log.get(kind="comment").rationale
    own = signed_in(deciders.director).get(reverse("messaging:message", args=[message.pk])).content.decode()
    assert f'href="/d/{token}/"' in own


def test_no_log_line_and_no_note_holds_the_token(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    _, mail, token = held(ask)
    receive(token, "Approve", number=2)
    assert token not in caplog.text.lower()
    assert not InboundMail.objects.filter(note__icontains=token).exists()
    assert token not in mail.note


@pytest.mark.both_databases
def test_an_answer_to_a_confidential_request_is_read_by_those_who_see_the_request(ask: Ask, deciders: Cast) -> None:
    _, mail, _ = held(ask, confidential=True)
    User.objects.filter(pk=deciders.ops.pk).update(is_superuser=False)
    page = signed_in(deciders.ops).get(reverse("messaging:inbound", args=[mail.pk])).content.decode()
    listed = signed_in(deciders.ops).get(reverse("messaging:inbox"), {"view": "quarantine"}).content.decode()
    assert "lena@desk.example" in page
    for each in (page, listed):
        assert "I said so" not in each
        assert "Re: Decision needed" not in each
    assert "Place as comment" not in page
    asked = {"mail": mail.pk, "account": deciders.northwind.pk}
    refused = signed_in(deciders.ops).post(reverse("escalations:place_mail"), asked)
    assert (refused.status_code, Signal.objects.count()) == (403, 0)
