"""Sixteen clients at once on a small database, and how late the engine is meanwhile."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from time import sleep

from demo.benchmarks import engines, servers
from demo.benchmarks.client import GOOD, Request
from demo.benchmarks.keeping import Kept, Say, Store
from demo.benchmarks.load_clients import Kind, Part, Phase, Plan, percentiles
from demo.benchmarks.load_plan import CASE, CREATE, DECIDE, POST, QUEUE
from demo.benchmarks.servers import manage
from ledger import format as write
from ledger.now import now

CASES, CLIENTS = 4_000, 16
ALONE_SECONDS, MIXED_SECONDS = 12.0, 60.0
BARS = {QUEUE: 25.0, CASE: 25.0, CREATE: 15.0}
# 70 % reads, 30 % writes.
MIX = {QUEUE: 0.35, CASE: 0.35, CREATE: 0.12, POST: 0.13, DECIDE: 0.05}
ALONE = [Part(kind, ALONE_SECONDS, {kind: 1.0}) for kind in BARS]
MIXED = [Part("mixed", MIXED_SECONDS, MIX)]
WARM_UP = Part("warm-up", 3.0, {QUEUE: 0.5, CASE: 0.5})
CLOCKS_A_SECOND = 5
# From the start of the process that lets clocks fall due until the first is due.
START_SECONDS = 8.0
HONEST = {429, 503}
ERRORS_BAR, LATENESS_BAR = 0.01, 1_000.0


@dataclass(frozen=True)
class Lateness:
    """Of the engine, in milliseconds."""

    clocks: int
    p50: float
    p99: float
    latest: float


def run(store: Store, say: Say) -> None:
    """On every kind of database; the figures also go to load.json."""
    found = {vendor: _on(store, vendor, say) for vendor in store.vendors}
    path = store.base / "load.json"
    path.write_text(json.dumps({"at": now().isoformat(), **found}, indent=1))
    say(f"\nAs JSON: {path}")


def _on(store: Store, vendor: str, say: Say) -> list[object]:
    kept = store.copy(store.filled(vendor, CASES), "load")
    try:
        given = servers.environment(kept.url, store.desk)
        say(f"\n{vendor}: {write.number(CASES)} cases, {CLIENTS} clients; preparing …")
        manage(given, "bench", "--part", "add-requests")
        # What fell due since the database was filled is not part of the measurement.
        manage(given, "run_engine", "--once")
        told = json.loads(manage(given, "bench", "--part", "load-requests").strip().splitlines()[-1])
        requests = {kind: [Request(**each) for each in listed] for kind, listed in told.items()}
        say(f"{vendor}: {len(requests[DECIDE])} requests can be decided")
        with _desk(kept, store) as port:
            return [
                _measured(Plan(port, CLIENTS, [WARM_UP, *parts], requests, [DECIDE], POST), given, say)
                for parts in (ALONE, MIXED)
            ]
    finally:
        store.drop(kept)


@contextmanager
def _desk(kept: Kept, store: Store) -> Iterator[int]:
    """Web and one engine; gives the port."""
    with ExitStack() as stack:
        server = stack.enter_context(servers.web(kept.url, store.desk))
        given = servers.environment(kept.url, store.desk)
        stack.enter_context(servers.running(("manage.py", "run_engine"), given, store.desk / "engine.log"))
        yield server.port


def _measured(plan: Plan, given: dict[str, str], say: Say) -> dict[str, object]:
    """The clients, while clocks fall due."""
    seconds = sum(part.seconds for part in plan.parts)
    falling = {**given, "BENCH_SECONDS": str(seconds), "BENCH_CLOCKS": str(round(seconds * CLOCKS_A_SECOND))}
    with ExitStack() as stack:
        clocks = stack.enter_context(_started(["manage.py", "bench", "--part", "falling"], falling))
        sleep(START_SECONDS)
        clients = stack.enter_context(_started(["-m", "demo.benchmarks.load_clients"], given))
        said, _ = clients.communicate(json.dumps(asdict(plan)), timeout=10 * seconds + 300)
        late, _ = clocks.communicate(timeout=300)
    if clients.returncode or clocks.returncode:
        raise RuntimeError("the load could not be measured")
    phases = [Phase.read(line) for line in said.strip().splitlines()][1:]
    times = sorted(1000 * each for each in json.loads(late.strip().splitlines()[-1]))
    lateness = Lateness(len(times), *percentiles(times), max(times, default=0.0))
    for phase in phases:
        for line in lines(phase):
            say(line)
    say(late_line(lateness))
    return {"phases": [asdict(each) for each in phases], "lateness": asdict(lateness)}


@contextmanager
def _started(command: Sequence[str], given: dict[str, str]) -> "Iterator[subprocess.Popen[str]]":
    """A process with which we talk; ended at the end."""
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=servers.ROOT,
        env=given,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=servers.follow_parent,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def lines(phase: Phase) -> Iterator[str]:
    """One line for each kind of request of a part."""
    for name, kind in sorted(phase.kinds.items()):
        bar = BARS.get(name) if phase.name == name else None
        told = f"≥ {write.number(bar)} a second, " if bar else ""
        yield (
            f"{phase.name + ': ' if phase.name != name else ''}{name}".ljust(18)
            + f"{write.figure(kind.rate, 1):>7} a second  p50 {write.figure(kind.p50, 0):>6} ms  "
            f"p99 {write.figure(kind.p99, 0):>6} ms  errors {told_errors(kind)}  {told}≤ 1 % errors  {verdict(kind, bar)}"
        )


def told_errors(kind: Kind) -> str:
    """How many, by status."""
    wrong = {status: count for status, count in sorted(kind.statuses.items()) if status not in GOOD}
    return ", ".join(f"{count} × {status or 'none'}" for status, count in wrong.items()) or "none"


def verdict(kind: Kind, bar: float | None) -> str:
    """ok, or what is short: the rate, the share of errors, or errors that say nothing to the client."""
    wrong = {status: count for status, count in kind.statuses.items() if status not in GOOD}
    missed = [
        *(["rate"] if bar and kind.rate < bar else []),
        *(["errors"] if sum(wrong.values()) > ERRORS_BAR * kind.count else []),
        *(["not honest"] if {*wrong} - HONEST else []),
    ]
    return f"short: {', '.join(missed)}" if missed else "ok"


def late_line(lateness: Lateness) -> str:
    """The lateness of the engine beside its bar."""
    good = lateness.p99 <= LATENESS_BAR
    return (
        f"engine, {lateness.clocks} clocks".ljust(18) + f"  p50 {write.figure(lateness.p50, 0)} ms  "
        f"p99 {write.figure(lateness.p99, 0)} ms  latest {write.figure(lateness.latest, 0)} ms  "
        f"p99 ≤ {write.number(LATENESS_BAR)} ms  {'ok' if good else 'short'}"
    )


def falling() -> str:
    """Let clocks fall due for some seconds; how late each fired, in seconds, as JSON."""
    number, seconds = int(os.environ["BENCH_CLOCKS"]), float(os.environ["BENCH_SECONDS"])
    return json.dumps(engines.late_among_others(number, seconds))
