"""Who approves this? One answer on the page, over the API and while an ask is typed; the matrix for everybody to read."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from approvals.matrix import versions
from approvals.matrix.preview import preview, who_for_everybody
from approvals.matrix.totals import Ask, ask_total
from approvals.models import AuthorityVersion, ChainRule, Committee, QuarterCap
from approvals.requests import decide as deciding
from ledger.errors import Invalid
from ledger.now import now
from tests.approvals.test_pages import text
from tests.support.cast import Cast

D = Decimal
WHO, MATRIX = "/api/v1/authority/who/", "/api/v1/authority/matrix/"


def browser(user: Any) -> Client:
    """Signed in."""
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def caller(user: Any) -> APIClient:
    """A program with this person's token."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {Token.objects.get_or_create(user=user)[0]}")
    return client


@pytest.fixture
def rich(deciders: Cast) -> AuthorityVersion:
    """Every kind of row: legal before a discount above 10 %, product consulted, a committee, a cap."""
    version = AuthorityVersion.objects.get()
    discount = version.concessions.get(slug="discount")
    roles = {slug: _hold(deciders, slug) for slug in ("legal", "product")}
    make = ChainRule.objects.create
    make(version=version, concession=discount, role=roles["legal"], above=D(10), segment="enterprise")
    make(version=version, role=roles["product"], part=ChainRule.CONSULT, place=ChainRule.BESIDE)
    director = version.limits.get(role__slug="director", concession=discount)
    QuarterCap.objects.create(version=version, role=director.role, concession=discount, up_to=D(100))
    steering = version.limits.filter(role__slug="steering-committee")[0].role
    Committee.objects.create(version=version, role=steering, quorum="percent", quorum_of=50)
    director.region, director.effective_from = "EMEA", now().date()
    director.save()
    version.limits.create(role=director.role, concession=discount, up_to=D(20))
    return version


def _hold(deciders: Cast, slug: str) -> Any:
    role = deciders.outsider.holdings.model._meta.get_field("role").related_model.objects.get(slug=slug)
    person = type(deciders.outsider).objects.create_user(
        f"{slug}@desk.example", None, name=f"{slug.capitalize()} Person"
    )
    person.holdings.create(role=role)
    return role


ASKED: dict[str, Any] = {"concession": "discount", "amount": "15", "currency": "USD"}


def test_page_and_api_and_preview_give_one_answer_with_the_whole_chain(deciders: Cast, rich: Any) -> None:
    asked = {**ASKED, "account": deciders.northwind.pk}
    found = preview(Ask("discount", D(15), "USD", deciders.northwind), user=deciders.csm)
    answer = caller(deciders.csm).get(WHO, asked).json()
    page = browser(deciders.csm).get("/approvals/who/", asked).content.decode()
    assert (answer["role"], answer["person"]) == ("director", deciders.director.email)
    assert found.answer.person == deciders.director
    assert answer["sentence"] == found.answer.sentence
    names = [group["name"] for stage in answer["stages"] for group in stage["groups"]]
    assert names[0] == "Legal"
    assert set(names) == {"Legal", "Director", "Product"}
    assert [group["name"] for stage in answer["stages"] for group in stage["groups"] if group["consulted"]] == [
        "Product"
    ]
    for words in (
        "Director: Lena Ortiz",
        "Legal Person",
        "Product Person",
        "0% of 100% used this quarter",
        "data-print",
    ):
        assert words in page
    assert answer["cap"] == "0% of 100% used this quarter"
    assert answer["rule"]["limit"] == "20%"


def test_a_small_ask_has_no_function_and_a_band_says_what_it_saves(deciders: Cast, ask: Any, rich: Any) -> None:
    made = ask(amount=D(8), account=deciders.elsewhere, requester=deciders.outsider)
    deciding.decide(
        request_id=made.pk,
        by=deciders.lead,
        verdict="declined",
        version=made.version,
        words=deciding.Words(reason="No"),
    )
    asked = {**ASKED, "amount": "4", "tier": "green", "account": deciders.northwind.pk}
    answer = caller(deciders.ae).get(WHO, asked).json()
    assert (answer["within_band"], answer["band"]) == (True, "Discount up to 5% for green cases")
    assert "Legal" not in str(answer["stages"])
    page = browser(deciders.ae).get("/approvals/who/", asked).content.decode()
    assert "Granted by rule: Discount up to 5% for green cases" in page


def test_a_band_grants_what_nobody_else_may(deciders: Cast) -> None:
    AuthorityVersion.objects.get().limits.filter(concession__slug="discount").delete()
    asked = {**ASKED, "amount": "4", "tier": "green", "account": deciders.northwind.pk}
    answer = caller(deciders.ae).get(WHO, asked).json()
    assert (answer["within_band"], answer["role"], answer["person"], answer["stages"]) == (True, None, None, [])
    page = browser(deciders.ae).get("/approvals/who/", asked).content.decode()
    assert "Granted by rule: Discount up to 5% for green cases" in page
    assert "Outside the band nobody may approve it." in page
    refused = caller(deciders.ae).get(WHO, {**asked, "amount": "8"})
    assert refused.status_code == 422
    assert "Nobody may approve" in refused.content.decode()


def test_who_gains_by_it_does_not_decide(deciders: Cast) -> None:
    asked = {**ASKED, "account": deciders.northwind.pk}
    first = caller(deciders.ae).get(WHO, asked).json()["person"]
    assert caller(deciders.ae).get(WHO, {**asked, "beneficiary": first}).json()["person"] != first
    assert caller(deciders.ae).get(WHO, {**asked, "beneficiary": "nobody@desk.example"}).status_code == 422


def test_the_running_total_is_shown(deciders: Cast, ask: Any) -> None:
    made = ask(amount=D(15))
    deciding.decide(request_id=made.pk, by=deciders.director, verdict="approved", version=made.version)
    answer = caller(deciders.csm).get(WHO, {**ASKED, "account": deciders.northwind.pk}).json()
    assert answer["running_total"] == "15% granted in 90 days, together 30%"
    assert answer["role"] == "executive-sponsor"


def test_the_same_renewal_is_added_up_over_the_api(deciders: Cast, ask: Any) -> None:
    made = ask(amount=D(15), renewal="R-1")
    deciding.decide(request_id=made.pk, by=deciders.director, verdict="approved", version=made.version)
    asked = {**ASKED, "account": deciders.elsewhere.pk}
    assert caller(deciders.outsider).get(WHO, asked).json()["role"] == "director"
    assert caller(deciders.outsider).get(WHO, {**asked, "renewal": "R-1"}).json()["role"] == "executive-sponsor"


@pytest.fixture
def group(deciders: Cast, ask: Any) -> Any:
    """Harbor Health belongs to Northwind, whose CSM was granted a discount of 13 % unknown to Harbor Health's CSM."""
    deciders.elsewhere.parent = deciders.northwind
    deciders.elsewhere.save()
    made = ask(amount=D(13))
    deciding.decide(request_id=made.pk, by=deciders.director, verdict="approved", version=made.version)
    return deciders


def test_grants_that_may_not_be_seen_count_without_their_figures(group: Any) -> None:
    asked = {**ASKED, "amount": "7", "account": group.elsewhere.pk}
    full, bare = (caller(person).get(WHO, asked).json() for person in (group.sponsor, group.outsider))
    assert (full["running_total"], full["rule"]["total"]) == ("13% granted in 90 days, together 20%", "20.00")
    assert "so this is the last that fits. That counts 13% granted" in full["sentence"]
    assert (bare["running_total"], bare["rule"]["total"], bare["rule"]["granted"]) == ("", None, None)
    assert "Grants of the last 90 days are included." in bare["sentence"]
    assert [bare[key] for key in ("role", "person", "stages")] == [full[key] for key in ("role", "person", "stages")]
    page = text(browser(group.outsider).get("/approvals/who/", asked))
    assert "Grants of the last 90 days are included." in page
    for words in ("13%", "together", "the last that fits"):
        assert words not in str(bare) + page
    assert "13% granted in 90 days, together 20%" in text(browser(group.sponsor).get("/approvals/who/", asked))


def test_a_refusal_names_no_total_of_grants_that_may_not_be_seen(group: Any) -> None:
    asked = {**ASKED, "amount": "90", "account": group.elsewhere.pk}
    AuthorityVersion.objects.get().limits.filter(concession__slug="discount", up_to=None).delete()
    full, bare = (caller(person).get(WHO, asked).json()["message"] for person in (group.sponsor, group.outsider))
    assert full.startswith("Nobody may approve 103%: ")
    assert bare == full.replace("103%", "this with what was granted before")
    assert "103%" not in browser(group.outsider).get("/approvals/who/", asked).content.decode()


def test_words_that_everybody_reads_name_no_figures(group: Any) -> None:
    found = who_for_everybody(ask_total(Ask("discount", D(7), "USD", group.northwind), now()))
    assert (found.person, found.running) == (group.director, "")
    assert "Grants of the last 90 days are included." in found.sentence
    assert "13%" not in found.sentence
    AuthorityVersion.objects.get().limits.filter(concession__slug="discount", up_to=None).delete()
    with pytest.raises(Invalid, match=r"^Nobody may approve this with what was granted before: "):
        who_for_everybody(ask_total(Ask("discount", D(90), "USD", group.northwind), now()))
    with pytest.raises(Invalid, match=r"^Nobody may approve 99%: "):
        who_for_everybody(ask_total(Ask("discount", D(99), "USD", None), now()))


def test_figures_of_confidential_grants_are_for_those_named_on_them(deciders: Cast, ask: Any) -> None:
    made = ask(amount=D(13), confidential=True)
    deciding.decide(request_id=made.pk, by=deciders.director, verdict="approved", version=made.version)
    asked = {**ASKED, "amount": "7", "account": deciders.northwind.pk}
    told = {
        person: caller(getattr(deciders, person)).get(WHO, asked).json()["running_total"]
        for person in ("ae", "sponsor")
    }
    assert told == {"ae": "", "sponsor": ""}
    assert caller(deciders.csm).get(WHO, asked).json()["running_total"] == "13% granted in 90 days, together 20%"


def test_a_currency_without_a_rate_is_refused_in_words(deciders: Cast) -> None:
    refused = caller(deciders.csm).get(WHO, {"concession": "refund", "amount": "5", "currency": "XXA"})
    assert (refused.status_code, refused.json()["field"]) == (422, "currency")
    assert "ask an administrator to add the rate" in refused.json()["message"]


def test_everybody_reads_the_whole_matrix_over_the_api_and_nobody_changes_it(deciders: Cast, rich: Any) -> None:
    answer = caller(deciders.outsider).get(MATRIX)
    assert answer.status_code == 200
    found = answer.json()
    assert (found["number"], found["window_days"], found["mine"]) == (1, 90, ["csm"])
    for name, rows in (("limits", "limits"), ("functions", "chain_rules"), ("caps", "caps"), ("bands", "bands")):
        assert len(found[name]) == getattr(rich, rows).count()
    [director] = [row for row in found["limits"] if row["region"] == "EMEA"]
    assert director["words"] == f"20% (EMEA, from {now().date()})"
    assert found["committees"] == [{"role": "steering-committee", "quorum": "percent", "quorum_of": 50}]
    for method in ("post", "put", "patch", "delete"):
        assert getattr(caller(deciders.ops), method)(MATRIX, {}, format="json").status_code == 405
    assert APIClient().get(MATRIX).status_code == 401


def test_the_matrix_page_shows_conditions_dates_functions_caps_and_quorums(deciders: Cast, rich: Any) -> None:
    page = text(browser(deciders.director).get("/matrices/authority/"))
    for words in (
        f"20% (EMEA, from {now().date()})",
        "Must approve before the authority, above 10%, enterprise",
        "Is consulted, does not block",
        "Every ask",
        "Caps per quarter",
        "100%",
        "data-print",
        "added up over 90 days",
    ):
        assert words in page
    assert '<tr class="me"> <th scope="row"> Director' in page
    assert browser(deciders.outsider).get("/matrices/authority/").status_code == 200
    assert Client().get("/matrices/authority/").status_code == 302


def test_limits_that_are_over_are_left_out_and_those_to_come_are_dated(deciders: Cast) -> None:
    version = AuthorityVersion.objects.get()
    limit = version.limits.get(role__slug="director", concession__slug="discount")
    limit.effective_to = now().date()
    limit.save()
    tomorrow = now().date() + timedelta(days=1)
    version.limits.create(role=limit.role, concession=limit.concession, up_to=D(25), effective_from=tomorrow)
    page = text(browser(deciders.director).get("/matrices/authority/"))
    assert f"25% (from {tomorrow})" in page
    assert "20% (" not in page


def test_the_history_shows_what_each_version_changed(deciders: Cast) -> None:
    draft = versions.clone_draft(by=deciders.ops)
    draft.limits.filter(role__slug="director", concession__slug="discount").update(up_to=D(25))
    role = draft.limits.filter(role__slug="director")[0].role
    draft.caps.create(role=role, concession=draft.concessions.get(slug="refund"), up_to=D(50_000))
    draft.window_days = 120
    draft.save()
    page = browser(deciders.outsider)
    assert "25.00" not in page.get("/matrices/authority/history/").content.decode(), "drafts are not shown"
    versions.publish(version_id=draft.pk, by=deciders.admin, note="Larger refunds")
    shown = page.get("/matrices/authority/history/").content.decode()
    for words in (
        "up to 20.00 → 25.00",
        "Quarter cap director · refund: added",
        "window days 90 → 120",
        "Larger refunds",
        "Made by Sana Khan, published by Rita Root",
        "As shipped",
    ):
        assert words in shown


def queries(client: Client, address: str, **asked: Any) -> int:
    """How many a page takes."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address, asked).status_code == 200
    return len(captured)


@pytest.mark.parametrize("address", ["/approvals/who/", "/matrices/authority/", MATRIX])
def test_more_rows_take_no_more_queries(deciders: Cast, address: str) -> None:
    version, client = AuthorityVersion.objects.get(), browser(deciders.csm)
    asked = {**ASKED, "account": deciders.northwind.pk}
    client.get(address, asked)
    at_one = queries(client, address, **asked)
    limit = version.limits.get(role__slug="director", concession__slug="discount")
    for segment in ("smb", "enterprise"):
        version.limits.create(role=limit.role, concession=limit.concession, segment=segment, up_to=D(20))
    assert queries(client, address, **asked) == at_one
