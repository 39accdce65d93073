"""Asking needs an accepted owner or a reason; Red and cash-critical cases are accepted and answered on clock hours."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from escalations import states
from escalations.cases import brief as briefing
from escalations.cases import requests as asking
from escalations.models import Escalation
from ledger.errors import Invalid
from tests.escalations.cases.builders import OPTIONS, TEXTS, asked, opened
from tests.escalations.tabs.conftest import browse  # noqa: F401 a fixture
from tests.support.cast import Cast

Browse = Callable[..., Any]
SATURDAY = datetime(2026, 1, 17, 21, tzinfo=UTC)  # 16:00 in New York


def wanted(why: str = "") -> asking.CaseAsk:
    """An ask with or without the reason."""
    return asking.CaseAsk("discount", Decimal(18), "USD", "Approve 18 percent?", why_unowned=why)


@pytest.fixture
def unowned(cast: Cast) -> Escalation:
    """Handed off and briefed, accepted by nobody."""
    case = opened(cast)
    briefing.save_parts(case_id=case.pk, by=cast.csm, texts=TEXTS, options=OPTIONS, versions={})
    return Escalation.objects.get(pk=case.pk)


def test_asking_before_an_owner_accepted_needs_a_reason(cast: Cast, unowned: Escalation) -> None:
    with pytest.raises(Invalid, match="Nobody has accepted this case yet") as refused:
        asking.ask(wanted(), case_id=unowned.pk, by=cast.csm)
    assert refused.value.field == "why_unowned"
    assert not unowned.requests.exists()


def test_the_reason_is_recorded(cast: Cast, unowned: Escalation) -> None:
    asking.ask(wanted("Their board meets in an hour"), case_id=unowned.pk, by=cast.csm)
    unowned.refresh_from_db()
    assert unowned.state == states.APPROVING
    assert "Their board meets in an hour" in unowned.events.get(kind="skipped").summary


def test_with_an_owner_no_reason_is_asked(cast: Cast) -> None:
    case = asked(cast)
    assert case.state == states.APPROVING
    assert not case.events.filter(kind="skipped").exists()


def test_the_page_asks_for_the_reason(cast: Cast, unowned: Escalation, browse: Browse) -> None:  # noqa: F811
    path = f"/escalations/{unowned.key}/approvals/new/"
    assert "Why it is asked before anybody has accepted the case" in browse(cast.csm, path).content.decode()
    data = {"question": "Approve 18 percent?", "concession": "discount", "amount": "18", "currency": "USD", "once": "k"}
    answer = browse(cast.csm, path, data)
    assert answer.status_code == 422
    assert "Nobody has accepted this case yet" in answer.content.decode()
    assert browse(cast.csm, path, {**data, "why_unowned": "It cannot wait"}).status_code == 302


CASH: dict[str, Any] = {"issue_type": "payment-terms-dispute", "concession": "", "amount": None, "blocker": False}


@pytest.mark.parametrize("facts", [{"legal": True}, CASH])
def test_red_and_cash_critical_cases_run_on_clock_hours_at_the_weekend(cast: Cast, facts: dict[str, Any]) -> None:
    with time_machine.travel(SATURDAY, tick=False):
        case = opened(cast, **facts)
        acceptance = case.clocks.live().get(kind=states.ACCEPTANCE)
        response = case.clocks.live().get(kind=states.RESPONSE)
        assert (acceptance.calendar, response.calendar) == (None, None)
        assert acceptance.due_at == SATURDAY + timedelta(minutes=30)
        assert response.due_at == SATURDAY + timedelta(hours=1)


def test_other_cases_are_accepted_in_business_hours(cast: Cast) -> None:
    with time_machine.travel(SATURDAY, tick=False):
        case = opened(cast)
        assert case.tier == states.YELLOW
        acceptance = case.clocks.live().get(kind=states.ACCEPTANCE)
        assert acceptance.calendar is not None
        assert acceptance.due_at is not None
        assert acceptance.due_at > SATURDAY + timedelta(days=1)
