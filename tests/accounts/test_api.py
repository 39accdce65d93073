"""Accounts and signals over HTTP."""

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, ExchangeRate, Signal, User
from ledger.now import now
from tests.support.cast import Cast

pytestmark = pytest.mark.django_db
Api = Callable[[User], Any]
ACCOUNTS, SIGNALS = "/api/v1/accounts/", "/api/v1/signals/"


def send(client: Any, address: str, body: dict[str, Any], key: str = "") -> Any:
    """POST JSON, with an idempotency key when given."""
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(address, json.dumps(body), content_type="application/json", headers=headers)


def names(answer: Any) -> list[str]:
    """Names in the list."""
    return [row["name"] for row in answer.json()["results"]]


def test_without_a_token_nothing_is_told(cast: Cast, client: Any) -> None:
    assert client.get(ACCOUNTS).status_code in (401, 403)
    assert client.get(SIGNALS).status_code in (401, 403)


def test_each_person_lists_and_reads_what_the_browser_shows_them(cast: Cast, api: Api) -> None:
    assert names(api(cast.csm).get(ACCOUNTS)) == ["Northwind Logistics"]
    assert names(api(cast.sponsor).get(ACCOUNTS)) == ["Harbor Health", "Northwind Logistics"]
    read = api(cast.csm).get(f"{ACCOUNTS}{cast.northwind.pk}/").json()
    assert (read["arr"], read["health"], read["csm"]["name"]) == ("180000.00", 62, "Priya Raman")
    assert "password" not in json.dumps(read)
    assert api(cast.outsider).get(f"{ACCOUNTS}{cast.northwind.pk}/").status_code == 404


@pytest.mark.both_databases
def test_the_id_of_an_account_has_no_characters_that_nobody_sees(cast: Cast, api: Api) -> None:
    first = send(api(cast.ops), ACCOUNTS, {"source": "crm", "external_id": "A1", "name": "One"})
    again = send(api(cast.ops), ACCOUNTS, {"source": "crm", "external_id": "\u200bA1\u2060 ", "region": "EMEA"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]
    none = send(api(cast.ops), ACCOUNTS, {"source": "crm", "external_id": "\u200b", "name": "None"})
    assert (none.status_code, none.json()["field"]) == (422, "external_id")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Alder\r\nBcc: eve@x.example", "Alder Bcc: eve@x.example"),
        ("Alder \u202exE\u202c", "Alder xE"),
        ("\u067e\u0627\u200c\u06cc", "\u067e\u0627\u200c\u06cc"),
    ],
)
def test_the_name_of_an_account_is_one_line(cast: Cast, api: Api, given: str, kept: str) -> None:
    answer = send(api(cast.ops), ACCOUNTS, {"source": "crm", "external_id": "A1", "name": given})
    assert (answer.status_code, answer.json()["name"]) == (201, kept)


@pytest.mark.parametrize("name", ["\u3164", "\u200b \u2060"])
def test_the_name_of_an_account_shows_something(cast: Cast, api: Api, name: str) -> None:
    answer = send(api(cast.ops), ACCOUNTS, {"source": "crm", "external_id": "A1", "name": name})
    assert (answer.status_code, answer.json()["field"]) == (422, "name")
    assert not Account.objects.filter(external_id="A1").exists()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("health_max=50", ["Red"]),
        ("health_min=50", ["Northwind Logistics"]),
        ("kind=supplier", ["Steel"]),
        ("search=north", ["Northwind Logistics"]),
        ("external_id=Red", ["Red"]),
        ("ordering=-health&kind=customer", ["Northwind Logistics", "Red"]),
    ],
)
def test_the_list_can_be_narrowed(cast: Cast, api: Api, query: str, found: list[str]) -> None:
    Account.objects.filter(pk=cast.elsewhere.pk).update(csm=None)
    Account.objects.create(external_id="Red", name="Red", health=12, csm=cast.csm)
    Account.objects.create(external_id="Steel", name="Steel", kind="supplier", csm=cast.csm)
    assert names(api(cast.csm).get(f"{ACCOUNTS}?{query}")) == found


def test_the_list_can_be_narrowed_by_renewal_and_change(cast: Cast, api: Api) -> None:
    client = api(cast.sponsor)
    assert names(client.get(f"{ACCOUNTS}?renewal_before={(now() + timedelta(days=35)).date()}")) == [
        "Northwind Logistics"
    ]
    assert names(client.get(f"{ACCOUNTS}?renewal_before={(now() + timedelta(days=30)).date()}")) == []
    later = (now() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert names(client.get(f"{ACCOUNTS}?updated_since={later}")) == []


@pytest.mark.parametrize("query", ["health_min=abc", "renewal_before=soon", "kind=alien", "ordering=password"])
def test_a_filter_that_makes_no_sense_is_refused(cast: Cast, api: Api, query: str) -> None:
    assert api(cast.csm).get(f"{ACCOUNTS}?{query}").status_code in (400, 422)


def test_lists_take_the_same_queries_for_one_and_for_three(cast: Cast, api: Api) -> None:
    def queries(address: str) -> int:
        client = api(User.objects.get(pk=cast.csm.pk))
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    def signal() -> None:
        Signal.objects.create(account=cast.northwind, contact=cast.contact, at=now(), text="x")

    signal()
    one = queries(ACCOUNTS), queries(SIGNALS)
    for number in range(2):
        Account.objects.create(external_id=str(number), name=str(number), csm=cast.csm, ae=cast.ae)
        signal()
    assert (queries(ACCOUNTS), queries(SIGNALS)) == one


BODY = {
    "source": "salesforce",
    "external_id": "001",
    "name": "Alder",
    "arr": "5000.00",
    "csm_email": "priya@desk.example",
}


def test_integrations_create_once_and_then_update_by_external_id(cast: Cast, api: Api) -> None:
    robot = User.objects.create_user("crm@desk.example", name="CRM", kind="service")
    created = send(api(robot), ACCOUNTS, BODY)
    assert created.status_code == 201
    account = Account.objects.get(external_id="001")
    assert (account.name, account.arr, account.csm) == ("Alder", Decimal(5000), cast.csm)
    again = send(api(robot), ACCOUNTS, {"source": "salesforce", "external_id": "001", "arr": "6000"})
    assert again.status_code == 200
    account.refresh_from_db()
    assert (account.name, account.arr) == ("Alder", Decimal(6000))
    assert account.history.count() == 2
    assert account.history.first().history_user == robot
    send(api(robot), ACCOUNTS, {"source": "salesforce", "external_id": "001", "arr": "6000"})
    assert account.history.count() == 2


def test_people_outside_operations_may_not_write_accounts(cast: Cast, api: Api) -> None:
    for person in (cast.csm, cast.director, cast.sponsor):
        assert send(api(person), ACCOUNTS, BODY).status_code == 403
    assert not Account.objects.filter(source="salesforce").exists()
    assert send(api(cast.ops), ACCOUNTS, BODY).status_code == 201


@pytest.mark.parametrize(
    "change",
    [
        {"external_id": ""},
        {"name": None},
        {"arr": "-1"},
        {"arr": "1e30"},
        {"arr": "NaN"},
        {"health": 101},
        {"currency": "XYZ"},
        {"csm_email": "nobody@desk.example"},
        {"renewal_date": "31/12/2026"},
        {"kind": "alien"},
    ],
)
def test_bad_values_are_refused_and_nothing_is_written(cast: Cast, api: Api, change: dict[str, Any]) -> None:
    answer = send(api(cast.ops), ACCOUNTS, {**BODY, **change})
    assert answer.status_code in (400, 422)
    assert not Account.objects.filter(source="salesforce").exists()


@pytest.mark.parametrize("change", [{"currency": "JPY", "arr": "1200.50"}, {"currency": "KWD", "arr": "1.234"}])
def test_an_amount_with_more_decimals_than_its_currency_is_refused(
    cast: Cast, api: Api, change: dict[str, str]
) -> None:
    ExchangeRate.objects.get_or_create(currency=change["currency"], on="2020-01-01", defaults={"usd": 1})
    answer = send(api(cast.ops), ACCOUNTS, {**BODY, **change})
    assert (answer.status_code, answer.json()["field"]) == (422, "arr")
    assert not Account.objects.filter(source="salesforce").exists()


def note(cast: Cast, **change: Any) -> dict[str, Any]:
    """A signal as an integration sends it."""
    return {"account": cast.northwind.pk, "kind": "ticket", "text": "We will cancel our contract.", **change}


def test_a_signal_is_read_for_tone_and_answered(cast: Cast, api: Api) -> None:
    answer = send(api(cast.csm), SIGNALS, note(cast, contact_email="jonas@northwind.example"))
    assert answer.status_code == 201
    body = answer.json()
    assert body["tone"] == "negative"
    assert body["phrases"][0]["kind"] == "cancellation"
    assert body["contact"]["name"] == "Jonas Thiel"
    assert Signal.objects.get().logged_by == cast.csm


def test_the_same_key_writes_once_and_another_body_under_it_is_refused(cast: Cast, api: Api) -> None:
    client = api(cast.csm)
    first, second = (send(client, SIGNALS, note(cast), key="k-1") for _ in range(2))
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert send(client, SIGNALS, note(cast, text="Other"), key="k-1").status_code == 409
    assert Signal.objects.count() == 1


def test_one_persons_key_does_not_answer_another(cast: Cast, api: Api) -> None:
    send(api(cast.csm), SIGNALS, note(cast), key="k-1")
    assert send(api(cast.ae), SIGNALS, note(cast), key="k-1").status_code == 201
    assert Signal.objects.count() == 2


def test_the_same_external_id_gives_the_first_signal(cast: Cast, api: Api) -> None:
    client = api(cast.csm)
    ids = {send(client, SIGNALS, note(cast, source="zendesk", external_id="T-1")).json()["id"] for _ in range(2)}
    assert len(ids) == 1


def test_signals_of_foreign_accounts_can_neither_be_read_nor_written(cast: Cast, api: Api) -> None:
    signal = Signal.objects.create(account=cast.northwind, at=now(), text="secret")
    outsider = api(cast.outsider)
    assert outsider.get(SIGNALS).json()["results"] == []
    assert outsider.get(f"{SIGNALS}{signal.pk}/").status_code == 404
    assert send(outsider, SIGNALS, note(cast)).status_code == 404
    assert Signal.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "gossip"},
        {"text": ""},
        {"contact_email": "stranger@x.example"},
        {"amount": "5"},
        {"amount": "5", "currency": "XYZ"},
        {"account": "x"},
        {"at": "yesterday"},
    ],
)
def test_a_bad_signal_is_refused(cast: Cast, api: Api, change: dict[str, Any]) -> None:
    assert send(api(cast.csm), SIGNALS, note(cast, **change)).status_code in (400, 422)
    assert not Signal.objects.exists()


def test_an_external_id_never_shows_a_signal_of_a_foreign_account(cast: Cast, api: Api) -> None:
    send(api(cast.csm), SIGNALS, note(cast, source="zendesk", external_id="T-1", text="secret words"))
    mine = {"account": cast.elsewhere.pk, "kind": "note", "text": "x", "source": "zendesk", "external_id": "T-1"}
    answer = send(api(cast.outsider), SIGNALS, mine)
    assert answer.status_code == 409
    assert "secret" not in answer.content.decode()


def test_the_source_of_received_mail_is_refused(cast: Cast, api: Api) -> None:
    answer = send(api(cast.csm), SIGNALS, note(cast, source="email", external_id="<m@northwind.example>"))
    assert (answer.status_code, answer.json()["field"]) == (422, "source")
    assert not Signal.objects.exists()


@pytest.mark.both_databases
def test_an_external_id_never_shows_a_signal_of_a_confidential_case(cast: Cast, api: Api) -> None:
    same = note(cast, source="zendesk", external_id="T-1", text="secret words")
    send(api(cast.csm), SIGNALS, same)
    Signal.objects.update(confidential=True)
    answer = send(api(cast.ae), SIGNALS, {**same, "text": "x"})
    assert (answer.status_code, answer.json()["field"]) == (409, "external_id")
    assert "secret" not in answer.content.decode()
    assert send(api(cast.csm), SIGNALS, same).status_code == 201, "who logged it knows its words"


def test_an_idempotency_key_that_cannot_be_kept_whole_is_refused(cast: Cast, api: Api) -> None:
    body = {"account": cast.northwind.pk, "kind": "call", "text": "They called."}
    assert send(api(cast.csm), SIGNALS, body, "k" * 200).status_code == 201
    answer = send(api(cast.csm), SIGNALS, {**body, "text": "Again."}, "k" * 200 + "2")
    assert (answer.status_code, answer.json()["field"]) == (422, "Idempotency-Key")
    assert Signal.objects.count() == 1
