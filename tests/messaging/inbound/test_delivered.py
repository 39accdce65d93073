"""A mail service calls us: only the configured one, only with its secret, and the mail is the same as from anywhere."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from ledger import files
from messaging.events import mail_received
from messaging.models import InboundMail

SECRET = "service:long-enough-secret"
KEY = "signing-key"
RAW = (
    "Authentication-Results: mx.service.example; dmarc=pass header.from=customer.example\r\n"
    "From: Ana Lopez <ana@customer.example>\r\nTo: desk@desk.example\r\nSubject: Refund\r\n"
    "Message-ID: <m1@customer.example>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nEs ist überfällig.\r\n"
)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _configured(settings: Settings) -> Iterator[None]:
    settings.INBOUND_ESP = "postmark"
    settings.ANYMAIL = {"WEBHOOK_SECRET": [SECRET], "MAILGUN_WEBHOOK_SIGNING_KEY": KEY}
    before, mail_received.receivers = mail_received.receivers, []
    mail_received.sender_receivers_cache.clear()
    yield
    mail_received.receivers = before
    mail_received.sender_receivers_cache.clear()


def postmark(**more: Any) -> dict[str, Any]:
    """What Postmark posts for a mail it has taken in."""
    person = {"Email": "ana@customer.example", "Name": "Ana Lopez", "MailboxHash": ""}
    return {
        "FromName": "Ana Lopez",
        "MessageStream": "inbound",
        "From": "ana@customer.example",
        "FromFull": person,
        "To": "desk@desk.example",
        "ToFull": [{"Email": "desk@desk.example", "Name": "", "MailboxHash": ""}],
        "Cc": "",
        "CcFull": [],
        "Bcc": "",
        "BccFull": [],
        "OriginalRecipient": "approve+abc@desk.example",
        "Subject": "Refund",
        "MessageID": "73e6d360-66eb-11e1-8e72-a8904824019b",
        "ReplyTo": "",
        "MailboxHash": "",
        "Date": "Mon, 2 Mar 2026 10:00:00 +0100",
        "TextBody": "Es ist überfällig.",
        "HtmlBody": "",
        "StrippedTextReply": "",
        "Tag": "",
        "Headers": [
            {"Name": "Return-Path", "Value": "<ana@customer.example>"},
            {"Name": "Message-ID", "Value": "<m1@customer.example>"},
            {"Name": "X-Spam-Status", "Value": "No"},
        ],
        "Attachments": [],
        **more,
    }


def post(service: str, *, secret: str = SECRET, **options: Any) -> Any:
    """Call the webhook."""
    login = {"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"} if secret else {}
    return Client(enforce_csrf_checks=True).post(reverse("messaging:deliver", args=[service]), headers=login, **options)


def post_json(data: dict[str, Any], **options: Any) -> Any:
    """The same, with a JSON body for Postmark."""
    return post("postmark", data=json.dumps(data), content_type="application/json", **options)


def test_a_mail_that_postmark_took_apart_is_put_together_and_kept() -> None:
    assert post_json(postmark()).status_code == 200
    mail = InboundMail.objects.get()
    assert (mail.state, mail.sender, mail.subject) == ("waiting", "ana@customer.example", "Refund")
    assert mail.visible_text.strip() == "Es ist überfällig."
    assert mail.message_id == "<m1@customer.example>"
    assert sorted(mail.recipients) == ["approve+abc@desk.example", "desk@desk.example"]


def test_the_bytes_of_the_mail_are_kept_where_the_service_gives_them() -> None:
    assert post_json(postmark(RawEmail=RAW, OriginalRecipient="desk@desk.example")).status_code == 200
    mail = InboundMail.objects.get()
    assert files.read(mail.raw) == RAW.encode()
    assert (mail.single_from, len(mail.auth_results)) == ("ana@customer.example", 1)


def test_the_same_mail_again_is_one_row() -> None:
    for _ in range(3):
        assert post_json(postmark(RawEmail=RAW)).status_code == 200
    assert InboundMail.objects.count() == 1


@pytest.mark.parametrize("secret", ["", "service:wrong", "other:long-enough-secret"])
def test_without_the_secret_nothing_is_taken(secret: str) -> None:
    assert post_json(postmark(), secret=secret).status_code == 400
    assert not InboundMail.objects.exists()


@pytest.mark.parametrize("secrets", [[], [""]])
def test_while_no_secret_is_set_there_is_no_such_address(settings: Settings, secrets: list[str]) -> None:
    settings.ANYMAIL = {"WEBHOOK_SECRET": secrets}
    assert post_json(postmark()).status_code == 404
    assert not InboundMail.objects.exists()


def test_only_the_configured_service_has_an_address(settings: Settings) -> None:
    assert post("sendgrid").status_code == 404
    settings.INBOUND_ESP = ""
    assert post_json(postmark()).status_code == 404


def mailgun(**more: str) -> dict[str, str]:
    """What Mailgun posts to a route that ends in `mime`, signed."""
    stamp, token = "1772442000", "a" * 50
    signature = hmac.new(KEY.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    signed = {"timestamp": stamp, "token": token, "signature": signature}
    return {
        "recipient": "case+7@desk.example",
        "sender": "ana@customer.example",
        "from": "Ana Lopez <ana@customer.example>",
        "subject": "Refund",
        "body-mime": RAW,
        **signed,
        **more,
    }


def test_a_mail_from_mailgun_is_kept_and_shows_to_whom_it_was_delivered(settings: Settings) -> None:
    settings.INBOUND_ESP = "mailgun"
    assert post("mailgun", data=mailgun()).status_code == 200
    mail = InboundMail.objects.get()
    assert files.read(mail.raw) == b"Delivered-To: case+7@desk.example\r\n" + RAW.encode()
    assert "case+7@desk.example" in mail.recipients
    assert mail.visible_text.strip() == "Es ist überfällig."


def test_a_recipient_cannot_smuggle_a_header_in(settings: Settings) -> None:
    settings.INBOUND_ESP = "mailgun"
    hostile = "x@desk.example\r\nFrom: boss@desk.example"
    assert post("mailgun", data=mailgun(recipient=hostile)).status_code == 200
    assert InboundMail.objects.get().single_from == "ana@customer.example"


def test_a_forged_signature_of_mailgun_takes_nothing(settings: Settings) -> None:
    settings.INBOUND_ESP = "mailgun"
    assert post("mailgun", data=mailgun(signature="0" * 64)).status_code == 400
    assert not InboundMail.objects.exists()


def test_nobody_reads_anything_there() -> None:
    assert Client().get(reverse("messaging:deliver", args=["postmark"])).status_code == 405
