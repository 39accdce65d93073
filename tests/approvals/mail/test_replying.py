"""A reply decides only when everything proves it. Every single thing that is missing makes it something else."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from allauth.account.models import EmailAddress
from pytest_django import Settings

from approvals.models import ApprovalRequest, ConcessionType, DecisionEntry
from approvals.requests import decide as deciding
from approvals.requests import seats as seating
from ledger.now import now
from messaging.inbound import receive as inbound
from messaging.models import InboundMail, Message
from tests.approvals.mail.replies import AUTHSERV, VOUCHED, answers, raw_reply, receive, token_of
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


def kinds(made: ApprovalRequest) -> list[str]:
    return list(made.log.values_list("kind", flat=True))


def test_the_mail_is_answered_at_an_address_of_its_own_that_a_mail_system_may_write_in_capitals(ask: Ask) -> None:
    made = ask()
    message = Message.objects.get(key=f"approval:{made.pk}:1")
    token = token_of(made)
    assert message.reply_to == f"approve+{token}@desk.example"
    assert "write approve or decline alone on the first line" in " ".join(message.text.split())
    assert receive(token, to=f"APPROVE+{token.upper()}@DESK.EXAMPLE").state == "claimed"
    assert state(made) == "approved"


def test_a_proven_reply_decides_with_its_reason(ask: Ask, deciders: Cast) -> None:
    made = ask()
    mail = receive(token_of(made), "Approved.\r\n\r\nFor this renewal only.")
    assert (state(made), made.decided_by, made.reason) == ("approved", deciders.director, "For this renewal only.")
    entry = made.log.get(kind="approved")
    assert (entry.channel, entry.actor, entry.limit) == (DecisionEntry.MAIL, deciders.director, "20%")
    assert (mail.state, mail.note) == ("claimed", f"Reply to approval request {made.pk} (ESC-1042): approved")
    [told] = answers()
    assert (told.user, told.thread_id) == (deciders.director, mail.message_id)
    assert "Approved by your reply at" in told.text
    assert "undo" in told.text


def test_a_decline_needs_its_reason_and_is_taken_with_it(ask: Ask) -> None:
    made = ask()
    mail = receive(token_of(made), "No")
    assert (state(made), mail.state) == ("open", "claimed")
    assert "comment" not in kinds(made)
    [told] = answers()
    assert "Enter a reason for declining. Nothing was decided." in told.text
    receive(token_of(made), "Decline\r\nThe margin is gone.", number=2)
    assert (state(made), made.reason) == ("declined", "The margin is gone.")


def test_the_same_mail_twice_decides_once_and_a_later_one_is_told(ask: Ask) -> None:
    made = ask()
    token = token_of(made)
    first = receive(token, "Approve")
    assert receive(token, "Approve") == first
    assert kinds(made).count("approved") == 1
    later = receive(token, "Decline\r\nOn second thought.", number=2)
    assert (later.state, later.note.endswith("came too late")) == ("claimed", True)
    assert state(made) == "approved"
    assert "Already approved by Lena Ortiz at" in answers()[-1].text


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"proof": ""}, "no DMARC pass"),
        ({"proof": VOUCHED.replace("dmarc=pass", "dmarc=fail")}, "no DMARC pass"),
        ({"proof": VOUCHED.replace("dmarc=pass", "dmarc=bestguesspass")}, "no DMARC pass"),
        ({"proof": VOUCHED.replace("dmarc=pass", "spf=pass; dkim=pass")}, "no DMARC pass"),
        ({"proof": VOUCHED.replace(AUTHSERV, "mx.evil.example")}, "no DMARC pass"),
        ({"proof": VOUCHED.replace(AUTHSERV, AUTHSERV + ".evil.example")}, "no DMARC pass"),
        ({"proof": VOUCHED.replace("from=desk", "from=evil")}, "no DMARC pass"),
        ({"proof": VOUCHED + VOUCHED.replace("=pass", "=fail")}, "no DMARC pass"),
        ({"sender": "Lena Ortiz <lena@evil.example>"}, "no DMARC pass"),
        ({"sender": "Lena Ortiz <priya@desk.example>"}, "was not asked"),
        ({"sender": "Dana Whitfield <dana@desk.example>"}, "was not asked"),
        ({"sender": "lena@desk.example <priya@desk.example>"}, "no sender, or more"),
        ({"sender": "lena@desk.example, priya@desk.example"}, "no sender, or more"),
        ({"headers": "From: priya@desk.example\r\n"}, "no sender, or more"),
        ({"sender": "Lena <lena@desk.example.evil.example>"}, "no DMARC pass"),
    ],
)
def test_what_nothing_proves_waits_in_quarantine(ask: Ask, change: dict[str, str], note: str) -> None:
    made = ask()
    mail = receive(token_of(made), "Approve", **change)
    assert (state(made), mail.state) == ("open", "quarantine")
    assert note in mail.note
    assert kinds(made) == ["asked"]


def test_while_our_mail_server_has_no_name_nothing_is_proven_and_nobody_is_invited(
    ask: Ask, settings: Settings
) -> None:
    settings.AUTHSERV_ID = ""
    made = ask()
    message = Message.objects.get(key=f"approval:{made.pk}:1")
    assert message.reply_to == "priya@desk.example"
    assert "reply" not in message.text.lower()
    mail = receive(token_of(made))
    assert (state(made), mail.state) == ("open", "quarantine")
    assert "AUTHSERV_ID" in mail.note


@pytest.mark.parametrize(
    "text",
    [
        "do not approve",
        "I approve of the idea, but not of this",
        "Approve?",
        '"approve"',
        "~~approve~~",
        "approve\r\ndecline",
        "Looks fine to me",
        "Hi Priya,\r\napprove",
    ],
)
def test_anything_but_the_word_alone_is_a_comment(ask: Ask, text: str) -> None:
    made = ask()
    mail = receive(token_of(made), text)
    assert (state(made), mail.state) == ("open", "claimed")
    entry = made.log.get(kind="comment")
    assert entry.rationale == text.replace("\r\n", "\n")
    assert entry.channel == DecisionEntry.MAIL
    [told] = answers()
    assert "Nothing was decided" in told.text
    assert "added to the request as a comment" in told.text


def test_words_that_are_only_quoted_or_forwarded_decide_nothing(ask: Ask) -> None:
    quoted = ask()
    mail = inbound.receive(raw=raw_reply(token_of(quoted), "", number=1))
    assert (state(quoted), mail.visible_text.strip()) == ("open", "")
    forward = "---------- Forwarded message ---------\r\nFrom: Bo <bo@x.example>\r\nDate: Mon, 2 Mar 2026\r\nSubject: x\r\n\r\n"
    made = ask(case_key="ESC-1043")
    mail = receive(token_of(made), f"{forward}approve", number=2)
    assert (state(made), mail.own_words) == ("open", False)
    assert "approved" not in kinds(made)


@pytest.mark.parametrize(
    "headers",
    [
        "Auto-Submitted: auto-replied\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "X-Autoreply: yes\r\n",
        "Precedence: auto_reply\r\n",
    ],
)
def test_automatic_mail_is_neither_a_decision_nor_answered(ask: Ask, headers: str) -> None:
    made = ask()
    mail = receive(token_of(made), "Approve", headers=headers)
    assert (state(made), mail.state) == ("open", "automatic")
    assert answers() == []
    assert kinds(made) == ["asked"]


@pytest.mark.parametrize(
    "headers",
    [
        "Precedence: bulk\r\n",
        "List-Id: <team.desk.example>\r\n",
        "Return-Path: <>\r\n",
        "X-Auto-Response-Suppress: All\r\n",
    ],
)
def test_one_sign_of_an_automatic_mail_is_enough_to_decide_nothing(ask: Ask, headers: str) -> None:
    made = ask()
    mail = receive(token_of(made), "Approve", headers=headers)
    assert (state(made), mail.state) == ("open", "quarantine")
    assert "may be automatic" in mail.note
    assert answers() == []


def test_an_absence_note_that_quotes_the_question_decides_nothing(ask: Ask) -> None:
    made = ask()
    raw = raw_reply(token_of(made), "I am out of the office until Monday.")
    inbound.receive(raw=raw.replace(b"Subject: Re: Decision needed", b"Subject: Automatic reply: Decision needed"))
    assert (state(made), answers()) == ("open", [])


@pytest.mark.parametrize("cap", [None, Decimal(0), Decimal("14.99")])
def test_an_amount_over_the_cap_is_decided_on_the_page(ask: Ask, cap: Decimal | None) -> None:
    ConcessionType.objects.filter(slug="discount").update(reply_up_to=cap)
    made = ask()
    assert "cannot be decided by reply" in Message.objects.get(key=f"approval:{made.pk}:1").text.replace("\n", " ")
    receive(token_of(made), "Approve\r\nGo ahead.")
    assert state(made) == "open"
    assert made.log.get(kind="comment").rationale == "Approve\nGo ahead."
    assert "cannot be decided by reply. Decide on the page." in answers()[0].text


def test_what_was_granted_before_counts_towards_the_cap(ask: Ask, deciders: Cast) -> None:
    ConcessionType.objects.filter(slug="discount").update(reply_up_to=Decimal(20))
    first = ask(amount=Decimal(8))
    deciding.decide(request_id=first.pk, by=first.approver, verdict="approved", version=first.version)
    second = ask(amount=Decimal(13), case_key="ESC-1043")
    receive(token_of(second), "Approve", sender=f"<{second.approver.email}>")
    assert state(second) == "open"
    assert "cannot be decided by reply" in answers()[0].text


def test_an_ask_without_an_amount_is_decided_on_the_page(ask: Ask) -> None:
    made = ask(concession="indemnity", amount=None, currency="")
    receive(token_of(made), "Approve", sender=f"<{made.approver.email}>")
    assert state(made) == "open"


def test_a_reply_after_the_role_has_ended_decides_nothing(ask: Ask, deciders: Cast) -> None:
    made = ask()
    deciders.director.holdings.update(starts=now() - timedelta(days=2), ends=now() - timedelta(days=1))
    receive(token_of(made), "Approve")
    assert state(made) == "open"
    assert "Nothing was decided" in answers()[0].text


def test_a_person_who_has_left_proves_nothing(ask: Ask, deciders: Cast) -> None:
    made = ask()
    deciders.director.is_active = False
    deciders.director.save()
    assert receive(token_of(made), "Approve").state == "quarantine"
    assert (state(made), answers()) == ("open", [])


def test_the_token_of_an_earlier_approver_is_dead(ask: Ask) -> None:
    made = ask()
    token = token_of(made)
    seating.pass_up(request_id=made.pk, reason="No answer in time")
    mail = receive(token, "Approve")
    assert (state(made), mail.state) == ("open", "claimed")
    assert "Nothing was decided" in answers()[0].text


def test_a_token_ends_seven_days_after_the_deadline(ask: Ask) -> None:
    made = ask()
    with time_machine.travel(made.deadline + timedelta(days=7, seconds=1)):
        receive(token_of(made), "Approve")
    assert state(made) == "open"


def test_a_reply_after_a_recall_is_told(ask: Ask, deciders: Cast) -> None:
    made = ask()
    deciding.recall(request_id=made.pk, by=deciders.csm, reason="Solved otherwise")
    receive(token_of(made), "Approve")
    assert state(made) == "recalled"
    assert "Recalled by Priya Raman" in answers()[0].text


def test_a_second_verified_address_is_the_persons_own_an_unverified_one_is_not(ask: Ask, deciders: Cast) -> None:
    made = ask()
    address = EmailAddress.objects.create(user=deciders.director, email="Lena@Home.example", verified=False)
    proof = VOUCHED.replace("from=desk.example", "from=home.example")
    reply = {"sender": "lena@home.example", "proof": proof}
    assert receive(token_of(made), "Approve", **reply).state == "quarantine"
    address.verified = True
    address.save()
    assert receive(token_of(made), "Approve", number=2, **reply).state == "claimed"
    assert state(made) == "approved"


def test_a_mail_to_two_requests_decides_neither(ask: Ask) -> None:
    first, second = ask(), ask(case_key="ESC-1043", amount=Decimal(14))
    to = f"approve+{token_of(first)}@desk.example, approve+{token_of(second)}@desk.example"
    assert receive("", "Approve", to=to).state == "quarantine"
    assert (state(first), state(second)) == ("open", "open")


def test_an_address_nobody_was_given_is_left_to_others(ask: Ask) -> None:
    made = ask()
    mail = receive("a" * 52)
    assert (state(made), mail.state) == ("open", "waiting")
    assert answers() == []


def test_the_token_counts_wherever_the_mail_names_its_recipient(ask: Ask) -> None:
    for number, header in enumerate(("Delivered-To", "X-Original-To", "Envelope-To", "Cc")):
        made = ask(case_key=f"ESC-{2000 + number}", amount=Decimal("0.5"), tier="red")
        sender = f"<{made.approver.email}>"
        headers = f"{header}: approve+{token_of(made)}@desk.example\r\n"
        receive("", "Approve", to="desk@desk.example", headers=headers, number=number, sender=sender)
        assert state(made) == "approved", header


def test_a_reply_goes_to_no_account_as_a_signal(ask: Ask, deciders: Cast) -> None:
    deciders.northwind.contacts.create(name="Lena", email="lena@desk.example")
    made = ask()
    mail = receive(token_of(made), "Approve")
    assert (state(made), mail.state) == ("approved", "claimed")
    assert not deciders.northwind.signals.exists()


def test_a_mail_that_waits_is_all_that_is_taken(ask: Ask, deciders: Cast) -> None:
    made = ask()
    mail = receive(token_of(made), "Approve", proof="")
    InboundMail.objects.filter(pk=mail.pk).update(auth_results=[VOUCHED.partition(": ")[2].strip()])
    inbound.receive(raw=raw_reply(token_of(made), "Approve", proof=""))
    assert state(made) == "open"
