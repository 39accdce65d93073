"""The daily digest: one mail a person and day, at their hour, with what still matters; none when nothing happened."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from time_machine import Traveller

from accounts.models import User
from messaging.channels.base import Undeliverable
from messaging.channels.email import Email
from messaging.models import Message, Preference
from messaging.outbox import digests, preferences
from messaging.outbox import messages as outbox
from messaging.outbox.preferences import Choice
from messaging.outbox.rules.daily import next_daily
from tests.messaging.kinds import Note
from tests.support.smtp import Mailbox, plain_text

pytestmark = pytest.mark.both_databases

Post = Callable[..., Message]
# Eight in New York, the morning after NOON (7 AM there).
EIGHT = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def dana_collects(dana: User) -> User:
    """Dana takes warnings and news on requests once a day."""
    digest = Choice(Preference.DIGEST)
    preferences.save(user=dana, choices={"warning": digest, "decision": digest})
    return dana


def test_news_of_a_day_comes_in_one_mail_at_the_persons_hour_grouped_by_case(
    real_smtp: Mailbox, post: Post, dana_collects: User, clock: Traveller, settings: Settings
) -> None:
    for number, case in enumerate(["ESC-1042", "ESC-1001", "ESC-1042"]):
        text = f"Open the case:\n{settings.SITE_URL}/escalations/{case}/\n"
        post(number, to=dana_collects, kind="warning", case_key=case, account_name=f"Account of {case}", text=text)
        assert outbox.send_due() == 0
    assert set(Message.objects.held().values_list("next_try_at", flat=True)) == {EIGHT}
    clock.move_to(EIGHT - timedelta(seconds=1))
    assert outbox.send_due() == 0
    clock.move_to(EIGHT)
    assert outbox.send_due() == 1
    (mail,) = real_smtp.messages
    assert mail["Subject"] == "Daily digest: 3 messages on 2 cases"
    assert mail["List-Unsubscribe"] == f"<{settings.SITE_URL}/notifications/settings/>"
    words = plain_text(mail)
    assert words.index("ESC-1001 Account") < words.index("ESC-1042 Account")
    assert words.index("Message 0") < words.index("Message 2")
    assert f"{settings.SITE_URL}/escalations/ESC-1001/" in words
    assert "7:00 AM" in words, "when it happened, in her zone"
    sent = Message.objects.filter(state=Message.SENT)
    assert sent.exclude(kind="digest").filter(digest__kind="digest", sent_at=EIGHT).count() == 3
    assert outbox.send_due() == 0


def test_a_day_without_news_brings_no_mail(real_smtp: Mailbox, dana_collects: User, clock: Traveller) -> None:
    for _ in range(3):
        clock.shift(DAY)
        assert outbox.send_due() == 0
    assert not Message.objects.exists()


def test_what_was_settled_before_it_leaves_is_left_out(
    real_smtp: Mailbox, post: Post, dana_collects: User, clock: Traveller, note: type[Note]
) -> None:
    settled = post(1, to=dana_collects, kind="warning", source="note:1")
    post(2, to=dana_collects, kind="warning", source="note:2")
    outbox.send_due()
    note.stale.add("1")
    clock.move_to(EIGHT)
    assert outbox.send_due() == 1
    assert "Message 1" not in plain_text(real_smtp.messages[0])
    settled.refresh_from_db()
    assert settled.state == Message.DROPPED


def test_a_digest_of_which_nothing_is_left_stays_away(
    real_smtp: Mailbox, post: Post, dana_collects: User, clock: Traveller, note: type[Note]
) -> None:
    post(1, to=dana_collects, kind="warning", source="note:1")
    outbox.send_due()
    note.stale.add("1")
    clock.move_to(EIGHT)
    assert outbox.send_due() == 0
    assert real_smtp.messages == []
    assert set(Message.objects.values_list("state", flat=True)) == {Message.DROPPED}


def test_the_next_day_has_a_digest_of_its_own(
    real_smtp: Mailbox, post: Post, dana_collects: User, clock: Traveller
) -> None:
    post(1, to=dana_collects, kind="warning")
    outbox.send_due()
    clock.move_to(EIGHT)
    outbox.send_due()
    post(2, to=dana_collects, kind="approval_decided")
    assert outbox.send_due() == 0
    clock.move_to(EIGHT + DAY)
    assert outbox.send_due() == 1
    assert [("Message 1" in plain_text(mail), "Message 2" in plain_text(mail)) for mail in real_smtp.messages] == [
        (True, False),
        (False, True),
    ]


def test_a_person_who_moves_the_hour_moves_what_waits_and_still_gets_one_a_day(
    real_smtp: Mailbox, post: Post, dana_collects: User, clock: Traveller
) -> None:
    post(1, to=dana_collects, kind="warning")
    outbox.send_due()
    preferences.save(user=dana_collects, choices={}, digest_hour=9)
    clock.move_to(EIGHT)
    assert outbox.send_due() == 0
    clock.move_to(EIGHT + timedelta(hours=1))
    assert outbox.send_due() == 1
    preferences.save(user=dana_collects, choices={}, digest_hour=17)
    post(2, to=dana_collects, kind="warning")
    outbox.send_due()
    clock.move_to(datetime(2026, 3, 2, 22, 0, tzinfo=UTC))
    assert outbox.send_due() == 0, "one a local day at most"
    clock.shift(DAY)
    assert outbox.send_due() == 1


def test_a_digest_that_fails_is_tried_again_with_the_same_words_and_takes_nothing_more(
    real_smtp: Mailbox, post: Post, dana_collects: User, clock: Traveller
) -> None:
    post(1, to=dana_collects, kind="warning")
    outbox.send_due()
    clock.move_to(EIGHT)
    real_smtp.refuse_next = 1
    assert outbox.send_due() == 0
    late = post(2, to=dana_collects, kind="warning")
    outbox.send_due()
    clock.shift(timedelta(minutes=1))
    assert outbox.send_due() == 1
    assert "Message 2" not in plain_text(real_smtp.messages[0])
    late.refresh_from_db()
    assert late.state == Message.PENDING
    clock.move_to(EIGHT + DAY)
    assert outbox.send_due() == 1
    assert "Message 2" in plain_text(real_smtp.messages[1])


def test_a_digest_that_cannot_be_delivered_is_parked_with_all_it_holds_and_sent_again_by_hand(
    real_smtp: Mailbox,
    post: Post,
    clock: Traveller,
    dana_collects: User,
    sana: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(postman: Email, message: Message, files: Any = ()) -> str:
        raise Undeliverable("550 no such mailbox")

    held = post(1, to=dana_collects, kind="warning")
    outbox.send_due()
    clock.move_to(EIGHT)
    with monkeypatch.context() as patch:
        patch.setattr(Email, "deliver", refuse)
        assert outbox.send_due() == 0
    held.refresh_from_db()
    assert held.state == Message.PENDING
    outbox.retry(message=Message.objects.needs_attention().get(), by=sana)
    assert outbox.send_due() == 1
    held.refresh_from_db()
    assert held.state == Message.SENT


def test_somebody_who_left_gets_no_digest(
    real_smtp: Mailbox, post: Post, dana_collects: User, clock: Traveller
) -> None:
    post(1, to=dana_collects, kind="warning")
    outbox.send_due()
    User.objects.filter(pk=dana_collects.pk).update(is_active=False)
    clock.move_to(EIGHT)
    assert outbox.send_due() == 0
    assert set(Message.objects.values_list("state", flat=True)) == {Message.DROPPED}


def test_mail_that_is_composed_when_sent_is_composed_for_the_digest(
    real_smtp: Mailbox, post: Post, dana_collects: User, clock: Traveller, note: type[Note]
) -> None:
    for number, source in enumerate(["fine", "over", "unwritten"]):
        post(number, to=dana_collects, kind="warning", text="")
        Message.objects.filter(key=f"test:{number}").update(source=f"note:{source}")
    outbox.send_due()
    clock.move_to(EIGHT)
    assert outbox.send_due() == 1
    words = plain_text(real_smtp.messages[0])
    assert ("Now fine" in words, "Message 1" in words, "Message 2" in words) == (True, False, True)


def test_a_long_digest_names_the_first_hundred_and_counts_the_rest(
    real_smtp: Mailbox, post: Post, dana_collects: User, clock: Traveller
) -> None:
    for number in range(103):
        post(number, to=dana_collects, kind="warning")
    outbox.send_due()
    clock.move_to(EIGHT)
    assert outbox.send_due() == 1
    words = plain_text(real_smtp.messages[0])
    assert "103 messages" in words
    assert "And 3 more" in words
    assert Message.objects.filter(state=Message.SENT, digest__isnull=False).count() == 103


def test_the_page_says_where_held_mail_is(
    post: Post, dana_collects: User, clock: Traveller, real_smtp: Mailbox
) -> None:
    held = post(1, to=dana_collects, kind="warning")
    outbox.send_due()
    client = Client()
    client.force_login(dana_collects, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.get(reverse("messaging:message", args=[held.pk])).content.decode()
    assert "For the digest" in page
    assert "as this person chose" in page
    digest = Message.objects.get(kind="digest")
    page = client.get(reverse("messaging:message", args=[digest.pk])).content.decode()
    assert "The text is written from the latest state" in page
    clock.move_to(EIGHT)
    outbox.send_due()
    assert "Sent with the" in client.get(reverse("messaging:message", args=[held.pk])).content.decode()


def utc(text: str) -> datetime:
    """A moment from `2026-03-08 07:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "zone", "hour", "day", "moment"),
    [
        ("2026-03-02 12:00", "America/New_York", 8, date(2026, 3, 2), "2026-03-02 13:00"),
        ("2026-03-02 13:00", "America/New_York", 8, date(2026, 3, 3), "2026-03-03 13:00"),
        ("2026-03-02 12:00", "Pacific/Kiritimati", 8, date(2026, 3, 3), "2026-03-02 18:00"),
        # 2 AM does not exist in New York on March 8: the digest comes when the gap is over.
        ("2026-03-08 06:00", "America/New_York", 2, date(2026, 3, 8), "2026-03-08 07:00"),
        # 1 AM comes twice on November 1: the digest comes with the first.
        ("2026-11-01 04:00", "America/New_York", 1, date(2026, 11, 1), "2026-11-01 05:00"),
        ("2026-11-01 05:30", "America/New_York", 1, date(2026, 11, 2), "2026-11-02 06:00"),
        ("2026-03-02 12:00", "No/Such_Zone", 13, date(2026, 3, 2), "2026-03-02 13:00"),
    ],
)
def test_the_next_hour_of_a_place(at: str, zone: str, hour: int, day: date, moment: str) -> None:
    assert next_daily(utc(at), zone, hour) == (day, utc(moment))


def test_holding_twice_makes_one_digest(post: Post, dana: User, clock: Traveller) -> None:
    first, second = post(1, to=dana), post(2, to=dana)
    made = [digests.hold(user=dana, messages=[each], why="Test.") for each in (first, second)]
    assert made[0] == made[1]
    assert Message.objects.filter(kind="digest").count() == 1
