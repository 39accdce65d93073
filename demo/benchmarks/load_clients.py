"""`python -m demo.benchmarks.load_clients`: many clients in one process that loads neither Django nor the product.

Reads a `Plan` as JSON; prints one `Phase` as JSON for each part of it.
"""

import json
import random
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from http.client import HTTPException
from statistics import quantiles
from time import monotonic

from demo.benchmarks.client import Client, Request

BROKEN = 0  # the status of a request without an answer


@dataclass(frozen=True)
class Part:
    """How long, and the share of each kind of request."""

    name: str
    seconds: float
    shares: dict[str, float]


@dataclass(frozen=True)
class Plan:
    """`requests` by kind; those of a kind in `once` are sent once each, then the next kind of the plan takes their turn."""

    port: int
    clients: int
    parts: list[Part]
    requests: dict[str, list[Request]]
    once: list[str] = field(default_factory=list)
    instead: str = ""

    @classmethod
    def read(cls, text: str) -> "Plan":
        """From the JSON of `asdict`."""
        told = json.loads(text)
        requests = {kind: [Request(**each) for each in listed] for kind, listed in told["requests"].items()}
        return cls(**{**told, "parts": [Part(**each) for each in told["parts"]], "requests": requests})


@dataclass(frozen=True)
class Kind:
    """What came of one kind of request: how many a second, milliseconds, and how many of each status."""

    count: int
    rate: float
    p50: float
    p99: float
    statuses: dict[int, int]


@dataclass(frozen=True)
class Phase:
    """What came of a part."""

    name: str
    seconds: float
    kinds: dict[str, Kind]

    @classmethod
    def read(cls, text: str) -> "Phase":
        """From the JSON of `asdict`."""
        told = json.loads(text)
        kinds = {
            name: Kind(**{**each, "statuses": {int(key): count for key, count in each["statuses"].items()}})
            for name, each in told["kinds"].items()
        }
        return cls(told["name"], told["seconds"], kinds)


class Clients:
    """All clients of a plan. Each is a thread with a connection that is kept."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._turns: dict[str, Iterator[Request]] = {kind: _turns(plan, kind) for kind in plan.requests}
        self._lock = threading.Lock()

    def run(self, part: Part) -> Phase:
        """One part, by all clients at the same time."""
        answers: dict[str, list[tuple[int, float]]] = defaultdict(list)
        begun = monotonic()
        threads = [
            threading.Thread(target=self._one, args=(part, chance, begun + part.seconds, answers))
            for chance in map(random.Random, range(self.plan.clients))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = monotonic() - begun
        return Phase(part.name, seconds, {kind: summary(found, seconds) for kind, found in answers.items()})

    def _one(
        self, part: Part, chance: random.Random, until: float, answers: dict[str, list[tuple[int, float]]]
    ) -> None:
        client = Client(self.plan.port)
        while monotonic() < until:
            kind, wanted = self._next(chance.choices([*part.shares], [*part.shares.values()])[0])
            begun = monotonic()
            try:
                status = client.ask(wanted).status
            except (OSError, HTTPException):
                status = BROKEN
                client.close()
            answers[kind].append((status, monotonic() - begun))
        client.close()

    def _next(self, kind: str) -> tuple[str, Request]:
        with self._lock:
            found = next(self._turns[kind], None)
            return (kind, found) if found else (self.plan.instead, next(self._turns[self.plan.instead]))


def _turns(plan: Plan, kind: str) -> Iterator[Request]:
    listed = plan.requests[kind]
    yield from listed
    while kind not in plan.once:
        yield from listed


def summary(answers: list[tuple[int, float]], seconds: float) -> Kind:
    """Figures of one kind of request, from status and seconds of each."""
    times = sorted(1000 * each for _, each in answers)
    p50, p99 = percentiles(times)
    return Kind(len(times), len(times) / seconds, p50, p99, dict(Counter(status for status, _ in answers)))


def percentiles(values: list[float]) -> tuple[float, float]:
    """The 50th and the 99th."""
    if len(values) < 2:
        return (values[0], values[0]) if values else (0.0, 0.0)
    cut = quantiles(values, n=100, method="inclusive")
    return cut[49], cut[98]


def main() -> None:
    """Run the plan that the standard input holds."""
    clients = Clients(Plan.read(sys.stdin.read()))
    for part in clients.plan.parts:
        print(json.dumps(asdict(clients.run(part))), flush=True)


if __name__ == "__main__":
    main()
