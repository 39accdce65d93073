"""Any number of senders, slow ones and dead ones: each message is in one hand at a time."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from time_machine import Traveller

from ledger import faults
from messaging.channels.email import Email
from messaging.models import Delivery, Message
from messaging.outbox import leases
from messaging.outbox import messages as outbox
from tests.messaging.conftest import NOON
from tests.messaging.kinds import Note
from tests.support.smtp import Mailbox

pytestmark = pytest.mark.both_databases

Post = Callable[..., Message]
LEASE = timedelta(seconds=django_settings.OUTBOX_LEASE_SECONDS)


class Killed(BaseException):
    """Stands for the death of the process."""


@pytest.fixture
def die_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """End the sender the next time it passes a point, as a kill would: nothing after it runs."""

    def arm(wanted: str) -> None:
        def passing(point: str) -> None:
            if point == wanted:
                monkeypatch.setattr(faults, "passing", lambda point: None)
                raise Killed

        monkeypatch.setattr(faults, "passing", passing)

    return arm


def test_a_leased_message_is_left_alone_until_the_lease_runs_out(
    real_smtp: Mailbox, post: Post, clock: Traveller
) -> None:
    message = post()
    Message.objects.update(leased_until=NOON + LEASE)
    assert outbox.send_due() == 0
    clock.shift(LEASE)
    assert outbox.send_due() == 1
    assert len(real_smtp.to(message.address)) == 1


def test_a_message_in_hand_stays_away_from_others_longer_than_the_rest(
    real_smtp: Mailbox, post: Post, clock: Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    leased = []

    def note(postman: Email, message: Message, files: Any = ()) -> str:
        leased.append(dict(Message.objects.values_list("pk", "leased_until")))
        return "sent"

    monkeypatch.setattr(Email, "deliver", note)
    first, second = post(1), post(2)
    assert outbox.send_due() == 2
    in_hand = NOON + timedelta(seconds=django_settings.OUTBOX_HAND_OVER_SECONDS)
    assert leased == [{first.pk: in_hand, second.pk: NOON + LEASE}, {first.pk: None, second.pk: in_hand}]


def test_what_a_slow_sender_lost_to_another_it_does_not_send(
    post: Post, clock: Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, other = [], NOON + timedelta(hours=1)

    def slowly(postman: Email, message: Message, files: Any = ()) -> str:
        sent.append(message.key)
        # Meanwhile the lease of the others has run out and another sender has taken the last one.
        Message.objects.filter(key="test:2").update(leased_until=other)
        return "sent"

    monkeypatch.setattr(Email, "deliver", slowly)
    messages = [post(number) for number in range(3)]
    assert outbox.send_due() == 2
    assert sent == ["test:0", "test:1"]
    messages[2].refresh_from_db()
    assert (messages[2].state, messages[2].leased_until, messages[2].attempts) == (Message.PENDING, other, 0)


def test_a_sender_shows_that_it_lives_and_gives_back_what_it_had_no_time_for(
    real_smtp: Mailbox, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "LONGEST_TURN_SECONDS", 0.05)
    for number in range(200):
        post(number)
    sent = outbox.send_due()
    assert 0 < sent < 200
    assert not Message.objects.filter(leased_until__isnull=False).exists()
    assert Message.objects.filter(state=Message.SENT).count() == sent == len(real_smtp.messages)


def test_a_sender_that_lost_its_lease_does_not_disturb_the_next_one(
    post: Post, clock: Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = NOON + timedelta(hours=1)

    def fail_after_losing_the_lease(postman: Email, message: Message, files: Any = ()) -> str:
        Message.objects.update(leased_until=other)
        raise ValueError("too late")

    monkeypatch.setattr(Email, "deliver", fail_after_losing_the_lease)
    message = post()
    outbox.send_due()
    message.refresh_from_db()
    assert (message.leased_until, message.attempts) == (other, 0)


@pytest.mark.parametrize(("point", "doubled"), [("after_lease", 0), ("after_250", 1), ("before_mark", 1)])
def test_a_sender_that_dies_sends_one_message_again_at_most(
    real_smtp: Mailbox,
    post: Post,
    clock: Traveller,
    die_at: Callable[[str], None],
    point: str,
    doubled: int,
) -> None:
    messages = [post(number) for number in range(3)]
    die_at(point)
    with pytest.raises(Killed):
        outbox.send_due()
    assert outbox.send_due() == 0, "nobody touches them while the dead sender might still live"
    clock.shift(LEASE)
    assert outbox.send_due() == 3 - doubled, "the rest leaves after half a minute"
    clock.shift(timedelta(seconds=django_settings.OUTBOX_HAND_OVER_SECONDS))
    assert outbox.send_due() == doubled
    arrived = [mail["Message-ID"] for mail in real_smtp.messages]
    assert set(arrived) == {each.message_id for each in messages}
    assert len(arrived) == 3 + doubled
    assert Message.objects.filter(state=Message.SENT, leased_until=None).count() == 3


def test_a_stuck_lease_shows_after_a_minute(post: Post, clock: Traveller) -> None:
    post(1), post(2)
    (taken,) = leases.take("email", 1)
    clock.shift(LEASE + timedelta(seconds=60))
    stuck = Message.objects.stuck
    assert list(stuck(NOON + LEASE + timedelta(seconds=60))) == []
    assert list(stuck(NOON + LEASE + timedelta(seconds=61))) == [taken]
    Message.objects.filter(pk=taken.pk).update(state=Message.SENT)
    assert list(stuck(NOON + timedelta(days=1))) == []


@pytest.mark.django_db(transaction=True)
def test_many_senders_at_once_send_each_message_once(real_smtp: Mailbox, post: Post) -> None:
    for number in range(24):
        post(number)
    gate, sent, faulty = threading.Barrier(4), [], []

    def sender() -> None:
        try:
            gate.wait()
            sent.append(outbox.send_due(limit=10) + outbox.send_due(limit=10))
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            faulty.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=sender) for _ in range(4)]
    [each.start() for each in threads]
    [each.join() for each in threads]
    rest = outbox.send_due()
    assert faulty == []
    assert sum(sent) + rest == 24
    assert sorted(mail["X-Envelope-To"] for mail in real_smtp.messages) == sorted(
        f"person{number}@desk.example" for number in range(24)
    )
    assert Delivery.objects.filter(ok=True).count() == 24


@pytest.mark.django_db(transaction=True)
def test_commits_wait_for_the_disk_again_after_a_batch(real_smtp: Mailbox, post: Post) -> None:
    asked = "PRAGMA synchronous" if connection.vendor == "sqlite" else "SHOW synchronous_commit"

    def level() -> Any:
        with connection.cursor() as cursor:
            cursor.execute(asked)
            return cursor.fetchone()[0]

    before = level()
    post()
    assert outbox.send_due() == 1
    assert level() == before
    with leases.quick_commits():
        assert level() in (0, 1, "off")
    assert level() == before


def test_a_batch_is_prepared_with_the_same_queries_whatever_its_size(
    real_smtp: Mailbox, post: Post, note: type[Note]
) -> None:
    def queries_of_a_batch(count: int) -> int:
        for number in range(count):
            post(number, key=f"{count}:{number}", kind="warning", source=f"note:{number}")
        with CaptureQueriesContext(connection) as captured:
            assert outbox.send_due() == count
        return len(captured)

    one, three = queries_of_a_batch(1), queries_of_a_batch(3)
    statements = (three - one) / 2
    assert statements <= 5, "a message costs one transaction: savepoint, mark, attempt, next in hand, release"
