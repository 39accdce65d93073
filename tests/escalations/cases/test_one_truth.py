"""Older faults, each with the right value: who is waited for, second questions, clocks that nobody met, and words."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from approvals.matrix.totals import rate_words
from approvals.models import ApprovalRequest
from approvals.requests import page as approval_page
from escalations import states
from escalations.cases import escalate as escalating
from escalations.cases import handoffs
from escalations.cases import requests as asking
from escalations.cases.handoffs import Notes
from escalations.cases.queries import case_page, queue
from escalations.cases.queries.asked import asked_of
from escalations.forms.requests import initial_of
from escalations.models import Clock, Escalation
from ledger.format import listed
from ledger.now import now
from reports.rules import kpis
from tests.escalations.cases.builders import TEXTS, accepted, asked, briefed
from tests.escalations.tabs.conftest import browse  # noqa: F401 a fixture
from tests.support.cast import Cast

Browse = Callable[..., Any]


def waits_for(case: Escalation, cast: Cast) -> str:
    """Whom the row of the queue names."""
    filters = queue.Filters(view="open")
    return next(row.waits_for for row in queue.every_row(cast.admin, filters, now()) if row.pk == case.pk)


@pytest.mark.both_databases
def test_queue_next_step_and_approvals_wait_for_the_same_people(cast: Cast, browse: Browse) -> None:  # noqa: F811
    case = briefed(cast)
    wanted = asking.CaseAsk("payment-terms", Decimal(60), "USD", "Pay in 60 days?")
    asking.ask(wanted, case_id=case.pk, by=cast.csm)
    made = ApprovalRequest.objects.with_seats().get(case_link__case=case)
    people = [str(person) for person in approval_page.asked_now(made)]
    assert len(people) > 1
    assert waits_for(case, cast) == listed(people)
    assert listed([name for each in asked_of(case) for name in each.people.values()]) == listed(people)
    assert listed(people) in browse(cast.csm, f"/escalations/{case.key}/").content.decode()


@pytest.mark.both_databases
def test_a_case_awaits_its_decision_also_while_a_new_owner_is_asked(cast: Cast) -> None:
    case = asked(cast)
    assert case.owner is not None
    notes = Notes(tried="Called", open_points="The price", ask="Take it")
    handoffs.reassign(case_id=case.pk, by=case.owner, to=cast.ae, notes=notes)
    case.refresh_from_db()
    assert case.state == states.HANDED_OFF
    deciding = queue.view_conditions(cast.admin, now())["deciding"]
    assert list(queue.open_cases(cast.admin).filter(deciding)) == [case]


def test_both_pages_of_a_hand_off_count_the_same(cast: Cast, browse: Browse) -> None:  # noqa: F811
    case = accepted(cast)
    assert case.owner is not None
    running = case.clocks.filter(state=Clock.RUNNING).count()
    before = " ".join(browse(case.owner, f"/escalations/{case.key}/hand-over/").content.decode().split())
    assert f"and {running} running clocks" in before
    assert f"{case.owner.name} stays owner until it is accepted." in before


def test_a_case_without_a_decision_has_no_tick_at_approve(cast: Cast) -> None:
    closed = Escalation.objects.filter(pk=accepted(cast).pk)
    closed.update(state=states.CLOSED)
    case = closed.get()
    assert {each["label"]: each["kind"] for each in case_page.stages(case)}["Approve"] == ""
    case.decided_at = now()
    assert {each["label"]: each["kind"] for each in case_page.stages(case)}["Approve"] == "done"


def test_an_old_status_says_what_happened_since(cast: Cast) -> None:
    case, at = accepted(cast), now()
    case.status_at = at
    assert case.status_written_before == ""
    case.decided_at = at + timedelta(hours=1)
    assert case.status_written_before == "the decision"
    case.resolved_at = at + timedelta(hours=2)
    assert case.status_written_before == "it was resolved"


def test_the_roles_page_lists_everybody_on_the_case(cast: Cast, browse: Browse) -> None:  # noqa: F811
    case = accepted(cast)
    case.people.get_or_create(user=cast.finance, duty="", defaults={"letter": "C", "since": now()})
    table = browse(cast.csm, f"/escalations/{case.key}/roles/").content.decode()
    table = table.split("RACI by person")[1].split("</table>")[0]
    assert all(each.user.name in table for each in case.people.select_related("user"))


@pytest.mark.both_databases
def test_a_case_with_one_seat_waits_for_its_person(cast: Cast) -> None:
    case = asked(cast)
    assert waits_for(case, cast) == str(case.requests.get().approver)


def test_a_second_request_begins_without_the_first_question(cast: Cast) -> None:
    assert initial_of(briefed(cast), TEXTS["ask"])["question"] == TEXTS["ask"]
    assert initial_of(asked(cast), TEXTS["ask"])["question"] == ""


def test_a_hand_up_stops_the_clock_of_the_lower_level(cast: Cast) -> None:
    case = accepted(cast)
    lower = case.clocks.live().get(kind=states.DECISION)
    notes = Notes(tried="Three offers", open_points="The cap", ask="Decide")
    escalating.escalate(case_id=case.pk, by=cast.csm, notes=notes)
    lower.refresh_from_db()
    assert lower.state == Clock.STOPPED
    assert case.clocks.live().get(kind=states.DECISION).level == 3


def test_a_rate_names_its_day_as_people_write_it() -> None:
    rate = {"of": "ask", "currency": "EUR", "amount": "10000", "rate": "1.08", "on": "2015-01-01", "in_usd": "10800"}
    assert rate_words(rate) == "€10,000 counts as $10,800, by the rate 1.08 of Jan 1, 2015."


@pytest.mark.parametrize(
    ("present", "before", "number", "unit", "state"),
    [
        ([3, 2], [], "3", "repeats", "missed"),
        ([2, 1, 1, 1], [1], "1", "repeat", "missed"),
        ([1] * 5, [], "0", "repeats", "met"),
        ([2, 2, 2], [3], "+50", "% QoQ", "missed"),
    ],
)
def test_repeats_without_any_before_are_a_number_and_no_percent(
    present: list[int], before: list[int], number: str, unit: str, state: str
) -> None:
    figure = kpis.recurrence(present, before)
    assert (figure.number, figure.unit, figure.state) == (number, unit, state)
    assert (figure.as_dict()["value"] is None) is not bool(sum(each - 1 for each in before))


def test_decisions_are_counted_as_decisions() -> None:
    assert kpis.FIXED[kpis.DECISIONS].counted == "decision"
    assert kpis.LevelFigure("director", "Director", 48).definition.counted == "decision"
    assert kpis.FIXED[kpis.ESCALATE].counted == "case"


def test_a_tile_without_dollars_says_so(cast: Cast, browse: Browse) -> None:  # noqa: F811
    cast.northwind.currency = "EUR"
    cast.northwind.save(update_fields=["currency"])
    accepted(cast)
    page = " ".join(browse(cast.csm, "/escalations/").content.decode().split())
    assert "1 case with ARR in other currencies" in page
    assert "$0 ARR +" not in page
