"""Web, engine and worker under supervisord: what dies is restarted, and nothing is left behind."""

import configparser
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from config import supervisor
from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
# Says who it is and waits, with a child of its own as gunicorn has.
SLEEPER = """
import os, pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
folder = pathlib.Path(sys.argv[1])
(folder / f"{os.getpid()}.pid").write_text(str(child.pid))
time.sleep(300)
"""


def eventually(wanted: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not wanted() and time.monotonic() < deadline:
        time.sleep(0.05)
    return wanted()


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.fixture
def pids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], set[int]]:
    """Makes the desk consist of one program that notes its processes; returns those noted so far."""
    noted = tmp_path / "pids"
    noted.mkdir()
    script = tmp_path / "sleeper.py"
    script.write_text(SLEEPER)
    sleeper = supervisor.Program("sleeper", (str(script), str(noted)), 3)
    monkeypatch.setattr(supervisor, "programs", lambda port: [sleeper])
    return lambda: {
        int(number) for path in noted.glob("*.pid") for number in (path.stem, path.read_text() or path.stem)
    }


@pytest.fixture
def supervisord(tmp_path: Path, pids: Callable[[], set[int]]) -> Iterator["subprocess.Popen[bytes]"]:
    process = supervisor.start(
        root=ROOT, var=tmp_path, port=free_port(), settings="config.settings.test", as_root=os.geteuid() == 0
    )
    assert eventually(lambda: len(pids()) == 2), "the program did not start"
    yield process
    supervisor.stop(process)
    for pid in pids():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_a_killed_program_is_started_again(supervisord, pids):
    first = pids()
    leader = next(pid for pid in first if os.getpgid(pid) == pid)
    os.kill(leader, signal.SIGKILL)
    assert eventually(lambda: len([pid for pid in pids() if alive(pid)]) >= 2 and not alive(leader))


def test_stopping_leaves_no_process_behind(supervisord, pids):
    supervisor.stop(supervisord)
    assert [pid for pid in pids() if alive(pid)] == []
    assert supervisord.returncode == 0


def test_programs_end_when_the_supervisor_is_killed_outright(supervisord, pids):
    leaders = {pid for pid in pids() if os.getpgid(pid) == pid}
    supervisord.kill()
    supervisord.wait()
    assert eventually(lambda: not any(map(alive, leaders)))


def test_the_configuration_opens_no_control_port_and_restarts_everything(tmp_path):
    text = supervisor.config_text(root=ROOT, var=tmp_path, port=8123, settings="a.b", as_root=False)
    parsed = configparser.RawConfigParser()
    parsed.read_string(text)
    programs = [name for name in parsed.sections() if name.startswith("program:")]
    assert programs == ["program:web", "program:engine", "program:worker"]
    assert {parsed[name][key] for name in programs for key in ("autorestart", "killasgroup", "stopasgroup")} == {"true"}
    assert not {"inet_http_server", "unix_http_server"} & set(parsed.sections())
    assert "127.0.0.1:8123" in parsed["program:web"]["command"]


def test_a_per_cent_sign_in_a_path_is_no_format_for_supervisord():
    text = supervisor.config_text(root=Path("/a%b"), var=Path("/a%b/var"), port=1, settings="a.b", as_root=False)
    assert "directory=/a%%b" in text


def test_a_taken_port_is_noticed():
    with supervisor.socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert not supervisor.port_is_free(listener.getsockname()[1])


def test_the_first_signal_stops_and_later_ones_do_not_disturb_the_tidying():
    tidied = []

    def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            tidied.append(True)

    with pytest.raises(supervisor.Stopped), supervisor.stopped_by_signals():
        work()
    assert tidied == [True]
