"""The account's team adds and corrects its contacts."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.customers import contacts
from accounts.customers.contacts import Person
from accounts.models import Account, Contact, User
from ledger.errors import Invalid, NotAllowed
from tests.support.cast import Cast

pytestmark = pytest.mark.django_db
Browse = Callable[[User], Client]


@pytest.mark.both_databases
def test_the_csm_and_the_ae_add_and_correct_a_contact(cast: Cast) -> None:
    given = Person("Mia  Kowalski", " Mia@Northwind.example ", "CFO", "pl", executive=True)
    made = contacts.add(account_id=cast.northwind.pk, by=cast.csm, given=given)
    assert (made.name, made.email, made.language) == ("Mia Kowalski", "mia@northwind.example", "pl")
    contacts.correct(contact_id=made.pk, by=cast.ae, given=Person("Mia Kowalska", "mia@northwind.example", "CFO"))
    made.refresh_from_db()
    assert (made.name, made.language, made.executive) == ("Mia Kowalska", "", False)
    assert [each.history_user for each in made.history.all()] == [cast.ae, cast.csm]
    assert list(Account.objects.matching("kowalska")) == [cast.northwind]


@pytest.mark.both_databases
@pytest.mark.parametrize("email", ["jonas@northwind.example", "JONAS@northwind.example"])
def test_an_address_that_a_contact_has_is_refused_by_name(cast: Cast, email: str) -> None:
    with pytest.raises(Invalid, match="Jonas Thiel has this address already") as refusal:
        contacts.add(account_id=cast.northwind.pk, by=cast.csm, given=Person("Jon", email))
    assert refusal.value.field == "email"
    with pytest.raises(Invalid, match="A contact of another account has this address already"):
        contacts.add(account_id=cast.elsewhere.pk, by=cast.outsider, given=Person("Jon", email))
    with pytest.raises(Invalid, match="Jonas Thiel of Northwind Logistics"):
        contacts.add(account_id=cast.elsewhere.pk, by=cast.ops, given=Person("Jon", email))
    assert Contact.objects.count() == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (Person(" ", "a@northwind.example"), "name"),
        (Person("A", "a at northwind"), "email"),
        (Person("A", "a@northwind.example", language="xx"), "language"),
    ],
)
def test_what_is_wrong_is_named(cast: Cast, given: Person, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        contacts.add(account_id=cast.northwind.pk, by=cast.csm, given=given)
    assert refusal.value.field == field


def test_only_the_team_its_managers_and_operations(cast: Cast) -> None:
    for by in (cast.csm, cast.ae, cast.lead, cast.director, cast.ops):
        assert contacts.may_keep(cast.northwind, by)
    for by in (cast.outsider, cast.legal, cast.finance):
        with pytest.raises(NotAllowed):
            contacts.add(account_id=cast.northwind.pk, by=by, given=Person("A", "a@northwind.example"))


def test_contacts_are_kept_on_the_account_page(cast: Cast, browse: Browse) -> None:
    here = f"/accounts/{cast.northwind.pk}/"
    client = browse(cast.csm)
    assert f"{here}contacts/new/" in client.get(here).content.decode()
    assert f"{here}contacts/new/" not in browse(cast.legal).get(here).content.decode()
    page = client.get(f"{here}contacts/new/?name=Ola&email=ola@northwind.example").content.decode()
    assert 'value="ola@northwind.example"' in page
    refused = client.post(f"{here}contacts/new/", {"name": "Jon", "email": "jonas@northwind.example"})
    assert refused.status_code == 422
    assert "Jonas Thiel has this address already" in refused.content.decode()
    made = client.post(f"{here}contacts/new/", {"name": "Ola", "email": "ola@northwind.example", "language": "sv"})
    assert made.status_code == 302
    there = f"{here}contacts/{cast.contact.pk}/"
    assert 'value="Jonas Thiel"' in client.get(there).content.decode()
    assert client.post(there, {"name": "Jonas T.", "email": cast.contact.email}).status_code == 302
    cast.contact.refresh_from_db()
    assert cast.contact.name == "Jonas T."
    assert browse(cast.outsider).get(there).status_code == 404
    assert browse(cast.legal).post(there, {"name": "X", "email": cast.contact.email}).status_code == 403
    assert client.get(f"/accounts/{cast.elsewhere.pk}/contacts/{cast.contact.pk}/").status_code == 404
