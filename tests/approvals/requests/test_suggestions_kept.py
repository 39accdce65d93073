"""Suggestions from the request to what the decision made of them, and the figures of overrides."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from approvals.models import ApprovalRequest, Suggestion
from approvals.requests import decide as deciding
from approvals.requests import overrides
from ledger.errors import Invalid
from ledger.models import DownloadLog
from ledger.now import now
from tests.support.cast import Cast

Ask = Callable[..., ApprovalRequest]


def decide(request: ApprovalRequest, by: Any, verdict: str = "approved", **words: str) -> ApprovalRequest:
    said = deciding.Words(**words)
    return deciding.decide(request_id=request.pk, by=by, verdict=verdict, version=request.version, words=said)


def credit(ask: Ask, **more: Any) -> ApprovalRequest:
    """2,000 USD beside 500,000 a year: policy says yes."""
    return ask(concession="credit", amount=Decimal(2000), ask="Credit 2,000 USD?", **more)


def test_a_request_carries_what_policy_suggests(deciders: Cast, ask: Ask) -> None:
    made = credit(ask)
    found = made.suggestions.get()
    assert (found.rule, found.verdict, found.outcome) == ("policy", "approved", Suggestion.SHOWN)
    assert found.reasons[0].startswith("It costs 0.4% of the yearly revenue")
    decide(made, made.approver)
    found.refresh_from_db()
    assert (found.outcome, found.answered_by) == (Suggestion.ACCEPTED, made.approver)


def test_going_against_a_suggestion_needs_a_reason_and_is_counted(deciders: Cast, ask: Ask) -> None:
    for _ in range(6):
        made = ask(amount=Decimal(9), ask="Approve 9%?")
        decide(made, made.approver, "declined", reason="Too early")
        Suggestion.objects.all().delete()
    made = ask(amount=Decimal(9), ask="Approve 9%?")
    assert made.suggestions.get().verdict == "declined"
    with pytest.raises(Invalid, match="Enter a reason for not following the suggestion"):
        decide(made, made.approver)
    decide(made, made.approver, reason="Competitor at the door")
    (figure,) = overrides.of_rules(deciders.admin, now() - timedelta(days=1), now() + timedelta(days=1))
    assert (figure.rule, figure.shown, figure.rejected, figure.rate) == ("like-asks", 1, 1, 100.0)
    (said, *_) = overrides.Reasons(deciders.admin, now() - timedelta(days=1), now() + timedelta(days=1))[:]
    assert said["reason"] == "Competitor at the door"


BOUND = [
    {"name": "Grant", "recommended": True, "conditions": ["3-year term signed", "Reference call"]},
    {"name": "Nothing", "status_quo": True},
]


def test_approving_as_recommended_with_its_conditions_follows_the_suggestion(deciders: Cast, ask: Ask) -> None:
    for _ in range(6):
        made = ask(amount=Decimal(9))
        decide(made, made.approver)
    made = ask(amount=Decimal(9), options=BOUND)
    assert made.suggestions.get().verdict == "approved"
    decide(made, made.approver, "conditions", conditions="Reference call\n3-year term signed")
    assert made.suggestions.get().outcome == Suggestion.ACCEPTED
    (figure,) = overrides.of_rules(deciders.admin, now() - timedelta(days=1), now() + timedelta(days=1))
    assert (figure.accepted, figure.changed, figure.rate) == (figure.shown, 0, 0.0)
    assert len(overrides.Reasons(deciders.admin, now() - timedelta(days=1), now() + timedelta(days=1))) == 0


@pytest.mark.parametrize("conditions", ["3-year term signed", "3-year term signed\nReference call\nPaid yearly"])
def test_other_conditions_than_the_recommended_change_the_suggestion(deciders: Cast, ask: Ask, conditions: str) -> None:
    made = credit(ask, options=BOUND)
    made.suggestions.update(verdict="approved", conditions="")
    with pytest.raises(Invalid, match="Enter a reason"):
        decide(made, made.approver, "conditions", conditions=conditions)
    decide(made, made.approver, "conditions", conditions=conditions, reason="Better so")
    assert made.suggestions.get().outcome == Suggestion.CHANGED


def test_an_undone_decision_leaves_the_suggestion_unanswered(deciders: Cast, ask: Ask) -> None:
    made = credit(ask)
    done = decide(made, made.approver, "declined", reason="No")
    assert made.suggestions.get().outcome == Suggestion.REJECTED
    deciding.undo(request_id=done.pk, by=made.approver)
    assert made.suggestions.get().outcome == Suggestion.SHOWN
    assert overrides.of_rules(deciders.admin, now() - timedelta(days=1), now() + timedelta(days=1)) == []


def test_nobody_reads_the_overrides_of_requests_they_may_not_see(deciders: Cast, ask: Ask) -> None:
    made = credit(ask)
    decide(made, made.approver, "declined", reason="No")
    period = (now() - timedelta(days=1), now() + timedelta(days=1))
    assert overrides.of_approvers(deciders.outsider, *period) == []
    assert overrides.Reasons(deciders.outsider, *period)[:] == []
    (figure,) = overrides.of_approvers(deciders.admin, *period)
    assert (figure.person, figure.decided, figure.overridden) == (made.approver, 1, 1)


def test_the_page_and_the_api_show_rates_and_reasons(deciders: Cast, ask: Ask, client: Client) -> None:
    made = credit(ask)
    decide(made, made.approver, "declined", reason="=HYPERLINK(1)")
    client.force_login(deciders.admin)
    page = client.get("/dashboard/overrides/").content.decode()
    assert "policy" in page
    assert "review this rule" in page
    assert "'=HYPERLINK(1)" in client.get("/dashboard/overrides.csv").content.decode()
    found = client.get("/api/v1/overrides/").json()
    assert found["suggestions"][0]["rate"] == 100.0
    assert found["approvers"][0] == {
        "person": made.approver.email,
        "decided": 1,
        "overridden": 1,
        "rate": 100.0,
    }
    assert client.get("/api/v1/overrides/?start=yesterday").status_code == 422


def test_reasons_are_read_in_parts_the_latest_first(
    deciders: Cast, ask: Ask, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(4):
        made = credit(ask)
        decide(made, made.approver, "declined", reason=f"No {number}")
        Suggestion.objects.filter(request=made).update(answered_at=now() - timedelta(hours=1))
    said = overrides.Reasons(deciders.admin, now() - timedelta(days=1), now() + timedelta(days=1))
    with django_assert_max_num_queries(2 + 3 * 3):
        assert len(said) == 8
        parts = [*said[:3], *said[3:6], *said[6:]]
    assert [each["reason"] for each in parts] == [each["reason"] for each in said[:]]
    assert [each["at"] for each in parts] == sorted((each["at"] for each in parts), reverse=True)
    assert [each["what"][:10] for each in parts] == ["Recommenda"] * 4 + ["Suggestion"] * 4
    client.force_login(deciders.admin)
    found = client.get("/api/v1/overrides/?limit=3&offset=6").json()
    assert (found["reasons_count"], [each["reason"] for each in found["reasons"]]) == (8, ["No 1", "No 0"])
    assert client.get("/api/v1/overrides/?limit=0").status_code == 422
    assert client.get("/api/v1/overrides/?offset=-1").status_code == 422


def test_the_decision_log_leaves_as_csv_and_pdf_for_those_who_may_read_it(
    deciders: Cast, ask: Ask, client: Client
) -> None:
    made = credit(ask)
    decide(made, made.approver, "declined", reason="+cmd")
    client.force_login(deciders.csm)
    text = client.get(f"/approvals/{made.pk}/log.csv").content.decode()
    lines = text.splitlines()
    assert lines[0].startswith("\ufeffrequest,ask,concession")
    assert "'+cmd" in text
    assert "Grant it (recommended); Keep the price (status quo)" in text
    assert client.get("/approvals/cases/ESC-1042/log.csv").content.decode() == text
    answer = client.get("/approvals/cases/ESC-1042/log.pdf")
    assert answer.status_code == 200
    assert answer.content.startswith(b"%PDF")
    assert DownloadLog.objects.filter(user=deciders.csm).count() == 3
    client.force_login(deciders.outsider)
    assert client.get(f"/approvals/{made.pk}/log.csv").status_code == 404
    assert client.get("/approvals/cases/ESC-1042/log.pdf").status_code == 404


def test_the_page_of_a_request_shows_the_suggestion(deciders: Cast, ask: Ask, client: Client) -> None:
    made = credit(ask)
    client.force_login(made.approver)
    page = client.get(f"/approvals/{made.pk}/").content.decode()
    assert "Suggested" in page
    assert "You can decide differently; give a reason." in page
