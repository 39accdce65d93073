"""Web servers for a measurement: the product's own command with the product or with the floors, and the processor time and
memory of processes."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from django.conf import settings as django_settings

from config import supervisor
from config.lifeline import follow_parent

ROOT = Path(django_settings.BASE_DIR)
PRODUCT, FLOOR = "config.settings.dev", "demo.benchmarks.floor_settings"
START_SECONDS, STOP_SECONDS = 60.0, 15.0
# The clock of another process's processor time, as clock_getcpuclockid() makes it.
PROCESSOR_CLOCK = 2


@dataclass(frozen=True)
class Server:
    """A running web server."""

    process: "subprocess.Popen[bytes]"
    port: int

    def processor_seconds(self) -> float:
        """Of all its processes so far."""
        return sum(processor_seconds(pid) for pid in family(self.process.pid))


def environment(url: str, folder: Path, settings: str = PRODUCT, port: int = 8000) -> dict[str, str]:
    """The environment of a desk on this database, with its files in this folder."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": settings,
        "DATABASE_URL": url,
        "VAR_DIR": str(folder),
        "MEDIA_ROOT": str(folder / "media"),
        "PORT": str(port),
        "SITE_URL": f"http://{supervisor.HOST}:{port}",
        # Nothing of a measurement leaves the machine.
        **dict.fromkeys(("EMAIL_URL", "IMAP_URL", "HEARTBEAT_URL"), ""),
    }


def manage(given: dict[str, str], *arguments: str, seconds: float = 900) -> str:
    """Run a command of ours to its end; returns what it printed. Raises CalledProcessError with what it said."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=given,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=True,
        preexec_fn=follow_parent,
    )
    return done.stdout


def shown(given: dict[str, str], say: Callable[[str], None], *arguments: str) -> None:
    """The same, with each line as soon as it is printed."""
    command = [sys.executable, "manage.py", *arguments]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=given,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=follow_parent,
    ) as process:
        try:
            for line in process.stdout or ():
                say(line)
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, stderr="see above")


@contextmanager
def running(command: Sequence[str], given: dict[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of ours and its children, all ended at the end, also when we are killed."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=given,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=follow_parent,
        )
    try:
        yield process
    finally:
        end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Ask the process to end, then kill what is left of its group."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + STOP_SECONDS
    while _lives(process.pid) and time.monotonic() < deadline:
        time.sleep(0.01)


def _lives(group: int) -> bool:
    """Whether a process of this group is left."""
    with suppress(ProcessLookupError):
        os.killpg(group, 0)
        return True
    return False


@contextmanager
def web(url: str, folder: Path, settings: str = PRODUCT) -> Iterator[Server]:
    """The web process of the product, with its own command; with other settings, the same with other views."""
    port = free_port()
    [program] = [each for each in supervisor.programs(port) if each.name == "web"]
    log = folder / f"web-{settings.rpartition('.')[2]}.log"
    with running(program.arguments, environment(url, folder, settings, port), log) as process:
        until_it_answers(process, port)
        yield Server(process, port)


def until_it_answers(process: "subprocess.Popen[bytes]", port: int) -> None:
    """Wait for the first good answer. RuntimeError if there is none."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        connection = HTTPConnection(supervisor.HOST, port, timeout=START_SECONDS)
        with suppress(OSError):
            connection.request("GET", "/healthz?part=web")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.1)
    raise RuntimeError("a web server did not start; its log is in var/bench/desk")


def free_port() -> int:
    """A port on which nothing listens at this moment."""
    with socket.socket() as probe:
        probe.bind((supervisor.HOST, 0))
        return int(probe.getsockname()[1])


# Processes, read from the kernel


def _stat(pid: int) -> list[str]:
    """State, parent and more of a process; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def parent_of(pid: int) -> int:
    """The parent of a process; 0 if it is gone."""
    found = _stat(pid)
    return int(found[1]) if found and found[0] != "Z" else 0


def family(pid: int) -> list[int]:
    """A process and all its living descendants."""
    parents = {int(each.name): parent_of(int(each.name)) for each in Path("/proc").glob("[0-9]*")}
    found = grown = [pid] if parents.get(pid) else []
    while grown := [child for child, parent in parents.items() if parent in grown]:
        found = [*found, *grown]
    return found


def processor_seconds(pid: int) -> float:
    """Processor time of a process so far, to the microsecond; 0 if it is gone."""
    with suppress(OSError):
        return time.clock_gettime((~pid << 3) | PROCESSOR_CLOCK)
    return 0.0


@dataclass(frozen=True)
class Memory:
    """MB of one process or several: `private` belongs to nobody else (USS), `share` is that and its part of what is shared
    (PSS)."""

    processes: int = 0
    private: float = 0.0
    share: float = 0.0

    def __add__(self, other: "Memory") -> "Memory":
        return Memory(self.processes + other.processes, self.private + other.private, self.share + other.share)


def memory(pid: int) -> Memory:
    """Of a process and its descendants."""
    return sum((_memory(each) for each in family(pid)), Memory())


def _memory(pid: int) -> Memory:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return Memory()
    kilobytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines[1:])}
    private = kilobytes["Private_Clean"] + kilobytes["Private_Dirty"]
    return Memory(1, private / 1024, kilobytes["Pss"] / 1024)
