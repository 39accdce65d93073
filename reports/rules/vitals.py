"""Whether every promise is being watched: what was measured, and what is wrong with it, in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

STALE = timedelta(seconds=60)
LATE = timedelta(seconds=60)
WORKER_STALE = timedelta(seconds=180)
CLOCK_DRIFT = timedelta(seconds=2)


@dataclass(frozen=True)
class Vitals:
    """What was measured at one moment. An age of None: there never was a sign of life."""

    engine: timedelta | None
    sender: timedelta | None
    worker: timedelta | None
    lag: timedelta
    overdue: int
    parked_clocks: int
    parked_messages: int
    drift: timedelta = timedelta(0)
    running: int = 0
    paused: int = 0
    next_hour: int = 0
    warnings_next_hour: int = 0
    waiting_messages: int = 0


@dataclass(frozen=True)
class Problem:
    """Something that is not well. `stops` means promises are not being watched, rather than one row needing a person."""

    code: str
    text: str
    stops: bool


def problems(vitals: Vitals) -> list[Problem]:
    """All that is wrong, the worst first."""
    found = [*_silent("engine", vitals.engine, STALE, stops=True), *_late(vitals)]
    found += _silent("sender", vitals.sender, STALE, stops=False)
    found += _silent("worker", vitals.worker, WORKER_STALE, stops=False)
    if abs(vitals.drift) > CLOCK_DRIFT:
        text = f"the clocks of application and database differ by {seconds(abs(vitals.drift))}"
        found.append(Problem("drift", text, stops=False))
    for count, code, noun in (
        (vitals.parked_clocks, "parked_clocks", "clock"),
        (vitals.parked_messages, "parked_messages", "message"),
    ):
        if count:
            text = f"{count} {noun}{'s' if count > 1 else ''} set aside after failing, waiting for a person"
            found.append(Problem(code, text, stops=False))
    return found


def _silent(name: str, age: timedelta | None, limit: timedelta, *, stops: bool) -> Iterator[Problem]:
    if age is None:
        yield Problem(name, f"the {name} has not started yet", stops)
    elif age > limit:
        yield Problem(name, f"no sign of life from the {name} for {seconds(age)}", stops)


def _late(vitals: Vitals) -> Iterator[Problem]:
    if vitals.lag > LATE:
        yield Problem("lag", f"the oldest due clock waits since {seconds(vitals.lag)}", stops=True)


def seconds(span: timedelta) -> str:
    """A span as operations write it: 42 s, 7 min, 3 h, 2 d."""
    whole = int(span.total_seconds())
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if whole >= 2 * size:
            return f"{whole // size} {name}"
    return f"{whole} s"


def sentence(vitals: Vitals) -> tuple[str, str]:
    """One sentence for the top of the page, with the kind of its banner: good, warn or bad."""
    found = problems(vitals)
    if any(each.stops for each in found):
        return "bad", "Promises are not being watched."
    return (
        ("warn", "All promises are being watched, but something needs a person.")
        if found
        else ("good", "All promises are being watched.")
    )
