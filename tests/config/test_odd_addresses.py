"""No address answers 500, whatever stands in it: each route is walked with odd values."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.imports import runs
from accounts.models import User
from accounts.people.profile import save_preferences
from approvals.models import ApprovalRequest
from approvals.requests.ask import Question
from approvals.requests.rules.verdicts import Option
from config.api import make_router
from escalations.cases.rules.brief import missing
from escalations.cases.sharing import share
from ledger.errors import Invalid
from ledger.now import now
from ledger.reading import has_words, number, words_of
from messaging.inbound.receive import receive
from messaging.models import Message
from tests.escalations.cases import builders
from tests.support.cast import Cast, person
from tests.support.routes import Route, parameters, routes

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

ODD = (
    "²",
    "9" * 5000,
    "99999999999999999999",
    "-1",
    "1e400",
    "NaN",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59",
    "9999-12-31T23:59:59-14:00",
    "2026-02-30",
    "a\x00b",
    "\ud800".encode("utf-16", "surrogatepass").decode("utf-16-le", "replace"),
    "\u202e\u200b",
    "'\"><%s{{7*7}}",
)
# The short form of the walk; `make prove` walks with all, each parameter by itself.
WORST = ("²", "99999999999999999999", "9999-12-31T23:59")
# Written as they stand: bad percent signs, bytes that are not UTF-8, a key without value, a key many times.
RAW = ("{0}=%ff%fe", "{0}=%", "{0}", "{0}=1&{0}=²&{0}=9999-12-31T23:59", "{0}[]=1")
ODD_IDS = ("99999999999999999999", "0")
# Endless or outward: the answer is not what is walked.
LEFT = {"healthz"}


@pytest.fixture
def ids(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The ids of one row of everything."""
    case = builders.asked(cast)
    receive(
        raw=b"From: eve@nobody.example\r\nTo: desk@desk.example\r\nSubject: Help\r\nMessage-ID: <m@x>\r\n\r\nStuck."
    )
    run = runs.stage(data=b"Account ID,Name\nA-1,One\n", filename="a.csv", source="crm", by=cast.ops)
    request = ApprovalRequest.objects.get()
    return {
        "key": case.key,
        "pk": {
            "accounts": cast.northwind.pk,
            "imports": run.pk,
            "messages": Message.objects.values_list("pk", flat=True).first() or 1,
            "approvals": request.pk,
        },
        "request": request.pk,
    }


def addresses(route: Route, ids: dict[str, Any]) -> Iterator[str]:
    """The route with ids that exist, then with odd ones."""
    app = route.pattern.split("/")[0] if not route.pattern.startswith("api/v1/") else route.pattern.split("/")[2]
    good = ids["pk"].get(app.lstrip("^"), 1)
    for pk in (good, *ODD_IDS):
        filled = re.sub(r"\(\?P<key>[^)]*\)", ids["key"], route.pattern)
        filled = re.sub(r"\(\?P<(?:pk|number)>[^)]*\)", str(pk), filled)
        filled = re.sub(r"<int:\w+>", str(pk), filled)
        filled = re.sub(r"<(?:\w+:)?kpi>", "sla-kept", filled)
        filled = re.sub(r"<(?:\w+:)?kind>", "people", filled)
        filled = re.sub(r"<(?:\w+:)?\w+>|\(\?P<\w+>[^)]*\)", "x", filled)
        yield "/" + filled.replace("^", "")
        if filled == re.sub(r"<int:\w+>|\(\?P<(?:pk|number)>", "", filled) and str(good) not in filled:
            return


def signed_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def names_of(client: Client, path: str, route: Route) -> list[str]:
    view_class = getattr(route.view, "cls", None)
    if view_class is not None:
        view = view_class(**route.view.initkwargs)  # type: ignore[attr-defined]
        action = route.view.actions.get("get", "")  # type: ignore[attr-defined]
        return sorted(view._names(action)) if action not in ("", "retrieve") else []
    return sorted(parameters(client, path, route.view, getattr(route.view, "parameters", {})))


def test_no_address_answers_500(cast: Cast, ids: dict[str, Any], proving: bool) -> None:
    client, bad, walked = signed_in(cast.ops), [], 0
    for route in routes():
        if route.name in LEFT or "rest" in route.pattern:
            continue
        paths = list(dict.fromkeys(addresses(route, ids)))
        names = names_of(client, paths[0], route)
        is_api = route.pattern.startswith("api/v1/")
        groups = [[name] for name in names] if is_api or proving else [names] if names else []
        asked: list[tuple[str, Any]] = [(path, None) for path in paths]
        asked += [(paths[0], dict.fromkeys(group, value)) for group in groups for value in (ODD if proving else WORST)]
        asked += [
            (f"{paths[0]}?{raw.format(name)}", None)
            for name in names[: None if proving else 1]
            for raw in (RAW if proving else RAW[:1])
        ]
        for path, data in asked:
            answer = client.get(path, data)
            walked += 1
            if answer.status_code >= 500 and answer.status_code != 503:
                bad.append(f"{path} {str(data)[:120]}")
    assert not bad, f"{len(bad)} of {walked}: " + "\n".join(bad[:40])
    assert walked > 300


def test_the_walk_knows_every_route(cast: Cast) -> None:
    assert len(routes()) > 100
    assert len(make_router().urls) <= len([each for each in routes() if each.pattern.startswith("api/v1/")])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/escalations/{key}/brief/page/?version=²", 404),
        ("/escalations/{key}/brief/page/?version=" + "9" * 5000, 404),
        ("/escalations/{key}/brief.pdf?version=²", 404),
        ("/api/v1/escalations/{key}/events/?after=²", 422),
        ("/api/v1/escalations/{key}/events/?after=" + "9" * 5000, 422),
        ("/api/v1/accounts/?updated_since=0001-01-01T00:00:00%2B14:00", 422),
        ("/api/v1/accounts/?updated_since=9999-12-31T23:59:59-14:00", 422),
        ("/api/v1/signals/?since=0001-01-01T00:00:00%2B14:00", 422),
        ("/api/v1/signals/?until=9999-12-31T23:59", 422),
    ],
)
def test_addresses_that_answered_500(cast: Cast, path: str, status: int) -> None:
    case = builders.opened(cast)
    assert signed_in(cast.csm).get(path.format(key=case.key)).status_code == status


@pytest.mark.parametrize("deadline", ["9999-12-31T23:59", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_date_out_of_range_is_refused_in_our_words(cast: Cast, deadline: str) -> None:
    case = builders.opened(cast)
    client = signed_in(cast.csm)
    body = {"deadline": deadline, "reason": "Their board meets later"}
    answer = client.put(f"/api/v1/escalations/{case.key}/deadline/", body, content_type="application/json")
    assert (answer.status_code, answer.json()["field"]) == (422, "deadline")
    assert "between the years 1900 and 2999" in answer.json()["message"]
    page = client.post(f"/escalations/{case.key}/deadline/", {**body, "version": case.version})
    assert page.status_code == 422
    assert "between the years 1900 and 2999" in page.content.decode()


INVISIBLE = "\u200b\u2060\u3164\ufeff\u2800"


@pytest.mark.parametrize(
    ("path", "field"),
    [("deadline/", "reason"), ("withdraw/", "reason"), ("post/", "text")],
    ids=["deadline", "withdraw", "post"],
)
def test_invisible_characters_are_no_reason(cast: Cast, path: str, field: str) -> None:
    case = builders.opened(cast)
    data = {field: INVISIBLE, "deadline": "2099-01-01T10:00", "version": case.version, "mode": "internal"}
    assert signed_in(cast.csm).post(f"/escalations/{case.key}/{path}", data).status_code == 422
    case.refresh_from_db()
    assert case.state != "withdrawn"


def test_an_approval_needs_visible_words(cast: Cast) -> None:
    builders.asked(cast)
    made = ApprovalRequest.objects.get()
    answer = signed_in(cast.csm).post(f"/approvals/{made.pk}/recall/", {"text": INVISIBLE})
    assert answer.status_code == 422
    made.refresh_from_db()
    assert made.is_open


@pytest.mark.parametrize(
    "given",
    [
        {"ask": INVISIBLE, "recommendation": "Grant it"},
        {"ask": "Grant it?", "recommendation": INVISIBLE},
    ],
)
def test_invisible_characters_ask_nothing(given: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        Question(**given).check(now())


def test_invisible_characters_are_no_part_of_a_brief() -> None:
    options: list[Option] = [{"name": "Grant"}, {"name": "Hold", "trade_off": INVISIBLE, "status_quo": True}]
    gaps = missing({"summary": INVISIBLE, "facts": "Two offers"}, options)
    assert "Summary" in gaps
    assert "Facts" not in gaps
    assert "Trade-off of option “Hold”" in gaps


def test_a_name_and_a_shared_text_need_visible_words(cast: Cast) -> None:
    with pytest.raises(Invalid):
        save_preferences(user=cast.csm, name=INVISIBLE, zone="UTC", density="compact", shortcuts=True)
    case, felix = builders.accepted(cast), person("felix@supplier.example", "Felix Supplier", "external")
    for subject, text in ((INVISIBLE, "Please look"), ("A question", INVISIBLE)):
        with pytest.raises(Invalid):
            share(case_id=case.pk, by=cast.ops, party=felix, subject=subject, text=text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        (" 12 ", 12),
        ("²", None),
        ("-1", None),
        ("٣", None),
        ("9" * 5000, None),
        ("2147483648", None),
        (None, None),
    ],
)
def test_numbers_of_addresses(text: str | None, value: int | None) -> None:
    assert number(text) == value


@pytest.mark.parametrize(
    ("text", "says"), [("ok", True), ("👍", True), ("–", True), (INVISIBLE, False), (" \n\t", False)]
)
def test_words(text: str, says: bool) -> None:
    assert has_words(text) is says
    assert words_of(f" {text} ") == (text if says else "")
