"""What the log says of a decision, what is too long for it, and the verbs by which machines write it."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from approvals.models import ApprovalRequest
from approvals.requests import decide as deciding
from approvals.requests import terms as changing
from tests.approvals.requests.test_chains import kinds, lawyer, person, plain_matrix, rule, vote
from tests.support.cast import Cast

__all__ = ["lawyer", "plain_matrix"]

Ask = Callable[..., ApprovalRequest]

CONDITIONED = [
    {"name": "Grant it", "recommended": True, "conditions": ["Two years", "A reference"]},
    {"name": "Keep the price", "status_quo": True},
]


@pytest.mark.parametrize(
    ("conditions", "override"),
    [("Two years\nA reference", False), ("a reference\nTwo years\nNet 30", False), ("Net 30\nTwo years", True)],
)
def test_dropping_a_recommended_condition_goes_against_the_recommendation(
    deciders: Cast, ask: Ask, conditions: str, override: bool
) -> None:
    made = vote(ask(options=CONDITIONED), deciders.director, "conditions", conditions=conditions, reason="So be it")
    assert made.log.get(kind="conditions").override is override


def test_a_vote_that_carries_over_stays_what_it_was(deciders: Cast, ask: Ask) -> None:
    rule("legal", "after")
    person("nora", "legal")
    made = ask(options=CONDITIONED)
    vote(made, deciders.director, reason="Without conditions")
    deciding.recall(request_id=made.pk, by=deciders.csm, reason="Typo")
    again = changing.resubmit(request_id=made.pk, by=deciders.csm)
    carried = again.log.get(kind="vote")
    assert (carried.override, carried.facts["carried_from"]) == (True, made.pk)


def test_the_last_entry_names_the_seat_that_spoke_and_what_carried_over(deciders: Cast, ask: Ask, lawyer: User) -> None:
    rule("legal", "after")
    made = ask()
    vote(made, deciders.director)
    made = vote(made, lawyer)
    final = made.log.get(kind="approved")
    assert (final.role, final.seat) == ("Legal", made.seats.get(person=lawyer).number)


def test_a_void_vote_names_its_voter_and_nobody_as_principal(deciders: Cast, ask: Ask, lawyer: User) -> None:
    rule("legal", "after")
    made = ask()
    vote(made, deciders.director)
    made.refresh_from_db()
    worse = changing.NewTerms(amount=Decimal(16))
    changing.change_terms(
        request_id=made.pk, by=deciders.csm, version=made.version, reason="Their counsel", wanted=worse
    )
    entry = made.log.get(kind="voided")
    assert (entry.actor, entry.on_behalf_of, entry.facts["voter_name"]) == (deciders.csm, None, "Lena Ortiz")


def test_more_than_the_record_takes_is_refused_and_handed_back(deciders: Cast, ask: Ask) -> None:
    made, text = ask(), "x" * 4001
    for verb in ("comment", "question"):
        browser = Client()
        browser.force_login(deciders.director)
        answer = browser.post(f"/approvals/{made.pk}/{verb}/", {"text": text})
        assert answer.status_code == 422
        page = answer.content.decode()
        assert "Keep it to 4,000 characters: this has 4,001." in page
        assert text in page
    assert kinds(made) == ["asked"]


def test_the_api_has_every_verb(deciders: Cast, ask: Ask) -> None:
    def call(by: User, verb: str, **body: Any) -> Any:
        browser = Client()
        browser.force_login(by)
        return browser.post(f"/api/v1/approvals/{made.pk}/{verb}/", json.dumps(body), "application/json")

    made = ask()
    assert call(deciders.director, "question", text="Why now?").status_code == 200
    assert call(deciders.csm, "answer", text="The board meets.").status_code == 200
    assert call(deciders.csm, "remind").status_code == 200
    assert call(deciders.csm, "remind").status_code == 409
    assert call(deciders.director, "decide", verdict="approved", version=1).status_code == 200
    assert call(deciders.csm, "undo").status_code == 403
    assert call(deciders.director, "undo").json()["state"] == "open"
    made.refresh_from_db()
    newer = call(deciders.csm, "supersede", version=made.version, amount="14.00", reason="Their counsel").json()
    assert (newer["state"], newer["replaces"]) == ("open", made.pk)
    assert set(made.log.values_list("channel", flat=True)) == {"web", "api"}
