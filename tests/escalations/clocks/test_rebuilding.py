"""A clock is its history: whatever happened to it, its row can be worked out again from the entries."""

import random
from datetime import timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command

from accounts.models import Calendar, CalendarDay
from escalations import states
from escalations.cases import thread as communication
from escalations.cases.log import lock
from escalations.clocks import audit as rebuilding
from escalations.clocks import engine as firing
from escalations.clocks import verbs as clocks
from escalations.models import Clock, Escalation, Event
from ledger.now import now
from tests.escalations.cases.builders import accepted, opened
from tests.support.cast import Cast

pytestmark = pytest.mark.both_databases

TIERS = [states.GREEN, states.YELLOW, states.RED]


def anything(case: Escalation, cast: Cast, chance: random.Random) -> None:
    """One thing that may happen to the clocks of a case, by a verb."""
    case = lock(case.pk)
    act = chance.randrange(5)
    if act == 0:
        whom = chance.choice([whom for whom, _ in states.WAITING_ON if whom != case.waiting_on])
        communication.wait_on(case_id=case.pk, by=cast.csm, whom=whom, reason="They read the draft")
    elif act == 1:
        case.tier = chance.choice(TIERS)
        case.save(update_fields=["tier"])
        clocks.retarget(case, at=now())
    elif act == 2:
        clock = chance.choice(list(case.clocks.live()) or [None])
        if clock is not None and clock.state == Clock.RUNNING:
            clocks.pause(case, clock, at=now(), reason="By hand", held=True)
        elif clock is not None:
            clocks.resume(case, clock, at=now())
    elif act == 3:
        clocks.start(case, chance.choice([states.RESPONSE, states.DECISION, states.RESOLUTION]), at=now())
    else:
        CalendarDay.objects.create(
            calendar=Calendar.objects.get(slug="business"), month=1 + chance.randrange(12), day=1 + chance.randrange(28)
        )
        Calendar.objects.get(slug="business").save()
        rebuilding.follow_calendars(now())


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_the_clocks_can_be_rebuilt_from_their_history(cast: Cast, seed: int, proving: bool) -> None:
    chance = random.Random(seed)
    start = now()
    for number in range(40 if proving else 4):
        with time_machine.travel(start, tick=False):
            case = accepted(cast, title=f"Case {number}") if number % 2 else opened(cast, title=f"Case {number}")
        moment = start
        for _ in range(8):
            moment += timedelta(minutes=chance.randrange(1, 3000), seconds=chance.randrange(60))
            with time_machine.travel(moment, tick=False):
                while firing.fire_due():
                    pass
                anything(case, cast, chance)
        assert [str(each) for each in rebuilding.differences()] == []


def test_a_row_that_was_meddled_with_is_found_and_put_right(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    case = accepted(cast)
    clock = Clock.objects.get(case=case, kind=states.DECISION)
    Clock.objects.filter(pk=clock.pk).update(due_at=now() + timedelta(days=90), fire_at=now() + timedelta(days=90))
    with pytest.raises(CommandError, match="2 differences in 1 of"):
        call_command("rebuild_clocks")
    assert f"{case.key} Director decision (1): due_at is" in capsys.readouterr().err
    call_command("rebuild_clocks", "--repair")
    fresh = Clock.objects.get(pk=clock.pk)
    assert (fresh.due_at, fresh.fire_at, fresh.fingerprint) == (clock.due_at, clock.fire_at, clock.fingerprint)
    call_command("rebuild_clocks")
    assert "no difference" in capsys.readouterr().out


def test_new_hours_of_a_calendar_move_due_times_from_the_same_start(cast: Cast) -> None:
    case = accepted(cast)
    clock = Clock.objects.filter(case=case, state=Clock.RUNNING, calendar__slug="business").order_by("due_at")[0]
    calendar = clock.calendar
    assert calendar is not None
    assert clock.due_at is not None
    day = clock.due_at.date()
    before = clock.due_at
    for shift in range(-1, 2):
        closed = day + timedelta(days=shift)
        CalendarDay.objects.create(calendar=calendar, year=closed.year, month=closed.month, day=closed.day)
    calendar.save()
    assert rebuilding.follow_calendars(now()) >= 1
    clock.refresh_from_db()
    assert clock.due_at > before
    assert Event.objects.filter(clock=clock, kind="clock.retarget").count() == 1
    assert rebuilding.follow_calendars(now()) == 0
    assert not list(rebuilding.differences())


def test_another_unit_counts_the_stretches_before_a_pause_anew(cast: Cast) -> None:
    """Four business hours, then one clock hour: what ran before the pause counts on the new target's hours."""
    case = opened(cast)
    clock = Clock.objects.get(case=case, kind=states.RESPONSE)
    start = clock.started_at
    for minutes, whom in ((20, states.CUSTOMER), (60, states.NOBODY)):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            communication.wait_on(case_id=case.pk, by=cast.csm, whom=whom, reason="They read it")
    with time_machine.travel(start + timedelta(minutes=70), tick=False):
        locked = lock(case.pk)
        locked.tier = states.RED
        clocks.retarget(locked, at=now())
    clock.refresh_from_db()
    assert clock.calendar is None
    assert clock.used_seconds == 20 * 60
    # One hour around the clock, less the twenty minutes before the pause, from the end of the pause on.
    assert clock.due_at == start + timedelta(minutes=60) + timedelta(minutes=40)
