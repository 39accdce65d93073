"""A running desk whose processes are killed one after the other, as `make run` runs it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.processes import eventually, processes
from tests.support.server import environment_for

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]
ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("gunicorn", "run_engine", "run_worker")


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
