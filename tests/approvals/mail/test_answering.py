"""One helpful answer: not too many, never to machines, never to people somebody else has named."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from pytest_django import Settings

from approvals.models import ApprovalRequest, ConcessionType
from ledger.now import now
from messaging.outbox import messages as outbox
from tests.approvals.mail.replies import AUTHSERV, VOUCHED, answers, receive, token_of
from tests.support.cast import Cast

Ask = Callable[..., ApprovalRequest]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _replies_are_on(settings: Settings, deciders: Cast) -> None:
    settings.AUTHSERV_ID, settings.MAIL_DOMAIN = AUTHSERV, "desk.example"
    ConcessionType.objects.update(reply_up_to=Decimal(20))


def test_a_sender_gets_one_answer_an_hour(ask: Ask) -> None:
    first, second = ask(), ask(case_key="ESC-1043", concession="payment-terms", amount=Decimal(15))
    sender = {"sender": f"<{first.approver.email}>"}
    second.links.update(approver=first.approver)
    start = now()
    receive(token_of(first), "Let me think.", number=1, **sender)
    receive(token_of(second), "And about this one?", number=2, **sender)
    assert len(answers()) == 1
    with time_machine.travel(start + timedelta(minutes=61)):
        receive(token_of(second), "Still thinking.", number=3, **sender)
    assert len(answers()) == 2


def test_a_mail_is_answered_once_a_day(ask: Ask) -> None:
    made = ask(deadline=now() + timedelta(days=3))
    start = now()
    receive(token_of(made), "Let me think.", number=1)
    for number, hours in enumerate((2, 12, 23), 2):
        with time_machine.travel(start + timedelta(hours=hours)):
            receive(token_of(made), f"Thinking, part {number}.", number=number)
    assert len(answers()) == 1
    assert made.log.filter(kind="comment").count() == 4
    with time_machine.travel(start + timedelta(hours=25)):
        receive(token_of(made), "The next day.", number=9)
    assert len(answers()) == 2


def test_an_unproven_mail_in_the_approvers_name_is_told_to_the_approver(ask: Ask, deciders: Cast) -> None:
    made = ask()
    receive(token_of(made), "Approve", proof="")
    [told] = answers()
    assert (told.user, told.address) == (deciders.director, "lena@desk.example")
    assert "could not confirm that you sent it" in " ".join(told.text.split())


def test_a_proven_stranger_is_told_nothing_about_the_request(ask: Ask) -> None:
    made = ask()
    proof = VOUCHED.replace("from=desk.example", "from=evil.example")
    receive(token_of(made), "Approve", sender="Eve <eve@evil.example>", proof=proof)
    [told] = answers()
    assert (told.user, told.address) == (None, "eve@evil.example")
    for secret in ("Northwind", "discount", "15%", "ESC-1042", "Lena", "/d/", "/approvals/"):
        assert secret.lower() not in (told.subject + told.text + told.html).lower()


@pytest.mark.parametrize(
    "sender", ["Eve <eve@evil.example>", "eve@evil.example, lena@desk.example", "Desk <desk@localhost>", "nobody"]
)
def test_an_unproven_stranger_is_never_written_to(ask: Ask, sender: str) -> None:
    made = ask()
    receive(token_of(made), "Approve", sender=sender, proof="")
    receive(token_of(made), "Approve", sender=sender, number=2)
    assert answers() == []


def test_our_own_addresses_are_never_answered(ask: Ask, settings: Settings) -> None:
    settings.DEFAULT_FROM_EMAIL = "Desk <desk@desk.example>"
    made = ask()
    for number, sender in enumerate(("desk@desk.example", "case+1@desk.example")):
        assert receive(token_of(made), "Approve", sender=sender, number=number).state == "quarantine"
    assert answers() == []


def test_an_answer_says_that_a_machine_wrote_it_and_to_what(ask: Ask, mailoutbox: list[Any]) -> None:
    made = ask()
    mail = receive(token_of(made), "Let me think.")
    while outbox.send_due():  # one turn ends after four seconds, and the first brief takes long to lay out
        pass
    [told] = [each for each in mailoutbox if each.extra_headers["Auto-Submitted"] == "auto-replied"]
    assert told.extra_headers["In-Reply-To"] == mail.message_id
    assert told.extra_headers["X-Auto-Response-Suppress"] == "All"
    others = [each for each in mailoutbox if each is not told]
    assert {each.extra_headers["Auto-Submitted"] for each in others} == {"auto-generated"}
