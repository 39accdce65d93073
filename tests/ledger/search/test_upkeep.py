"""The verbs keep the search index: after each of them, comparing it with the rows finds nothing."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.customers import accounts
from accounts.imports import runs as imports
from accounts.models import Account, Contact, User
from accounts.people import profile
from escalations import states
from escalations.cases import closing, intake
from escalations.models import Escalation
from ledger.now import now
from ledger.search.index import differences, indexes
from tests.escalations.cases.builders import accepted, opened
from tests.support.cast import PASSWORD, Cast

pytestmark = pytest.mark.both_databases
INLINES = ("domains", "contacts", "subscriptions")


def wrong() -> list[str]:
    """All differences between the index and the rows."""
    return [str(each) for index in indexes() for each in differences(index)]


def found(model: Any, typed: str) -> list[str]:
    """What a search of all rows finds."""
    return [str(each) for each in model.objects.matching(typed).order_by("pk")]


def load(text: str, kind: str) -> None:
    """Import a file."""
    imports.apply(
        run=imports.stage(source="crm", data=text.encode(), filename="file.csv", kind=kind, default_currency="USD")
    )


def form_of(account: Account, **values: Any) -> dict[str, Any]:
    """The admin's form of an account, without inline rows unless given."""
    form: dict[str, Any] = {f"{name}-{count}_FORMS": 0 for name in INLINES for count in ("TOTAL", "INITIAL")}
    fields = ("name", "kind", "status", "source", "external_id", "currency", "csm")
    return form | {name: account.serializable_value(name) for name in fields} | values


def test_opening_and_resolving_a_case(cast: Cast) -> None:
    case = opened(cast, issue="Kündigung nach dem dritten Ausfall.")
    assert found(Escalation, "kundigung northwind") == [str(case)]
    case = accepted(cast, concession="", amount=None)
    assert case.owner is not None
    closing.skip_to_execute(case_id=case.pk, by=case.owner, reason="Nothing to decide")
    ending = closing.Ending(states.OUTCOMES[0][0], "Müde Leitung", "They stay.", customer_told=True)
    closing.resolve(case_id=case.pk, by=case.owner, ending=ending)
    assert [each.split()[0] for each in found(Escalation, "mude leit")] == [case.key]
    assert wrong() == []


def test_a_case_opened_by_a_rule_is_found_too(cast: Cast) -> None:
    form = intake.Intake(account=cast.northwind, issue_type="renewal-at-risk", issue="Silence for weeks.")
    case = intake.open_case(form, by=None, trigger="silence", trigger_text="No answer")
    assert found(Escalation, f"esc-{case.pk}") == [str(case)]


def test_a_new_name_of_an_account_reaches_its_cases(cast: Cast) -> None:
    case = opened(cast, title="Price")
    cast.northwind.name = "Südwind"
    accounts.save(cast.northwind)
    assert found(Escalation, "sudwind") == [str(case)]
    assert found(Account, "sudwind") == ["Südwind"]
    assert found(Account, "northwind logistics") == []
    values: accounts.AccountValues = {"name": "Ostwind"}
    accounts.put(by=cast.ops, source="manual", external_id="NW-1", values=values)
    assert found(Escalation, "ostwind") == [str(case)]
    assert wrong() == []


def test_imports_of_accounts_and_contacts(cast: Cast) -> None:
    owner = cast.csm.email
    load(f"account_id,name,arr,domain,owner\nA-1,Ålder,1,alder.example,{owner}\nA-2,Birch,2,,\n", "accounts")
    assert found(Account, "alder.ex") == ["Ålder"]
    case = opened(cast, account=Account.objects.get(external_id="A-1"), amount=None, concession="", title="Price")
    load(
        f"account_id,name,arr,domain,owner\nA-1,Erle,1,alder.example,{owner}\nA-2,Birch,2,birch.example,\n", "accounts"
    )
    assert found(Account, "birch.example") == ["Birch"]
    assert found(Escalation, "erle") == [str(case)]
    load("account_id,name,email\nA-2,Zoë Q,zoe@birch.example\n", "contacts")
    assert found(Account, "zoe") == ["Birch"]
    load("account_id,name,email\nA-2,Chloé Q,zoe@birch.example\n", "contacts")
    assert found(Account, "chloe") == ["Birch"]
    assert wrong() == []


def test_the_admin_writes_accounts_with_domains_and_contacts(client: Client, cast: Cast) -> None:
    client.force_login(cast.admin)
    address = f"/admin/accounts/account/{cast.elsewhere.pk}/change/"
    rows = {
        "domains-TOTAL_FORMS": 1, "domains-0-domain": "harbour.example", "domains-0-account": cast.elsewhere.pk,
        "contacts-TOTAL_FORMS": 1, "contacts-0-name": "Ægir", "contacts-0-email": "a@x.example",
        "contacts-0-account": cast.elsewhere.pk,
    }  # fmt: skip
    assert client.post(address, form_of(cast.elsewhere, name="Häfen", **rows)).status_code == 302
    for typed in ("hafen", "harbour.example", "aegir"):
        assert found(Account, typed) == ["Häfen"]
    assert wrong() == []
    contact = Contact.objects.get(name="Ægir")
    gone = {
        "contacts-TOTAL_FORMS": 1,
        "contacts-INITIAL_FORMS": 1,
        "contacts-0-id": contact.pk,
        "contacts-0-DELETE": "on",
    }
    gone |= {"contacts-0-name": "Ægir", "contacts-0-email": "a@x.example", "contacts-0-account": cast.elsewhere.pk}
    cast.elsewhere.refresh_from_db()
    assert client.post(address, form_of(cast.elsewhere, **gone)).status_code == 302
    assert found(Account, "aegir") == []
    assert wrong() == []


def test_people_are_found_by_what_they_and_the_admin_write(client: Client, cast: Cast) -> None:
    profile.save_preferences(user=cast.csm, name="Priya Räman", zone="UTC", density="compact", shortcuts=True)
    assert found(User, "raman") == ["Priya Räman"]
    client.force_login(cast.admin)
    holdings = {f"holdings-{count}_FORMS": 0 for count in ("TOTAL", "INITIAL")}
    new = {"email": "New@desk.example", "name": "Søren New", "usable_password": "true"}
    passwords = {"password1": PASSWORD, "password2": PASSWORD}
    assert client.post("/admin/accounts/user/add/", {**new, **passwords, **holdings}).status_code == 302
    person = User.objects.get(email="new@desk.example")
    assert found(User, "soren") == found(User, "new@desk") == ["Søren New"]
    fields = {"email": person.email, "name": "Søren Old", "kind": "person", "team": "Quartz", "zone": "UTC"}
    fields |= {"density": "compact", "is_active": "on"}
    assert client.post(f"/admin/accounts/user/{person.pk}/change/", {**fields, **holdings}).status_code == 302
    assert found(User, "quartz soren old") == ["Søren Old"]
    assert wrong() == []


def test_the_demo_has_no_differences(demo: None) -> None:
    assert Escalation.objects.filter(opened_at__gt=now() - timedelta(days=400)).exists()
    assert wrong() == []
