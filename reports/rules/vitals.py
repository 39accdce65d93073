"""Whether every promise is being watched: what was measured, and what is wrong with it, in words."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from ledger.format import rough

STALE = timedelta(seconds=60)
LATE = timedelta(seconds=60)
WORKER_STALE = timedelta(seconds=180)
OUTSIDE_STALE = timedelta(seconds=300)
CLOCK_DRIFT = timedelta(seconds=2)


@dataclass(frozen=True)
class Vitals:
    """What was measured at one moment. An age of None: there never was a sign of life.

    `outside`: since the watcher outside last heard that all is well; None when nobody outside is told.
    """

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
    stuck_messages: int = 0
    unwatched: int = 0
    lost_steps: int = 0
    outside: timedelta | None = None


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
        text = f"the clocks of application and database differ by {rough(abs(vitals.drift))}"
        found.append(Problem("drift", text, stops=False))
    if vitals.outside is not None and vitals.outside > OUTSIDE_STALE:
        text = f"the external monitor was last reached {rough(vitals.outside)} ago"
        found.append(Problem("outside", text, stops=False))
    return [*found, *_counted(vitals)]


def _counted(vitals: Vitals) -> Iterator[Problem]:
    """Rows that wait for a person, in counts."""
    for count, code, noun, what in (
        (vitals.unwatched, "unwatched", "case", "a promise that no clock watches"),
        (vitals.lost_steps, "lost_steps", "clock", "running with nothing set to happen when the time is up"),
        (vitals.parked_clocks, "parked_clocks", "clock", "set aside after failing, waiting for a person"),
        (vitals.stuck_messages, "stuck_messages", "message", "taken by a sender that fell silent"),
        (vitals.parked_messages, "parked_messages", "message", "set aside after failing, waiting for a person"),
    ):
        if count:
            has = ("have " if count > 1 else "has ") if code == "unwatched" else ""
            yield Problem(code, f"{count} {noun}{'s' if count > 1 else ''} {has}{what}", stops=False)


def _silent(name: str, age: timedelta | None, limit: timedelta, *, stops: bool) -> Iterator[Problem]:
    if age is None:
        yield Problem(name, f"the {name} has not started yet", stops)
    elif age > limit:
        yield Problem(name, f"no sign of life from the {name} for {rough(age)}", stops)
    elif age < -limit:
        # The clock was set back: a sign that lies ahead proves nothing until time has caught up with it.
        yield Problem(name, f"the last sign of life from the {name} lies {rough(-age)} ahead of the clock", stops)


def _late(vitals: Vitals) -> Iterator[Problem]:
    if vitals.lag > LATE:
        yield Problem("lag", f"the oldest due clock has waited {rough(vitals.lag)}", stops=True)


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


@dataclass(frozen=True)
class Alarm:
    """The banner over every page of operations. `kind`: bad, or warn for what only needs a person."""

    kind: str
    title: str
    text: str


def alarm_of(vitals: Vitals) -> Alarm | None:
    """What the banner says: nothing when all is well, one sentence otherwise."""
    found = problems(vitals)
    stopping = [each.text for each in found if each.stops]
    if stopping:
        return Alarm("bad", "Promises are not being watched:", "; ".join(stopping) + ".")
    return Alarm("warn", "Something needs a person:", "; ".join(each.text for each in found) + ".") if found else None


MISSING: dict[str, str] = {
    "acceptance": "It waits to be accepted, but no acceptance clock runs.",
    "decision": "A request waits for a decision, but no decision clock runs.",
    "review": "Its review is open, but no review clock runs.",
    "resolution": "It is open, but no resolution clock runs.",
    "any": "It is open, but no clock of it runs.",
}


def missing_words(codes: Iterable[str]) -> str:
    """What a case lacks, a sentence for each. A case without any clock is told so once."""
    found = [code for code in MISSING if code in set(codes)]
    told = [code for code in found if code != "resolution"] if "any" in found else found
    return " ".join(MISSING[code] for code in told)


def step_words(label: str) -> str:
    """What is wrong with a clock that lost its step."""
    return f"The clock “{label}” runs, but nothing is set to happen when its time is up."
