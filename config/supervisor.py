"""Keeps web, engine and worker alive under one supervisord, and ends all of them together."""

import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from config.lifeline import follow_parent

HOST = "127.0.0.1"
START_SECONDS = 90
STOP_SECONDS = 45


@dataclass(frozen=True)
class Program:
    """One process to keep alive: its name and command, without the interpreter."""

    name: str
    arguments: tuple[str, ...]
    stop_seconds: int


def programs(port: int) -> list[Program]:
    """The processes of a desk. Gunicorn loads the desk before it forks its workers, which then share that memory; its control
    socket is off, so that only one port listens."""
    web = ("-m", "gunicorn", "config.wsgi:application", "--preload", "--bind", f"{HOST}:{port}")
    size = ("--workers", "2", "--threads", "4")
    return [
        Program("web", (*web, *size, "--no-control-socket", "--graceful-timeout", "10", "--timeout", "60"), 15),
        Program("engine", ("manage.py", "run_engine"), 10),
        Program("worker", ("manage.py", "run_worker"), 25),
    ]


def config_text(*, root: Path, var: Path, port: int, settings: str, as_root: bool) -> str:
    """The supervisord configuration: foreground, no control server, everything restarted when it ends."""
    lines = [
        "[supervisord]",
        "nodaemon=true",
        "silent=true",
        f"directory={_plain(root)}",
        f"logfile={_plain(var / 'log' / 'supervisor.log')}",
        "logfile_maxbytes=2MB",
        "logfile_backups=1",
        f"pidfile={_plain(var / 'supervisord.pid')}",
        f"childlogdir={_plain(var / 'log')}",
        f"environment=DJANGO_SETTINGS_MODULE={settings},PORT={port},PYTHONUNBUFFERED=1",
        *(["user=root"] if as_root else []),
    ]
    for program in programs(port):
        lines += _program_lines(program, var)
    return "\n".join(lines) + "\n"


def _program_lines(program: Program, var: Path) -> list[str]:
    command = shlex.join([sys.executable, "-m", "config.lifeline", sys.executable, *program.arguments])
    return [
        "",
        f"[program:{program.name}]",
        f"command={command.replace('%', '%%')}",
        "autostart=true",
        "autorestart=true",
        "startsecs=3",
        # Supervisord gives up a program after this number of failed starts; a database may be down for hours.
        "startretries=1000000",
        "stopasgroup=true",
        "killasgroup=true",
        f"stopwaitsecs={program.stop_seconds}",
        "redirect_stderr=true",
        f"stdout_logfile={_plain(var / 'log' / f'{program.name}.log')}",
        "stdout_logfile_maxbytes=5MB",
        "stdout_logfile_backups=2",
    ]


def _plain(path: Path) -> str:
    return str(path).replace("%", "%%")


def port_is_free(port: int) -> bool:
    """Whether our address can be bound now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def start(*, root: Path, var: Path, port: int, settings: str, as_root: bool) -> "subprocess.Popen[bytes]":
    """Write the configuration and start supervisord in its own session, so that Ctrl-C reaches only us."""
    (var / "log").mkdir(parents=True, exist_ok=True)
    path = var / "supervisord.conf"
    path.write_text(config_text(root=root, var=var, port=port, settings=settings, as_root=as_root))
    command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(path)]
    return subprocess.Popen(command, cwd=root, start_new_session=True, preexec_fn=follow_parent)


def answers(port: int) -> bool:
    """Whether the web process reports that it is well."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def wait_until_ready(supervisord: "subprocess.Popen[bytes]", port: int) -> bool:
    """Wait for the first good answer, at most START_SECONDS. False if there was none or supervisord ended."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and supervisord.poll() is None:
        if answers(port):
            return True
        time.sleep(0.25)
    return False


def stop(supervisord: "subprocess.Popen[bytes]") -> None:
    """End supervisord and, through it, every program; returns when all are gone."""
    if supervisord.poll() is None:
        supervisord.terminate()
    try:
        supervisord.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        # Its programs end with it through config.lifeline.
        supervisord.kill()
        supervisord.wait()


class Stopped(BaseException):
    """A signal asked this process to end. Like Ctrl-C, it is no error that a library may catch and log."""


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Inside, the first Ctrl-C, SIGTERM or SIGHUP raises Stopped; further ones are ignored during the clean-up."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def note(number: int, frame: FrameType | None) -> None:
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped

    before = {each: signal.signal(each, note) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
