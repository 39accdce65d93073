"""What is said on a confidential case is read there alone."""

import pytest
from django.test import Client
from rest_framework.authtoken.models import Token

from accounts.models import Signal, User
from escalations.cases import access_rows, conversation, inbound
from escalations.cases import thread as communication
from escalations.cases.mail_address import reply_address
from escalations.cases.queries.mails import may_read
from escalations.models import CustomerMessage
from ledger.errors import Invalid
from ledger.now import now
from messaging.models import InboundMail, Message
from messaging.outbox import messages as outbox
from messaging.outbox.digests import hold
from tests.escalations.cases.builders import accepted, opened
from tests.escalations.conversation.mails import words, write
from tests.support.cast import Cast

pytestmark = pytest.mark.django_db


def pages_of(cast: Cast) -> tuple[str, str]:
    """Where everybody who sees the account reads its signals."""
    return f"/accounts/{cast.northwind.pk}/", "/api/v1/signals/"


@pytest.mark.both_databases
def test_its_messages_do_not_move_to_an_open_case(cast: Cast) -> None:
    secret, plain = accepted(cast, confidential=True), opened(cast)
    write("Only for you.", To=reply_address(secret.pk))
    assert words(secret) == ["Only for you."]
    assert secret.owner
    with pytest.raises(Invalid, match="More people would read"):
        conversation.move(message_id=CustomerMessage.objects.get().pk, by=secret.owner, to=plain)
    assert words(plain) == []


def test_its_mail_is_not_on_the_page_of_the_account_nor_in_the_api(cast: Cast, client: Client) -> None:
    secret = accepted(cast, confidential=True)
    write("Only for your counsel.", To=reply_address(secret.pk))
    assert Signal.objects.get().confidential
    client.force_login(cast.ae)
    for address in pages_of(cast):
        answer = client.get(address)
        assert answer.status_code == 200
        assert "Only for your counsel" not in answer.content.decode()


def test_the_signal_that_a_confidential_case_is_opened_from_is_read_there_alone(cast: Cast, client: Client) -> None:
    write("We think about another director for our project.")
    client.force_login(cast.ae)
    seen = ["We think about another director" in client.get(address).content.decode() for address in pages_of(cast)]
    assert seen == [True, True], "before"
    secret = opened(cast, confidential=True, signal=Signal.objects.get())
    seen = ["We think about another director" in client.get(address).content.decode() for address in pages_of(cast)]
    assert seen == [False, False]
    assert words(secret) == ["We think about another director for our project."]


def test_a_program_that_opens_it_twice_with_one_key_gets_the_first_answer(cast: Cast, client: Client) -> None:
    write("We think about another director for our project.")
    token = Token.objects.create(user=cast.csm).key
    values = {
        "account": cast.northwind.pk,
        "issue_type": "discount-beyond-limit",
        "issue": "They want another director.",
        "confidential": True,
        "signal": Signal.objects.get().pk,
    }
    headers = {"Authorization": f"Token {token}", "Idempotency-Key": "board-1"}
    answers = [
        client.post("/api/v1/escalations/", values, content_type="application/json", headers=headers) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201], answers[1].content
    assert answers[0].json()["key"] == answers[1].json()["key"]
    assert Signal.objects.get().confidential


def test_what_was_set_aside_is_not_shown_to_others_and_goes_to_its_case_alone(cast: Cast, client: Client) -> None:
    secret, plain = accepted(cast, confidential=True), accepted(cast)
    write("Out of office, only for your counsel.", To=reply_address(secret.pk), Auto_Submitted="auto-replied")
    mail = InboundMail.objects.get(state=InboundMail.AUTOMATIC)
    client.force_login(cast.outsider)
    secret.people.exclude(user=cast.csm).delete()
    assert plain.owner
    with pytest.raises(Invalid, match="confidential"):
        inbound.file_on(mail=mail, case=plain, by=plain.owner)
    assert Signal.objects.count() == 0


WORDS = ("Only for your counsel", "We settle this quietly", "asks for 18 percent", "Harbor", "Northwind asks")


def read_by(client: Client, user: User, addresses: list[str]) -> list[list[str]]:
    """Which of the confidential words each page shows to a person."""
    client.force_login(user)
    pages = []
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200, address
        pages.append(answer.content.decode())
    return [[word for word in WORDS if word in page] for page in pages]


@pytest.mark.both_databases
def test_operations_see_the_envelope_of_its_messages_and_no_word(cast: Cast, client: Client) -> None:
    secret = accepted(cast, confidential=True)
    lead = secret.people.get(duty="communication").user
    communication.customer_update(case_id=secret.pk, by=lead, text="We settle this quietly.", contacts=[cast.contact])
    outbox.send_due()
    sent = list(Message.objects.filter(case_key=secret.key))
    assert any("We settle this quietly" in message.text for message in sent)
    addresses = [f"/messages/{message.pk}/" for message in sent]

    found = read_by(client, cast.ops, addresses)
    assert found == [[] for _ in addresses]
    page = client.get(addresses[0]).content.decode()
    assert sent[0].address in page
    assert "Confidential" in page
    assert secret.key not in page

    secret.people.create(user=cast.ops, duty="informed", since=now())
    access_rows.keep([secret.pk])
    assert any(read_by(client, cast.ops, addresses)), "who is named on the case reads them"


@pytest.mark.both_databases
def test_operations_see_the_envelope_of_a_mail_to_it_and_no_word(cast: Cast, client: Client) -> None:
    secret = accepted(cast, confidential=True)
    mail = write("Only for your counsel.", To=reply_address(secret.pk), Subject="We settle this quietly")
    addresses = [f"/messages/inbox/{mail.pk}/", "/messages/inbox/?view=claimed"]
    assert read_by(client, cast.ops, addresses) == [[], []]
    assert "jonas@northwind.example" in client.get(addresses[0]).content.decode()
    assert not may_read(mail, cast.ops), "its attachments"


def test_a_digest_with_its_messages_is_read_by_its_person_alone(cast: Cast, client: Client) -> None:
    secret = accepted(cast, confidential=True)
    held = Message.objects.filter(case_key=secret.key, user__isnull=False).first()
    assert held
    assert held.user
    Message.objects.filter(pk=held.pk).update(state=Message.PENDING, leased_until=None)
    held.refresh_from_db()
    digest = hold(user=held.user, messages=[held], why="test")
    Message.objects.filter(pk=held.pk).update(digest=digest)
    Message.objects.filter(pk=digest.pk).update(text="We settle this quietly.")
    address = [f"/messages/{digest.pk}/"]
    assert read_by(client, cast.ops, address) == [[]]
    assert read_by(client, held.user, address) == [["We settle this quietly"]]
