"""The search page: what it finds for whom, in which order, how it shows it."""

import unicodedata
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from accounts.customers import accounts
from accounts.models import Account, User
from config import search
from escalations import states
from escalations.models import Escalation
from ledger.now import now
from tests.reports.builders import Builder
from tests.support.cast import Cast

pytestmark = pytest.mark.both_databases
MakeCase = Callable[..., Escalation]


@pytest.fixture
def a_case(cast: Cast) -> MakeCase:
    return Builder(cast).case


def groups(client: Client, user: User, typed: str, **more: str) -> Any:
    """The groups of the page by kind."""
    client.force_login(user)
    return {each.kind: each for each in client.get("/search/", {"q": typed, **more}).context["groups"]}


def keys(group: Any) -> list[str]:
    """The keys of the cases shown, in order."""
    return [hit.href.split("/")[-2] for hit in group.hits]


@pytest.mark.parametrize(
    "typed",
    ["Ärzte Nord", "ärzte", "arzte", "ARZTE", unicodedata.normalize("NFD", "ärzte"), "arz", '"arzte nord"', "nord arz"],
)
def test_case_accents_and_the_rest_of_a_word_do_not_matter(
    client: Client, cast: Cast, a_case: MakeCase, typed: str
) -> None:
    cast.northwind.name = "Ärzte Nord"
    accounts.save(cast.northwind)
    case = a_case()
    a_case(account=cast.elsewhere)
    shown = groups(client, cast.ops, typed)
    assert keys(shown["escalations"]) == [case.key]
    assert [hit.href for hit in shown["accounts"].hits] == [f"/accounts/{cast.northwind.pk}/"]
    assert '<mark class="found">Ärz' in shown["accounts"].hits[0].title


def test_the_middle_of_a_word_is_not_found_but_each_part_of_an_address_is(client: Client, cast: Cast) -> None:
    assert groups(client, cast.ops, "wind")["accounts"].count == 0
    for typed in ("northwind.example", "jonas@northwind.example", "@", "thiel"):
        assert groups(client, cast.ops, typed)["accounts"].count == (typed != "@")


def test_the_best_open_case_comes_first_then_the_ended_ones(client: Client, cast: Cast, a_case: MakeCase) -> None:
    in_issue = a_case(title="Other", issue="The indemnity")
    in_title = a_case(title="Indemnity", issue="Other", opened_at=now() - timedelta(days=9))
    ended = a_case(title="Indemnity", state=states.CLOSED)
    older = a_case(title="Indemnity of somebody", issue="Long text of another kind", state=states.WITHDRAWN)
    shown = keys(groups(client, cast.csm, "indem")["escalations"])
    assert set(shown[:2]) == {in_title.key, in_issue.key}
    assert shown[0] == in_title.key
    assert set(shown[2:]) == {ended.key, older.key}


@pytest.mark.parametrize("who", ["sponsor", "director", "csm"])
def test_only_the_newest_hits_are_counted_and_the_page_says_so(
    client: Client, cast: Cast, a_case: MakeCase, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    monkeypatch.setattr(search, "MOST", 3)
    first = a_case()
    ended = [a_case(state=states.CLOSED) for _ in range(2)]
    user = getattr(cast, who)
    assert groups(client, user, "cap")["escalations"].counted == "3"
    a_case(state=states.CLOSED)
    group = groups(client, user, "cap")["escalations"]
    assert (group.counted, keys(group)[0]) == ("3+", first.key)
    assert ended[0].key not in keys(group)
    page = client.get("/search/", {"q": "cap"}).content.decode()
    assert "More than 3 results" in page
    assert "All<span" in page.replace("\n", "").replace("  ", "")
    opened = [a_case() for _ in range(3)]
    group = groups(client, user, "cap")["escalations"]
    assert (group.counted, set(keys(group))) == ("3+", {case.key for case in opened})


def test_who_loses_access_no_longer_finds_or_counts_it(client: Client, cast: Cast, a_case: MakeCase) -> None:
    a_case()
    assert groups(client, cast.csm, "cap")["escalations"].count == 1
    cast.northwind.csm = cast.outsider
    accounts.save(cast.northwind)
    assert groups(client, cast.csm, "cap")["escalations"].count == 0
    assert groups(client, cast.csm, "northwind")["accounts"].count == 0


@pytest.mark.parametrize("who", ["sponsor", "director", "csm", "legal"])
def test_counts_are_those_of_the_plain_rule(client: Client, cast: Cast, a_case: MakeCase, who: str) -> None:
    for number in range(12):
        a_case(
            account=(cast.northwind, cast.elsewhere)[number % 2],
            state=(states.DIAGNOSING, states.RESOLVED, states.CLOSED)[number % 3],
            confidential=number % 4 == 0,
            owner=cast.legal if number % 5 == 0 else None,
        )
    user = getattr(cast, who)
    group = groups(client, user, "cap", kind="escalations")["escalations"]
    seen = {case.key for case in Escalation.objects.visible_to(user)}
    assert (group.count, set(keys(group))) == (len(seen), seen)


def test_what_was_found_is_escaped_and_marked(client: Client, cast: Cast, a_case: MakeCase) -> None:
    a_case(title="👍 <b>Straße</b> & co", issue="x" * 200 + " strasse")
    client.force_login(cast.csm)
    page = client.get("/search/", {"q": "strasse"}).content.decode()
    assert '👍 &lt;b&gt;<mark class="found">Straße</mark>&lt;/b&gt; &amp; co' in page
    assert '<mark class="found">strasse</mark>' in page


ODD = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("\"'*:()&|!<>-^{}@#+\\%_ \x00aEÄ1")), max_size=30)


@given(ODD, st.sampled_from(["", "escalations", "accounts", "people", "x"]))
def _any_text_gives_a_page(client: Client, typed: str, kind: str) -> None:
    assert client.get("/search/", {"q": typed, "kind": kind}).status_code in (200, 302)


def test_any_text_gives_a_page(client: Client, cast: Cast, a_case: MakeCase) -> None:
    a_case()
    client.force_login(cast.director)
    _any_text_gives_a_page(client)


@pytest.mark.parametrize("who", ["sponsor", "director", "csm"])
def test_the_number_of_queries_does_not_grow(client: Client, cast: Cast, a_case: MakeCase, who: str) -> None:
    def queries(**more: str) -> int:
        client.get("/search/", {"q": "cap", **more})
        with CaptureQueriesContext(connection) as captured:
            client.get("/search/", {"q": "cap", **more})
        return len(captured)

    client.force_login(getattr(cast, who))
    used = []
    for rows in (1, 2, 47):
        for _ in range(rows):
            a_case()
        used.append((queries(), queries(kind="escalations")))
    assert len(set(used)) == 1
    assert max(used[0]) <= 12


def test_the_search_box_of_the_account_list_finds_alike(client: Client, cast: Cast) -> None:
    client.force_login(cast.ops)
    for typed, count in (("NORTH", 1), ("northwind.example", 1), ("thiel", 1), ("NW-1", 1), ("winds", 0), ("-", 0)):
        assert client.get("/accounts/", {"q": typed}).content.decode().count("Northwind Logistics") >= count, typed
        assert ("Northwind Logistics" in client.get("/accounts/", {"q": typed}).content.decode()) == bool(count), typed


def test_the_search_boxes_of_the_admin_find_alike(client: Client, cast: Cast, a_case: MakeCase) -> None:
    case = a_case(account=Account.objects.get(pk=cast.northwind.pk))
    client.force_login(cast.admin)
    for address, typed, shown in (
        ("accounts/account", "thiel", "Northwind Logistics"),
        ("accounts/user", "priya", "priya@desk.example"),
        ("escalations/escalation", str(case.pk), case.title),
        ("escalations/escalation", "indem", case.title),
    ):
        assert shown in client.get(f"/admin/{address}/", {"q": typed}).content.decode()
        assert shown not in client.get(f"/admin/{address}/", {"q": "zzz"}).content.decode()
