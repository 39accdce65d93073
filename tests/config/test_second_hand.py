"""Two hands of one engine: while one computes the database writes for the other, each clock is fired once, and what one hand
drops the engine picks up."""

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.db.models import Min

from config import engine
from escalations.clocks import audit as rebuilding
from escalations.clocks import firing
from escalations.clocks import sweep as sweeping
from escalations.models import Clock, Event
from ledger.now import now
from tests.escalations.cases.builders import opened
from tests.support.cast import Cast, make_cast

pytestmark = pytest.mark.both_databases

CASES, AT_ONCE = 7, 4


@pytest.fixture
def due(transactional_db: None, monkeypatch: Any) -> Iterator[None]:
    """Seven cases whose first clocks warn now, more than one batch takes."""
    monkeypatch.setattr(engine, "CLOCKS_AT_ONCE", AT_ONCE)
    start = now()
    with time_machine.travel(start, tick=False):
        people: Cast = make_cast()
        for number in range(CASES):
            opened(people, title=f"Case {number}")
    firsts = Clock.objects.live().filter(fire_at__gt=start).values("case").annotate(first=Min("fire_at"))
    last = max(each["first"] for each in firsts)
    with time_machine.travel(last + timedelta(seconds=1), tick=False):
        assert len(firing.due_cases(now(), 100)) == CASES
        yield


def all_fired(monkeypatch: Any, *, breaks: bool = False) -> dict[str, list[int]]:
    """Fire until nothing is due; the cases each hand swept. `breaks`: the second hand's first batch fails."""
    sweep, by_hand = sweeping.sweep, {"second": [], "first": []}

    def noted(cases: list[int], at: Any) -> Any:
        second = threading.current_thread() is not threading.main_thread()
        by_hand["second" if second else "first"] += cases
        if breaks and second and len(by_hand["second"]) == len(cases):
            raise RuntimeError("the first batch of the second hand fails")
        return sweep(cases, at)

    monkeypatch.setattr(sweeping, "sweep", noted)
    with engine.second_hand() as hand:
        while engine.fire(hand):
            pass
    return by_hand


def told() -> Counter[int | None]:
    """How often each clock warned."""
    return Counter(Event.objects.filter(kind="clock.warn").values_list("clock_id", flat=True))


@pytest.mark.postgres
@pytest.mark.parametrize("breaks", [False, True])
def test_each_clock_is_fired_once_by_one_of_two_hands(due: None, monkeypatch: Any, breaks: bool) -> None:
    by_hand = all_fired(monkeypatch, breaks=breaks)
    assert by_hand["second"]
    assert set(by_hand["first"]) | set(by_hand["second"]) == set(Clock.objects.values_list("case_id", flat=True))
    assert set(told().values()) == {1}
    assert not Clock.objects.past_due(now()).exists()
    assert not Clock.objects.filter(parked=True).exists()
    assert list(rebuilding.differences()) == []


def test_without_several_writers_there_is_one_hand(db: None) -> None:
    with engine.second_hand() as hand:
        assert (hand is None) == (connection.vendor == "sqlite")
