"""Deciding from the mailed link without signing in: off until an administrator sets an amount, and then for that seat only."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import User
from approvals.models import ApprovalRequest, ConcessionType, DecisionEntry
from approvals.requests import decide as deciding
from approvals.requests import seats as seating
from ledger.now import now
from tests.approvals.mail.replies import token_of
from tests.support.cast import Cast

Ask = Callable[..., ApprovalRequest]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _links_are_open(deciders: Cast) -> None:
    ConcessionType.objects.update(link_up_to=Decimal(15))


def signed_in(user: User) -> Client:
    """A browser of this person."""
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def link_of(made: ApprovalRequest) -> str:
    """The path of the mailed link."""
    return f"/d/{token_of(made)}/"


def submit(path: str, verdict: str = "approved", reason: str = "", **options: Any) -> Any:
    """Open the page as anybody would and press a button."""
    client = Client(enforce_csrf_checks=True)
    page = client.get(path).content.decode()
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    version = re.search(r'name="version" value="(\d+)"', page)
    data = {"verdict": verdict, "reason": reason, "version": version.group(1) if version else "1", **options}
    return client.post(path, {**data, "csrfmiddlewaretoken": found.group(1) if found else ""})


def test_the_page_shows_one_request_and_changes_nothing(ask: Ask) -> None:
    made = ask()
    for method in ("get", "head", "get"):
        answer = getattr(Client(), method)(link_of(made))
        assert answer.status_code == 200
    page = Client().get(link_of(made))
    text = page.content.decode()
    for words in (
        made.ask,
        "Priya Raman needs your decision",
        "Northwind wants a discount.",
        "You decide as Lena Ortiz",
    ):
        assert words in text
    assert f'data-warn="{made.warn_at.isoformat()}"' in text, "the page turns yellow by itself"
    assert "href=" not in re.sub(r"<link[^>]*>|<use[^>]*>|<a class=\"skip\"[^>]*>", "", text)
    assert page["X-Robots-Tag"] == "noindex, nofollow"
    assert "no-store" in page["Cache-Control"]
    made.refresh_from_db()
    assert (made.state, made.version, made.log.count()) == ("open", 1, 1)


def test_submitting_decides_as_the_person_it_was_mailed_to(ask: Ask, deciders: Cast) -> None:
    made = ask()
    path = link_of(made)
    answer = submit(path)
    assert (answer.status_code, answer["Location"]) == (302, path)
    made.refresh_from_db()
    assert (made.state, made.decided_by) == ("approved", deciders.director)
    assert made.log.get(kind="approved").channel == DecisionEntry.LINK
    after = Client().get(path)
    assert "Already approved by Lena Ortiz at" in after.content.decode()
    assert 'method="post"' not in after.content.decode()


def test_a_used_link_decides_nothing_more(ask: Ask) -> None:
    made = ask()
    path = link_of(made)
    submit(path)
    assert submit(path, "declined", "Second thoughts").status_code in (302, 403, 410)
    made.refresh_from_db()
    assert (made.state, made.log.count()) == ("approved", 2)


def test_without_the_forms_token_nothing_is_decided(ask: Ask) -> None:
    made = ask()
    answer = Client(enforce_csrf_checks=True).post(link_of(made), {"verdict": "approved", "version": "1"})
    assert answer.status_code == 403
    made.refresh_from_db()
    assert made.state == "open"


def test_a_decline_needs_its_reason(ask: Ask) -> None:
    made = ask()
    answer = submit(link_of(made), "declined")
    assert answer.status_code == 422
    assert "Enter a reason for declining." in answer.content.decode()
    assert submit(link_of(made), "declined", "No budget").status_code == 302
    made.refresh_from_db()
    assert (made.state, made.reason) == ("declined", "No budget")


def test_recommended_conditions_go_along(ask: Ask) -> None:
    options = [
        {"name": "Grant", "recommended": True, "conditions": ["Two years"]},
        {"name": "Keep", "status_quo": True},
    ]
    made = ask(options=options)
    path = link_of(made)
    answer = submit(path, "conditions", "As advised", conditions="Two years")
    assert answer.status_code == 302
    made.refresh_from_db()
    assert (made.state, made.conditions) == ("conditions", "Two years")


@pytest.mark.parametrize("cap", [None, Decimal("14.99"), Decimal(0)])
def test_above_the_amount_or_switched_off_one_signs_in(ask: Ask, cap: Decimal | None, deciders: Cast) -> None:
    ConcessionType.objects.update(link_up_to=cap)
    made = ask()
    for answer in (Client().get(link_of(made)), Client().post(link_of(made), {"verdict": "approved", "version": "1"})):
        assert answer.status_code == 302
        assert "/auth/login/" in answer["Location"]
    made.refresh_from_db()
    assert made.state == "open"
    assert signed_in(deciders.director).get(link_of(made))["Location"] == f"/approvals/{made.pk}/"


def test_the_default_is_off(deciders: Cast) -> None:
    field = ConcessionType._meta.get_field("link_up_to")
    assert ConcessionType(slug="x", name="x").link_up_to is None
    assert field.null


def test_confidential_requests_are_never_open(ask: Ask) -> None:
    assert "/auth/login/" in Client().get(link_of(ask(confidential=True)))["Location"]


def test_whoever_is_signed_in_as_somebody_else_sees_nothing(ask: Ask, deciders: Cast) -> None:
    made = ask()
    for user in (deciders.csm, deciders.outsider, deciders.ops):
        client = signed_in(user)
        assert client.get(link_of(made)).status_code == 404
        assert client.post(link_of(made), {"verdict": "approved", "version": "1"}).status_code == 404
    made.refresh_from_db()
    assert made.state == "open"


@pytest.mark.parametrize("how", ["expired", "left"])
def test_a_used_link_tells_the_outcome_no_longer_than_it_would_have_lived(ask: Ask, deciders: Cast, how: str) -> None:
    made = ask()
    path, at = link_of(made), now()
    submit(path)
    assert Client().get(path).status_code == 200
    if how == "left":
        deciders.director.is_active = False
        deciders.director.save()
    else:
        at = made.deadline + timedelta(days=7, seconds=1)
    with time_machine.travel(at):
        answer = Client().get(path)
    assert answer.status_code == 302
    assert "/auth/login/" in answer["Location"]


def ended(answer: Any) -> bool:
    """No form any more: an end in words, or a sign-in."""
    return b'name="verdict"' not in answer.content and answer.status_code in (200, 302, 410)


@pytest.mark.parametrize("how", ["recall", "pass_up", "role", "left", "expired"])
def test_the_link_dies_with_what_it_stands_for(ask: Ask, deciders: Cast, how: str) -> None:
    made = ask()
    path, at = link_of(made), now()
    if how == "recall":
        deciding.recall(request_id=made.pk, by=deciders.csm, reason="Solved")
    elif how == "pass_up":
        seating.pass_up(request_id=made.pk, reason="No answer")
    elif how == "role":
        deciders.director.holdings.update(starts=at - timedelta(days=2), ends=at - timedelta(days=1))
    elif how == "left":
        deciders.director.is_active = False
        deciders.director.save()
    else:
        at = made.deadline + timedelta(days=7, seconds=1)
    with time_machine.travel(at):
        assert ended(Client().get(path))
        Client().post(path, {"verdict": "approved", "version": "1"})
    made.refresh_from_db()
    assert made.state in ("open", "recalled")
    assert not made.log.filter(kind="approved").exists()


def test_an_unknown_link_asks_for_signing_in_like_any_page() -> None:
    assert "/auth/login/" in Client().get(f"/d/{'a' * 52}/")["Location"]
