"""Measures of the product, each compared with its floor in the same run: the minimum of the machine for the same work."""

import hmac
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter

from accounts.calendars.queries import work_calendar
from accounts.calendars.rules.worktime import add_work
from accounts.models import Calendar
from demo.benchmarks import engines
from escalations.models import Escalation, Event
from ledger import chain
from ledger import format as write
from ledger.now import now

SHORT = 0.4  # seconds spent on each small measure


@dataclass(frozen=True)
class Figure:
    """The measured value and its floor. Microseconds each, unless `unit` says otherwise."""

    name: str
    value: float
    floor: float | None = None
    floor_name: str = ""
    unit: str = "µs"

    def __str__(self) -> str:
        told = f"{self.name:<44}{write.figure(self.value, 1):>12} {self.unit:<4}"
        if self.floor is None:
            return told
        times = write.figure(self.value / self.floor, 1)
        return f"{told}  floor {write.figure(self.floor, 1)} {self.unit} ({self.floor_name}), {times} times"


def microseconds(act: Callable[[], object], *, each: int = 1) -> float:
    """The best of at least five runs, in microseconds for each of the `each` things one call does."""
    best, until, runs = float("inf"), perf_counter() + SHORT, 0
    while runs < 5 or perf_counter() < until:
        begun = perf_counter()
        act()
        best, runs = min(best, perf_counter() - begun), runs + 1
    return best / each * 1e6


def chain_append() -> Figure:
    """Signing an entry, compared with one plain HMAC of its bytes."""
    moment, number = now(), 200
    parent = Escalation(pk=1)
    data = {"kind": "decision", "generation": 1, "state": "running", "due_at": moment.isoformat()}
    values = {"case_id": parent.pk, "at": moment, "kind": "clock.start", "summary": "Due", "data": data}
    rows = [Event(**values) for _ in range(number)]
    content = json.dumps(rows[0].content()).encode()
    value = microseconds(lambda: chain.number(parent, rows), each=number)
    floor = microseconds(lambda: [hmac.digest(b"k" * 32, content, "sha256") for _ in range(number)], each=number)
    return Figure("Sign one entry of a log", value, floor, "plain HMAC")


def due_time() -> Figure:
    """A due time through the public function, compared with the plain look-up: the same segments, two bisects, no
    checks."""
    calendar = work_calendar(Calendar.objects.get(slug="business"))
    openings, closings, zeros, done = calendar.years[now().year]
    seconds, wanted = 4 * 3600, timedelta(hours=4)
    starts = [opening + timedelta(hours=hours) for opening in openings[:200] for hours in (0, 5, 12)]

    def bare(start: datetime) -> datetime:
        index = bisect_right(openings, start) - 1
        work = wanted + (start - zeros[index] if start < closings[index] else done[index])
        return zeros[bisect_left(done, work)] + work

    value = microseconds(lambda: [add_work(calendar, start, seconds) for start in starts], each=len(starts))
    floor = microseconds(lambda: [bare(start) for start in starts], each=len(starts))
    return Figure("Due time on a business calendar", value, floor, "plain segment look-up")


def told() -> str:
    """Signing and due times as text."""
    return "\n".join(str(figure) for figure in (chain_append(), due_time()))


def engine(told: dict[str, float]) -> list[Figure]:
    """The results of the engine measurement, compared with the target or the floor of the same run."""
    bar, backlog = f"Backlog of {write.number(engines.BACKLOG)} due clocks gone", told["backlog"] * 1000
    return [
        Figure(
            f"Lateness of {write.number(engines.SPREAD)} spread clocks, p99", told["p99"] * 1000, 1000.0, "bar", "ms"
        ),
        Figure("  the latest of them", told["latest"] * 1000, unit="ms"),
        Figure(bar, backlog, 15_000.0, "bar", "ms"),
        Figure(
            "  compared with plain updates and rows", backlog, told["floor"] * 1000, "plain UPDATE and INSERT", "ms"
        ),
    ]
