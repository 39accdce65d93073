"""A mail server that takes nothing: nothing is lost, nothing is parked for it, and all leaves once it is back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from pytest_django import Settings
from time_machine import Traveller

from messaging.models import Message, Outage
from messaging.outbox import messages as outbox
from messaging.outbox import outages
from tests.messaging.conftest import NOON
from tests.support.ports import free_port
from tests.support.smtp import Mailbox

pytestmark = pytest.mark.both_databases

Post = Callable[..., Message]
LATER = "later"


@pytest.fixture
def dead_server(settings: Settings) -> int:
    """The desk sends to a port where nobody listens."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    return int(settings.EMAIL_PORT)


def test_a_server_that_is_down_costs_no_message_a_try(post: Post, dead_server: int, clock: Traveller) -> None:
    messages = [post(number) for number in range(3)]
    assert outbox.send_due() == 0
    for message in messages:
        message.refresh_from_db()
        assert (message.state, message.leased_until, message.attempts) == (Message.PENDING, None, 0)
        assert message.next_try_at == NOON
        assert not message.deliveries.exists()
    outage = Outage.objects.get()
    assert (outage.since, outage.tries, outage.retry_at) == (NOON, 1, NOON + timedelta(seconds=5))
    assert "did not answer" in outage.detail


def test_senders_knock_at_growing_intervals_of_a_minute_at_most(post: Post, dead_server: int, clock: Traveller) -> None:
    post()
    waits = []
    for _ in range(6):
        outbox.send_due()
        outbox.send_due()
        outage = Outage.objects.get()
        waits.append((outage.retry_at - outages.now()).total_seconds())
        clock.move_to(outage.retry_at)
    assert waits == [5, 10, 20, 40, 60, 60]


def test_a_day_without_a_mail_server_loses_nothing_and_all_leaves_once_in_order(
    post: Post, dead_server: int, clock: Traveller
) -> None:
    messages = []
    for hour in range(24):
        messages += [post(2 * hour), post(2 * hour + 1, kind="breach")]
        for _ in range(6):
            assert outbox.send_due() == 0
            clock.shift(timedelta(minutes=10))
    assert set(Message.objects.values_list("state", "attempts", "leased_until")) == {(Message.PENDING, 0, None)}
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=dead_server)
    controller.start()
    try:
        clock.shift(timedelta(minutes=1))
        assert outbox.send_due() == 48
        assert outbox.send_due() == 0
    finally:
        controller.stop()
    assert [mail["Message-ID"] for mail in mailbox.messages] == [each.message_id for each in messages]
    assert set(Message.objects.values_list("state", "attempts")) == {(Message.SENT, 1)}
    assert not Outage.objects.exists()


def test_a_server_that_refuses_everything_for_a_day_parks_nothing(
    real_smtp: Mailbox, post: Post, clock: Traveller
) -> None:
    messages = [post(number) for number in range(3)]
    real_smtp.refuse_next = 10**6
    for _ in range(24 * 6):
        outbox.send_due()
        clock.shift(timedelta(minutes=10))
    assert not Message.objects.needs_attention().exists()
    real_smtp.refuse_next = 0
    for _ in range(25):
        outbox.send_due()
        clock.shift(timedelta(minutes=10))
    assert sorted(mail["Message-ID"] for mail in real_smtp.messages) == sorted(each.message_id for each in messages)


@pytest.mark.parametrize(
    ("handler", "answer"),
    [
        ("handle_MAIL", "451 too busy"),
        ("handle_MAIL", "550 sender unknown"),
        ("handle_RCPT", "421 going down"),
        ("handle_DATA", "452 4.3.1 disk full"),
    ],
)
def test_an_answer_that_would_meet_every_message_counts_as_an_outage(
    real_smtp: Mailbox, post: Post, clock: Traveller, handler: str, answer: str
) -> None:
    async def refuse(*args: Any) -> str:
        return answer

    setattr(real_smtp, handler, refuse)
    post(1), post(2)
    assert outbox.send_due() == 0
    assert set(Message.objects.values_list("state", "attempts", "leased_until")) == {(Message.PENDING, 0, None)}
    assert answer[4:] in Outage.objects.get().detail
    real_smtp.__dict__.pop(handler)
    clock.shift(timedelta(minutes=1))
    assert outbox.send_due() == 2
    assert not Outage.objects.exists()


def test_a_message_too_large_for_the_server_is_its_own_trouble(real_smtp: Mailbox, post: Post) -> None:
    async def too_large(server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        return "552 too large"

    real_smtp.handle_MAIL = too_large  # type: ignore[attr-defined]
    message = post()
    outbox.send_due()
    message.refresh_from_db()
    assert message.state == Message.PARKED
    assert not Outage.objects.exists()


def test_a_connection_that_breaks_costs_only_the_message_in_hand_a_try(real_smtp: Mailbox, post: Post) -> None:
    async def hang_up(server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if address == "person0@desk.example":
            server.transport.abort()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    real_smtp.handle_RCPT = hang_up  # type: ignore[attr-defined]
    broken, _ = post(0), post(1)
    assert outbox.send_due() == 1
    broken.refresh_from_db()
    assert (broken.state, broken.attempts) == (Message.PENDING, 1)
    assert "closed the connection" in broken.deliveries.get().detail
