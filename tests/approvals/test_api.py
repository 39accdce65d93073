"""The API: same rights and refusals as the pages, and a key that makes a decision happen once."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from accounts.models import User
from approvals.models import ApprovalRequest
from approvals.requests import decide as deciding
from tests.support.cast import Cast

Ask = Callable[..., ApprovalRequest]
LIST = "/api/v1/approvals/"


def caller(user: User) -> APIClient:
    """A program with this person's token."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {Token.objects.get_or_create(user=user)[0]}")
    return client


def decide(user: User, made: ApprovalRequest, key: str = "", **body: Any) -> Any:
    """POST a decision."""
    headers = {"Idempotency-Key": key} if key else {}
    wanted = {"verdict": "approved", "version": made.version}
    return caller(user).post(f"{LIST}{made.pk}/decide/", {**wanted, **body}, format="json", headers=headers)


def test_a_decision_through_the_api_is_the_same_decision(deciders: Cast, ask: Ask) -> None:
    made = ask()
    answer = decide(deciders.director, made)
    assert (answer.status_code, answer.json()["state"], answer.json()["version"]) == (200, "approved", 2)
    assert [entry["kind"] for entry in answer.json()["log"]] == ["asked", "approved"]
    assert made.log.last().channel == "api"


def test_what_a_rule_proposes_is_for_those_who_decide(deciders: Cast, ask: Ask) -> None:
    made = ask()
    made.suggestions.all().delete()
    said = {
        "rule": "like-asks",
        "verdict": "approved",
        "reasons": ["5 of 5 similar requests were granted."],
        "certainty": 75,
    }
    made.suggestions.create(authority=made.authority, made_at=made.opened_at, **said)
    shown = caller(deciders.director).get(f"{LIST}{made.pk}/").json()
    assert {name: shown["suggestion"][name] for name in said} == said
    assert caller(deciders.sponsor).get(f"{LIST}{made.pk}/").json()["suggestion"]
    assert caller(made.requester).get(f"{LIST}{made.pk}/").json()["suggestion"] is None


def test_the_same_key_decides_once_and_answers_the_same(deciders: Cast, ask: Ask) -> None:
    made = ask()
    first, second = decide(deciders.director, made, key="k1"), decide(deciders.director, made, key="k1")
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()
    assert made.log.count() == 2
    assert decide(deciders.director, made, key="k1", reason="Other").status_code == 409


@pytest.mark.parametrize(
    ("who", "body", "status", "code", "field"),
    [
        ("csm", {}, 403, "not_allowed", ""),
        ("lead", {}, 403, "not_allowed", ""),
        ("outsider", {}, 404, "not_found", ""),
        ("director", {"verdict": "declined"}, 422, "invalid", "reason"),
        ("director", {"version": 7}, 409, "changed_meanwhile", ""),
        ("sponsor", {}, 422, "invalid", "reason"),
    ],
)
def test_refusals_have_the_status_code_and_field_of_the_service(
    deciders: Cast, ask: Ask, who: str, body: dict[str, Any], status: int, code: str, field: str
) -> None:
    made = ask()
    answer = decide(getattr(deciders, who), made, **body)
    assert answer.status_code == status
    assert answer.json()["code"] == code
    assert answer.json()["field"] == field
    made.refresh_from_db()
    assert (made.state, made.log_count) == ("open", 1)


def test_a_decided_request_answers_409_with_who_and_when(deciders: Cast, ask: Ask) -> None:
    made = ask()
    decide(deciders.director, made)
    answer = decide(deciders.sponsor, made, reason="Me too")
    assert (answer.status_code, answer.json()["code"]) == (409, "already_done")
    assert answer.json()["message"].startswith("Already approved by Lena Ortiz at ")


def test_lists_show_what_the_caller_may_see_and_filter(deciders: Cast, ask: Ask) -> None:
    made = ask()
    other = ask(requester=deciders.outsider, account=deciders.elsewhere, case_key="ESC-1043")
    deciding.decide(request_id=other.pk, by=deciders.director, verdict="approved", version=1)

    def ids(user: User, **query: Any) -> list[int]:
        return [row["id"] for row in caller(user).get(LIST, query).json()["results"]]

    assert ids(deciders.outsider) == [other.pk]
    assert ids(deciders.ops) == [made.pk, other.pk]
    assert ids(deciders.ops, state="open") == [made.pk]
    assert ids(deciders.ops, case_key="ESC-1043") == [other.pk]
    assert ids(deciders.ops, account=deciders.northwind.pk) == [made.pk]
    assert ids(deciders.director, mine="true") == [made.pk]
    assert ids(deciders.director, mine="false") == [other.pk]
    assert caller(deciders.outsider).get(f"{LIST}{made.pk}/").status_code == 404
    assert APIClient().get(LIST).status_code == 401


def test_recall_and_question_through_the_api(deciders: Cast, ask: Ask) -> None:
    made = ask()
    lena, priya = caller(deciders.director), caller(deciders.csm)
    assert lena.post(f"{LIST}{made.pk}/question/", {"text": "Which year?"}, format="json").status_code == 200
    assert priya.post(f"{LIST}{made.pk}/recall/", {}, format="json").status_code in (400, 422)
    assert priya.post(f"{LIST}{made.pk}/recall/", {"reason": "Better"}, format="json").json()["state"] == "recalled"


def test_who_approves_this_through_the_api(deciders: Cast) -> None:
    asked = {"concession": "discount", "amount": "20.01", "account": deciders.northwind.pk}
    answer = caller(deciders.csm).get("/api/v1/authority/who/", asked).json()
    assert (answer["role"], answer["person"], answer["limit"]) == ("executive-sponsor", deciders.sponsor.email, "35%")
    refusal = caller(deciders.csm).get("/api/v1/authority/who/", {"concession": "payment-terms", "amount": "120"})
    assert (refusal.status_code, refusal.json()["code"]) == (422, "invalid")
    foreign = caller(deciders.outsider).get("/api/v1/authority/who/", asked)
    assert foreign.status_code == 404


def test_the_number_of_queries_of_the_list_does_not_grow(deciders: Cast, ask: Ask) -> None:
    def queries() -> int:
        client = caller(deciders.ops)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(LIST).status_code == 200
        return len(captured)

    ask()
    at_one = queries()
    ask(requester=deciders.ae)
    ask(requester=deciders.outsider, account=deciders.elsewhere)
    assert queries() == at_one


@pytest.mark.both_databases
def test_the_count_of_the_list_is_its_length_for_everybody(deciders: Cast, ask: Ask) -> None:
    ask()
    ask(confidential=True)
    ask(requester=deciders.outsider, account=deciders.elsewhere, confidential=True)
    deciding.decide(request_id=ask().pk, by=deciders.director, verdict="approved", version=1)
    lengths = set()
    for user in User.objects.filter(is_active=True):
        for asked in ({}, {"state": "open"}, {"account": deciders.northwind.pk}, {"mine": "true"}, {"mine": "false"}):
            found = caller(user).get(LIST, asked).json()
            seen = ApprovalRequest.objects.visible_to(user)
            assert found["count"] == len(found["results"])
            assert asked or found["count"] == seen.count()
            lengths.add(found["count"])
    assert lengths >= {0, 2, 3}


def test_the_list_says_what_the_page_of_a_request_says(deciders: Cast, ask: Ask) -> None:
    made = ask(beneficiary=deciders.ae)
    deciding.decide(request_id=made.pk, by=deciders.director, verdict="approved", version=1)
    [row] = caller(deciders.ops).get(LIST).json()["results"]
    detail = caller(deciders.ops).get(f"{LIST}{made.pk}/").json()
    assert row == {name: detail[name] for name in row}
    assert row["approver"] == row["decided_by"] == deciders.director.email
    assert row["beneficiary"] == deciders.ae.email
