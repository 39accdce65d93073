"""Mail of a known contact that looks automatic is shown on the account and can be filed on a case."""

import pytest
from django.urls import reverse

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
