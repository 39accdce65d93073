"""A dead engine is noticed within a minute."""

import time

import pytest

from tests.support.server import Desk


def health(desk: Desk) -> int:
    return desk.api("GET", "/healthz")[0]


def wait_for(desk: Desk, status: int, seconds: float) -> float:
    """How long it took until /healthz answered so."""
    begin = time.monotonic()
    while health(desk) != status:
        assert time.monotonic() - begin < seconds, desk.log("engine")
        time.sleep(0.25)
    return time.monotonic() - begin


@pytest.mark.timeout(300)
def test_an_engine_that_is_killed_is_missed_a_minute_later_and_welcome_back(empty_desk: Desk) -> None:
    wait_for(empty_desk, 200, 60)
    empty_desk.kill("engine")
    assert health(empty_desk) == 200
    empty_desk.query("INSERT INTO ledger_clockoffset (seconds) VALUES (%s)", [60.5])
    status, answer = empty_desk.api("GET", "/healthz")
    assert (status, answer["ok"]) == (503, False)
    assert answer["reasons"][0].startswith("no sign of life from the engine for 6")
    empty_desk.start_engine()
    wait_for(empty_desk, 200, 60)


@pytest.mark.chaos
@pytest.mark.timeout(300)
def test_an_engine_that_is_killed_is_missed_within_a_minute_of_its_death(empty_desk: Desk) -> None:
    wait_for(empty_desk, 200, 60)
    empty_desk.kill("engine")
    assert wait_for(empty_desk, 503, 90) <= 61
