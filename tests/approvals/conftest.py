"""People around a decision, and the request they make."""

import pickle
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from approvals.events import log_appended
from approvals.matrix.totals import Ask
from approvals.models import ApprovalRequest
from approvals.requests.ask import CaseRef, Parties, Question, submit
from ledger.now import now
from tests.support.cast import Cast
from tests.support.databases import DECIDING, Templates


@pytest.fixture
def deciders(db: None, database_templates: Templates) -> Cast:
    """Northwind (ARR 500,000 USD, CSM Priya, AE Marcus), everybody above them, and Olga, who has no part in it."""
    found: Cast = pickle.loads(database_templates.made(DECIDING))
    return found


@pytest.fixture
def ask(deciders: Cast) -> Callable[..., Any]:
    """Make a request with as little as the test cares for: Priya asks for a 15 % discount for Northwind."""
    return lambda **values: make_request(deciders, **values)


QUESTION: dict[str, Any] = {
    "ask": "Approve a 15% discount for Northwind?",
    "recommendation": "Approve: it protects the renewal.",
    "options": [
        {"name": "Grant it", "trade_off": "Margin", "recommended": True},
        {"name": "Keep the price", "trade_off": "Renewal at risk", "status_quo": True},
    ],
    "brief": {"version": 3, "parts": {"summary": "Northwind wants a discount.", "ask": "15% by Friday."}},
}
CASE = {
    "case_key": "ESC-1042",
    "case_url": "/escalations/ESC-1042/",
    "case_title": "Northwind renewal",
    "tier": "yellow",
}


def make_request(deciders: Cast, **values: Any) -> ApprovalRequest:
    """The request itself, from the values of its ask, its question, its parties and its case."""
    wanted: dict[str, Any] = {**QUESTION, "deadline": now() + timedelta(hours=4), **CASE, "requester": deciders.csm}
    wanted |= {
        "concession": "discount",
        "amount": Decimal(15),
        "currency": "USD",
        "account": deciders.northwind,
        **values,
    }

    def given(*names: str) -> dict[str, Any]:
        return {name: wanted.pop(name) for name in names if name in wanted}

    ask = Ask(**given("concession", "amount", "currency", "account", "renewal", "replaces"))
    question = Question(**given("ask", "recommendation", "deadline", "options", "brief", "why_now", "terms"))
    parties = Parties(**given("requester", "beneficiary"), left_out=wanted.pop("exclude", ()))
    about = given("case_key", "case_url", "case_title", "tier", "confidential")
    case = CaseRef(**{name.removeprefix("case_"): value for name, value in about.items()})
    with transaction.atomic():
        return submit(ask, question=question, parties=parties, case=case, **wanted)


@pytest.fixture
def told(db: None) -> Iterator[list[str]]:
    """Every entry of the decision log that other apps heard of."""
    heard: list[str] = []

    def hear(entry: Any, **_: Any) -> None:
        heard.append(entry.kind)

    log_appended.connect(hear)
    yield heard
    log_appended.disconnect(hear)
