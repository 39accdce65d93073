"""Choosing an account or a person by a search: what is found, who may find it, and that nothing typed is lost."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Account, User
from accounts.people.choosing import colleagues
from escalations.models import Escalation
from ledger.now import now
from tests.support.cast import Cast, person

pytestmark = pytest.mark.both_databases

INTAKE, WHO, STAND_INS = reverse("escalations:new"), reverse("approvals:who"), reverse("approvals:delegations")
TYPED = {
    "issue_type": "discount-beyond-limit",
    "issue": "Northwind asks for 18% off.",
    "impact": "The renewal lapses.",
    "deadline": "2099-01-23T17:00",
    "currency": "USD",
}


def browser(user: User) -> Client:
    """A browser of this person."""
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def suggested(user: User, kind: str, text: str) -> list[str]:
    """The names suggested for a text."""
    answer = browser(user).get(reverse("accounts:choose", args=[kind]), {"name": "a", "id": "i", "a-text": text})
    assert answer.status_code == 200
    return [" ".join(name.split()) for name in re.findall(r'hx-swap="outerHTML">\s*([^<]+)<', answer.content.decode())]


def radios(page: str, name: str) -> list[str]:
    """The ids of the rows offered."""
    return re.findall(rf'type="radio"\s+name="{name}"\s+id="[^"]+"\s+value="(\d+)"', page)


def test_people_find_the_accounts_that_they_may_open(cast: Cast) -> None:
    assert suggested(cast.csm, "accounts", "north") == ["Northwind Logistics"]
    assert suggested(cast.csm, "accounts", "nw-1") == ["Northwind Logistics"]
    assert suggested(cast.csm, "accounts", "Harbor") == []
    assert suggested(cast.sponsor, "accounts", "harbor") == ["Harbor Health"]
    assert suggested(cast.sponsor, "accounts", "") == []


def test_people_find_colleagues_and_somebody_from_outside_finds_nobody(cast: Cast) -> None:
    felix = person("felix@desk.example", "Felix Brandt", "external")
    assert suggested(cast.csm, "people", "dana") == ["Dana Whitfield"]
    assert suggested(cast.csm, "colleagues", "priya") == []
    for kind in ("people", "colleagues"):
        assert browser(felix).get(reverse("accounts:choose", args=[kind]), {"a-text": "dana"}).status_code == 404
    assert list(colleagues(felix)) == [felix]


def test_an_account_of_others_cannot_be_chosen_by_its_id(cast: Cast) -> None:
    choose = reverse("accounts:choose", args=["accounts"])
    client = browser(cast.csm)
    assert client.get(choose, {"name": "account", "id": "x", "value": str(cast.northwind.pk)}).status_code == 200
    for value in (str(cast.elsewhere.pk), "99999", "x", "9" * 30):
        assert client.get(choose, {"name": "account", "id": "x", "value": value}).status_code == 404
    assert client.get(reverse("accounts:choose", args=["cases"])).status_code == 404
    assert Client().get(choose).status_code == 302
    refused = client.post(INTAKE, {**TYPED, "account": cast.elsewhere.pk})
    assert refused.status_code == 422
    assert "Harbor Health" not in refused.content.decode()


def test_without_scripts_find_choose_and_change_keep_everything_that_was_typed(cast: Cast) -> None:
    client = browser(cast.sponsor)
    found = client.post(INTAKE, {**TYPED, "account-text": "north", "find": "account"})
    page = found.content.decode()
    assert found.status_code == 200
    assert radios(page, "account") == [str(cast.northwind.pk)]
    assert "There is a problem" not in page
    chosen = client.post(INTAKE, {**TYPED, "account-text": "north", "account": cast.northwind.pk, "find": "account"})
    fixed = f'<input type="hidden" name="account" value="{cast.northwind.pk}">'
    assert fixed in chosen.content.decode()
    changed = client.post(INTAKE, {**TYPED, "account": cast.northwind.pk, "find": "-account"})
    assert fixed not in changed.content.decode()
    for answer in (found, chosen, changed):
        assert TYPED["issue"] in answer.content.decode()
        assert f'value="{TYPED["deadline"]}"' in answer.content.decode()
    assert not Escalation.objects.exists()
    assert client.post(INTAKE, {**TYPED, "account": cast.northwind.pk}).status_code == 302


def test_a_text_chooses_only_the_one_account_that_it_names_in_full(cast: Cast) -> None:
    client = browser(cast.sponsor)
    unclear = client.post(INTAKE, {**TYPED, "account-text": "north"})
    assert unclear.status_code == 422
    assert "Choose the account from those found." in unclear.content.decode()
    assert radios(unclear.content.decode(), "account") == [str(cast.northwind.pk)]
    unknown = client.post(INTAKE, {**TYPED, "account-text": "Nowhere"})
    assert "You have no account with that name." in unknown.content.decode()
    assert client.post(INTAKE, {**TYPED, "account-text": "northwind LOGISTICS"}).status_code == 302
    assert Escalation.objects.get().account == cast.northwind


def test_a_question_in_the_address_takes_an_account_by_id_name_or_search(cast: Cast) -> None:
    client, asked = browser(cast.csm), {"concession": "discount", "amount": "15"}
    for account in ({"account": str(cast.northwind.pk)}, {"account": "northwind"}, {"account-text": "Northwind"}):
        assert f"Director: {cast.director}" in client.get(WHO, {**asked, **account}).content.decode()
    looking = client.get(WHO, {**asked, "account-text": "n", "find": "account"}).content.decode()
    assert f"Director: {cast.director}" not in looking
    assert 'value="15"' in looking


def test_a_stand_in_is_found_and_the_dates_stay(cast: Cast) -> None:
    client = browser(cast.director)
    start, end = (f"{now() + timedelta(days=days):%Y-%m-%dT%H:%M}" for days in (1, 5))
    typed = {"to-text": "tom", "starts_at": start, "ends_at": end, "note": "At the sea"}
    page = client.post(STAND_INS, {**typed, "find": "to"})
    assert page.status_code == 200
    assert radios(page.content.decode(), "to") == [str(cast.lead.pk)]
    assert 'value="At the sea"' in page.content.decode()
    assert client.post(STAND_INS, {**typed, "to": cast.lead.pk}).status_code == 302
    assert client.post(STAND_INS, {**typed, "to": cast.director.pk}).status_code == 422


def test_names_are_escaped(cast: Cast) -> None:
    Account.objects.filter(pk=cast.northwind.pk).update(name="<script>x</script>")
    choose = reverse("accounts:choose", args=["accounts"])
    answer = browser(cast.csm).get(choose, {"name": '"><script>', "id": '"><script>', "value": str(cast.northwind.pk)})
    assert "<script>" not in answer.content.decode()


@pytest.fixture
def growing(cast: Cast) -> Callable[[int], None]:
    """`growing(n)` adds n accounts and n people who hold a role."""

    def more(count: int) -> None:
        for _ in range(count):
            number = Account.objects.count()
            Account.objects.create(external_id=f"N-{number}", name=f"North {number}", csm=cast.csm)
            person(f"p{number}@desk.example", f"Nora {number}", "csm")

    return more


@pytest.mark.parametrize(
    "address",
    [
        INTAKE,
        f"{INTAKE}?account=1",
        WHO,
        STAND_INS,
        f"{reverse('accounts:choose', args=['accounts'])}?name=a&id=i&a-text=nor",
        f"{reverse('accounts:choose', args=['people'])}?name=a&id=i&a-text=nor",
    ],
)
def test_forms_and_suggestions_are_as_small_for_fifty_accounts_and_people_as_for_one(
    cast: Cast, growing: Callable[[int], None], address: str
) -> None:
    sizes, counted, client = [], set(), browser(cast.sponsor)
    client.get(INTAKE)  # reads the policy, which is kept
    for count in (1, 2, 47):
        growing(count)
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(address.replace("account=1", f"account={cast.northwind.pk}"))
        assert answer.status_code == 200
        counted.add(len(captured))
        sizes.append(len(answer.content))
    assert len(counted) == 1
    assert max(sizes) <= 30_000
    assert address.startswith("/choose") or max(sizes) - min(sizes) < 100
