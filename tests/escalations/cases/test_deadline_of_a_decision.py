"""The deadline of a request on a case is that of the decision clock: one due time, one warning, whatever moves it."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals.mail import links
from approvals.models import ApprovalRequest, DecisionLink
from approvals.requests import decide as deciding
from approvals.requests import page
from approvals.requests import terms as changing
from escalations import states
from escalations.cases import closing, escalate, thread
from escalations.cases import requests as asking
from escalations.cases.handoffs import Notes
from escalations.clocks import audit, engine, verbs
from escalations.models import Clock, Escalation, Event
from escalations.policy.rows import published_rows
from ledger.errors import Invalid, NotAllowed
from ledger.format import moment
from ledger.now import now
from messaging.models import Message, Notice
from tests.escalations.cases.builders import asked, briefed
from tests.support.cast import Cast
from tests.support.levels import EXECUTIVE

pytestmark = pytest.mark.django_db


def decision(case: Escalation) -> Clock:
    """The decision clock that runs or is paused."""
    return case.clocks.live().get(kind=states.DECISION)


def due(case: Escalation) -> datetime:
    """When that clock is due."""
    found = decision(case).due_at
    assert found is not None
    return found


def ask_for(case: Escalation, cast: Cast, amount: int = 18, **wish: Any) -> ApprovalRequest:
    """Ask for a discount."""
    wanted = asking.CaseAsk("discount", Decimal(amount), "USD", f"Approve {amount} percent?", **wish)
    return asking.ask(wanted, case_id=case.pk, by=cast.csm)


def times(made: ApprovalRequest) -> tuple[datetime, datetime]:
    """Deadline and warning as they are kept."""
    made.refresh_from_db()
    return made.deadline, made.warn_at


def test_without_a_wish_a_request_is_due_when_its_clock_is(cast: Cast) -> None:
    case = briefed(cast)
    made = ask_for(case, cast)
    clock = decision(case)
    assert times(made) == (clock.due_at, clock.warn_at)
    assert not Event.objects.filter(case=case, kind="deadline").exists()


def test_later_than_the_clock_needs_a_reason_and_names_its_time_and_zone(cast: Cast) -> None:
    case = briefed(cast)
    with pytest.raises(Invalid) as refused:
        ask_for(case, cast, deadline=due(case) + timedelta(hours=1), why_later="  ")
    assert refused.value.field == "why_later"
    assert moment(due(case), cast.csm.zone, now()) in refused.value.message
    assert not ApprovalRequest.objects.exists()


def test_a_later_date_moves_the_clock_and_its_reason_is_kept(cast: Cast) -> None:
    case = briefed(cast)
    old, when = decision(case), due(case) + timedelta(days=1)
    made = ask_for(case, cast, deadline=when, why_later="Their board meets on Friday")
    clock = decision(case)
    assert (clock.due_at, made.deadline) == (when, when)
    assert times(made) == (clock.due_at, clock.warn_at)
    old.refresh_from_db()
    assert old.state == Clock.STOPPED
    event = Event.objects.get(case=case, kind="deadline")
    assert event.summary.endswith("Their board meets on Friday")
    assert event.actor == cast.csm
    assert "Their board meets on Friday" in " ".join(clock.why)
    assert made.log.get(kind="asked").facts["why_later"] == "Their board meets on Friday"
    assert list(audit.differences()) == []


def test_an_earlier_date_moves_the_clock_without_a_reason(cast: Cast) -> None:
    case = briefed(cast)
    when = now() + timedelta(hours=3)
    made = ask_for(case, cast, deadline=when)
    assert (due(case), made.deadline) == (when, when)


def test_the_same_minute_as_the_clock_moves_nothing(cast: Cast) -> None:
    case = briefed(cast)
    clock = decision(case)
    made = ask_for(case, cast, deadline=due(case).replace(second=59, microsecond=0))
    assert decision(case) == clock
    assert made.deadline == clock.due_at


def test_the_wish_is_compared_with_the_clock_of_the_level_that_decides(cast: Cast) -> None:
    case = briefed(cast)
    before = due(case)
    made = ask_for(case, cast, 30, deadline=before + timedelta(hours=1))  # an executive sponsor has more time than that
    case.refresh_from_db()
    clock = decision(case)
    assert (case.level, clock.level) == (EXECUTIVE, EXECUTIVE)
    assert made.deadline == before + timedelta(hours=1)
    assert (made.deadline, made.warn_at) == times(made) == (clock.due_at, clock.warn_at)


def test_the_request_that_raises_the_level_has_the_time_of_that_level(cast: Cast) -> None:
    case = briefed(cast)
    before = due(case)
    made = ask_for(case, cast, 30)
    clock = decision(case)
    assert (clock.level, due(case) > before) == (EXECUTIVE, True)
    assert (made.deadline, made.warn_at) == times(made) == (clock.due_at, clock.warn_at)


def test_a_clock_past_its_time_is_missed_and_another_one_runs_to_the_date(cast: Cast) -> None:
    case = briefed(cast)
    old = decision(case)
    with time_machine.travel(due(case) + timedelta(hours=1), tick=False):
        when = now() + timedelta(hours=5)
        with pytest.raises(Invalid):
            ask_for(case, cast, deadline=when)
        made = ask_for(case, cast, deadline=when, why_later="The figures came today")
        old.refresh_from_db()
        assert old.state == Clock.MISSED
        assert (due(case), made.deadline) == (when, when)


def test_a_request_without_a_wish_on_a_late_clock_is_late(cast: Cast) -> None:
    case = briefed(cast)
    with time_machine.travel(due(case) + timedelta(hours=1), tick=False):
        made = ask_for(case, cast)
        assert made.deadline == due(case)
        assert page.due_state(made, now()) == "red"


def test_a_paused_case_keeps_the_deadline_until_it_goes_on(cast: Cast) -> None:
    case = asked(cast)
    made = case.requests.get()
    before = due(case)
    thread.wait_on(case_id=case.pk, by=cast.csm, whom=states.CUSTOMER, reason="Their answer")
    assert times(made)[0] == before
    with time_machine.travel(now() + timedelta(hours=10), tick=False):
        made.refresh_from_db()
        assert page.due_state(made, now()) == page.rows([made], now(), asked=False)[0]["state"] == "pau"
        thread.wait_on(case_id=case.pk, by=cast.csm, whom=states.NOBODY, reason="")
    assert timedelta(hours=9) < due(case) - before < timedelta(hours=11)
    assert times(made) == (decision(case).due_at, decision(case).warn_at)
    made.refresh_from_db()
    assert made.paused_at is None


def test_a_clock_held_by_hand_moves_the_deadline_when_it_goes_on(cast: Cast) -> None:
    case = asked(cast)
    made, clock = case.requests.get(), decision(case)
    verbs.hold(case_id=case.pk, clock_id=clock.pk, by=cast.csm, reason="Legal hold")
    with time_machine.travel(now() + timedelta(hours=10), tick=False):
        verbs.let_go(case_id=case.pk, clock_id=clock.pk, by=cast.csm)
    clock.refresh_from_db()
    assert times(made) == (clock.due_at, clock.warn_at)


def test_asking_while_the_clock_is_paused_counts_as_if_it_ran_on(cast: Cast) -> None:
    case = briefed(cast)
    left = due(case) - now()
    clock = decision(case)
    verbs.hold(case_id=case.pk, clock_id=clock.pk, by=cast.csm, reason="Legal hold")
    with time_machine.travel(now() + timedelta(hours=10), tick=False):
        made = ask_for(case, cast)
        assert abs(made.deadline - now() - left) < timedelta(seconds=5)
        newer = ask_for(case, cast, 17, deadline=now() + timedelta(hours=2))
    moved = decision(case)
    assert (moved.state, moved.held, moved.pause_reason) == (Clock.PAUSED, True, "Legal hold")
    assert times(made)[0] == times(newer)[0]
    assert {each.paused_at for each in case.requests.all()} == {moved.paused_at}
    mail = Message.objects.filter(kind="approval").latest("pk")
    assert mail.subject.startswith("Decision needed, its clock is paused: ")


def test_a_link_lives_while_the_clock_is_paused(cast: Cast) -> None:
    case = asked(cast)
    made = case.requests.get()
    thread.wait_on(case_id=case.pk, by=cast.csm, whom=states.CUSTOMER, reason="Their answer")
    with time_machine.travel(made.deadline + timedelta(days=8), tick=False):
        assert links.is_alive(DecisionLink.objects.select_related("request").get(), now())


def test_a_decision_undone_takes_the_time_of_a_clock_that_moved_meanwhile(cast: Cast) -> None:
    case = asked(cast)
    made = case.requests.get()
    ask_for(case, cast, 17)
    deciding.decide(request_id=made.pk, by=cast.director, verdict="approved", version=made.version)
    ask_for(case, cast, 16, deadline=now() + timedelta(days=30), why_later="They are away")
    deciding.undo(request_id=made.pk, by=cast.director)
    clock = decision(case)
    assert times(made) == (clock.due_at, clock.warn_at)
    alive = DecisionLink.objects.filter(request=made, dead_since=None)
    assert all(link.expires_at > clock.due_at for link in alive)


def test_who_may_not_ask_on_the_case_does_not_move_its_clock_by_asking_again(cast: Cast) -> None:
    case = asked(cast)
    made, before = case.requests.get(), due(case)
    deciding.recall(request_id=made.pk, by=cast.csm, reason="Better terms")
    wish = changing.Wish(before + timedelta(days=9), "They are away")
    with pytest.raises(NotAllowed):
        changing.resubmit(request_id=made.pk, by=cast.director, wish=wish)
    again = changing.resubmit(request_id=made.pk, by=cast.director)
    assert times(again)[0] == due(case)


def test_people_asked_in_other_requests_are_notified_of_the_new_time(cast: Cast) -> None:
    case = asked(cast)
    ask_for(case, cast, 17, deadline=now() + timedelta(days=30), why_later="They are away")
    told = Notice.objects.filter(user=cast.director, key__startswith="due:").get()
    assert told.text.endswith(": They are away")
    assert "another due time" in told.text


def test_repairing_an_ended_clock_leaves_the_deadlines(cast: Cast) -> None:
    case = asked(cast)
    made, ended = case.requests.get(), decision(case)
    verbs.move_due(case, ended, now() + timedelta(days=9), at=now(), why="Test")
    Clock.objects.filter(pk=ended.pk).update(used_seconds=5)
    assert audit.repair(ended.pk)
    assert times(made) == (decision(case).due_at, decision(case).warn_at)


def test_escalating_gives_every_open_request_the_new_time_in_the_same_number_of_queries(cast: Cast) -> None:
    def moved(case: Escalation) -> int:
        clock = decision(case)
        with CaptureQueriesContext(connection) as queries:
            verbs.move_due(case, clock, now() + timedelta(hours=9), at=now(), why="Test")
        assert {times(made) for made in case.requests.all()} == {(decision(case).due_at, decision(case).warn_at)}
        return len(queries)

    case = asked(cast)
    moved(case)  # reads the policy once
    one = moved(case)
    ask_for(case, cast, 17)
    ask_for(case, cast, 16)
    case.refresh_from_db(fields=["log_count", "log_last", "log_seal"])
    assert case.requests.count() == 3
    assert moved(case) == one


@pytest.mark.both_databases
def test_a_higher_level_gives_the_open_requests_its_own_time(cast: Cast) -> None:
    case = asked(cast)
    notes = Notes("Stuck", "Tried both", "The price", "Decide")
    escalate.escalate(case_id=case.pk, by=cast.csm, notes=notes)
    clock = decision(case)
    made = case.requests.get()
    assert clock.level == EXECUTIVE
    assert (made.deadline, made.warn_at) == (clock.due_at, clock.warn_at)


@pytest.mark.both_databases
def test_worse_terms_of_one_request_give_its_neighbour_the_new_time(cast: Cast) -> None:
    case = asked(cast)
    first, second = case.requests.get(), ask_for(case, cast, 17)
    made = changing.change_terms(
        request_id=first.pk,
        by=cast.csm,
        version=first.version,
        reason="More",
        wanted=changing.NewTerms(amount=Decimal(30)),
    )
    clock = decision(case)
    assert clock.level == EXECUTIVE
    assert (made.deadline, made.warn_at) == times(first) == times(second) == (clock.due_at, clock.warn_at)


def test_the_engine_that_takes_a_case_up_moves_the_deadline(cast: Cast) -> None:
    case = asked(cast)
    made = case.requests.get()
    with time_machine.travel(due(case) + timedelta(minutes=1), tick=False):
        engine.fire_due()
    clock = decision(case)
    assert clock.level == EXECUTIVE
    assert times(made) == (clock.due_at, clock.warn_at)


def test_a_recalled_request_asked_again_goes_by_the_same_rule(cast: Cast) -> None:
    case = asked(cast)
    made = case.requests.get()
    deciding.recall(request_id=made.pk, by=cast.csm, reason="A word is missing")
    when = due(case) + timedelta(days=1)
    with pytest.raises(Invalid) as refused:
        changing.resubmit(request_id=made.pk, by=cast.csm, wish=changing.Wish(when))
    assert refused.value.field == "why_later"
    newer = changing.resubmit(request_id=made.pk, by=cast.csm, wish=changing.Wish(when, "Their board"))
    assert (due(case), newer.deadline) == (when, when)
    deciding.recall(request_id=newer.pk, by=cast.csm, reason="Another word")
    assert changing.resubmit(request_id=newer.pk, by=cast.csm).deadline == due(case)


def test_a_request_that_replaces_another_is_due_with_the_clock(cast: Cast) -> None:
    case = asked(cast)
    made = case.requests.get()
    wanted = changing.NewTerms(amount=Decimal(17))
    newer = changing.supersede(request_id=made.pk, by=cast.csm, version=made.version, reason="Less", wanted=wanted)
    assert newer.pk != made.pk
    assert times(newer) == (decision(case).due_at, decision(case).warn_at)


def test_a_decision_taken_back_is_due_with_its_new_clock(cast: Cast) -> None:
    case = asked(cast)
    made = case.requests.get()
    deciding.decide(request_id=made.pk, by=cast.director, verdict="approved", version=made.version)
    back = deciding.undo(request_id=made.pk, by=cast.director)
    assert (back.deadline, back.warn_at) == times(made) == (decision(case).due_at, decision(case).warn_at)


def test_without_a_target_a_request_has_the_deadline_it_names(cast: Cast) -> None:
    case = briefed(cast)
    case.policy.targets.filter(clock=states.DECISION).delete()
    published_rows.cache_clear()
    verbs.stop(case, states.DECISION, at=now(), outcome=Clock.STOPPED)
    with pytest.raises(Invalid) as refused:
        ask_for(case, cast)
    assert refused.value.field == "deadline"
    when = now() + timedelta(days=9)
    assert ask_for(case, cast, deadline=when).deadline == when


def test_case_queue_and_approvals_turn_yellow_at_the_same_moment(cast: Cast) -> None:
    case = asked(cast)
    clock, made = decision(case), case.requests.get()
    assert clock.warn_at is not None
    for at, colour in ((clock.warn_at - timedelta(seconds=1), "grn"), (clock.warn_at, "yel"), (due(case), "red")):
        assert clock.status(at) == page.due_state(made, at) == page.rows([made], at, asked=False)[0]["state"] == colour


def test_links_live_as_long_as_a_later_deadline(cast: Cast) -> None:
    case = asked(cast)
    when = due(case) + timedelta(days=30)
    verbs.move_due(case, decision(case), when, at=now(), why="Test")
    assert DecisionLink.objects.get().expires_at == when + timedelta(days=7)


def test_a_case_that_is_reopened_gives_its_open_request_the_new_clock(cast: Cast) -> None:
    case = asked(cast)
    made = case.requests.get()
    Escalation.objects.filter(pk=case.pk).update(state=states.RESOLVED)
    closing.reopen(case_id=case.pk, by=cast.csm, reason="It is back")
    assert times(made) == (decision(case).due_at, decision(case).warn_at)
