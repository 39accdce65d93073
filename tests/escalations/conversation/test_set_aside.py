"""Mail of a known contact that looks automatic is shown on the account and can be filed on a case."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from escalations.cases import access_rows
from escalations.cases.mail_address import reply_address
from escalations.cases.notifications import thread_id
from escalations.cases.queries.account_panels import SetAside
from escalations.models import Escalation
from messaging.models import InboundMail
from tests.escalations.cases.builders import accepted
from tests.escalations.conversation.mails import words, write
from tests.support.cast import Cast

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
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


def secret_case(cast: Cast) -> Escalation:
    """A confidential case that only its owner and the CSM see."""
    secret = accepted(cast, confidential=True)
    secret.people.exclude(user__in=[secret.owner_id, cast.csm.pk]).delete()
    access_rows.keep([secret.pk])
    return secret


@pytest.mark.both_databases
@pytest.mark.parametrize("words_of", ["address", "answer"])
def test_the_panel_hides_mail_of_a_confidential_case_from_those_who_may_not_see_it(
    cast: Cast, client: Client, words_of: str
) -> None:
    """By the address of the case or as an answer to its mail; other mail stays listed for everybody."""
    secret, plain = secret_case(cast), accepted(cast)
    head = {"To": reply_address(secret.pk)} if words_of == "address" else {"In-Reply-To": thread_id(secret)}
    write("Only for your counsel.", Subject="Secret subject", **head, **ROBOT)
    write("The invoice is open.", Subject="Plain subject", To=reply_address(plain.pk), **ROBOT)
    address = reverse("accounts:detail", args=[cast.northwind.pk])
    seen = {}
    for user in (cast.csm, cast.ae, cast.ops):
        client.force_login(user, backend=BACKEND)
        seen[user] = client.get(address).content.decode()
        assert "Plain subject" in seen[user]
        assert "The invoice is open." in seen[user]
    for words_shown in ("Secret subject", "Only for your counsel."):
        assert words_shown in seen[cast.csm]
        assert words_shown not in seen[cast.ae]
        assert (words_shown in seen[cast.ops]) is Escalation.objects.visible_to(cast.ops).filter(pk=secret.pk).exists()


@pytest.mark.both_databases
def test_the_panel_is_not_there_when_all_of_it_is_hidden(cast: Cast, client: Client) -> None:
    secret = secret_case(cast)
    write("Only for your counsel.", To=reply_address(secret.pk), **ROBOT)
    address = reverse("accounts:detail", args=[cast.northwind.pk])
    client.force_login(cast.ae, backend=BACKEND)
    assert "Set aside, looks automatic" not in client.get(address).content.decode()
    client.force_login(cast.csm, backend=BACKEND)
    assert "Set aside, looks automatic" in client.get(address).content.decode()


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
            panel = SetAside(cast.northwind, cast.ae).context
        assert panel
        return sorted(str(row["words"]) for row in panel["mails"]), len(found)

    add(1)
    shown()  # reads what is kept of the person
    words_of_one, queries_of_one = shown()
    add(2)
    add(3)
    words_of_three, queries_of_three = shown()
    assert (words_of_one, words_of_three) == (["Plain 1."], ["Plain 1.", "Plain 2.", "Plain 3."])
    assert queries_of_three == queries_of_one
