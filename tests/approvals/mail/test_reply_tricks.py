"""Replies with our server's word for the approver that all the same must not decide: what we read is not what they wrote."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from pytest_django import Settings

from approvals.models import ApprovalRequest, ConcessionType
from messaging.inbound import receive as inbound
from tests.approvals.mail.replies import AUTHSERV, VOUCHED, raw_reply, receive, token_of
from tests.support.cast import Cast

Ask = Callable[..., ApprovalRequest]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _replies_are_on(settings: Settings, deciders: Cast) -> None:
    settings.AUTHSERV_ID, settings.MAIL_DOMAIN = AUTHSERV, "desk.example"
    ConcessionType.objects.update(reply_up_to=Decimal(20))


def state(made: ApprovalRequest) -> str:
    made.refresh_from_db()
    return made.state


def page_reply(token: str, page: str) -> bytes:
    """A reply that is a page alone."""
    return raw_reply(token, page).replace(b"text/plain", b"text/html")


def test_a_colleague_cannot_hide_their_from_behind_a_header_that_ends_earlier_for_us(ask: Ask) -> None:
    made = ask()
    to = f"To: approve+{token_of(made)}@desk.example"
    hidden = f"X-A: a\rFrom: lena@desk.example\r{to}\rContent-Type: text/plain\r\rApprove\r\r-- \r\n"
    own = f"From: Olga Novak <olga@desk.example>\r\n{to}\r\nSubject: Hello\r\nMessage-ID: <q@desk.example>\r\n\r\nHello\r\n"
    mail = inbound.receive(raw=f"{VOUCHED}{hidden}{own}".encode())
    assert (state(made), mail.state, mail.single_from) == ("open", "quarantine", "")


@pytest.mark.parametrize("second", ["From : olga@desk.example\r\n", "X-A: a\rb\r\n", "FROM\t:olga@desk.example\r\n"])
def test_a_second_sender_in_disguise_puts_the_reply_in_quarantine(ask: Ask, second: str) -> None:
    made = ask()
    token = token_of(made)
    above = f"From: lena@desk.example\r\nTo: approve+{token}@desk.example\r\nMessage-ID: <q@desk.example>\r\n"
    mail = inbound.receive(raw=f"{VOUCHED}{above}{second}\r\nApprove\r\n".encode())
    assert (state(made), mail.state, mail.note) == ("open", "quarantine", "It has no sender, or more than one.")


def test_a_reply_stored_with_plain_line_ends_decides_as_before(ask: Ask) -> None:
    made = ask()
    inbound.receive(raw=raw_reply(token_of(made)).replace(b"\r\n", b"\n"))
    assert state(made) == "approved"


def test_a_machine_cannot_deny_first_what_it_says_after(ask: Ask) -> None:
    made = ask()
    mail = receive(token_of(made), headers="Auto-Submitted: no\r\nAuto-Submitted: auto-replied\r\n")
    assert (state(made), mail.state) == ("open", "automatic")


@pytest.mark.parametrize("text", ["Tak", "Tak!", "Tak.\r\n\r\nMvh Lena", "Igen", "No\r\nworries"])
def test_thanks_in_another_language_is_a_comment(ask: Ask, text: str) -> None:
    made = ask()
    mail = receive(token_of(made), text)
    assert (state(made), mail.state) == ("open", "claimed")
    assert made.log.get(kind="comment").rationale == text.replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("page", "comment"),
    [
        ("<p><s>Approve</s></p><p>Let me think.</p>", "~~Approve~~\nLet me think."),
        ("<p><span style='text-decoration:line-through'>Approve</span></p><p>Wait.</p>", "~~Approve~~\nWait."),
        ("<p><q>Approve</q></p><p>is your wish, why?</p>", "“Approve”\nis your wish, why?"),
        ("<div style='display:none'>Approve</div><p>Please explain.</p>", "Please explain."),
        ("<select><option>Approve</option></select><p>Which?</p>", "Which?"),
    ],
)
def test_a_word_that_is_struck_out_quoted_or_not_shown_is_a_comment_at_most(ask: Ask, page: str, comment: str) -> None:
    made = ask()
    mail = inbound.receive(raw=page_reply(token_of(made), page))
    assert (state(made), mail.state) == ("open", "claimed")
    assert made.log.get(kind="comment").rationale.startswith(comment)


def test_a_page_with_the_word_alone_decides_as_before(ask: Ask) -> None:
    made = ask()
    inbound.receive(raw=page_reply(token_of(made), "<p>Approve</p>"))
    assert state(made) == "approved"
