"""A form counts once: a second press, eight at once and a reload lead to the first result. So does a key of the API."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.contrib.messages import get_messages
from django.db import connection
from django.template import Context, Engine
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from accounts.models import Signal, User
from config import once
from config.api import make_router
from config.api_docs import document
from config.tasks import forget_keys
from escalations.models import Escalation
from ledger import idempotency
from ledger.api_once import OncePerKey
from ledger.errors import Stale
from ledger.models import IdempotencyKey
from ledger.now import now
from messaging.models import Message
from tests.escalations.cases.builders import accepted
from tests.support.cast import Cast

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
INTAKE = {
    "issue_type": "discount-beyond-limit",
    "issue": "Northwind asks for 18% off.",
    "impact": "The renewal lapses.",
    "deadline": "2099-01-23T17:00",
    "currency": "USD",
}
FORM = re.compile(r"<form\b[^>]*method=\"post\".*?</form>", re.S | re.I)


def browser(user: User) -> Client:
    """Signed in."""
    client = Client(raise_request_exception=False)
    client.force_login(user, backend=BACKEND)
    return client


def token_on(client: Client, path: str) -> str:
    """The token of the forms of a page."""
    found = re.search(r'name="once" value="([^"]+)"', client.get(path).content.decode())
    assert found
    return found[1]


def at_once(client: Client, path: str, data: dict[str, Any], times: int = 8) -> list[Any]:
    """The answers to the same form sent so often at the same time."""
    barrier, answers = Barrier(times), []

    def press() -> None:
        mine = Client(raise_request_exception=False)
        mine.cookies.update(client.cookies)
        barrier.wait()
        try:
            answers.append(mine.post(path, data))
        finally:
            connection.close()

    threads = [Thread(target=press) for _ in range(times)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return answers


def templates() -> Iterator[Path]:
    yield from Path(settings.BASE_DIR, "templates").rglob("*.html")


def test_every_form_that_is_posted_has_the_token() -> None:
    without = [
        f"{path.relative_to(settings.BASE_DIR)}: {form[:60]}"
        for path in templates()
        for form in FORM.findall(path.read_text(encoding="utf-8"))
        if "{% csrf_token %}" not in form and "{% crispy" not in form
    ]
    assert not without


def test_the_tag_writes_both_tokens_also_for_the_administration() -> None:
    request = RequestFactory().get("/")
    context = Context({"csrf_token": "theirs", "request": request})
    shown = Engine.get_default().from_string("{% csrf_token %}").render(context)
    assert re.search(r'name="csrfmiddlewaretoken" value="theirs".*name="once" value="\w{16}-\w{24}"', shown)


def test_a_token_is_made_for_one_person() -> None:
    token = once.new_token(7)
    assert once.made_for(token, 7)
    assert not once.made_for(token, 8)
    assert not once.made_for("made up", 7)
    assert not once.made_for("abc-\u00e9\udcff", 7)


@pytest.mark.django_db(transaction=True)
@pytest.mark.both_databases
@pytest.mark.parametrize("has_token", [True, False], ids=["token", "words"])
def test_eight_presses_at_once_are_one_entry_one_mail_and_one_case(cast: Cast, has_token: bool) -> None:
    case = accepted(cast)
    client = browser(cast.csm)
    path = f"/escalations/{case.key}/"
    update = {"mode": "customer", "text": "Pressed eight times", "contacts": [cast.contact.pk]}
    update |= {"once": token_on(client, path)} if has_token else {}
    answers = at_once(client, f"{path}post/", update)
    assert {(each.status_code, each["Location"]) for each in answers} == {(302, path)}
    assert case.events.filter(text__body="Pressed eight times").count() == 1
    assert Message.objects.filter(address=cast.contact.email).count() == 1

    raised = {"account": cast.northwind.pk, **INTAKE}
    raised |= {"once": token_on(client, "/escalations/new/")} if has_token else {}
    answers = at_once(client, "/escalations/new/", raised)
    opened = Escalation.objects.exclude(pk=case.pk).get()
    assert {(each.status_code, each["Location"]) for each in answers} == {(302, f"/escalations/{opened.key}/opened/")}


@pytest.mark.django_db(transaction=True)
@pytest.mark.both_databases
def test_tokens_made_at_once_are_one_token(cast: Cast) -> None:
    answers = at_once(browser(cast.csm), "/api/token/", {})
    assert {each.status_code for each in answers} == {302}
    assert Token.objects.filter(user=cast.csm).count() == 1


@pytest.mark.django_db
def test_a_reload_leads_to_the_first_result_and_says_the_same(cast: Cast) -> None:
    case = accepted(cast)
    client = browser(cast.csm)
    data = {"mode": "internal", "text": "Sent again", "once": token_on(client, f"/escalations/{case.key}/")}
    for _ in range(3):
        answer = client.post(f"/escalations/{case.key}/post/", data)
        assert answer["Location"] == f"/escalations/{case.key}/"
        assert [str(each) for each in get_messages(answer.wsgi_request)] == ["Update posted."]
    assert case.events.filter(text__body="Sent again").count() == 1


@pytest.mark.django_db
def test_a_page_that_was_changed_and_sent_again_is_a_new_request(cast: Cast) -> None:
    case = accepted(cast)
    client = browser(cast.csm)
    token = token_on(client, f"/escalations/{case.key}/")
    for text in ("One", "Another"):
        client.post(f"/escalations/{case.key}/post/", {"mode": "internal", "text": text, "once": token})
    assert case.events.filter(text__body__in=["One", "Another"]).count() == 2


@pytest.mark.django_db
def test_a_form_with_errors_is_not_remembered(cast: Cast) -> None:
    case = accepted(cast)
    client = browser(cast.csm)
    data = {"mode": "internal", "text": "", "once": token_on(client, f"/escalations/{case.key}/")}
    assert [client.post(f"/escalations/{case.key}/post/", data).status_code for _ in range(2)] == [422, 422]
    assert not IdempotencyKey.objects.exists()


@pytest.mark.django_db
def test_words_without_a_token_are_a_second_press_for_ten_seconds(cast: Cast) -> None:
    case = accepted(cast)
    client = browser(cast.csm)
    with time_machine.travel(now(), tick=False) as clock:
        for seconds in (0, 9, 2):
            clock.shift(timedelta(seconds=seconds))
            client.post(f"/escalations/{case.key}/post/", {"mode": "internal", "text": "The same again"})
    assert case.events.filter(text__body="The same again").count() == 2


@pytest.mark.django_db
def test_a_signal_and_a_token_of_somebody_else_count_for_each_person(cast: Cast) -> None:
    path = f"/accounts/{cast.northwind.pk}/signals/new/"
    data = {"kind": "call", "text": "They called twice", "at": "2026-01-05T10:00", "once": "the-same"}
    for user in (cast.csm, cast.csm, cast.ae):
        assert browser(user).post(path, data).status_code == 302
    assert Signal.objects.filter(text="They called twice").count() == 2


@pytest.mark.django_db
def test_it_costs_one_row_written_and_answered(cast: Cast) -> None:
    case = accepted(cast)
    client = browser(cast.csm)
    with CaptureQueriesContext(connection) as captured:
        client.post(f"/escalations/{case.key}/post/", {"mode": "internal", "text": "Counted", "once": "counted"})
    ours = [each["sql"].split()[0] for each in captured if "ledger_idempotencykey" in each["sql"]]
    assert ours == ["INSERT", "UPDATE"]


@pytest.mark.django_db
def test_a_press_whose_process_ended_is_not_run_again(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "LOOKS", 2)
    idempotency.claim(scope="form 1", key="lost")
    with pytest.raises(Stale, match="not known yet whether it was saved"):
        idempotency.claim(scope="form 1", key="lost")


@pytest.mark.django_db
def test_old_keys_are_forgotten(db: None) -> None:
    with time_machine.travel(now() - timedelta(days=8)):
        idempotency.claim(scope="form 1", key="old")
    idempotency.claim(scope="form 1", key="new")
    assert forget_keys() == 1
    assert IdempotencyKey.objects.get().key == "new"


# The API ------------------------------------------------------------------------------------------


def posts() -> list[tuple[str, type]]:
    """Each address of the API that takes a POST, and its view."""
    found = [(str(each.pattern), each.callback) for each in make_router().urls]
    return [(path, view.cls) for path, view in found if "post" in view.actions]


def test_every_post_of_the_api_takes_a_key() -> None:
    assert len(posts()) > 15
    assert not [path for path, view in posts() if not issubclass(view, OncePerKey)]
    described = {
        path: [each["name"] for each in verbs["post"].get("parameters", [])]
        for path, verbs in document()["paths"].items()
        if "post" in verbs
    }
    assert not [path for path, names in described.items() if "Idempotency-Key" not in names]


@pytest.mark.django_db
@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("tail", "body", "count"),
    [
        (
            "events/",
            {"text": "Sent twice", "audience": "internal"},
            lambda case: case.events.filter(text__body="Sent twice"),
        ),
        (
            "actions/",
            {
                "title": "Call",
                "owner": "marcus@desk.example",
                "due_at": f"{now() + timedelta(days=30):%Y-%m-%dT%H:%MZ}",
            },
            lambda case: case.actions,
        ),
    ],
    ids=["post", "action"],
)
def test_the_same_key_writes_once(cast: Cast, tail: str, body: dict[str, Any], count: Callable[..., Any]) -> None:
    case = accepted(cast)
    client = APIClient()
    client.force_authenticate(cast.csm)
    before = count(case).count()
    path = f"/api/v1/escalations/{case.key}/{tail}"
    first, again = (client.post(path, body, format="json", headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert count(case).count() == before + 1
    other = client.post(path, {**body, "extra": 1}, format="json", headers={"Idempotency-Key": "k"})
    assert other.status_code == 409
