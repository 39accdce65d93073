"""Many clocks in one transaction: the same as one by one, each once, and nothing half-done."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from escalations.cases.log import Entry, lock, record
from escalations.clocks import audit as rebuilding
from escalations.clocks import engine
from escalations.models import Clock, Escalation, Event
from ledger import chain
from ledger.now import now
from messaging.models import Message, Notice
from tests.escalations.cases.builders import accepted
from tests.support.cast import Cast

pytestmark = pytest.mark.both_databases

FIELDS = ("kind", "state", "warned_percent", "breached_at", "repeats", "fire_at", "due_at")


def standing_of(case: Escalation) -> list[tuple[Any, ...]]:
    """The clocks of a case as far as firing changes them."""
    return list(case.clocks.order_by("kind", "generation").values_list(*FIELDS))


def first(case: Escalation) -> Clock:
    """The running clock that warns first."""
    return case.clocks.filter(state=Clock.RUNNING).order_by("warn_at")[0]


def words_of(case: Escalation) -> list[tuple[str, str]]:
    """What the thread says of its clocks."""
    rows = case.events.filter(kind__in=["clock.warn", "clock.breach", "clock.repeat"]).order_by("clock__kind", "seq")
    return list(rows.values_list("kind", "summary"))


def test_in_a_batch_or_alone_a_case_ends_up_the_same(cast: Cast) -> None:
    start = now()
    with time_machine.travel(start, tick=False):
        swept, alone = accepted(cast), accepted(cast, title="The other")
    for hours in (0.4, 0.6, 2, 20, 30, 37):
        with time_machine.travel(start + timedelta(hours=hours), tick=False):
            engine.fire_case(alone.pk, now())
            while engine.fire_due():
                pass
            assert standing_of(swept) == standing_of(alone)
    assert words_of(swept) == words_of(alone)
    assert len(words_of(swept)) > 2
    for case in (swept, alone):
        case.refresh_from_db()
        assert not list(chain.breaks_in(case, case.events.order_by("seq")))
    assert not list(rebuilding.differences())


def test_the_statements_do_not_grow_with_the_clocks(cast: Cast) -> None:
    start = now()
    counts = []
    for number in (2, 5):
        with time_machine.travel(start, tick=False):
            cases = [accepted(cast, title=f"{number}.{each}") for each in range(number)]
        warn_at = max(first(case).warn_at for case in cases)  # type: ignore[type-var]
        assert warn_at is not None
        with time_machine.travel(warn_at + timedelta(seconds=1), tick=False), CaptureQueriesContext(connection) as seen:
            assert engine.fire_due() == number
        counts.append(len(seen))
    # One statement more where the clocks do not share their next moment, however many they are.
    assert counts[1] <= counts[0] + 1


def test_all_that_is_due_on_a_case_is_read_when_the_limit_cuts_its_clocks(cast: Cast) -> None:
    start = now()
    with time_machine.travel(start, tick=False):
        oldest, later = accepted(cast), accepted(cast, title="The other")
    with time_machine.travel(start + timedelta(days=3), tick=False):
        everything = engine.due_clocks(now())
        cut = engine.due_clocks(now(), limit=1)
    of_oldest = [clock for clock in everything if clock.case_id == everything[0].case_id]
    assert {clock.case_id for clock in everything} == {oldest.pk, later.pk}
    assert cut == of_oldest
    assert len(cut) > 1


def test_a_clock_that_changed_meanwhile_spoils_the_batch_and_nothing_is_written(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = accepted(cast)
    clock = first(case)
    assert clock.warn_at is not None
    claim = engine.claim

    def meddled(clocks: Any) -> Any:
        Clock.objects.filter(pk=clock.pk).update(fire_at=now() + timedelta(hours=1))
        return claim(clocks)

    with time_machine.travel(clock.warn_at + timedelta(seconds=1), tick=False):
        before = (Event.objects.count(), Message.objects.count(), Notice.objects.count())
        due = engine.due_clocks(now())
        monkeypatch.setattr(engine, "claim", meddled)
        with pytest.raises(RuntimeError, match="fired by somebody else"):
            engine.fire_batch(due, now())
    assert before == (Event.objects.count(), Message.objects.count(), Notice.objects.count())


def test_one_bad_row_does_not_keep_a_batch_from_firing(cast: Cast) -> None:
    cases = [accepted(cast, title=f"Number {number}") for number in range(3)]
    bad = first(cases[1])
    all_warned = max(moment for case in cases if (moment := first(case).warn_at))
    Clock.objects.filter(pk=bad.pk).update(warnings=[[75, 0]])
    with time_machine.travel(all_warned + timedelta(minutes=1), tick=False):
        engine.fire_due()
    fired = Event.objects.filter(kind__in=["clock.warn", "clock.breach"]).values_list("case", flat=True)
    assert set(fired) == {cases[0].pk, cases[2].pk}
    bad.refresh_from_db()
    assert (bad.tries, bad.parked) == (1, False)


def test_a_case_that_changed_since_it_was_read_waits_for_the_next_round(cast: Cast) -> None:
    case = accepted(cast)
    clock = first(case)
    assert clock.warn_at is not None
    with time_machine.travel(clock.warn_at + timedelta(seconds=1), tick=False):
        due = engine.due_clocks(now())
        record(lock(case.pk), [Entry(kind="status", summary="Somebody writes meanwhile")], at=now())
        assert engine.fire_batch(due, now()) == 0
        assert engine.fire_due() == len(due)


def test_one_warning_is_fired_in_at_most_eight_statements(
    cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    clock = first(accepted(cast))
    assert clock.warn_at is not None
    with time_machine.travel(clock.warn_at + timedelta(seconds=1), tick=False), django_assert_max_num_queries(8):
        assert engine.fire_due() == 1
    assert Message.objects.filter(kind="warning").exists()
