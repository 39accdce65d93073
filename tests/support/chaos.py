"""Engines that are killed while they work, on a database of their own."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.support.ports import free_port
from tests.support.server import ROOT, environment_for

# The probability of dying at each point that a step or a message passes.
POINTS = "after_claim=0.02,before_commit=0.02,after_lease=0.01,after_250=0.005,before_mark=0.005"
KILL_SECONDS = (0.05, 0.25)


class Nursery:
    """Starts, counts and kills engines. `deaths` counts every engine that did not end by itself."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self._process, self.log = process, log
        self.engines: list[int] = []
        self.deaths = 0
        self.started = 0

    def ask(self, verb: str, *arguments: Any) -> Any:
        """Send a command; returns the answer, fails with the log if there is none."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([verb, *arguments]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, self.log.read_text()[-4000:]
        return json.loads(answer)

    def keep(self, number: int) -> None:
        """Keep this number of engines running: those that died at a named point are counted and replaced."""
        alive = [pid for pid in self.engines if Path(f"/proc/{pid}").exists()]
        self.deaths += len(self.engines) - len(alive)
        self.engines = alive
        while len(self.engines) < number:
            self.engines.append(self.ask("engine"))
            self.started += 1

    def kill_one(self, chance: random.Random) -> None:
        """`kill -9` an engine at any point of its work."""
        pid = self.engines.pop(chance.randrange(len(self.engines)))
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        self.deaths += 1

    def end_all(self) -> None:
        """Ask the engines to end and wait until they have."""
        self.keep(0)
        for pid in self.engines:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and any(Path(f"/proc/{pid}").exists() for pid in self.engines):
            time.sleep(0.05)
        self.engines = []


@contextmanager
def nursery(url: str, folder: Path, **extra: str) -> Iterator[Nursery]:
    """A nursery on a migrated database; everything it started ends with it."""
    environment = environment_for(url, folder, port=free_port(), **{"CLOCK_MAY_MOVE": "0", **extra})
    log = folder / "engines.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.nursery"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        made = Nursery(process, log)
        try:
            assert process.stdout is not None
            assert process.stdout.readline(), log.read_text()
            yield made
            made.end_all()
        finally:
            process.kill()
            process.wait()


def torment(engines: Nursery, *, number: int, at_least: float, at_most: float, seed: int) -> None:
    """Kill one of the engines every 50 to 250 ms and replace it: at least for this time, then until nothing is left to
    do."""
    chance = random.Random(seed)
    deadline, look = time.monotonic() + at_most, time.monotonic() + at_least
    while time.monotonic() < deadline:
        engines.keep(number)
        time.sleep(chance.uniform(*KILL_SECONDS))
        engines.kill_one(chance)
        if time.monotonic() > look:
            look = time.monotonic() + 2
            if is_done(engines.ask("left")):
                return


def finish(engines: Nursery, *, number: int, seconds: float) -> dict[str, Any]:
    """Let the engines work without kills until nothing is due and nothing waits; returns what is left if there is no
    progress for this number of seconds. The time depends on the machine; the result must not."""
    deadline, least = time.monotonic() + seconds, float("inf")
    while not is_done(left := engines.ask("left")) and time.monotonic() < deadline:
        if (rest := left["clocks"] + left["messages"]) < least:
            deadline, least = time.monotonic() + seconds, rest
        engines.keep(number)
        time.sleep(0.3)
    engines.end_all()
    return dict(left)


def is_done(left: dict[str, Any]) -> bool:
    """Whether nothing is due and no message waits."""
    return not left["clocks"] and not left["messages"]


def mails(recorded: list[Any]) -> Counter[str]:
    """How often each Message-ID arrived."""
    return Counter(str(each["Message-ID"]) for each in recorded)
