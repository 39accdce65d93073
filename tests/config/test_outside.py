"""The word to a watcher outside, over a real local HTTP server; its silence is the alarm."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from pytest_django import Settings

from config import engine, outside
from ledger import heartbeats
from ledger.models import Heartbeat
from ledger.now import now
from tests.support.databases import Templates
from tests.support.ports import free_port
from tests.support.server import ROOT, environment_for

MINUTE = timedelta(minutes=1)


class Watcher(ThreadingHTTPServer):
    """Counts the words it gets. `status` is its answer; `silent` makes it answer nothing until `released`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", free_port()), Handler)
        self.heard: list[str] = []
        self.status = 200
        self.silent = False
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/ping/secret"


class Handler(BaseHTTPRequestHandler):
    server: Watcher

    def do_GET(self) -> None:
        self.server.heard.append(self.path)
        if self.server.silent:
            self.server.released.wait(60)
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def watcher(settings: Settings) -> Iterator[Watcher]:
    with Watcher() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings.HEARTBEAT_URL = server.url
        yield server
        server.released.set()
        server.shutdown()


@pytest.fixture
def all_well(db: None) -> None:
    for name in ("engine", "sender", "worker"):
        heartbeats.beat(name)


def told() -> timedelta | None:
    return heartbeats.age("outside")


def test_word_goes_out_once_a_minute_however_often_one_looks(watcher: Watcher, all_well: None) -> None:
    begin = now()
    with time_machine.travel(begin, tick=False):
        for _ in range(3):
            outside.tell()
    assert watcher.heard == ["/ping/secret"]
    with time_machine.travel(begin + timedelta(seconds=59), tick=False):
        outside.tell()
    assert len(watcher.heard) == 1
    with time_machine.travel(begin + MINUTE, tick=False):
        heartbeats.beat("engine")
        outside.tell()
        assert told() == timedelta(0)
    assert len(watcher.heard) == 2


def test_no_word_goes_out_while_a_promise_is_not_watched(watcher: Watcher, db: None) -> None:
    outside.tell()
    assert not watcher.heard
    with time_machine.travel(now() + MINUTE):
        heartbeats.beat("engine")
        outside.tell()
    assert len(watcher.heard) == 1


def test_a_clock_set_back_does_not_silence_the_word(watcher: Watcher, all_well: None) -> None:
    outside.tell()
    with time_machine.travel(now() - timedelta(hours=2)):
        for name in ("engine", "sender", "worker"):
            heartbeats.beat(name)
        outside.tell()
    assert len(watcher.heard) == 2


def test_nobody_is_called_without_an_address(watcher: Watcher, all_well: None, settings: Settings) -> None:
    settings.HEARTBEAT_URL = ""
    outside.tell()
    assert not watcher.heard
    assert not Heartbeat.objects.filter(name__startswith="outside").exists()


@pytest.mark.parametrize("fault", ["refused", "gone", "silent", "scheme"])
def test_a_watcher_that_is_not_reached_is_noted_without_its_address(
    watcher: Watcher,
    all_well: None,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    caplog: Any,
) -> None:
    monkeypatch.setattr(outside, "TIMEOUT_SECONDS", 0.2)
    watcher.status = 500 if fault == "refused" else 200
    watcher.silent = fault == "silent"
    if fault == "gone":
        settings.HEARTBEAT_URL = f"http://127.0.0.1:{free_port()}/ping/secret"
    elif fault == "scheme":
        settings.HEARTBEAT_URL = "file:///ping/secret"
    assert outside.tell() == 0
    assert "was not reached" in caplog.text
    noted = Heartbeat.objects.get(name="outside").detail
    assert noted not in ("", "not reached yet")
    assert "secret" not in caplog.text + noted


def test_check_engine_sends_the_word_for_a_cron_job(watcher: Watcher, all_well: None, capsys: Any) -> None:
    call_command("check_engine", "--ping")
    assert len(watcher.heard) == 1
    assert "The external monitor answered." in capsys.readouterr().out
    Heartbeat.objects.filter(name="engine").update(at=now() - 2 * MINUTE)
    with pytest.raises(SystemExit):
        call_command("check_engine", "--ping")
    assert len(watcher.heard) == 1
    assert "was not called, so that it raises an alarm" in capsys.readouterr().err


def test_check_engine_says_when_nobody_is_to_be_told(all_well: None) -> None:
    with pytest.raises(CommandError, match="HEARTBEAT_URL"):
        call_command("check_engine", "--ping")


def test_a_watcher_not_reached_for_minutes_is_a_problem(watcher: Watcher, all_well: None, capsys: Any) -> None:
    Heartbeat.objects.create(name="outside", at=now() - 6 * MINUTE)
    with pytest.raises(SystemExit):
        call_command("check_engine")
    assert "the external monitor has not answered for 6 min" in capsys.readouterr().err


def test_a_slow_watcher_delays_no_clock(
    watcher: Watcher, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    heartbeats.beat("engine")
    watcher.silent = True
    fired: list[bool] = []
    stop = threading.Event()

    def fire(*_: Any) -> int:
        """Ends the engine after ten more turns while the watcher has yet to answer."""
        if watcher.heard:
            fired.append(watcher.released.is_set())
        if len(fired) == 10:
            watcher.released.set()
            stop.set()
        return 0

    monkeypatch.setattr(outside, "TIMEOUT_SECONDS", 60.0)
    monkeypatch.setattr(engine, "send", lambda: 0)
    monkeypatch.setattr(engine, "fire", fire)
    monkeypatch.setattr(engine, "seconds_to_next_clock", lambda: 0.05)
    engine.warm_up()
    # An engine that waits for the watcher makes no ten turns before it is let go here.
    release = threading.Timer(30, watcher.released.set)
    release.start()
    engine.run(stop)
    release.cancel()
    assert fired == [False] * 10


@pytest.mark.timeout(300)
def test_a_running_engine_sends_the_word_and_a_dead_one_does_not(
    watcher: Watcher, database_templates: Templates, tmp_path: Path
) -> None:
    with database_templates.copy() as url:
        environment = environment_for(url, tmp_path, port=8000, CLOCK_MAY_MOVE="0", HEARTBEAT_URL=watcher.url)
        process = subprocess.Popen([sys.executable, "manage.py", "run_engine"], cwd=ROOT, env=environment)
        deadline = time.monotonic() + 60
        while not watcher.heard and time.monotonic() < deadline:
            time.sleep(0.1)
        process.kill()
        process.wait()
    assert len(watcher.heard) == 1
