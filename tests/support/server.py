"""A running desk for tests: gunicorn and the engine as separate processes, on a separate database."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60


@dataclass
class Desk:
    """One running desk. `environment` is the one of its processes; `folder` has its files and logs."""

    database_url: str
    folder: Path
    environment: dict[str, str]
    port: int
    processes: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def manage(self, *arguments: str, seconds: float = 120) -> str:
        """Run a management command on the desk's database; returns what it printed, fails with all of it."""
        return manage(self.environment, *arguments, seconds=seconds)

    def start(self, name: str, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a process of the desk under a name, its output in a log of that name."""
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes[name] = process
        return process

    def start_web(self) -> None:
        """Gunicorn; returns when it answers."""
        bind = f"127.0.0.1:{self.port}"
        self.start(
            "web", "-m", "gunicorn", "config.wsgi:application", "--bind", bind, "--threads", "4", "--no-control-socket"
        )
        self.wait_until_ready()

    def start_engine(self, name: str = "engine") -> None:
        """One more engine."""
        self.start(name, "manage.py", "run_engine")

    def wait_until_ready(self) -> None:
        """Wait until the web part of /healthz is well (the engine may start later); AssertionError with the log if it
        is not."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.processes["web"].poll() is None:
            with suppress(OSError), urllib.request.urlopen(f"{self.url}/healthz?part=web", timeout=5) as answer:
                if answer.status == 200:
                    return
            time.sleep(0.1)
        raise AssertionError(f"the desk did not start:\n{self.log('web')}")

    def kill(self, name: str) -> None:
        """End a process at once, like a power cut: its whole group gets SIGKILL."""
        process = self.processes.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """Ask all processes to end, then kill them."""
        for process in self.processes.values():
            process.terminate()
        for name, process in list(self.processes.items()):
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            self.kill(name)

    def log(self, name: str) -> str:
        """The output of a process."""
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one SQL statement (placeholders are %s) on the desk's database and commit."""
        if self.database_url.startswith("sqlite"):
            path = self.database_url.removeprefix("sqlite:///")
            with closing(sqlite3.connect(path, timeout=20)) as file, file:
                return file.execute(statement.replace("%s", "?"), parameters).fetchall()
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def move_clock(self, by: timedelta) -> None:
        """Move the time of all the desk's processes forward."""
        rows = self.query("SELECT seconds FROM ledger_clockoffset ORDER BY id DESC LIMIT 1")
        before = float(rows[0][0]) if rows else 0.0
        self.query("INSERT INTO ledger_clockoffset (seconds) VALUES (%s)", [before + by.total_seconds()])

    def api(
        self, method: str, path: str, body: Any = None, token: str = "", headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Call the API; returns the status and the decoded answer (None when empty), also for refusals."""
        request = urllib.request.Request(
            self.url + path, method=method, data=None if body is None else json.dumps(body).encode()
        )
        request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Token {token}")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as refusal:
            status, text = refusal.code, refusal.read()
        return status, json.loads(text) if text else None


def environment_for(database_url: str, folder: Path, *, port: int, **extra: str) -> dict[str, str]:
    """The environment of a test desk's processes: test settings, this database, files in this folder."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "DATABASE_URL": database_url,
        "VAR_DIR": str(folder),
        "MEDIA_ROOT": str(folder / "media"),
        "PORT": str(port),
        "SITE_URL": f"http://127.0.0.1:{port}",
        "CLOCK_MAY_MOVE": "1",
        "PYTHONUNBUFFERED": "1",
        **extra,
    }


def manage(environment: dict[str, str], *arguments: str, seconds: float = 120) -> str:
    """Run `manage.py` with this environment; returns what it printed, fails with all of it."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    assert done.returncode == 0, f"manage.py {' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@contextmanager
def running_desk(database_url: str, folder: Path, *, engine: bool = True, **extra: str) -> Iterator[Desk]:
    """A desk on a migrated database; `extra` are environment variables such as EMAIL_URL."""
    port = free_port()
    desk = Desk(database_url, folder, environment_for(database_url, folder, port=port, **extra), port)
    try:
        desk.start_web()
        if engine:
            desk.start_engine()
        yield desk
    finally:
        desk.stop()
