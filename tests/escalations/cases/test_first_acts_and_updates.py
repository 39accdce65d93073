"""What counts as the owner's first act, when the next updates are due, and that an ended case has none."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from approvals.requests import talk
from escalations import states
from escalations.cases import brief as briefing
from escalations.cases import closing
from escalations.cases import requests as asking
from escalations.cases import thread as communication
from escalations.models import Clock, Escalation
from ledger.errors import Invalid
from ledger.now import now
from tests.escalations.cases.builders import OPTIONS, TEXTS, accepted, asked, briefed
from tests.escalations.tabs.conftest import browse  # noqa: F401 a fixture
from tests.support.cast import Cast

Browse = Callable[..., Any]
ISSUE: dict[str, Any] = {"issue_type": "billing-dispute", "concession": "", "amount": None}
FRIDAY = datetime(2026, 1, 16, 20, tzinfo=UTC)  # 15:00 in New York


def live(case: Escalation, kind: str) -> Clock:
    """The live clock of a kind."""
    return case.clocks.live().get(kind=kind)


def first_act_of(case: Escalation) -> str:
    """What became of the clock of the first act."""
    return case.clocks.get(kind=states.FIRST_ACT).state


def write_brief(case: Escalation, _: Cast) -> None:
    assert case.owner is not None
    briefing.save_parts(case_id=case.pk, by=case.owner, texts=TEXTS, options=OPTIONS, versions={})


def post(case: Escalation, _: Cast) -> None:
    assert case.owner is not None
    communication.post(case_id=case.pk, by=case.owner, text="I have it.")


@pytest.mark.parametrize("act", [write_brief, post])
def test_brief_and_post_are_the_first_act(cast: Cast, act: Callable[[Escalation, Cast], None]) -> None:
    case = accepted(cast)
    assert first_act_of(case) == Clock.RUNNING
    act(case, cast)
    assert first_act_of(case) == Clock.MET
    assert case.handoffs.get(state="accepted").first_act_at is not None


def begin_anew(case: Escalation) -> None:
    """As if the owner had just accepted it."""
    case.handoffs.filter(state="accepted").update(first_act_at=None)
    Clock.objects.filter(case=case, kind=states.FIRST_ACT).update(state=Clock.RUNNING, stopped_at=None)


def test_asking_is_the_first_act(cast: Cast) -> None:
    case = briefed(cast)
    begin_anew(case)
    assert case.owner is not None
    wanted = asking.CaseAsk("discount", Decimal(18), "USD", "Approve an 18 percent discount?")
    asking.ask(wanted, case_id=case.pk, by=case.owner)
    assert first_act_of(case) == Clock.MET


def test_answering_a_question_is_the_first_act_of_the_owner_only(cast: Cast) -> None:
    case = asked(cast)
    begin_anew(case)
    made = case.requests.get()
    assert case.owner is not None
    talk.question(request_id=made.pk, by=made.approver, text="Why 18?")
    talk.answer(request_id=made.pk, by=cast.csm if cast.csm != case.owner else cast.ae, text="They ask for it.")
    assert first_act_of(case) == Clock.RUNNING
    if case.owner != made.approver:
        talk.answer(request_id=made.pk, by=case.owner, text="Two competitors offer it.")
        assert first_act_of(case) == Clock.MET


def test_an_internal_post_on_a_red_case_is_due_again_by_its_rhythm(cast: Cast) -> None:
    case = accepted(cast, **ISSUE, legal=True)
    assert case.tier == states.RED
    first = live(case, states.INTERNAL_UPDATE)
    post(case, cast)
    again = live(case, states.INTERNAL_UPDATE)
    assert again.target_text.startswith("4 hours")
    assert again.target_seconds == first.target_seconds
    assert again.target_seconds <= 4 * 3600


def test_the_composer_prefills_no_other_time(cast: Cast, browse: Browse) -> None:  # noqa: F811
    case = accepted(cast, **ISSUE, legal=True)
    page = browse(case.owner, f"/escalations/{case.key}/").content.decode()
    start = page.index('name="next_update_at"')
    assert "value=" not in page[start : page.index(">", start)]
    assert "Next internal update" in page


def test_the_next_customer_update_counts_on_the_calendar_of_its_target(cast: Cast) -> None:
    with time_machine.travel(FRIDAY, tick=False):
        case = accepted(cast, **ISSUE)
        assert case.tier == states.YELLOW
        lead = case.people.get(duty="communication").user
        communication.customer_update(case_id=case.pk, by=lead, text="We work on it.", contacts=[cast.contact])
        clock = live(case, states.CUSTOMER_UPDATE)
        assert clock.calendar is not None
        assert clock.target_text == "2 business days"
        # Monday is a holiday.
        assert clock.due_at == FRIDAY + timedelta(days=5)
        case.refresh_from_db()
        assert case.next_update_at == clock.due_at


def test_a_time_that_was_promised_to_the_customer_applies(cast: Cast) -> None:
    case = accepted(cast, **ISSUE)
    lead = case.people.get(duty="communication").user
    when = now() + timedelta(hours=3)
    communication.customer_update(
        case_id=case.pk, by=lead, text="At three.", contacts=[cast.contact], next_update_at=when
    )
    assert live(case, states.CUSTOMER_UPDATE).due_at == when


@pytest.fixture
def closed(cast: Cast) -> Escalation:
    """A closed case that had promised an update."""
    case = accepted(cast, **ISSUE)
    communication.post(case_id=case.pk, by=cast.csm, text="Soon.", next_update_at=now() + timedelta(days=1))
    assert case.owner is not None
    closing.skip_to_execute(case_id=case.pk, by=case.owner, reason="Inside the playbook")
    closing.resolve(case_id=case.pk, by=case.owner, ending=closing.Ending("fixed", "Invoice", "Corrected.", True))
    closing.waive_review(case_id=case.pk, by=cast.admin, reason="Small")
    return closing.close(case_id=case.pk, by=case.owner)


def test_a_closed_case_has_no_composer_and_no_next_update(cast: Cast, closed: Escalation, browse: Browse) -> None:  # noqa: F811
    page = browse(closed.owner, f"/escalations/{closed.key}/").content.decode()
    assert 'id="composer"' not in page
    assert "No status yet" not in page
    assert "next update" not in page.lower()
    assert Escalation.objects.get(pk=closed.pk).next_update_at is None


def test_a_closed_case_takes_no_updates(cast: Cast, closed: Escalation) -> None:
    with pytest.raises(Invalid, match="takes no updates"):
        communication.post(case_id=closed.pk, by=cast.csm, text="One more thing.")
    lead = closed.people.get(duty="communication").user
    with pytest.raises(Invalid, match="takes no updates"):
        communication.customer_update(case_id=closed.pk, by=lead, text="One more.", contacts=[cast.contact])
