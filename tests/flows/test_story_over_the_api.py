"""The whole path with no browser: a signal in, a decision out, a closed case, every step over the API."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from rest_framework.authtoken.models import Token

from accounts.models import Account, User
from escalations import states
from escalations.clocks import engine as firing
from escalations.models import Clock, Escalation, HandOff
from ledger.now import now
from messaging.models import Message
from messaging.outbox import messages as outbox
from tests.escalations.cases.builders import OPTIONS, TEXTS
from tests.support.cast import Cast
from tests.support.levels import EXECUTIVE

pytestmark = pytest.mark.both_databases

REVIEW = {"worked": "One thread", "change": "Ask earlier", "root_cause": "Price", "lessons": "Know the market"}


class Caller:
    """A person's integration: a token and the four verbs of HTTP it needs."""

    def __init__(self, user: User) -> None:
        self.token = Token.objects.get_or_create(user=user)[0].key
        self.client = Client()

    def __call__(self, method: str, path: str, body: Any = None, expect: int = 200, **headers: str) -> Any:
        """Call /api/v1/<path>; the status must be the expected one."""
        answer = self.client.generic(
            method,
            f"/api/v1/{path}",
            json.dumps(body) if body is not None else "",
            content_type="application/json",
            headers={"Authorization": f"Token {self.token}", **headers},
        )
        assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.content[:600]!r}"
        return answer.json() if answer.content else None


@pytest.fixture
def csm(cast: Cast) -> Caller:
    """Priya's integration."""
    return Caller(cast.csm)


def open_case(csm: Caller, cast: Cast, **extra: Any) -> dict[str, Any]:
    """A discount case, opened over the API."""
    body = {
        "account": cast.northwind.pk,
        "issue_type": "discount-beyond-limit",
        "issue": "Northwind asks for 18 percent. They will not sign otherwise.",
        "impact": "The renewal is at risk.",
        "requested_support": "A decision.",
        "deadline": (now() + timedelta(days=4)).isoformat(),
        "concession": "discount",
        "amount": "18.00",
        "blocker": True,
        **extra,
    }
    return dict(csm("POST", "escalations/", body, expect=201))


def accept(case: dict[str, Any]) -> Caller:
    """The addressee of the waiting hand-off accepts; their caller is returned."""
    owner = Caller(HandOff.objects.get(case_id=case["key"][4:], state="waiting", duty="owner").to_user)
    owner("POST", f"escalations/{case['key']}/move/", {"move": "accept"})
    return owner


def ask(caller: Caller, key: str, amount: str = "18.00") -> int:
    """Write the brief and ask; the request's id."""
    caller("PUT", f"escalations/{key}/brief/", {"texts": TEXTS, "options": OPTIONS})
    deadline = (now() + timedelta(days=3)).isoformat()
    body = {"concession": "discount", "amount": amount, "question": f"Approve {amount} percent?", "deadline": deadline,
            "why_later": "Their board meets then"}  # fmt: skip
    return int(caller("POST", f"escalations/{key}/ask/", body, expect=201)["requests"][-1])


def test_a_deadline_after_the_clock_needs_a_reason(cast: Cast, csm: Caller) -> None:
    key = open_case(csm, cast)["key"]
    owner = accept({"key": key})
    owner("PUT", f"escalations/{key}/brief/", {"texts": TEXTS, "options": OPTIONS})
    body = {"concession": "discount", "amount": "18.00", "question": "Approve?"}
    late = {"deadline": (now() + timedelta(days=9)).isoformat()}
    assert owner("POST", f"escalations/{key}/ask/", {**body, **late}, expect=422)["field"] == "why_later"
    made = owner("POST", f"escalations/{key}/ask/", body, expect=201)["requests"][-1]
    [clock] = [each for each in owner("GET", f"escalations/{key}/")["clocks"] if each["kind"] == "decision"]
    seen = owner("GET", f"approvals/{made}/")
    assert (seen["deadline"], seen["warn_at"]) == (clock["due_at"], clock["warn_at"])
    owner("POST", f"approvals/{made}/recall/", {"reason": "A word is missing"})
    assert owner("POST", f"approvals/{made}/resubmit/", late, expect=422)["field"] == "why_later"
    again = owner("POST", f"approvals/{made}/resubmit/", {**late, "why_later": "Their board meets then"})
    assert again["deadline"][:16] == late["deadline"][:16]


def test_from_signal_to_closed_case(cast: Cast, csm: Caller) -> None:
    signal = {"account": cast.northwind.pk, "kind": "email", "text": "Your price is unacceptable."}
    noted = csm("POST", "signals/", signal, expect=201)
    assert noted["phrases"]
    case = open_case(csm, cast, signal=noted["id"])
    assert (case["state"], case["level"], case["tier"]) == ("handed_off", 2, "yellow")
    assert case["route_reasons"]
    assert case["score_parts"]
    owner = accept(case)
    base = f"escalations/{case['key']}"
    refused = owner("POST", f"{base}/ask/", {"concession": "discount", "amount": "18", "question": "Approve?",
                    "deadline": (now() + timedelta(days=1)).isoformat()}, expect=422)  # fmt: skip
    assert refused["code"] == "invalid"
    assert "Recommendation" in refused["message"]
    owner("POST", f"{base}/events/", {"text": "Talked to their COO."}, expect=201)
    csm("POST", f"{base}/events/", {"text": "We decide by Friday.", "audience": "customer",
        "contacts": [cast.contact.pk]}, expect=201)  # fmt: skip
    made = ask(owner, case["key"])
    director = Caller(cast.director)
    seen = director("GET", f"approvals/{made}/")
    verdict = {"verdict": "approved", "version": seen["version"]}
    owner("POST", f"approvals/{made}/decide/", verdict, expect=403)
    director("POST", f"approvals/{made}/decide/", verdict)
    assert director("POST", f"approvals/{made}/decide/", verdict, expect=409)["code"] == "already_done"
    [action] = owner("GET", f"{base}/actions/")
    ending = {
        "move": "resolve",
        "outcome": "renewed",
        "root_cause": "Price",
        "resolution": "Signed",
        "customer_told": True,
    }
    assert "proof" in owner("POST", f"{base}/move/", ending, expect=422)["message"]
    owner("POST", f"{base}/actions/{action['id']}/done/", {"proof": "Order form 4711"})
    assert owner("POST", f"{base}/move/", ending)["state"] == "resolved"
    owner("PATCH", f"{base}/review/", {**REVIEW, "timeline_checked": True, "sign": True})
    assert owner("POST", f"{base}/move/", {"move": "close"})["state"] == "closed"
    assert csm("POST", f"{base}/move/", {"move": "reopen", "reason": "Back again"})["state"] == "diagnosing"
    outbox.send_due()
    assert not Message.objects.filter(state=Message.PARKED).exists()


def test_a_late_decision_reaches_level_three(cast: Cast, csm: Caller) -> None:
    case = open_case(csm, cast)
    owner = accept(case)
    made = ask(owner, case["key"])
    late = Clock.objects.get(case_id=case["key"][4:], kind=states.DECISION, state=Clock.RUNNING).due_at
    assert late is not None
    with time_machine.travel(late + timedelta(minutes=1), tick=False):
        while firing.fire_due():
            pass
        whole = csm("GET", f"escalations/{case['key']}/")
        assert whole["level"] == EXECUTIVE
        authority = next(person for person in whole["people"] if person["duty"] == "authority")
        assert authority["user"] == cast.sponsor.email
        assert [person["letter"] for person in whole["people"]].count("A") == 1
        assert any(row["duty"] == "authority" and row["state"] == "waiting" for row in whole["handoffs"])
        sponsor = Caller(cast.sponsor)
        seen = sponsor("GET", f"approvals/{made}/")
        body = {"verdict": "conditions", "version": seen["version"], "reason": "Fits", "conditions": "Three years"}
        sponsor("POST", f"approvals/{made}/decide/", body)
        assert Escalation.objects.get(pk=case["key"][4:]).decided_level == "executive"


def test_an_ask_inside_the_band_of_a_green_case_is_granted_by_rule(cast: Cast, csm: Caller) -> None:
    cast.northwind.health, cast.northwind.renewal_date = 90, None
    cast.northwind.save()
    case = open_case(csm, cast, amount="4.00", blocker=False)
    assert (case["tier"], case["lane"]) == ("green", "autonomous")
    owner = accept(case)
    made = ask(owner, case["key"], amount="4.00")
    seen = owner("GET", f"approvals/{made}/")
    assert (seen["state"], seen["by_rule"]) == ("approved", True)
    assert csm("GET", f"escalations/{case['key']}/")["state"] == "executing"


def test_one_idempotency_key_opens_one_case(cast: Cast, csm: Caller) -> None:
    body = {"account": cast.northwind.pk, "issue_type": "renewal-at-risk", "issue": "They are silent."}
    key = {"Idempotency-Key": "crm-77"}
    first = csm("POST", "escalations/", body, expect=201, **key)
    again = csm("POST", "escalations/", body, expect=201, **key)
    assert first["key"] == again["key"]
    assert Escalation.objects.count() == 1


def test_foreign_accounts_and_cases_do_not_exist_for_others(cast: Cast, csm: Caller) -> None:
    case = open_case(csm, cast)
    outsider = Caller(cast.outsider)
    outsider("GET", f"escalations/{case['key']}/", expect=404)
    outsider("POST", f"escalations/{case['key']}/move/", {"move": "withdraw", "reason": "x"}, expect=404)
    body = {"account": cast.northwind.pk, "issue_type": "renewal-at-risk", "issue": "Mine now"}
    outsider("POST", "escalations/", body, expect=404)
    assert outsider("GET", "escalations/")["count"] == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"issue": ""}, "issue"),
        ({"deadline": "2020-01-01T00:00:00Z"}, "deadline"),
        ({"amount": "-5"}, "amount"),
        ({"impasse_at": "0001-01-01T00:00:00Z"}, "impasse_at"),
        ({"issue_type": "no-such"}, "issue_type"),
        ({"account": "x"}, "account"),
    ],
)
def test_bad_input_names_the_field_and_writes_nothing(
    cast: Cast, csm: Caller, change: dict[str, Any], field: str
) -> None:
    body = {"account": cast.northwind.pk, "issue_type": "renewal-at-risk", "issue": "Silence", **change}
    answer = csm("POST", "escalations/", body, expect=422)
    assert field in (answer.get("field"), *answer.get("fields", {}))
    assert not Escalation.objects.exists()


def test_the_list_filters_and_pages(cast: Cast, csm: Caller) -> None:
    # A score from outside, because open cases lower the computed one.
    Account.objects.filter(pk=cast.northwind.pk).update(health_outside=cast.northwind.health)
    for number in range(3):
        open_case(csm, cast, title=f"Case {number}")
    assert csm("GET", "escalations/?open=true&tier=yellow")["count"] == 3
    assert csm("GET", "escalations/?tier=red")["count"] == 0
    page = csm("GET", "escalations/?page_size=2&ordering=-id")
    assert len(page["results"]) == 2
    assert page["next"]


@pytest.mark.parametrize("rows", [1, 3])
def test_lists_take_a_constant_number_of_queries(
    cast: Cast, csm: Caller, rows: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(rows):
        open_case(csm, cast, title=f"Case {number}")
    with django_assert_max_num_queries(6):
        csm("GET", "escalations/")
    case = Escalation.objects.latest("pk")
    with django_assert_max_num_queries(16):
        csm("GET", f"escalations/{case.key}/")
