"""Lists: no row twice or missing however many share a value, and no parameter that is silently ignored."""

import html
import re
from collections import Counter
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import Account, User
from tests.escalations.pages import stories
from tests.support.cast import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def program(user: User) -> APIClient:
    """Calls the API."""
    client = APIClient()
    client.force_authenticate(user)
    return client


def page_of(user: User, path: str) -> str:
    """The page as this person sees it."""
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.get(path)
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.fixture
def crowd(cast: Cast) -> Cast:
    """Many cases and accounts that share every value of an order."""
    stories.copies(stories.raise_case(cast), 23)
    Account.objects.bulk_create(Account(external_id=f"T{each}", name="The same") for each in range(23))
    return cast


@pytest.mark.parametrize("size", [5, 7])
@pytest.mark.parametrize(
    ("path", "key", "orders"),
    [
        ("/api/v1/escalations/", "key", ("", "sla_due_at", "-sla_due_at", "arr_at_risk", "-arr_at_risk", "opened_at")),
        ("/api/v1/accounts/", "id", ("", "renewal_date", "-updated", "name", "health", "-health")),
    ],
    ids=["cases", "accounts"],
)
def test_the_pages_of_the_api_hold_each_row_once(
    crowd: Cast, path: str, key: str, orders: tuple[str, ...], size: int
) -> None:
    client = program(crowd.ops)
    for order in orders:
        seen, number, more = [], 1, True
        while more:
            asked = {"page": number, "page_size": size, **({"ordering": order} if order else {})}
            data = client.get(path, asked).json()
            seen, number, more = seen + [row[key] for row in data["results"]], number + 1, data["next"]
        assert max(Counter(seen).values()) == 1, order
        assert len(seen) == data["count"], order


def test_only_one_file_makes_pages() -> None:
    apps = ("accounts", "approvals", "config", "escalations", "ledger", "messaging", "reports")
    files = [path for app in apps for path in Path(settings.BASE_DIR, app).rglob("*.py")]
    makes = re.compile(r"django.core.paginator import .*\bPaginator\b")
    assert [path.name for path in files if makes.search(path.read_text(encoding="utf-8"))] == ["pagination.py"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/accounts/",
        "/api/v1/signals/",
        "/api/v1/escalations/",
        "/api/v1/approvals/",
        "/api/v1/delegations/",
        "/api/v1/overrides/",
        "/api/v1/authority/who/",
        "/api/v1/escalations/{key}/events/",
        "/api/v1/escalations/{key}/clocks/",
        "/api/v1/escalations/{key}/handoffs/",
        "/api/v1/escalations/{key}/actions/",
    ],
)
def test_the_api_refuses_a_parameter_that_it_does_not_know(cast: Cast, path: str) -> None:
    address = path.format(key=stories.raise_case(cast).key)
    answer = program(cast.csm).get(address, {"colour": "red"})
    assert answer.status_code == 422
    assert (answer.json()["field"], answer.json()["code"]) == ("colour", "invalid")
    assert "There is no parameter “colour”" in answer.json()["message"]


def test_the_api_names_what_an_address_takes(cast: Cast) -> None:
    said = program(cast.csm).get("/api/v1/signals/", {"sinse": "2026-01-01"}).json()["message"]
    assert said.endswith("This address takes account, kind, page, page_size, since, source, tone, until.")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/escalations/?owner=abc", "owner=abc"),
        ("/escalations/?colour=red&view=open", "colour=red"),
        ("/escalations/?status=purple", "status=purple"),
        ("/accounts/?health=blue", "health=blue"),
        ("/accounts/?sort=name", "sort=name"),
        ("/notifications/?view=some", "view=some"),
        ("/search/?q=e&kind=planets", "kind=planets"),
        ("/reviews/?owner=1", "owner=1"),
    ],
)
def test_a_page_leaves_out_what_it_does_not_know_and_says_so(cast: Cast, path: str, said: str) -> None:
    assert f"Unknown filter “{said}” was left out." in page_of(cast.ops, path)


@pytest.mark.parametrize(
    "path",
    ["/escalations/?view=mine&q=a&tier=red", "/accounts/?view=red&health=red&page=2", "/search/?q=north&kind=accounts"],
)
def test_known_filters_need_no_words(cast: Cast, path: str) -> None:
    assert "was left out" not in page_of(cast.ops, path)


FILES = [
    "/escalations/export.csv",
    "/accounts/export.csv",
    "/dashboard/kpis.csv",
    "/dashboard/overrides.csv",
    "/dashboard/decisions/cases.csv",
    "/escalations/{key}/history/?format=csv",
    "/approvals/cases/{key}/log.csv",
]


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_not_made_with_a_filter_that_it_does_not_know(cast: Cast, path: str) -> None:
    client = Client()
    client.force_login(cast.ops, backend="allauth.account.auth_backends.AuthenticationBackend")
    address = path.format(key=stories.raise_case(cast).key)
    answer = client.get(f"{address}{'&' if '?' in address else '?'}colour=red")
    assert answer.status_code == 422
    assert "Unknown filter “colour=red”" in answer.content.decode()
    assert "Content-Disposition" not in answer.headers


@pytest.mark.parametrize(
    "path",
    ["/escalations/export.csv?owner=abc", "/escalations/export.csv?view=some", "/accounts/export.csv?health=blue"],
)
def test_a_file_is_not_made_with_a_value_that_it_does_not_know(cast: Cast, path: str) -> None:
    client = Client()
    client.force_login(cast.ops, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.get(path)
    assert answer.status_code == 422
    assert f"Unknown filter “{path.partition('?')[2]}”" in answer.content.decode()


def test_the_file_of_a_page_is_made_although_the_page_left_a_filter_out(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.ops, backend="allauth.account.auth_backends.AuthenticationBackend")
    for path, file in (("/escalations/", "/escalations/export.csv"), ("/accounts/", "/accounts/export.csv")):
        page = client.get(path, {"colour": "red", "view": "", "q": "north", "page": "1"}).content.decode()
        [link] = re.findall(rf'href="({file}[^"]*)"', page)
        assert "colour" not in link
        assert "q=north" in link
        answer = client.get(html.unescape(link))
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
