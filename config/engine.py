"""The engine: fires clocks the moment they are due and sends what waits. Any number of copies may run.

A thread for each of its works, so that a slow mail server or watcher never delays a clock. All that is due stands in the
database; the engine keeps nothing, so it may be killed at any moment.
"""

import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.conf import settings
from django.db import close_old_connections, connection, connections
from django.template import engines
from django.urls import get_resolver

from config import outside
from escalations.clocks import audit as rebuilding
from escalations.clocks import firing
from ledger import heartbeats
from ledger.now import now
from messaging.outbox import messages as outbox
from messaging.outbox import posting

log = logging.getLogger(__name__)
ENGINE, SENDER, OUTSIDE, CALENDARS = "engine", "sender", "outside", "calendars"
# One transaction: on SQLite everybody else who writes waits for it, so it stays well under half a second.
CLOCKS_AT_ONCE = 500
# A turn of the sender ends after four seconds whatever is left, so a large batch delays neither its heartbeat nor its end.
MESSAGES_AT_ONCE = 200
LONGEST_SLEEP = 0.25
GAP = 0.01
SENDER_SLEEP = 0.5
# So long at most the sender stands aside for a backlog of clocks.
STANDS_ASIDE_SECONDS = 5.0
CALENDARS_SLEEP = 5.0
BEAT_SECONDS = 5.0
AFTER_AN_ERROR = 1.0
# A mail that is just being handed over may finish; it would otherwise wait for its lease to run out and arrive twice.
LAST_MAIL_SECONDS = 6.0


class Backlog:
    """Whether more clocks are due than one batch takes, and since when: meanwhile the sender stands aside.

    Both are threads of one process and both write; a mail that leaves a second later is no broken promise, a clock is.
    """

    def __init__(self) -> None:
        self._since = 0.0

    def note(self, fired: int) -> None:
        """A full batch means that there is more."""
        if fired < CLOCKS_AT_ONCE:
            self._since = 0.0
        elif not self._since:
            self._since = time.monotonic()

    def goes_first(self) -> bool:
        """Whether the sender waits; not for ever, or a long backlog would hold up all mail."""
        return bool(self._since) and time.monotonic() < self._since + STANDS_ASIDE_SECONDS


backlog = Backlog()


def fire(second_hand: Executor | None = None) -> int:
    """Fire a batch of due clocks, with a second hand two; returns how many steps were taken."""
    fired = firing.fire_due(limit=CLOCKS_AT_ONCE, between=let_others_write, second_hand=second_hand)
    backlog.note(fired)
    return fired


@contextmanager
def second_hand() -> Iterator[Executor | None]:
    """A thread that fires beside this one while more is due than one batch takes: what one computes, the database writes
    for the other. None where the database lets in one writer at a time."""
    if not connection.features.has_select_for_update_skip_locked:
        yield None
        return
    with ThreadPoolExecutor(1, thread_name_prefix="second-hand") as hand:
        try:
            yield hand
        finally:
            hand.submit(connections.close_all)


def let_others_write() -> None:
    """SQLite lets one writer in at a time and keeps no queue: without a gap, a long backlog would shut everybody else out."""
    if connection.vendor == "sqlite":
        time.sleep(GAP)


def send() -> int:
    """Tell in the desk what waits, then hand over a batch of messages; returns how many were told or left."""
    if backlog.goes_first():
        return 0
    return posting.tell_waiting() + outbox.send_due(limit=MESSAGES_AT_ONCE)


def seconds_to_next_clock() -> float:
    """How long to sleep: until the next clock is due, at most a quarter of a second."""
    due = firing.next_due()
    left = (due - now()).total_seconds() if due else LONGEST_SLEEP
    # A due clock that could not be claimed is held by another engine or a person: look again soon, do not spin.
    return min(LONGEST_SLEEP, max(0.02, left))


def seconds_to_next_message() -> float:
    """The sender looks twice a second."""
    return SENDER_SLEEP


@dataclass
class Loop:
    """Does one kind of work again and again until it is told to stop. No error ends it."""

    name: str
    work: Callable[[], int]
    rest: Callable[[], float]
    stop: threading.Event
    clock: Callable[[], float] = time.monotonic
    beats: bool = True
    _beaten: float = field(default=float("-inf"), init=False)

    def run(self) -> None:
        """Work until stopped; the thread's own database connection is closed at the end."""
        try:
            while not self.stop.is_set():
                self.stop.wait(self.turn())
        finally:
            connections.close_all()

    def turn(self) -> float:
        """One batch and, every five seconds, a sign of life. Returns how long to rest."""
        try:
            self._beat()
            return 0.0 if self.work() else self.rest()
        except Exception:  # whatever a row or the database does, the next turn comes
            log.exception("The %s met an error and goes on", self.name)
            connections.close_all()
            return AFTER_AN_ERROR

    def _beat(self) -> None:
        moment = self.clock()
        if moment - self._beaten >= BEAT_SECONDS:
            close_old_connections()
            if self.beats:
                heartbeats.beat(self.name)
            self._beaten = moment


def warm_up() -> None:
    """Load templates and addresses now. The first mail would load them inside its transaction, which lasts seconds then."""
    engines.all()
    get_resolver().url_patterns  # noqa: B018 - asking is what loads them
    spare_the_collector()


def spare_the_collector() -> None:
    """What is loaded now stays: the garbage collector need not walk through it again for every few hundred rows of a batch,
    which took a tenth of the time of a step."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def run(stop: threading.Event) -> None:
    """Run all loops until `stop` is set: the clocks in this thread, the sender and the word outside in others."""
    warm_up()
    sender = _thread(Loop(SENDER, send, seconds_to_next_message, stop))
    if settings.HEARTBEAT_URL:
        # Its heartbeat is word that arrived, not that it looked.
        _thread(Loop(OUTSIDE, outside.tell, lambda: outside.LOOK_SECONDS, stop, beats=False))
    hours = rebuilding.CalendarWatch()
    _thread(Loop(CALENDARS, lambda: hours.follow(now()), lambda: CALENDARS_SLEEP, stop, beats=False))
    with second_hand() as hand:
        Loop(ENGINE, lambda: fire(hand), seconds_to_next_clock, stop).run()
    sender.join(LAST_MAIL_SECONDS)


def _thread(loop: Loop) -> threading.Thread:
    thread = threading.Thread(target=loop.run, name=loop.name, daemon=True)
    thread.start()
    return thread


def run_once() -> tuple[int, int]:
    """Everything due now, in this thread: (steps of clocks taken, messages sent)."""
    heartbeats.beat(ENGINE)
    fired = _until_nothing(fire)
    heartbeats.beat(SENDER)
    return fired, _until_nothing(send)


def _until_nothing(work: Callable[[], int]) -> int:
    total = 0
    while done := work():
        total += done
    return total
