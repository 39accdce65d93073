"""An update that comes back, or whose address is refused, tells the communication lead and marks the contact."""

import pytest
from django.urls import reverse

from accounts.models import Contact
from escalations.cases import thread as communication
from escalations.models import Escalation
from messaging.inbound import receive as inbound
from messaging.models import Message, Notice
from messaging.outbox import messages as outbox
from tests.escalations.cases.builders import accepted
from tests.support.cast import Cast
from tests.support.smtp import Mailbox

pytestmark = pytest.mark.django_db
REPORT = """From: MAILER-DAEMON@mx.northwind.example
To: desk@localhost
Subject: Undelivered Mail Returned to Sender
Message-ID: <{action}@mx.northwind.example>
Content-Type: multipart/report; report-type=delivery-status; boundary=B

--B
Content-Type: text/plain

Your mail.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.northwind.example

Final-Recipient: rfc822; jonas@northwind.example
Action: {action}
Status: 5.1.1

--B
Content-Type: text/rfc822-headers

Message-ID: {id}
Subject: Update

--B--
"""


@pytest.fixture
def case(cast: Cast) -> Escalation:
    """A case with a customer update that was sent."""
    case = accepted(cast)
    lead = case.people.get(duty="communication").user
    communication.customer_update(case_id=case.pk, by=lead, text="We work on it.", contacts=[cast.contact])
    Message.objects.filter(kind="customer_update").update(state=Message.SENT)
    return case


def returned(action: str) -> None:
    sent = Message.objects.get(kind="customer_update")
    report = REPORT.format(action=action, id=sent.message_id)
    inbound.receive(raw=report.replace("\n", "\r\n").encode())


def test_the_lead_is_told_and_the_contact_is_marked(cast: Cast, case: Escalation, client) -> None:
    returned("failed")
    lead = case.people.get(duty="communication").user
    [notice] = Notice.objects.filter(kind="customer")
    assert notice.user == lead
    assert "did not reach Jonas Thiel, jonas@northwind.example" in notice.text
    assert Contact.objects.get(pk=cast.contact.pk).bounces
    client.force_login(lead)
    assert "(mail came back)" in client.get(reverse("escalations:case", args=[case.key])).content.decode()
    client.force_login(cast.csm)
    assert "Mail came back" in client.get(reverse("accounts:detail", args=[cast.northwind.pk])).content.decode()


def test_a_new_address_ends_the_mark(cast: Cast, case: Escalation) -> None:
    returned("failed")
    contact = Contact.objects.get(pk=cast.contact.pk)
    contact.email = "j.thiel@northwind.example"
    assert not contact.bounces


def test_a_delay_marks_nobody(cast: Cast, case: Escalation) -> None:
    returned("delayed")
    assert not Notice.objects.filter(kind="customer").exists()
    assert not Contact.objects.get(pk=cast.contact.pk).bounces


def test_an_address_that_the_server_refuses_is_like_a_mail_that_came_back(
    cast: Cast, case: Escalation, real_smtp: Mailbox, monkeypatch
) -> None:
    async def refuse(*_: object) -> str:
        return "550 5.1.1 no such mailbox"

    monkeypatch.setattr(real_smtp, "handle_RCPT", refuse, raising=False)
    Message.objects.filter(kind="customer_update").update(state=Message.PENDING)
    outbox.send_due()
    message = Message.objects.get(kind="customer_update")
    assert message.state == Message.PARKED
    [notice] = Notice.objects.filter(kind="customer")
    assert notice.user == case.people.get(duty="communication").user
    assert "did not reach Jonas Thiel, jonas@northwind.example" in notice.text
    assert "550: 5.1.1 no such mailbox" in notice.text
    assert Contact.objects.get(pk=cast.contact.pk).bounces
    outbox.retry(message=message, by=cast.ops)
    outbox.send_due()
    assert Notice.objects.filter(kind="customer").count() == 1


def test_a_receiver_who_is_refused_for_now_is_not_marked(
    cast: Cast, case: Escalation, real_smtp: Mailbox, monkeypatch
) -> None:
    async def later(*_: object) -> str:
        return "450 4.2.0 greylisted"

    monkeypatch.setattr(real_smtp, "handle_RCPT", later, raising=False)
    Message.objects.filter(kind="customer_update").update(state=Message.PENDING)
    outbox.send_due()
    assert Message.objects.get(kind="customer_update").state == Message.PENDING
    assert not Notice.objects.filter(kind="customer").exists()
    assert not Contact.objects.get(pk=cast.contact.pk).bounces
