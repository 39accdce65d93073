"""The outbox on a real SMTP server: written with the change, sent once, tried again, given to a person in the end."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from pytest_django import Settings
from time_machine import Traveller

from accounts.models import User
from ledger.errors import AlreadyDone, Invalid, NotAllowed
from ledger.now import now
from messaging.kinds import Content
from messaging.models import Message
from messaging.outbox import messages as outbox
from tests.messaging.conftest import NOON
from tests.messaging.kinds import Note
from tests.support.smtp import Mailbox, plain_text

pytestmark = pytest.mark.both_databases

Post = Callable[..., Message]


def test_a_posted_message_leaves_once_as_text_and_html(real_smtp: Mailbox, post: Post, dana: User) -> None:
    message = post(to=dana, subject="Decide", text="Plain", html="<p>Rich</p>", reply_to="approval+1@desk.example")
    assert outbox.send_due() == 1
    assert outbox.send_due() == 0
    (mail,) = real_smtp.to("dana@desk.example")
    assert (mail["Subject"], mail["Reply-To"]) == ("Decide", "approval+1@desk.example")
    assert mail["Message-ID"] == message.message_id
    assert mail["Auto-Submitted"] == "auto-generated"
    assert plain_text(mail).strip() == "Plain"
    assert mail.get_body(preferencelist=("html",)).get_content().strip() == "<p>Rich</p>"
    message.refresh_from_db()
    assert (message.state, message.attempts, message.leased_until) == (Message.SENT, 1, None)
    assert [each.ok for each in message.deliveries.all()] == [True]


def test_the_same_key_is_written_once(post: Post) -> None:
    first = post(key="handoff:12")
    outbox.post(key="handoff:12", kind="handoff", to="x@desk.example", content=Content("Again", "Again", ""))
    kept = Message.objects.get()
    assert (kept, kept.text, kept.address) == (first, first.text, first.address)


def test_a_message_that_cannot_be_written_is_an_error_and_not_left_out(post: Post) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        post(kind=None)
    assert not Message.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_message_of_a_change_that_is_undone_is_never_sent(real_smtp: Mailbox, post: Post) -> None:
    with transaction.atomic():
        post()
        transaction.set_rollback(True)
    assert outbox.send_due() == 0
    assert real_smtp.messages == []


def test_one_connection_carries_a_batch(real_smtp: Mailbox, post: Post) -> None:
    peers = set()

    async def note_peer(server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        peers.add(session.peer)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    real_smtp.handle_RCPT = note_peer  # type: ignore[attr-defined]
    for number in range(4):
        post(number)
    assert outbox.send_due() == 4
    assert len(peers) == 1


def test_a_refusal_for_now_is_tried_again_later_under_the_same_message_id(
    real_smtp: Mailbox, post: Post, clock: Traveller
) -> None:
    message, _ = post(1), post(2)
    real_smtp.refuse_next = 1
    assert outbox.send_due() == 1, "one that is refused does not hold up the next"
    message.refresh_from_db()
    assert (message.state, message.attempts) == (Message.PENDING, 1)
    assert message.next_try_at == NOON + timedelta(minutes=1)
    assert "451" in message.deliveries.get().detail
    assert outbox.send_due() == 0
    clock.shift(timedelta(minutes=1))
    assert outbox.send_due() == 1
    assert real_smtp.to(message.address)[0]["Message-ID"] == message.message_id


def test_an_address_that_does_not_exist_is_parked_at_once(real_smtp: Mailbox, post: Post) -> None:
    async def refuse(server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        return "550 no such mailbox"

    real_smtp.handle_RCPT = refuse  # type: ignore[attr-defined]
    message = post()
    assert outbox.send_due() == 0
    message.refresh_from_db()
    assert message.state == Message.PARKED
    assert "no such mailbox" in message.deliveries.get().detail


def test_a_message_nobody_wants_any_more_is_dropped(real_smtp: Mailbox, post: Post, note: type[Note]) -> None:
    note.stale.add("12")
    stale = post(1, source="note:12")
    post(2, source="note:13")
    assert outbox.send_due() == 1
    stale.refresh_from_db()
    assert (stale.state, note.asked) == (Message.DROPPED, ["12", "13"])
    assert not stale.deliveries.exists()


def test_somebody_who_left_gets_no_mail(real_smtp: Mailbox, post: Post, dana: User) -> None:
    message = post(to=dana)
    User.objects.filter(pk=dana.pk).update(is_active=False)
    assert outbox.send_due() == 0
    message.refresh_from_db()
    assert (message.state, real_smtp.messages) == (Message.DROPPED, [])


def test_a_kind_that_breaks_does_not_hold_up_the_others(real_smtp: Mailbox, post: Post, note: type[Note]) -> None:
    broken, _ = post(1, source="note:broken"), post(2)
    assert outbox.send_due() == 1
    broken.refresh_from_db()
    assert (broken.state, broken.attempts) == (Message.PENDING, 1)
    assert "ZeroDivisionError" in broken.deliveries.get().detail


def test_the_limit_holds_and_the_oldest_go_first(real_smtp: Mailbox, post: Post, clock: Traveller) -> None:
    for number in range(3):
        post(number)
        clock.shift(timedelta(seconds=1))
    assert outbox.send_due(limit=2) == 2
    assert [mail["Subject"] for mail in real_smtp.messages] == ["Message 0", "Message 1"]


def test_without_a_mail_server_mail_is_kept_to_be_read_here(post: Post, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    message = post()
    assert outbox.send_due() == 1
    message.refresh_from_db()
    assert message.state == Message.SENT
    assert "No mail server configured" in message.deliveries.get().detail


def test_a_subject_cannot_smuggle_headers_in(real_smtp: Mailbox, post: Post) -> None:
    post(subject="Decide\r\nBcc: thief@evil.example", text="a\x00b\ud800")
    assert outbox.send_due() == 1
    (mail,) = real_smtp.messages
    assert mail["Subject"] == "Decide Bcc: thief@evil.example"
    assert mail["Bcc"] is None


@pytest.mark.parametrize("address", ["", "nobody", "a@b\r\nBcc: c@d.example", "a@b.example, c@d.example"])
def test_what_is_no_address_is_refused_when_posted(db: None, address: str) -> None:
    with pytest.raises(Invalid) as refusal:
        outbox.post(key="k", kind="x", to=address, content=Content("s", "t", ""))
    assert refusal.value.field == "to"
    assert not Message.objects.exists()


def test_after_twelve_tries_over_more_than_a_day_a_message_is_parked(
    real_smtp: Mailbox, post: Post, clock: Traveller
) -> None:
    message = post()
    real_smtp.refuse_next = 12
    waits = []
    for _ in range(12):
        outbox.send_due()
        message.refresh_from_db()
        waits.append(int((message.next_try_at - now()).total_seconds() // 60))
        clock.move_to(max(message.next_try_at, now()))
    assert waits[:11] == [1, 5, 15, 60, 120, 240, 240, 240, 240, 240, 240]
    assert sum(waits[:11]) > 24 * 60, "a server that says later for a day loses nothing"
    assert message.state == Message.PARKED
    assert list(Message.objects.needs_attention()) == [message]
    assert message.deliveries.count() == 12
    clock.shift(timedelta(days=2))
    assert outbox.send_due() == 0


def test_operations_send_a_parked_message_again_under_the_same_message_id(
    real_smtp: Mailbox, post: Post, sana: User
) -> None:
    message = post()
    Message.objects.update(state=Message.PARKED, attempts=8)
    again = outbox.retry(message=message, by=sana)
    assert (again.state, again.attempts) == (Message.PENDING, 0)
    assert outbox.send_due() == 1
    assert real_smtp.messages[0]["Message-ID"] == message.message_id
    with pytest.raises(AlreadyDone):
        outbox.retry(message=message, by=sana)


def test_only_operations_send_again(post: Post, tom: User) -> None:
    message = post(to=tom)
    Message.objects.update(state=Message.PARKED)
    with pytest.raises(NotAllowed):
        outbox.retry(message=message, by=tom)
    message.refresh_from_db()
    assert message.state == Message.PARKED


def test_operations_send_all_parked_messages_again_at_once(
    real_smtp: Mailbox, post: Post, sana: User, tom: User
) -> None:
    messages = [post(number) for number in range(3)]
    Message.objects.exclude(pk=messages[2].pk).update(state=Message.PARKED, attempts=12)
    with pytest.raises(NotAllowed):
        outbox.retry_failed(by=tom)
    assert outbox.retry_failed(by=sana) == 2
    assert outbox.send_due() == 3
    assert {mail["Message-ID"] for mail in real_smtp.messages} == {each.message_id for each in messages}
    with pytest.raises(AlreadyDone):
        outbox.retry_failed(by=sana)


def test_all_mails_of_a_case_make_one_thread_whichever_app_writes_them(
    real_smtp: Mailbox, post: Post, clock: Traveller
) -> None:
    first = post(1, case_key="ESC-1042")
    post(2, case_key="ESC-1042", thread_id="case-1042@localhost")
    post(3, case_key="ESC-1043")
    post(4, thread_id="request-7@desk.example")
    real_smtp.refuse_next = 1
    outbox.send_due()
    clock.shift(timedelta(minutes=1))
    outbox.send_due()
    mails = {str(mail["Subject"]): mail for mail in real_smtp.messages}
    roots = [str(mails[f"Message {number}"]["References"]) for number in (1, 2, 3, 4)]
    assert roots == ["<case-1042@localhost>"] * 2 + ["<case-1043@localhost>", "<request-7@desk.example>"]
    assert [str(mails[f"Message {number}"]["In-Reply-To"]) for number in (1, 2, 3, 4)] == roots
    assert mails["Message 1"]["Message-ID"] == first.message_id, "the same after a second try"
    assert len({mail["Message-ID"] for mail in real_smtp.messages}) == 4


def test_words_beyond_ascii_and_long_lines_arrive_as_written(real_smtp: Mailbox, post: Post) -> None:
    subject = "Überfällig: «Preisnachlass» für Łódź " + "und weiter " * 12
    text = "Zeile – mit Strich\n.\nFrom the start\n" + "lang " * 400
    post(1, subject=subject, text=text, html="<p>ü</p>", to="person@müller.example")
    assert outbox.send_due() == 1
    (mail,) = real_smtp.messages
    assert str(mail["Subject"]).strip() == subject.strip()
    assert plain_text(mail).split() == text.split()
    assert mail["X-Envelope-To"] == "person@xn--mller-kva.example"
