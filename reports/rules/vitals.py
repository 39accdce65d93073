"""Whether every clock is being watched: the measures, and the problems as text."""

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
    """The measures of one moment. An age of None: there never was a sign of life. `outside`: the time since the
    external monitor last answered, or since its first call if it never did; None if there is no external monitor.
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
    """A problem. `stops` means that clocks are not being watched; otherwise only some rows need a person."""

    code: str
    text: str
    stops: bool


def problems(vitals: Vitals) -> list[Problem]:
    """All problems, the worst first."""
    found = [*_silent("engine", vitals.engine, STALE, stops=True), *_late(vitals)]
    found += _silent("sender", vitals.sender, STALE, stops=False)
    found += _silent("worker", vitals.worker, WORKER_STALE, stops=False)
    if abs(vitals.drift) > CLOCK_DRIFT:
        text = f"the clocks of application and database differ by {rough(abs(vitals.drift))}"
        found.append(Problem("drift", text, stops=False))
    if vitals.outside is not None and vitals.outside > OUTSIDE_STALE:
        text = f"the external monitor has not answered for {rough(vitals.outside)}"
        found.append(Problem("outside", text, stops=False))
    return [*found, *_counted(vitals)]


def _counted(vitals: Vitals) -> Iterator[Problem]:
    """The counts of rows that wait for a person."""
    for count, code, noun, what in (
        (vitals.unwatched, "unwatched", "case", "a target that no clock watches"),
        (vitals.lost_steps, "lost_steps", "clock", "running without a next step"),
        (vitals.parked_clocks, "parked_clocks", "clock", "set aside after failing, waiting for a person"),
        (vitals.stuck_messages, "stuck_messages", "message", "taken by a sender that has stopped"),
        (vitals.parked_messages, "parked_messages", "message", "parked after failing, waiting for a person"),
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
        # The clock was set back: a sign of life in the future proves nothing until that time is reached.
        yield Problem(name, f"the last sign of life from the {name} is {rough(-age)} in the future", stops)


def _late(vitals: Vitals) -> Iterator[Problem]:
    if vitals.lag > LATE:
        yield Problem("lag", f"the oldest due clock has waited {rough(vitals.lag)}", stops=True)


def sentence(vitals: Vitals) -> tuple[str, str]:
    """One sentence for the top of the page, with the kind of its banner: good, warn or bad."""
    found = problems(vitals)
    if any(each.stops for each in found):
        return "bad", "Clocks are not being watched."
    return (
        ("warn", "All clocks are being watched, but something needs a person.")
        if found
        else ("good", "All clocks are being watched.")
    )


@dataclass(frozen=True)
class Alarm:
    """The banner above every page for operations. `kind`: bad, or warn if only a person is needed."""

    kind: str
    title: str
    text: str


def alarm_of(vitals: Vitals) -> Alarm | None:
    """The text of the banner: None if all is well, else one sentence."""
    found = problems(vitals)
    stopping = [each.text for each in found if each.stops]
    if stopping:
        return Alarm("bad", "Clocks are not being watched:", "; ".join(stopping) + ".")
    return Alarm("warn", "Something needs a person:", "; ".join(each.text for each in found) + ".") if found else None


MISSING: dict[str, str] = {
    "acceptance": "The case waits to be accepted, but no acceptance clock runs.",
    "decision": "A request waits for a decision, but no decision clock runs.",
    "review": "The review is open, but no review clock runs.",
    "resolution": "The case is open, but no resolution clock runs.",
    "any": "The case is open, but none of its clocks runs.",
}


def missing_words(codes: Iterable[str]) -> str:
    """The missing clocks of a case, one sentence for each. A case without any clock gets one sentence."""
    found = [code for code in MISSING if code in set(codes)]
    told = [code for code in found if code != "resolution"] if "any" in found else found
    return " ".join(MISSING[code] for code in told)


def step_words(label: str) -> str:
    """The problem of a clock that lost its step."""
    return f"The clock “{label}” runs, but it has no next step."
