"""A running desk whose processes are killed one after the other, as `make run` runs it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.server import environment_for

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]
ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("gunicorn", "run_engine", "run_worker")


def processes(session_of: "subprocess.Popen[bytes]") -> dict[int, tuple[int, str]]:
    """Living descendants of a process: pid to parent and command line."""
    everyone: dict[int, tuple[int, str]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if state != "Z":
            everyone[int(folder.name)] = (int(parent), command)
    found: dict[int, tuple[int, str]] = {}
    grown = {session_of.pid}
    while grown:
        grown = {pid for pid, (parent, _) in everyone.items() if parent in grown}
        found |= {pid: everyone[pid] for pid in grown}
    return found


def eventually(wanted: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if wanted():
            return True
        time.sleep(0.2)
    return False


@pytest.fixture
def desk(database_templates, tmp_path) -> Iterator["subprocess.Popen[bytes]"]:
    with database_templates.copy() as url, (tmp_path / "out.log").open("wb") as log:
        environment = environment_for(url, tmp_path, port=free_port())
        command = [sys.executable, "manage.py", "run_desk", "--no-demo"]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        started = eventually(lambda: b"Ctrl-C" in (tmp_path / "out.log").read_bytes(), 90)
        assert started, (tmp_path / "out.log").read_text()
        yield process
        process.terminate()
        process.wait(60)


def leader(desk: "subprocess.Popen[bytes]", program: str) -> int | None:
    named = [pid for pid, (_, command) in processes(desk).items() if program in command and os.getpgid(pid) == pid]
    return min(named, default=None)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_killed_part_comes_back_and_the_others_stay(desk, program):
    before = {each: leader(desk, each) for each in PROGRAMS}
    assert all(before.values()), before
    os.kill(before[program], signal.SIGKILL)
    assert eventually(lambda: leader(desk, program) not in (None, before[program]), 30)
    assert {each: leader(desk, each) for each in PROGRAMS if each != program} == {
        each: pid for each, pid in before.items() if each != program
    }


def test_ctrl_c_leaves_no_process_behind(desk):
    known = set(processes(desk))
    os.kill(desk.pid, signal.SIGINT)
    assert desk.wait(60) == 0
    assert not [pid for pid in known if Path(f"/proc/{pid}").exists()]


def test_nothing_outlives_a_desk_that_is_killed_outright(desk):
    known = set(processes(desk))
    desk.kill()
    desk.wait()
    assert eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in known), 60)
