"""Mail that customers answer to a case's address stands in that case's thread."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from escalations.models import Escalation, Event
from messaging.inbound import receive as inbound
from messaging.models import InboundMail
from tests.escalations.cases.builders import opened
from tests.support.cast import Cast

pytestmark = pytest.mark.django_db


def answer_to(case: Escalation, text: str = "Thank you, Thursday suits us.", **headers: str) -> InboundMail:
    """A mail of the account's contact to the address of a case."""
    lines = {
        "From": "Jonas Thiel <jonas@northwind.example>",
        "To": f"case+{case.pk}@localhost",
        "Subject": "",
    }
    lines |= {"Message-ID": "<a1@northwind.example>", "Date": "Mon, 02 Mar 2026 10:00:00 +0100", **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return inbound.receive(raw=f"{head}\r\n{text}\r\n".encode())


def said(case: Escalation) -> list[str]:
    """What the customer said in the thread."""
    rows: Any = case.events.filter(kind=Event.CUSTOMER_MESSAGE).select_related("text")
    return [row.text.body for row in rows]


def test_an_answer_stands_in_the_case_it_was_sent_to_not_in_the_newest_of_the_account(cast: Cast) -> None:
    first = opened(cast)
    newer = opened(cast, issue_type="compliance-exception", confidential=True)
    assert answer_to(first).state == InboundMail.CLAIMED
    assert said(first) == ["Thank you, Thursday suits us."]
    assert said(newer) == []


def test_mail_to_the_desk_stands_in_the_newest_open_case(cast: Cast) -> None:
    older, newer = opened(cast), opened(cast, issue_type="compliance-exception")
    answer_to(older, To="desk@localhost")
    assert (len(said(older)), len(said(newer))) == (0, 1)


def test_an_answer_to_a_case_of_another_account_waits_for_a_person(cast: Cast) -> None:
    case = opened(cast)
    mail = answer_to(case, From="someone@elsewhere.example")
    assert mail.state == InboundMail.WAITING
    assert said(case) == []


def test_a_mail_becomes_a_post_in_at_most_25_queries(cast: Cast) -> None:
    case = opened(cast)
    # Words of its own: the bytes of a mail of another test may be in the store already.
    with CaptureQueriesContext(connection) as found:
        mail = answer_to(case, "Thursday at ten suits everybody here.")
    assert mail.state == InboundMail.CLAIMED
    assert said(case) == ["Thursday at ten suits everybody here."]
    # Savepoints count, too.
    assert len(found) <= 25, "\n".join(each["sql"] for each in found)
