"""Sums say what is added up; clock, decider and brief name the same decision."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from approvals.matrix.rules.sums import added_up
from approvals.models import ApprovalRequest
from approvals.requests import decide as deciding
from escalations import states
from escalations.cases.briefs import current_parts
from escalations.cases.queries import brief_page
from escalations.models import Escalation
from ledger.now import now
from messaging.models import Message
from tests.escalations.cases.builders import accepted, asked
from tests.escalations.tabs.conftest import browse  # noqa: F401 a fixture
from tests.support.cast import Cast

Browse = Callable[..., Any]
D = Decimal


@pytest.mark.parametrize(
    ("unit", "asked_for", "granted", "cases", "words"),
    [
        ("percent", 25, 24, ["ESC-1033"], "25% asked + 24% granted on ESC-1033 in 90 days = 49%"),
        ("percent", 25, 24, [], "25% asked + 24% granted in 90 days = 49%"),
        ("percent", 25, 0, [], ""),
        ("money", 500, 1000, ["A", "B"], "$500 asked + $1,000 granted on A and B in 90 days = $1,500"),
        ("percent", 1, 5, list("ABCDE"), "1% asked + 5% granted on A, B, C and 2 more in 90 days = 6%"),
    ],
)
def test_a_sum_says_what_is_added_up(unit: str, asked_for: int, granted: int, cases: list[str], words: str) -> None:
    assert added_up(unit, asked=D(asked_for), granted=D(granted), cases=cases, days=90) == words


def grant(case: Escalation) -> None:
    """The person who is asked approves."""
    made = case.requests.get()
    deciding.decide(request_id=made.pk, by=made.approver, verdict="approved", version=made.version)


def test_page_card_and_mail_name_the_case_of_the_earlier_grant(cast: Cast, browse: Browse) -> None:  # noqa: F811
    first = asked(cast, amount=12)
    grant(first)
    case = asked(cast, amount=14)
    made = case.requests.get()
    words = f"14% asked + 12% granted on {first.key} in 90 days = 26%"
    assert words in browse(made.approver, f"/approvals/{made.pk}/").content.decode()
    assert words in browse(case.owner, f"/escalations/{case.key}/approvals/").content.decode()
    mail = Message.objects.filter(kind="approval", address=made.approver.email).latest("pk")
    assert words in mail.text


def test_a_grant_outside_the_window_is_not_added_up_any_more(cast: Cast, browse: Browse) -> None:  # noqa: F811
    grant(asked(cast, amount=12))
    made = asked(cast, amount=14).requests.get()
    ApprovalRequest.objects.filter(decided_at__isnull=False).update(decided_at=now() - timedelta(days=91))
    page = browse(made.approver, f"/approvals/{made.pk}/").content.decode()
    assert "14% asked" not in page


def test_a_confidential_case_is_counted_and_not_named(cast: Cast, browse: Browse) -> None:  # noqa: F811
    first = asked(cast, amount=12)
    grant(first)
    ApprovalRequest.objects.filter(case_link__case=first).update(confidential=True)
    made = asked(cast, amount=14).requests.get()
    page = browse(made.approver, f"/approvals/{made.pk}/").content.decode()
    assert "14% asked + 12% granted in 90 days = 26%" in page
    assert first.key not in page


def test_the_decision_clock_is_named_after_the_body_that_decides(cast: Cast) -> None:
    case = asked(cast, amount=18)
    assert case.clocks.live().get(kind=states.DECISION).label == "Director decision"
    higher = asked(cast, amount=30)
    made = higher.requests.get()
    assert made.approver_role is not None
    clock = higher.clocks.live().get(kind=states.DECISION)
    assert clock.label == f"{made.approver_role.name} decision"
    assert higher.people.get(duty="authority").user == made.approver


def test_the_brief_is_headed_by_the_decision_that_is_asked(cast: Cast) -> None:
    case = asked(cast)
    made = case.requests.get()
    sheet = brief_page.sheet(case, current_parts(case, now()), now())
    status: Any = sheet["status"]
    assert status["clock"] == "Director decision"
    assert status["due_at"] == made.deadline == sheet["by_when"]
    assert sheet["asked"] == made.ask


def test_without_a_request_the_brief_shows_the_decision_clock(cast: Cast) -> None:
    case = accepted(cast)
    sheet = brief_page.sheet(case, current_parts(case, now()), now())
    status: Any = sheet["status"]
    assert status["clock"].endswith("decision")
    assert sheet["by_when"] == status["due_at"] == case.clocks.live().get(kind=states.DECISION).due_at
