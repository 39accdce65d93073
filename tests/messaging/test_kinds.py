"""The registries of message kinds and channels: what nobody knows is never sent, and a channel is one class and one line."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from messaging import checks
from messaging.models import Message, Outage
from messaging.outbox import messages as outbox
from tests.messaging.kinds import Chat
from tests.support.smtp import Mailbox

Post = Callable[..., Message]


def said(errors: list[Any]) -> str:
    """What the errors of a check say."""
    return "\n".join(error.msg for error in errors)


def test_the_shipped_registries_are_complete(db: None) -> None:
    assert run_checks() == []


@pytest.mark.parametrize(
    ("listed", "problem"),
    [
        (["messaging.outbox.digests.Digest"] * 2, "“digest” is registered 2 times"),
        ([], "Digest is a kind of message but is not listed in MESSAGE_KINDS"),
        (["messaging.kinds.Missing"], "messaging.kinds.Missing cannot be loaded"),
        (["messaging.kinds.MessageKind"], "messaging.kinds.MessageKind is not complete. Write still_wanted"),
        (["messaging.kinds.AsWritten"], "AsWritten needs a prefix"),
        (["messaging.models.Message"], "messaging.models.Message is no MessageKind"),
    ],
)
def test_a_faulty_list_of_kinds_is_reported(settings: Settings, listed: list[str], problem: str) -> None:
    settings.MESSAGE_KINDS = listed
    assert problem in said(checks.check_message_kinds())


def test_a_faulty_list_of_channels_is_reported(settings: Settings) -> None:
    settings.MESSAGE_CHANNELS = [
        "messaging.channels.base.Channel",
        "tests.messaging.kinds.Chat",
        "tests.messaging.kinds.Chat",
    ]
    assert "is not complete. Write check_address, deliver" in said(checks.check_channels())
    assert "“chat” is registered 2 times" in said(checks.check_channels())


def test_a_message_of_an_unknown_kind_is_parked_with_the_reason_and_never_sent(real_smtp: Mailbox, post: Post) -> None:
    unknown = post(1, source="unheard-of:5")
    post(2)
    assert outbox.send_due() == 1
    unknown.refresh_from_db()
    assert unknown.state == Message.PARKED
    assert unknown.deliveries.get().detail == "No kind of message “unheard-of” is registered, so it was not sent."
    assert [mail["Subject"] for mail in real_smtp.messages] == ["Message 2"]


def test_a_message_of_an_unknown_channel_is_parked_with_the_reason(real_smtp: Mailbox, post: Post) -> None:
    unknown = post(1)
    Message.objects.filter(pk=unknown.pk).update(channel="pigeon")
    assert outbox.send_due() == 0
    unknown.refresh_from_db()
    assert (unknown.state, unknown.note) == (Message.PARKED, "No channel “pigeon” is registered.")


@pytest.fixture
def chat(settings: Settings) -> Any:
    """A second channel, registered by one line."""
    settings.MESSAGE_CHANNELS = [*settings.MESSAGE_CHANNELS, "tests.messaging.kinds.Chat"]
    yield Chat
    Chat.delivered.clear()
    Chat.down.clear()


def test_a_new_channel_is_one_class_and_one_line(real_smtp: Mailbox, post: Post, chat: type[Chat]) -> None:
    assert checks.check_channels() == []
    message = post(1, channel="chat", to="#desk")
    post(2)
    assert outbox.send_due() == 2
    assert chat.delivered == [("#desk", "Text 1")]
    assert [mail["Subject"] for mail in real_smtp.messages] == ["Message 2"]
    message.refresh_from_db()
    assert (message.state, message.deliveries.get().detail) == (Message.SENT, "Said in the room")


def test_an_outage_of_one_channel_does_not_hold_up_another(real_smtp: Mailbox, post: Post, chat: type[Chat]) -> None:
    waiting = post(1, channel="chat", to="#desk")
    chat.down.append("The chat server is down")
    post(2)
    assert outbox.send_due() == 1
    assert Outage.objects.get().channel == "chat"
    post(3)
    assert outbox.send_due() == 1
    waiting.refresh_from_db()
    assert (waiting.state, waiting.attempts, waiting.leased_until) == (Message.PENDING, 0, None)
    chat.down.clear()
    Outage.objects.update(retry_at=waiting.created_at)
    assert outbox.send_due() == 1
    assert not Outage.objects.exists()


@pytest.mark.parametrize("setting", ["CASE_TITLES", "UNREADABLE_MAIL"])
@pytest.mark.parametrize("path", ["messaging.nowhere.titles", "messaging.queries.NOT_SEEN"])
def test_a_path_to_no_function_is_named(settings: Settings, setting: str, path: str) -> None:
    setattr(settings, setting, path)
    assert f"{setting}: {path}" in said(checks.check_functions())
