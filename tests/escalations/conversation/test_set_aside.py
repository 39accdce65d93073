"""Mail of a known contact that looks automatic is shown on the account and can be filed on a case."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from escalations.cases import access_rows
from escalations.cases.mail_address import reply_address
from escalations.cases.queries.account_panels import SetAside
from messaging.models import InboundMail
from tests.escalations.cases.builders import accepted
from tests.escalations.conversation.mails import words, write
from tests.support.cast import Cast

pytestmark = pytest.mark.django_db
ROBOT = {"Auto-Submitted": "auto-generated"}


def test_it_is_shown_on_the_account_and_filed_with_one_press(cast: Cast, client) -> None:
    case = accepted(cast)
    mail = write("Please call me about the renewal.", **ROBOT)
    assert mail.state == InboundMail.AUTOMATIC
    client.force_login(cast.csm)
    address = reverse("accounts:detail", args=[cast.northwind.pk])
    page = client.get(address).content.decode()
    assert "Set aside, looks automatic" in page
    assert "Please call me about the renewal." in page
    client.post(reverse("escalations:mail_file", args=[case.key, mail.pk]))
    assert words(case) == ["Please call me about the renewal."]
    assert "Set aside, looks automatic" not in client.get(address).content.decode()


def test_it_is_filed_on_a_case_of_its_own_account_only(cast: Cast, client) -> None:
    case = accepted(cast)
    mail = write("I am away.", From="robot@elsewhere.example", **ROBOT)
    client.force_login(cast.csm)
    assert client.post(reverse("escalations:mail_file", args=[case.key, mail.pk])).status_code == 422
    assert words(case) == []


@pytest.mark.both_databases
def test_three_mails_are_listed_with_as_many_queries_as_one(cast: Cast) -> None:
    secret, plain = accepted(cast, confidential=True), accepted(cast, issue_type="compliance-exception")
    secret.people.exclude(user=cast.csm).delete()
    access_rows.keep([secret.pk])

    def add(number: int) -> None:
        write(f"Plain {number}.", To=reply_address(plain.pk), Message_ID=f"<p{number}@northwind.example>", **ROBOT)
        answer = {"In-Reply-To": f"<p{number}@northwind.example>", "Subject": plain.key, **ROBOT}
        write(f"Secret {number}.", To=reply_address(secret.pk), **answer)

    def shown() -> tuple[list[str], int]:
        with CaptureQueriesContext(connection) as found:
            panel = SetAside().read(cast.northwind, cast.ae)
        assert panel
        return sorted(str(row["words"]) for row in panel["mails"]), len(found)

    add(1)
    words_of_one, queries_of_one = shown()
    add(2)
    add(3)
    words_of_three, queries_of_three = shown()
    assert (words_of_one, words_of_three) == (["Plain 1."], ["Plain 1.", "Plain 2.", "Plain 3."])
    assert queries_of_three == queries_of_one
