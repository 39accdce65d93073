"""Asks for every row over HTTP, the product and its floor in turn."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from demo.benchmarks.client import GOOD, Answer, Client
from demo.benchmarks.pages import Row, floor_request, request
from demo.benchmarks.servers import Server
from demo.benchmarks.subjects import Subjects

ROUNDS, LEAST = 15, 3
# A slow row ends after this time, with at least LEAST rounds.
SECONDS = 4.0


@dataclass(frozen=True)
class Result:
    """A measured row. Milliseconds; `problem` says what went wrong, instead of figures."""

    name: str
    rounds: int = 0
    milliseconds: float = 0.0
    processor: float = 0.0
    plain: int = 0
    sent: int = 0
    floor: float | None = None
    floor_processor: float | None = None
    queries: int | None = None
    problem: str = ""

    @property
    def times(self) -> float | None:
        """How many times the floor."""
        return self.milliseconds / self.floor if self.floor else None

    @property
    def processor_times(self) -> float | None:
        """The same in processor time, which a busy machine changes less."""
        return self.processor / self.floor_processor if self.floor_processor else None


@contextmanager
def clients(*servers: Server) -> Iterator[list[Client]]:
    """One client for each server."""
    made = [Client(server.port) for server in servers]
    try:
        yield made
    finally:
        for each in made:
            each.close()


def row(wanted: Row, of: Subjects, product: Server, floor: Server) -> Result:
    """One row: the product and its floor in turn, after one round that does not count."""
    with clients(product, floor) as (ours, least):
        # What a process loads or compiles for its first answer of a kind does not count.
        first = [ours.ask(request(wanted, of, number)) for number in range(2)][-1]
        if first.status not in GOOD:
            return Result(wanted.name, problem=f"status {first.status}")
        if wanted.floor and (status := least.ask(floor_request(wanted, of)).status) not in GOOD:
            return Result(wanted.name, problem=f"floor: status {status}")
        before, least_before, begun = product.processor_seconds(), floor.processor_seconds(), perf_counter()
        answers: list[Answer] = []
        floors: list[float] = []
        while len(answers) < ROUNDS and (len(answers) < LEAST or perf_counter() < begun + SECONDS):
            answers.append(ours.ask(request(wanted, of, 2 + len(answers))))
            if wanted.floor:
                floors.append(least.ask(floor_request(wanted, of)).seconds)
        spent, least_spent = product.processor_seconds() - before, floor.processor_seconds() - least_before
    wrong = [each.status for each in answers if each.status not in GOOD]
    return Result(
        wanted.name,
        rounds=len(answers),
        milliseconds=1000 * median(each.seconds for each in answers),
        processor=1000 * spent / len(answers),
        plain=answers[-1].plain,
        sent=answers[-1].sent,
        floor=1000 * median(floors) if floors else None,
        floor_processor=1000 * least_spent / len(floors) if floors else None,
        problem=f"status {wrong[0]}" if wrong else "",
    )
