"""The apps above learn of each account that is new, or whose name, CSM or AE changed."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.customers import accounts
from accounts.events import people_changed
from accounts.imports import runs as imports
from accounts.models import Account, User
from tests.support.cast import Cast

pytestmark = pytest.mark.django_db
Browse = Callable[[User], Client]
INLINES = ("domains", "contacts", "subscriptions")


@pytest.fixture
def announced() -> Iterator[list[list[int]]]:
    """The ids of each announcement."""
    seen: list[list[int]] = []

    def hear(accounts: list[int], **_: Any) -> None:
        seen.append(accounts)

    people_changed.connect(hear)
    yield seen
    people_changed.disconnect(hear)


def put(cast: Cast, **values: Any) -> Account:
    """The account of a CRM, as the API writes it."""
    return accounts.put(by=cast.ops, source="crm", external_id="1", values=values)[0]  # type: ignore[arg-type]


def test_an_integration_announces_new_accounts_and_changes_of_name_and_team_only(
    cast: Cast, announced: list[list[int]]
) -> None:
    account = put(cast, name="Alder")
    put(cast, segment="Enterprise")
    put(cast, name="Alder AG")
    put(cast, csm_email=cast.csm.email)
    put(cast, ae_email=cast.ae.email, segment="Small business")
    assert announced == [[account.pk]] * 4


def test_an_import_announces_them_once_a_batch(cast: Cast, announced: list[list[int]]) -> None:
    def load(text: str) -> list[int]:
        imports.apply(run=imports.stage(source="crm", data=text.encode(), filename="a.csv", default_currency="USD"))
        return list(Account.objects.filter(external_id__startswith="A-").order_by("pk").values_list("pk", flat=True))

    both = load("account_id,name,arr,owner\nA-1,Alder,1,\nA-2,Birch,2,\n")
    load("account_id,name,arr,owner\nA-1,Alder,5,\nA-2,Birch,2,\n")
    load(f"account_id,name,arr,owner\nA-1,Alder,5,\nA-2,Birch,6,{cast.csm.email}\n")
    assert announced == [both, [both[1]]]


def test_the_admin_announces_a_change_of_the_team_and_of_a_restored_version(
    cast: Cast, browse: Browse, announced: list[list[int]]
) -> None:
    client, account = browse(cast.admin), cast.elsewhere
    first = account.history.first()
    address = f"/admin/accounts/account/{account.pk}/"
    form: dict[str, Any] = {f"{name}-{count}_FORMS": 0 for name in INLINES for count in ("TOTAL", "INITIAL")}
    fields = ("name", "kind", "status", "source", "external_id", "currency", "arr", "csm")
    form |= {name: account.serializable_value(name) for name in fields}
    assert client.post(f"{address}change/", form | {"segment": "Enterprise"}).status_code == 302
    assert announced == []
    assert client.post(f"{address}change/", form | {"csm": cast.csm.pk}).status_code == 302
    assert announced == [[account.pk]]
    assert client.post(f"{address}history/{first.pk}/", form).status_code == 302
    account.refresh_from_db()
    assert account.csm == cast.outsider
    assert announced == [[account.pk]] * 2
