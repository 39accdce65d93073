"""Somebody types, the session ends: after the sign-in they are back on the page, with their words in the form."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client

from config import typed
from config.html_forms import filled
from config.schedules import SCHEDULES
from escalations.models import Escalation
from ledger.now import now
from tests.escalations.cases.builders import accepted, opened
from tests.support.cast import PASSWORD, Cast

pytestmark = pytest.mark.django_db

WORDS = 'Half an hour of typing: <b>"18%"</b> & more'
SHOWN = 'Half an hour of typing: &lt;b&gt;"18%"&lt;/b&gt; &amp; more</textarea>'


@pytest.fixture
def case(cast: Cast) -> Escalation:
    """Worked on."""
    return accepted(cast)


def send(client: Client, path: str, data: dict[str, Any], page: str = "") -> str:
    """Post without a session, sign in. Returns where that leads."""
    headers = {"Referer": f"http://testserver{page}"} if page else {}
    answer = client.post(path, data, headers=headers)
    assert answer.status_code == 302
    return str(answer["Location"])


def sign_in(client: Client, address: str, email: str = "priya@desk.example") -> Any:
    """Sign in at this address and follow to the page."""
    assert address.startswith("/auth/login/?next=")
    hidden = re.search(r'name="next" value="([^"]+)"', client.get(address).content.decode())
    assert hidden
    return client.post("/auth/login/", {"login": email, "password": PASSWORD, "next": hidden[1]}, follow=True)


@pytest.mark.parametrize("page", [None, "post/", ""], ids=["no referer", "address of the form", "page"])
def test_the_words_are_back_in_the_box_on_the_page(case: Escalation, page: str | None) -> None:
    client, path = Client(), f"/escalations/{case.key}/"
    login = send(client, f"{path}post/", {"mode": "internal", "text": WORDS}, "" if page is None else path + page)
    answer = sign_in(client, login)
    assert (answer.status_code, answer.request["PATH_INFO"]) == (200, path)
    shown = answer.content.decode()
    assert SHOWN in shown
    assert "Your text is back in the form" in shown
    assert not case.events.filter(text__body=WORDS).exists()
    assert WORDS[:20] not in client.get(path).content.decode()


def test_ticks_and_choices_are_back_too(case: Escalation, cast: Cast) -> None:
    client, path = Client(), f"/escalations/{case.key}/"
    login = send(client, f"{path}post/", {"mode": "customer", "text": "Dear all", "contacts": [cast.contact.pk]}, path)
    shown = sign_in(client, login).content.decode()
    ticked = re.findall(r"<input[^>]*\schecked[^>]*>", shown)
    assert any('value="customer"' in each for each in ticked)
    assert any(f'value="{cast.contact.pk}"' in each and 'name="contacts"' in each for each in ticked)
    assert not any('value="internal"' in each for each in ticked)


def test_a_form_with_its_own_page_comes_back_filled(case: Escalation) -> None:
    client, path = Client(), f"/escalations/{case.key}/waiting/"
    data = {"waiting_on": "customer", "reason": "Their counsel reads it"}
    answer = sign_in(client, send(client, path, data, path))
    assert answer.request["PATH_INFO"] == path
    assert 'value="Their counsel reads it"' in answer.content.decode()


def test_intake_comes_back_with_all_its_words(cast: Cast) -> None:
    client = Client()
    data = {
        "issue": "Typed for long",
        "impact": "Large",
        "issue_type": "discount-beyond-limit",
        "deadline": "2099-01-01T10:00",
    }
    shown = sign_in(client, send(client, "/escalations/new/", data, "/escalations/new/")).content.decode()
    assert "Typed for long</textarea>" in shown
    assert 'value="2099-01-01T10:00"' in shown
    assert re.search(r'<option value="discount-beyond-limit"[^>]*selected', shown)


def test_another_person_does_not_get_the_words(case: Escalation, cast: Cast) -> None:
    mine = Client()
    mine.force_login(cast.csm, backend="allauth.account.auth_backends.AuthenticationBackend")
    path = f"/escalations/{case.key}/"
    token = re.search(r'name="once" value="([^"]+)"', mine.get(path).content.decode())
    assert token
    client = Client()
    login = send(client, f"{path}post/", {"mode": "internal", "text": WORDS, "once": token[1]}, path)
    assert "Half an hour" not in sign_in(client, login, "marcus@desk.example").content.decode()
    client.logout()
    login = send(client, f"{path}post/", {"mode": "internal", "text": WORDS, "once": token[1]}, path)
    assert SHOWN in sign_in(client, login).content.decode()


def test_words_are_forgotten_after_half_an_hour(case: Escalation) -> None:
    client, path = Client(), f"/escalations/{case.key}/"
    with time_machine.travel(now()) as clock:
        login = send(client, f"{path}post/", {"mode": "internal", "text": WORDS}, path)
        clock.shift(timedelta(minutes=31))
        assert "Half an hour" not in sign_in(client, login).content.decode()


def test_a_password_is_never_kept_and_very_long_words_are_not(case: Escalation) -> None:
    client = Client()
    send(
        client,
        f"/escalations/{case.key}/post/",
        {"text": "x" * 100_001, "password": "p", "api_token": "t", "mode": "a"},
    )
    assert client.session["typed_words"]["fields"] == {"mode": ["a"]}


def test_without_the_form_the_words_are_shown_to_copy(case: Escalation) -> None:
    client = Client()
    login = send(client, "/accounts/1/signals/new/", {"text": WORDS}, "/escalations/")
    shown = sign_in(client, login).content.decode()
    assert "Your text was kept" in shown
    assert "Half an hour of typing" in shown


def test_a_foreign_page_is_not_where_one_comes_back_to(case: Escalation) -> None:
    answer = Client().post(
        f"/escalations/{case.key}/post/", {"text": "x"}, headers={"Referer": "https://evil.example/a"}
    )
    assert answer["Location"] == f"/auth/login/?next=/escalations/{case.key}/post/"


def test_the_address_of_a_form_leads_a_browser_to_its_page(cast: Cast) -> None:
    case = opened(cast)
    client = Client()
    client.force_login(cast.csm, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.get(f"/escalations/{case.key}/post/", headers={"Accept": "text/html"})
    assert (answer.status_code, answer["Location"]) == (302, f"/escalations/{case.key}/")
    assert client.get(f"/escalations/{case.key}/post/").status_code == 405


def test_only_values_of_the_one_form_change() -> None:
    page = (
        '<form method="post" action="/other/"><input name="a" value="1"></form>\n<details class="x"><summary>m</summary>'
        '<form method="post"><input type="hidden" name="v" value="3"><input name="a" value="2" />'
        '<textarea name="t">old</textarea><select name="s"><option value="1" selected>1</option>'
        '<option value="2">2</option></select><input type="checkbox" name="c" checked></form></details>'
    )
    assert filled(page, "/p/", "/p/", {"a": ['"x"'], "t": ["<new>"], "s": ["2"], "v": ["9"]}) == (
        '<form method="post" action="/other/"><input name="a" value="1"></form>\n<details class="x" open><summary>m</summary>'
        '<form method="post"><input type="hidden" name="v" value="3"><input name="a" value="&quot;x&quot;"/>'
        '<textarea name="t">\n&lt;new&gt;</textarea><select name="s"><option value="1">1</option>'
        '<option value="2" selected>2</option></select><input type="checkbox" name="c"></form></details>'
    )
    assert filled(page, "/p/", "/q/", {"a": ["x"]}) is None


def opened_form(client: Client, path: str) -> dict[str, str]:
    """The two hidden fields of the first form of a page."""
    page = client.get(path).content.decode()
    fields = {name: re.search(rf'name="{name}" value="([^"]+)"', page) for name in ("csrfmiddlewaretoken", "once")}
    return {name: found[1] for name, found in fields.items() if found}


def enter(client: Client, email: str) -> None:
    """Sign in, as on a page."""
    answer = client.post("/auth/login/", {**opened_form(client, "/auth/login/"), "login": email, "password": PASSWORD})
    assert answer.status_code == 302


def sent_after_another_sign_in(case: Escalation, email: str) -> tuple[Any, Client]:
    """Priya opens the case, then somebody signs in in another tab, and the form of the first tab is sent."""
    client, path = Client(enforce_csrf_checks=True), f"/escalations/{case.key}/"
    enter(client, "priya@desk.example")
    hidden = opened_form(client, path)
    assert client.post("/auth/logout/", opened_form(client, path)).status_code == 302
    enter(client, email)
    words = {**hidden, "mode": "internal", "text": WORDS}
    return client.post(f"{path}post/", words, headers={"Referer": f"http://testserver{path}"}), client


def test_after_ones_own_other_sign_in_the_words_are_back_in_the_box(case: Escalation) -> None:
    answer, client = sent_after_another_sign_in(case, "priya@desk.example")
    assert (answer.status_code, answer["Location"]) == (302, f"/escalations/{case.key}/")
    age = client.session.get_expiry_age()
    shown = client.get(answer["Location"]).content.decode()
    assert SHOWN in shown
    assert "Your text is back in the form" in shown
    assert age > 3600
    assert not case.events.filter(text__body=WORDS).exists()


def test_the_form_of_another_person_is_refused_and_the_page_says_how_to_keep_the_text(case: Escalation) -> None:
    answer, client = sent_after_another_sign_in(case, "tom@desk.example")
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "It was opened by another person" in page
    assert WORDS[:20] not in page
    assert WORDS[:20] not in client.get(f"/escalations/{case.key}/").content.decode()
    assert not case.events.filter(text__body=WORDS).exists()


def test_a_form_without_a_right_token_of_this_desk_is_only_refused(case: Escalation) -> None:
    client, path = Client(enforce_csrf_checks=True), f"/escalations/{case.key}/"
    enter(client, "priya@desk.example")
    answer = client.post(f"{path}post/", {"mode": "internal", "text": WORDS, "once": "made-up"})
    assert answer.status_code == 403
    assert "typed_words" not in client.session


@pytest.mark.both_databases
def test_visitors_of_one_address_cannot_fill_the_database(case: Escalation) -> None:
    path = f"/escalations/{case.key}/post/"
    with time_machine.travel(now().replace(minute=1)):
        for number in range(15):
            client = Client(REMOTE_ADDR="192.0.2.7")
            login = send(client, path, {"mode": "internal", "text": f"{number} {'x' * 93_000}"})
        assert Session.objects.count() == 10
        page = client.get(login).content.decode()
        assert "Your text was not sent and could not be kept" in page
        send(Client(REMOTE_ADDR="192.0.2.8"), path, {"mode": "internal", "text": WORDS})
        assert Session.objects.count() == 11
    with time_machine.travel(now().replace(minute=31)):
        send(Client(REMOTE_ADDR="192.0.2.7"), path, {"mode": "internal", "text": WORDS})
    assert Session.objects.count() == 12


def test_short_words_are_counted_too(case: Escalation) -> None:
    with time_machine.travel(now().replace(minute=1)):
        period = int(now().timestamp() // typed.KEPT_FOR.total_seconds())
        cache.set(f"typed_words_192.0.2.7_{period}", typed.MOST_OF_ADDRESS - typed.LEAST_OF_FORM)
        for _ in range(2):
            send(Client(REMOTE_ADDR="192.0.2.7"), f"/escalations/{case.key}/post/", {"mode": "internal", "text": "x"})
    assert Session.objects.count() == 1


def test_kept_words_of_visitors_are_forgotten_within_two_hours() -> None:
    assert SCHEDULES["forget_keys"] == ("config.tasks.forget_keys", 60)
