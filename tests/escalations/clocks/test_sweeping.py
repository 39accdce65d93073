"""Many clocks in one transaction: the same as one by one, each once, and nothing half-done."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from escalations.clocks import audit as rebuilding
from escalations.clocks import firing
from escalations.clocks import sweep as sweeping
from escalations.models import Clock, Escalation, Event
from ledger import bulk, chain
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
            _, moving = sweeping.sweep([swept.pk], now())
            if moving:
                firing.fire_case(swept.pk, now())
            firing.fire_case(alone.pk, now())
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
    for number in (1, 3):
        with time_machine.travel(start, tick=False):
            cases = [accepted(cast, title=f"{number}.{each}") for each in range(number)]
        warn_at = max(first(case).warn_at for case in cases)  # type: ignore[type-var]
        assert warn_at is not None
        with time_machine.travel(warn_at + timedelta(seconds=1), tick=False), CaptureQueriesContext(connection) as seen:
            taken, moving = sweeping.sweep([case.pk for case in cases], now())
        assert (taken, moving) == (number, [])
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 14


def test_a_clock_that_changed_meanwhile_spoils_the_batch_and_nothing_is_written(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = accepted(cast)
    clock = first(case)
    assert clock.warn_at is not None
    read = bulk.read

    def meddled(rows: Any, names: Any) -> Any:
        found = read(rows, names)
        if rows.model is Clock:
            Clock.objects.filter(pk=clock.pk).update(fire_at=now() + timedelta(hours=1))
        return found

    with time_machine.travel(clock.warn_at + timedelta(seconds=1), tick=False):
        before = (Event.objects.count(), Message.objects.count(), Notice.objects.count())
        monkeypatch.setattr(bulk, "read", meddled)
        with pytest.raises(RuntimeError, match="fired by somebody else"):
            sweeping.sweep([case.pk], now())
    assert before == (Event.objects.count(), Message.objects.count(), Notice.objects.count())


def test_one_bad_row_does_not_keep_a_batch_from_firing(cast: Cast) -> None:
    cases = [accepted(cast, title=f"Number {number}") for number in range(3)]
    bad = first(cases[1])
    Clock.objects.filter(pk=bad.pk).update(also_warn_at=["soon"])
    assert bad.warn_at is not None
    with time_machine.travel(bad.warn_at + timedelta(minutes=1), tick=False):
        firing.fire_due()
    warned = Event.objects.filter(kind="clock.warn").values_list("case", flat=True)
    assert set(warned) == {cases[0].pk, cases[2].pk}
    bad.refresh_from_db()
    assert (bad.tries, bad.parked) == (1, False)


def test_rows_are_read_as_django_reads_them(cast: Cast) -> None:
    case = accepted(cast)
    fast = bulk.read(Clock.objects.filter(case=case).order_by("id"), sweeping.READ)
    slow = Clock.objects.filter(case=case).order_by("id").values_list(*sweeping.READ)
    assert [tuple(row) for row in fast] == list(slow)
    joined = bulk.read(
        bulk.among(Escalation.objects.order_by("id"), "id", [case.pk]), ("id", "account__name", "opened_at")
    )
    assert joined == [[case.pk, "Northwind Logistics", case.opened_at]]
