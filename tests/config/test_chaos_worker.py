"""django-q2 may fail in any way it can: the engine fires the clocks; and with the engine dead, the worker's sweep fires them.

The long forms wait for the real timetable, which is read every half minute; `make chaos` runs them.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support import chaos
from tests.support.databases import DEMO, Templates
from tests.support.ports import free_port
from tests.support.processes import eventually, processes
from tests.support.server import ROOT, environment_for

Started = tuple[chaos.Nursery, "subprocess.Popen[bytes]"]


@pytest.fixture
def desk(database_templates: Templates, tmp_path: Path) -> Iterator[Started]:
    """Cases with clocks, no engine yet, and a worker that has begun to work."""
    with database_templates.copy(DEMO) as url, chaos.nursery(url, tmp_path) as engines:
        engines.ask("build", 30)
        environment = environment_for(url, tmp_path, port=free_port(), CLOCK_MAY_MOVE="0")
        with (tmp_path / "worker.log").open("wb") as log:
            command = [sys.executable, "manage.py", "run_worker"]
            worker = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        try:
            assert eventually(lambda: bool(engines.ask("worker_lives")), 90), (tmp_path / "worker.log").read_text()
            yield engines, worker
        finally:
            end(worker)


def end(worker: "subprocess.Popen[bytes]") -> None:
    """End the worker and all that it started, gently where it can be."""
    family = processes(worker)
    worker.terminate()
    try:
        worker.wait(1)
    except subprocess.TimeoutExpired:
        for pid in family:
            if Path(f"/proc/{pid}").exists():
                os.kill(pid, signal.SIGKILL)
        worker.kill()
        worker.wait()


def hands_of(worker: "subprocess.Popen[bytes]") -> list[int]:
    """The two processes that work, by age."""
    return sorted(pid for pid, (parent, _) in processes(worker).items() if parent == worker.pid)


def kill_idle_worker(worker: "subprocess.Popen[bytes]") -> None:
    """The first of the two that work, while it waits for work."""
    os.kill(hands_of(worker)[0], signal.SIGKILL)


def kill_all_that_work(worker: "subprocess.Popen[bytes]") -> None:
    """Nobody does jobs any more, and nobody replaces them. None is only stopped: it could keep SQLite's write lock."""
    hands = hands_of(worker)
    os.kill(worker.pid, signal.SIGKILL)
    for pid in hands:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    worker.wait()


@pytest.mark.timeout(300)
def test_the_engine_fires_clocks_whatever_happens_to_the_background_jobs(desk: Started) -> None:
    engines, worker = desk
    engines.keep(1)
    fire_all(
        engines,
        14,
        1.5,
        lambda: kill_idle_worker(worker),
        lambda: engines.ask("poison"),
        lambda: engines.ask("empty_broker"),
        lambda: engines.ask("poison"),
    )
    kill_all_that_work(worker)
    # From here on nobody but the engine can.
    fire_all(engines, 10, 0.1)


def fire_all(engines: chaos.Nursery, clocks: int, spread: float, *faults: Callable[[], object]) -> None:
    """Let so many clocks fall due while the faults happen; each of them fires, once."""
    since = engines.ask("last_event")
    due = engines.ask("fall_due", clocks, spread, 0.1)
    for fault in faults:
        fault()
        time.sleep(0.5)
    assert eventually(lambda: not engines.ask("unspoken", due, since), 60)
    found = engines.ask("account", due, since)
    assert (found["parked"], found["lost"], found["doubled"]) == ([], [], [])


@pytest.mark.timeout(300)
def test_with_the_engine_dead_the_sweep_fires_what_is_due_between_poisoned_tasks(desk: Started) -> None:
    engines, _ = desk
    since = engines.ask("last_event")
    engines.ask("poison")
    due = engines.ask("fall_due", 10, 0.1, 0.0)
    # The half that runs out a second after its warning is due as well.
    time.sleep(1.5)
    assert engines.ask("left")["clocks"] > 0
    engines.ask("queue_sweep")
    assert eventually(lambda: not engines.ask("left")["clocks"], 60)
    found = engines.ask("account", due, since)
    assert (found["lost"], found["doubled"], found["log"]) == ([], [], [])


@pytest.mark.chaos
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        ("nothing", 120),
        ("empty_broker", 120),
        ("poison_that_raises", 120),
        ("poison_for_ever", 120),
        ("spoil_schedule", 180),
        ("kill_idle_worker", 360),
    ],
)
def test_with_the_engine_dead_the_worker_fires_all_that_is_due_despite(
    desk: Started, fault: str, seconds: float
) -> None:
    engines, worker = desk
    since = engines.ask("last_event")
    if fault == "kill_idle_worker":
        kill_idle_worker(worker)
    elif fault != "nothing":
        engines.ask(fault)
    due = engines.ask("fall_due", 10, 0.1, 0.0)
    assert eventually(lambda: time.sleep(2) or not engines.ask("left")["clocks"], seconds), fault
    # The half that runs out a second after its warning may wait for the next sweep.
    time.sleep(3)
    assert eventually(lambda: time.sleep(2) or not engines.ask("left")["clocks"], seconds), fault
    found = engines.ask("account", due, since)
    assert (found["lost"], found["doubled"], found["log"]) == ([], [], [])
