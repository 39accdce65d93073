"""The engine: fires clocks when they are due and sends waiting messages. Any number of engines may run.

Each kind of work has a thread, so that a slow mail server or monitor never delays a clock. Everything due is in the
database; the engine keeps nothing, so it may be killed at any time.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings
from django.db import close_old_connections, connection, connections

from accounts.people import leaving
from config import outside
from config.warm import warm_up
from escalations.clocks import audit
from escalations.clocks import engine as clocks
from ledger import heartbeats
from ledger.now import now
from messaging.outbox import messages as outbox
from messaging.outbox import notices
from reports.facts import follow

log = logging.getLogger(__name__)
ENGINE, SENDER, OUTSIDE, CALENDARS, FIGURES = "engine", "sender", "outside", "calendars", "figures"
LEAVING = "leaving"
# One transaction: on SQLite all other writers wait for it, so it takes well under half a second.
CASES_AT_ONCE = 200
# A turn of the sender ends after four seconds, so that a large batch delays neither its heartbeat nor its end.
MESSAGES_AT_ONCE = 200
LONGEST_SLEEP = 0.25
GAP = 0.01
SENDER_SLEEP = 0.5
# The longest time for which the sender waits for a backlog of clocks.
STANDS_ASIDE_SECONDS = 5.0
CALENDARS_SLEEP = 5.0
FIGURES_SLEEP = 2.0
LEAVING_SLEEP = 2.0
BEAT_SECONDS = 5.0
AFTER_AN_ERROR = 1.0
# A mail that is being delivered may finish; otherwise it would be sent again after its lease and arrive twice.
LAST_MAIL_SECONDS = 6.0


class Backlog:
    """Whether more clocks are due than one batch takes, and since when. Meanwhile the sender waits. Both are threads of
    one process and both write; a mail that is sent a second later does no harm, but a late clock does.
    """

    def __init__(self) -> None:
        self._since = 0.0

    def note(self, fired: int) -> None:
        """A full batch means that there is more."""
        if fired < CASES_AT_ONCE:
            self._since = 0.0
        elif not self._since:
            self._since = time.monotonic()

    def goes_first(self) -> bool:
        """Whether the sender waits; only for a limited time, because a long backlog would hold up all mail."""
        return bool(self._since) and time.monotonic() < self._since + STANDS_ASIDE_SECONDS


backlog = Backlog()


def fire() -> int:
    """Fire a batch of due clocks; returns how many steps were taken."""
    fired = clocks.fire_due(limit=CASES_AT_ONCE, between=let_others_write)
    backlog.note(fired)
    return fired


def let_others_write() -> None:
    """SQLite allows one writer at a time and has no queue: without a gap, a long backlog would keep all other writers
    out."""
    if connection.vendor == "sqlite":
        time.sleep(GAP)


def send() -> int:
    """Write waiting in-app notices, then send a batch of messages; returns how many were written or sent."""
    if backlog.goes_first():
        return 0
    return notices.tell_waiting() + outbox.send_due(limit=MESSAGES_AT_ONCE)


def count_figures() -> int:
    """Refresh what figures are counted from for a batch of changed cases; returns how many. A late figure does no harm,
    so a backlog of clocks goes first."""
    if backlog.goes_first():
        return 0
    let_others_write()
    return follow.pull()


def move_on() -> int:
    """Move a part of the work of people who have left; returns how many pieces."""
    if backlog.goes_first():
        return 0
    let_others_write()
    return leaving.follow()


def seconds_to_next_clock() -> float:
    """How long to sleep: until the next clock is due, at most a quarter of a second."""
    due = clocks.next_due()
    left = (due - now()).total_seconds() if due else LONGEST_SLEEP
    # A due clock that could not be claimed is locked by another engine or a person: try again soon, without spinning.
    return min(LONGEST_SLEEP, max(0.02, left))


def seconds_to_next_message() -> float:
    """The sender checks twice a second."""
    return SENDER_SLEEP


@dataclass
class Loop:
    """Repeats one kind of work until it is stopped. No error ends it."""

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
        except Exception:  # an error of a row or the database must not end the loop
            log.exception("The %s had an error and continues", self.name)
            connections.close_all()
            return AFTER_AN_ERROR

    def _beat(self) -> None:
        moment = self.clock()
        if moment - self._beaten >= BEAT_SECONDS:
            close_old_connections()
            if self.beats:
                heartbeats.beat(self.name)
            self._beaten = moment


def run(stop: threading.Event) -> None:
    """Run all loops until `stop` is set: the clocks in this thread, the others in threads of their own."""
    # Otherwise the first mail would load templates and addresses inside its transaction, which would then take seconds.
    warm_up()
    sender = _thread(Loop(SENDER, send, seconds_to_next_message, stop))
    if settings.HEARTBEAT_URL:
        # Its heartbeat means that a call was answered, not that it was tried.
        _thread(Loop(OUTSIDE, outside.tell, lambda: outside.LOOK_SECONDS, stop, beats=False))
    hours = audit.CalendarWatch()
    _thread(Loop(CALENDARS, lambda: hours.follow(now()), lambda: CALENDARS_SLEEP, stop, beats=False))
    _thread(Loop(FIGURES, count_figures, lambda: FIGURES_SLEEP, stop, beats=False))
    _thread(Loop(LEAVING, move_on, lambda: LEAVING_SLEEP, stop, beats=False))
    Loop(ENGINE, fire, seconds_to_next_clock, stop).run()
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
    _until_nothing(move_on)
    return fired, _until_nothing(send)


def _until_nothing(work: Callable[[], int]) -> int:
    total = 0
    while done := work():
        total += done
    return total
