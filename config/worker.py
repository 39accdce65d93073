"""Runs the background jobs: one process that watches, and two that work, each in a process group of its own.

Queue, schedules, results and the work itself are django-q2's. Its cluster is not: it needs six processes of its own, and a
worker killed while idle may take the lock of their common queue with it. Here a process takes a job from the database only
when it has nothing to do, so that nothing is shared that a killed process could keep.

A process that is not back in time from a job, or shows no sign of life, is killed and replaced; jobs are idempotent. The
proof of life of the whole is work done: a small job that writes a heartbeat, or any job finished. Without either for
STALE_SECONDS all of it is replaced.
"""

import gc
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.context import ForkProcess
from multiprocessing.sharedctypes import RawValue

from django.db import Error as DatabaseError
from django.db import close_old_connections, connections
from django_q.brokers import Broker, get_broker
from django_q.conf import Conf
from django_q.models import Task
from django_q.monitor import save_task
from django_q.scheduler import scheduler
from django_q.signing import BadSignature, SignedPackage
from django_q.tasks import async_task
from django_q.worker import worker

from config import schedules
from config.lifeline import follow_parent
from config.warm import warm_up
from ledger import heartbeats
from ledger.format import number
from ledger.models import Heartbeat

log = logging.getLogger(__name__)
NAME = "worker"
STALE_SECONDS = 180.0
ASK_SECONDS = 30.0
POLL_SECONDS = 2.0
STOP_SECONDS = 15.0
# How long a process may stay over the time of its job; it ends itself before, if it can.
GRACE_SECONDS = 10.0
AFTER_AN_ERROR = 5.0
STOP = "STOP"

Signs = tuple[object, ...]
Job = dict[str, object]


def prove_life() -> None:
    """The small job. Long jobs call it too, at least every two minutes, to say that they are at work."""
    heartbeats.beat(NAME)


def look_after() -> None:
    """Correct the schedules, then ask for a sign of life."""
    schedules.ensure()
    async_task("config.worker.prove_life", save=False, group="heartbeat")


def signs_of_life() -> Signs:
    """Values that change when a job is done: the last heartbeat and the last finished job."""
    beat = Heartbeat.objects.filter(name=NAME).values_list("at", flat=True).first()
    task = Task.objects.order_by("-stopped").values_list("stopped", flat=True).first()
    return (beat, task)


# A process that works


class Deadline:
    """By when a process must show itself again: the end of its job, or its next look for one. The watching process reads it
    without a lock, because a killed process would keep the lock. For django-q2 it is the timer of a worker."""

    def __init__(self) -> None:
        self._until = RawValue("d", time.monotonic() + STALE_SECONDS)
        self._value = -1.0

    @property
    def value(self) -> float:
        """The seconds of the job at work; -1 between jobs, and 0 or -2 when the process ends."""
        return self._value

    @value.setter
    def value(self, seconds: float) -> None:
        self._value = seconds
        self.show(seconds + GRACE_SECONDS if seconds > 0 else STALE_SECONDS)

    def show(self, seconds: float = STALE_SECONDS) -> None:
        """We are alive, and shall be back within these seconds."""
        self._until.value = time.monotonic() + seconds

    def get_lock(self) -> AbstractContextManager[None]:
        """None is needed."""
        return nullcontext()

    @property
    def is_over(self) -> bool:
        """Whether it has passed."""
        return time.monotonic() > float(self._until.value)


class Jobs:
    """Where django-q2's worker takes its jobs: directly from the broker, one at a time."""

    def __init__(self, broker: Broker, deadline: Deadline) -> None:
        self._broker, self._deadline, self.stopped = broker, deadline, False

    def get(self) -> Job | str:
        """The next job, as soon as there is one; STOP once we are asked to end."""
        while not self.stopped:
            self._deadline.show()
            try:
                for ack_id, package in self._broker.dequeue() or ():
                    if job := self._unpacked(ack_id, package):
                        return job
            except DatabaseError as error:
                log.warning("The database did not answer the worker: %s", error)
                connections.close_all()
                time.sleep(AFTER_AN_ERROR)
        return STOP

    def _unpacked(self, ack_id: int, package: str) -> Job | None:
        try:
            job: Job = SignedPackage.loads(package)
        except (TypeError, BadSignature):
            log.exception("A job that cannot be read was removed")
            self._broker.fail(ack_id)
            return None
        return {**job, "cluster": Conf.CLUSTER_NAME, "ack_id": ack_id}

    def put(self, job: Job) -> None:
        """Keep what came of a job, and take it off the queue unless it is to be tried again."""
        save_task(job, self._broker)
        if job["success"] or job.get("ack_failure"):
            self._broker.acknowledge(job["ack_id"])
        if not job["success"]:
            log.error("The job %s failed: %s", job["func"], job["result"])


def work(deadline: Deadline) -> None:
    """Do jobs until asked to end."""
    jobs = Jobs(get_broker(), deadline)

    def stop(*_: object) -> None:
        jobs.stopped = True

    for each in (signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, stop)
    worker(jobs, jobs, deadline, Conf.TIMEOUT)


@dataclass(frozen=True)
class Hand:
    """A process that works, and by when it must show itself."""

    process: ForkProcess
    deadline: Deadline


def start_hand(do: Callable[[Deadline], None] = work) -> Hand:
    """Start a process as leader of a new session, tied to our own life. It shares the memory of what is loaded."""
    deadline, parent = Deadline(), os.getpid()

    def begin() -> None:
        os.setsid()
        follow_parent()
        if os.getppid() == parent:
            do(deadline)

    # A connection must not be used by two processes.
    connections.close_all()
    process = get_context("fork").Process(target=begin)
    process.start()
    return Hand(process, deadline)


def end_hand(hand: Hand, *, gently: bool) -> None:
    """End a process with all that it started. Gently lets a job at work finish, for STOP_SECONDS at most."""
    if gently:
        hand.process.terminate()
        hand.process.join(STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(hand.process.pid or 0, signal.SIGKILL)
    hand.process.join()


# The process that watches


@dataclass
class Watch:
    """Decides when the whole is stale. Seconds come from a monotonic clock, so a moved wall clock ends nothing."""

    read: Callable[[], Signs]
    ask: Callable[[], None]
    clock: Callable[[], float] = time.monotonic
    stale_seconds: float = STALE_SECONDS
    signs: Signs = ()
    changed: float = field(init=False)
    asked: float = float("-inf")

    def __post_init__(self) -> None:
        self.changed = self.clock()

    def is_stale(self) -> bool:
        """Look once, ask for a proof when the last one is answered and old, and say whether the whole is stale."""
        moment = self.clock()
        if (signs := self.read()) != self.signs:
            self.signs, self.changed = signs, moment
        if self.changed > self.asked and moment - self.asked >= ASK_SECONDS:
            self.ask()
            self.asked = moment
        return moment - self.changed >= self.stale_seconds


@dataclass
class Crew:
    """The processes that work. Each is replaced when it has ended or is overdue."""

    start: Callable[[], Hand] = start_hand
    hands: list[Hand] = field(default_factory=list)

    def keep(self, wanted: int) -> None:
        """Replace who is gone or late, and add who is missing."""
        for hand in [*self.hands]:
            if why := _gone(hand):
                log.error("A process of the worker is replaced: %s", why)
                self.end([hand], gently=False)
        while len(self.hands) < wanted:
            self.hands.append(self.start())

    def end(self, hands: list[Hand], *, gently: bool) -> None:
        """End these, all asked at once."""
        for hand in hands if gently else ():
            hand.process.terminate()
        for hand in hands:
            end_hand(hand, gently=gently)
            self.hands.remove(hand)


def _gone(hand: Hand) -> str:
    if not hand.process.is_alive():
        return f"it ended with code {hand.process.exitcode}"
    return "it did not come back in time" if hand.deadline.is_over else ""


@contextmanager
def _crew() -> Iterator[Crew]:
    crew = Crew()
    try:
        yield crew
    finally:
        crew.end([*crew.hands], gently=True)


def run() -> None:
    """Keep the processes at work until this one is asked to end; then end them gently."""
    warm_up()
    gc.freeze()
    with _crew() as crew:
        watch, scheduled = Watch(read=signs_of_life, ask=look_after), float("-inf")
        while True:
            crew.keep(Conf.WORKERS)
            time.sleep(POLL_SECONDS)
            close_old_connections()
            try:
                if time.monotonic() - scheduled >= ASK_SECONDS:
                    scheduler()
                    scheduled = time.monotonic()
                if watch.is_stale():
                    log.error("All is replaced: no sign of life for %s s", number(watch.stale_seconds, 0))
                    crew.end([*crew.hands], gently=False)
                    watch = Watch(read=signs_of_life, ask=look_after)
            except DatabaseError as error:
                log.warning("The database did not answer the worker's watch: %s", error)
                connections.close_all()
