"""The engine fires each step once, at its time, and a breach takes the case up."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import OperationalError

from approvals.requests import decide as deciding
from escalations import states
from escalations.cases import requests as asking
from escalations.cases import thread as communication
from escalations.clocks import engine as firing
from escalations.clocks import notify as standing
from escalations.clocks import verbs
from escalations.clocks.rules.clock import Step, StepKind, advance
from escalations.models import Clock, Escalation, Event, HandOff
from ledger import chain
from ledger.now import now
from messaging.models import Message, Notice
from tests.escalations.cases.builders import accepted, asked, opened, waiting_handoff
from tests.support.cast import Cast
from tests.support.levels import DIRECTOR, EXECUTIVE, TEAM

pytestmark = pytest.mark.both_databases


def live(case: Escalation, kind: str) -> Clock:
    """The running clock of a kind."""
    return Clock.objects.get(case=case, kind=kind, state__in=[Clock.RUNNING, Clock.PAUSED])


def test_nothing_fires_before_its_time(cast: Cast) -> None:
    opened(cast)
    assert firing.fire_due() == 0


def first_due(case: Escalation) -> Clock:
    """The clock that speaks first."""
    return Clock.objects.filter(case=case, state=Clock.RUNNING).order_by("fire_at", "id")[0]


def test_a_warning_fires_once_at_three_quarters(cast: Cast) -> None:
    case = accepted(cast)
    clock = first_due(case)
    assert clock.fire_at == clock.warn_at is not None
    with time_machine.travel(clock.warn_at + timedelta(seconds=1), tick=False):
        assert firing.fire_due() >= 1
        clock.refresh_from_db()
        assert (clock.warned_percent, clock.fire_at) == (75, clock.due_at)
        assert clock.warned_at is not None
        assert firing.fire_due() == 0
    assert Event.objects.filter(case=case, kind="clock.warn", clock=clock).count() == 1
    assert Message.objects.filter(kind="warning").exists()
    assert chain_is_whole(case)


def chain_is_whole(case: Escalation) -> bool:
    """Every entry of the case signs the one before it."""
    case = Escalation.objects.get(pk=case.pk)
    return not list(chain.breaks_in(case, case.events.order_by("seq")))


def test_further_warnings_fire_each_once_and_a_late_one_stands_for_those_before_it(cast: Cast) -> None:
    case = accepted(cast)
    clock = live(case, states.DECISION)
    state = clock.as_state(verbs.hours_of(clock))
    terms = replace(state.terms, also_warn_at=(50, 90))
    clock.take(advance(state, Step(StepKind.RETARGET, terms=terms), now()))
    clock.save()
    moments = dict(clock.as_state().warnings)
    assert clock.fire_at == moments[50] < moments[75] < moments[90]
    with time_machine.travel(moments[75] + timedelta(seconds=1), tick=False):
        firing.fire_due()
    clock.refresh_from_db()
    assert (clock.warned_percent, clock.fire_at) == (75, moments[90])
    with time_machine.travel(moments[90] + timedelta(seconds=1), tick=False):
        firing.fire_due()
    clock.refresh_from_db()
    assert (clock.warned_percent, clock.fire_at) == (90, clock.due_at)
    summaries = Event.objects.filter(kind="clock.warn", clock=clock).order_by("seq").values_list("summary", flat=True)
    assert [text.split(": ")[1] for text in summaries] == ["75% of the time is used", "90% of the time is used"]


def test_after_a_breach_people_are_told_again_as_often_as_the_row_says(cast: Cast) -> None:
    case = accepted(cast)
    clock = live(case, states.CUSTOMER_UPDATE)
    Clock.objects.filter(pk=clock.pk).update(repeat_minutes=60, repeat_times=2)
    # Alone: otherwise the one message a case gets may be about another of its clocks.
    Clock.objects.filter(case=case).exclude(pk=clock.pk).update(fire_at=None)
    assert clock.due_at is not None
    for hours in (0, 1, 2, 3, 4):
        with time_machine.travel(clock.due_at + timedelta(hours=hours, seconds=1), tick=False):
            firing.fire_due()
    clock.refresh_from_db()
    assert (clock.repeats, clock.fire_at) == (2, None)
    assert Event.objects.filter(kind="clock.repeat", clock=clock).count() == 2
    keys = Message.objects.filter(user=cast.csm, key__startswith="repeat:").values_list("key", flat=True)
    assert sorted(keys) == [f"repeat:{clock.pk}:{number}:{cast.csm.pk}" for number in (1, 2)]


def test_who_accepted_and_did_nothing_is_reminded_and_then_the_case_is_handed_on(cast: Cast) -> None:
    case = accepted(cast)
    owner, clock = case.owner, live(case, states.FIRST_ACT)
    assert owner is not None
    assert clock.due_at is not None
    with time_machine.travel(clock.due_at + timedelta(seconds=1), tick=False):
        firing.fire_due()
    assert Message.objects.filter(kind="breach", user=owner).exists()
    clock.refresh_from_db()
    assert clock.state == Clock.RUNNING
    assert clock.fire_at is not None
    with time_machine.travel(clock.fire_at + timedelta(seconds=1), tick=False):
        firing.fire_due()
    handoff = waiting_handoff(case)
    assert handoff.to_user != owner
    assert handoff.why.startswith(f"{owner.name} accepted the case but has not started in time")
    clock.refresh_from_db()
    assert clock.state == Clock.MISSED
    assert Event.objects.filter(case=case, kind="decayed").count() == 1


def test_a_role_nobody_holds_sends_the_case_to_the_next_row_and_says_so(cast: Cast) -> None:
    case = opened(cast, issue_type="payment-terms-dispute", concession="", amount=None)
    assert case.level == TEAM
    clock = live(case, states.DECISION)
    assert clock.due_at is not None
    with time_machine.travel(clock.due_at + timedelta(seconds=1), tick=False):
        while firing.fire_due():
            pass
    case = Escalation.objects.get(pk=case.pk)
    assert case.level == DIRECTOR
    assert case.people.get(duty="authority").user == cast.director
    event = Event.objects.get(case=case, kind="nobody", data__role="finance-director")
    assert event.summary == "Nobody else holds the role finance director; the next row is asked: director"


def test_an_unaccepted_handoff_decays_and_moves_on(cast: Cast) -> None:
    case = opened(cast)
    first = waiting_handoff(case)
    clock = live(case, states.ACCEPTANCE)
    assert clock.due_at is not None
    with time_machine.travel(clock.due_at + timedelta(seconds=1), tick=False):
        firing.fire_due()
    assert HandOff.objects.get(pk=first.pk).state == HandOff.EXPIRED
    following = waiting_handoff(case)
    assert following.to_user != first.to_user
    assert live(case, states.ACCEPTANCE).generation == clock.generation + 1
    clock.refresh_from_db()
    assert (clock.state, clock.breached_at) == (Clock.MISSED, clock.due_at)


def test_a_late_decision_goes_to_the_next_level_with_a_handoff_note(cast: Cast) -> None:
    case = asked(cast)
    clock = live(case, states.DECISION)
    communication.post(case_id=case.pk, by=cast.csm, text="Waiting for Lena.")
    assert clock.due_at is not None
    with time_machine.travel(clock.due_at + timedelta(seconds=1), tick=False):
        firing.fire_due()
        case = Escalation.objects.get(pk=case.pk)
        made = case.requests.get()
        assert case.level == EXECUTIVE
        assert made.is_open
        assert made.approver == cast.sponsor
        assert case.people.get(duty="authority").user == cast.sponsor
        assert case.people.filter(letter="A").count() == 1
        assert HandOff.objects.filter(case=case, duty="authority", to_user=cast.sponsor, state=HandOff.WAITING).exists()
        assert live(case, states.DECISION).level == EXECUTIVE
        firing.fire_due()
        assert Event.objects.filter(case=case, kind="level").count() == 1
    assert Message.objects.filter(kind="breach").exists()
    assert Notice.objects.filter(user=cast.sponsor, kind="handoff").exists()
    clock.refresh_from_db()
    assert clock.breached_at == clock.due_at


def test_at_the_top_people_are_told_and_the_request_stays_open(cast: Cast) -> None:
    case = asked(cast, amount=30)
    clock = live(case, states.DECISION)
    assert clock.due_at is not None
    with time_machine.travel(clock.due_at + timedelta(seconds=1), tick=False):
        firing.fire_due()
    assert Event.objects.filter(case=case, kind="clock.breach", clock=clock).count() == 1
    assert case.requests.get().is_open


def test_after_an_outage_everything_due_fires_once_with_the_due_time_as_breach_time(cast: Cast) -> None:
    case = accepted(cast)
    with time_machine.travel(now() + timedelta(days=30), tick=False):
        for _ in range(20):
            if not firing.fire_due():
                break
        assert firing.fire_due() == 0
    breaches = Event.objects.filter(case=case, kind="clock.breach")
    per_clock = list(breaches.values_list("clock", flat=True))
    assert len(per_clock) == len(set(per_clock)) > 0
    assert all(
        clock.breached_at == clock.due_at for clock in Clock.objects.filter(pk__in=per_clock, due_at__isnull=False)
    )


def test_a_clock_that_cannot_fire_is_parked_and_does_not_stop_the_others(cast: Cast) -> None:
    bad, good = accepted(cast), accepted(cast, title="Second")
    broken = first_due(bad)
    Clock.objects.filter(pk=broken.pk).update(warnings=[[75, 0]])
    other = first_due(good)
    assert broken.warn_at is not None
    assert other.warn_at is not None
    with time_machine.travel(max(broken.warn_at, other.warn_at) + timedelta(seconds=1), tick=False):
        for _ in range(3):
            firing.fire_due()
        broken.refresh_from_db()
        assert broken.parked
        assert "TypeError" in broken.error
        assert not Event.objects.filter(clock=broken, kind="clock.warn").exists()
        other.refresh_from_db()
        assert other.warned_at is not None
        assert firing.fire_due() == 0


def test_a_late_customer_update_reminds_and_does_not_raise_the_level(cast: Cast) -> None:
    case = accepted(cast)
    communication.customer_update(
        case_id=case.pk,
        by=cast.csm,
        text="Word by noon.",
        contacts=[cast.contact],
        next_update_at=now() + timedelta(hours=3),
    )
    with time_machine.travel(now() + timedelta(hours=3, minutes=1), tick=False):
        while firing.fire_due():
            pass
    case = Escalation.objects.get(pk=case.pk)
    assert case.level == DIRECTOR
    assert Event.objects.filter(case=case, kind="clock.breach", clock__kind=states.CUSTOMER_UPDATE).count() == 1
    assert Message.objects.filter(kind="breach", user=cast.csm).exists()


def test_deciding_answers_the_hand_off_of_the_decision_authority(cast: Cast) -> None:
    case = asked(cast)
    clock = live(case, states.DECISION)
    assert clock.due_at is not None
    with time_machine.travel(clock.due_at + timedelta(seconds=1), tick=False):
        firing.fire_due()
        made = case.requests.get()
        deciding.decide(request_id=made.pk, by=cast.sponsor, verdict="approved", version=made.version)
    handoff = HandOff.objects.get(case=case, duty="authority", to_user=cast.sponsor)
    assert handoff.state == HandOff.ACCEPTED
    assert case.people.get(duty="authority").accepted_at is not None


def test_an_update_to_the_customer_keeps_its_clock_running_while_we_wait_for_them(cast: Cast) -> None:
    case = accepted(cast)
    communication.wait_on(case_id=case.pk, by=cast.csm, whom="customer", reason="Counsel reads the draft")
    communication.customer_update(case_id=case.pk, by=cast.csm, text="Any news?", contacts=[cast.contact])
    assert live(case, states.CUSTOMER_UPDATE).state == Clock.RUNNING


def test_a_case_whose_word_cannot_be_written_is_set_aside_too(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    case = accepted(cast)
    clock = first_due(case)
    assert clock.warn_at is not None

    def post(*_: object, **__: object) -> None:
        raise RuntimeError("no such template")

    monkeypatch.setattr(standing, "post", post)
    with time_machine.travel(clock.warn_at + timedelta(seconds=1), tick=False):
        for _ in range(3):
            assert firing.fire_due() == 0
        clock.refresh_from_db()
        assert (clock.parked, clock.warned_at) == (True, None)
        assert "no such template" in clock.error


def test_a_busy_database_is_nobodys_fault(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    case = accepted(cast)
    clock = first_due(case)
    assert clock.warn_at is not None

    def post(*_: object, **__: object) -> None:
        raise OperationalError("database is locked")

    with time_machine.travel(clock.warn_at + timedelta(seconds=1), tick=False):
        with monkeypatch.context() as patch:
            patch.setattr(standing, "post", post)
            for _ in range(5):
                firing.fire_due()
        clock.refresh_from_db()
        assert (clock.parked, clock.tries) == (False, 0)
        assert firing.fire_due() >= 1


def test_a_second_request_is_promised_a_decision_too(cast: Cast) -> None:
    case = asked(cast)
    made = case.requests.get()
    deciding.decide(
        request_id=made.pk,
        by=cast.director,
        verdict="declined",
        version=made.version,
        words=deciding.Words(reason="Too much"),
    )
    running = Clock.objects.filter(case=case, kind=states.DECISION, state=Clock.RUNNING)
    running.update(state=Clock.STOPPED, stopped_at=now())
    question = "Approve a 15 percent discount for Northwind?"
    wanted = asking.CaseAsk("discount", Decimal(15), "USD", question)
    again = asking.ask(wanted, case_id=case.pk, by=cast.csm)
    assert again.is_open
    assert live(case, states.DECISION).state == Clock.RUNNING
