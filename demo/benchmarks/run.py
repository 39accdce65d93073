"""The order of a whole bench: databases, pages beside floors, memory at rest, signing and due times, the engine."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from time import monotonic, sleep

from config import supervisor
from demo import figures
from demo.benchmarks import engines, load, measure, pages, servers, table
from demo.benchmarks.client import Client
from demo.benchmarks.inside import Inside
from demo.benchmarks.keeping import POSTGRES, SQLITE, Kept, Say, Store
from demo.benchmarks.measure import Result
from demo.benchmarks.servers import manage
from demo.benchmarks.subjects import Subjects
from ledger import format as write
from ledger.now import now

SIZES = (10_000, 100_000)
# Memory is read when the desk has answered once and its periodic work has run.
REST_SECONDS = 40.0
MEMORY_BAR, PROCESSES_BAR = 350.0, 3
FILL_BARS = {SQLITE: 300.0, POSTGRES: 200.0}
LOCK_BAR, NAVIGATION_BAR, NAVIGATION_QUERIES = 30.0, 5.0, 2
NAMES = {SQLITE: "SQLite", POSTGRES: "PostgreSQL"}


@dataclass(frozen=True)
class Database:
    """The results on one database."""

    kept: Kept
    inside: Inside
    results: list[Result]


@dataclass
class Bench:
    """A bench over the databases of a store; says what it does."""

    store: Store
    say: Say
    sizes: Sequence[int] = SIZES
    done: list[Database] = field(default_factory=list)
    begun: float = field(default_factory=monotonic)

    def pages(self) -> None:
        """Every row on every database, then the tables."""
        for vendor in self.store.vendors:
            for cases in self.sizes:
                self.done.append(self._database(self.store.filled(vendor, cases)))
        for vendor in self.store.vendors:
            small, *larger = [each for each in self.done if each.kept.vendor == vendor]
            for each in (small, *larger):
                self.say("")
                self.say(self._table(each, small if each is not small else None))
        self.write()

    def _database(self, kept: Kept) -> Database:
        self.say(f"{self._time()} {kept.name}: queries …")
        given = servers.environment(kept.url, self.store.desk)
        inside = Inside.read(last_line(manage(given, "bench", "--part", "inside")))
        rows = pages.rows(inside.subjects)
        with ExitStack() as stack:
            product = stack.enter_context(servers.web(kept.url, self.store.desk))
            floor = stack.enter_context(servers.web(kept.url, self.store.desk, servers.FLOOR))
            visit(product.port, inside.subjects)
            results = []
            for number, row in enumerate(rows, 1):
                found = replace(measure.row(row, inside.subjects, product, floor), queries=inside.queries[row.name])
                results.append(found)
                self.say(f"{self._time()} {kept.name} {number}/{len(rows)} {short(found)}")
        manage(given, "bench", "--part", "tidy")
        return Database(kept, inside, results)

    def _table(self, of: Database, small: Database | None) -> str:
        rows = pages.rows(of.inside.subjects)
        title = f"{NAMES[of.kept.vendor]}, {write.number(of.kept.cases)} cases, {of.inside.subjects.open_cases} open"
        title += f", {of.kept.cases // 5} accounts; p50 of 3 to {measure.ROUNDS} rounds, one client"
        return "\n".join(
            [
                table.text(title, table.lines(rows, of.results, small.results if small else ())),
                *self._more(of),
            ]
        )

    def _more(self, of: Database) -> Iterator[str]:
        """What has no page of its own."""
        bar = FILL_BARS[of.kept.vendor]
        yield judged("Filling, cases a second", of.kept.rate, bar, at_least=True)
        if of.inside.lock_milliseconds is not None:
            yield judged("Write lock of a new case, ms", of.inside.lock_milliseconds, LOCK_BAR)
        for each in of.inside.navigation:
            yield judged(f"Navigation, {each.who}, ms", each.milliseconds, NAVIGATION_BAR)
            yield judged(f"Navigation, {each.who}, queries", each.queries, NAVIGATION_QUERIES)

    def memory(self) -> None:
        """Web, engine and worker of an idle desk on the smallest database."""
        kept = self.store.filled(SQLITE, self.sizes[0])
        self.say(f"{self._time()} Memory of an idle desk …")
        of = Subjects.read(
            last_line(manage(servers.environment(kept.url, self.store.desk), "bench", "--part", "subjects"))
        )
        with desk(kept, self.store.desk) as (programs, port):
            visit(port, of)
            sleep(REST_SECONDS)
            found = {name: servers.memory(process.pid) for name, process in programs.items()}
        total = sum(found.values(), servers.Memory())
        for name, each in {**found, "all": total}.items():
            self.say(
                f"{name:<8} {each.processes} processes, private {write.figure(each.private, 0)} MB, "
                f"with its share of the rest {write.figure(each.share, 0)} MB"
            )
        self.say(judged("Private memory at rest, MB", total.private, MEMORY_BAR))
        self.say(judged("Processes of the worker", found["worker"].processes, PROCESSES_BAR))

    def rest(self) -> None:
        """Signing and due times beside their floors."""
        self.say(f"{self._time()} Signing and due times …")
        kept = self.store.filled(SQLITE, self.sizes[0])
        self.say(manage(servers.environment(kept.url, self.store.desk), "bench", "--part", "rest").rstrip())

    def engine(self) -> None:
        """One engine on a copy of the demo: how late it is, and its backlog."""
        for vendor in self.store.vendors:
            self.say(f"{self._time()} Engine on {NAMES[vendor]}, {write.number(engines.CASES)} open cases …")
            kept = self.store.copy(self.store.filled(vendor, 0), "engine")
            try:
                told = manage(servers.environment(kept.url, self.store.desk), "bench", "--part", "engine", seconds=1800)
            finally:
                self.store.drop(kept)
            for figure in figures.engine(json.loads(last_line(told))):
                self.say(str(figure))

    def write(self) -> Path:
        """The results as JSON."""
        path = self.store.base / "pages.json"
        found = [
            {**asdict(each.kept), "inside": asdict(each.inside), "results": [asdict(one) for one in each.results]}
            for each in self.done
        ]
        path.write_text(json.dumps({"at": now().isoformat(), "databases": found}, indent=1))
        self.say(f"\nAs JSON: {path}")
        return path

    def _time(self) -> str:
        return f"[{write.duration(monotonic() - self.begun)}]"


def judged(name: str, value: float, bar: float, *, at_least: bool = False) -> str:
    """A figure beside its bar."""
    good = value >= bar if at_least else value <= bar
    sign = "≥" if at_least else "≤"
    return f"{name:<44}{write.figure(value, 1):>9}   {sign} {write.number(bar)}  {'ok' if good else 'short'}"


def short(found: Result) -> str:
    """One line of progress."""
    if found.problem:
        return f"{found.name}: {found.problem}"
    floor = f", floor {write.figure(found.floor, 1)}" if found.floor else ""
    return f"{found.name}: {write.figure(found.milliseconds, 1)} ms{floor} (n = {found.rounds})"


def visit(port: int, of: Subjects) -> None:
    """Ask for the queue, so that a process has loaded what it loads once. A new connection may reach another process, so
    there are several."""
    for _ in range(8):
        client = Client(port)
        client.ask(pages.request(pages.rows(of)[0], of))
        client.close()


@contextmanager
def desk(kept: Kept, folder: Path) -> "Iterator[tuple[dict[str, subprocess.Popen[bytes]], int]]":
    """Web, engine and worker of a desk, as the supervisor starts them; and its port."""
    port = servers.free_port()
    given = servers.environment(kept.url, folder, port=port)
    with ExitStack() as stack:
        started = {
            each.name: stack.enter_context(servers.running(each.arguments, given, folder / f"{each.name}.log"))
            for each in supervisor.programs(port)
        }
        servers.until_it_answers(started["web"], port)
        yield started, port


def last_line(told: str) -> str:
    """The last line that a command of ours printed."""
    return told.strip().splitlines()[-1]


def whole(bench: Bench, only: str) -> None:
    """All parts, or one of them."""
    bench.store.delete_others()
    bench.store.collect_static()
    parts = {"pages": bench.pages, "memory": bench.memory, "rest": bench.rest, "engine": bench.engine}
    if only == "load":
        load.run(bench.store, bench.say)
    for name, part in parts.items():
        if only in ("", name):
            part()
