"""Runs the django-q2 cluster in a process group of its own and ends it when it shows no sign of life.

A cluster can look alive and do nothing: a worker killed while idle may take the queue's lock with it. So the proof
of life is work done: a small task that writes a heartbeat, or any task finished. Without either for STALE_SECONDS the
whole group is killed and restarted; tasks are idempotent and are queued again by themselves.
"""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from django.db import Error as DatabaseError
from django.db import close_old_connections, connections
from django_q.models import Task
from django_q.tasks import async_task

from config import schedules
from config.lifeline import follow_parent
from ledger import heartbeats
from ledger.format import number
from ledger.models import Heartbeat

log = logging.getLogger(__name__)
NAME = "worker"
STALE_SECONDS = 180.0
ASK_SECONDS = 30.0
POLL_SECONDS = 2.0
STOP_SECONDS = 15.0
CLUSTER = (sys.executable, "manage.py", "qcluster")

Signs = tuple[object, ...]


def prove_life() -> None:
    """The small task. Long tasks call it too, at least every two minutes, to say that they are at work."""
    heartbeats.beat(NAME)


def look_after() -> None:
    """Correct the schedules, then ask for a sign of life."""
    schedules.ensure()
    async_task("config.worker.prove_life", save=False, group="heartbeat")


def signs_of_life() -> Signs:
    """Values that change when the cluster does something: its last heartbeat and its last finished task."""
    beat = Heartbeat.objects.filter(name=NAME).values_list("at", flat=True).first()
    task = Task.objects.order_by("-stopped").values_list("stopped", flat=True).first()
    return (beat, task)


@dataclass
class Watch:
    """Decides when a cluster is stale. Seconds come from a monotonic clock, so a moved wall clock ends nothing."""

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
        """Look once, ask for a proof when the last one is answered and old, and say whether the cluster is stale."""
        moment = self.clock()
        if (signs := self.read()) != self.signs:
            self.signs, self.changed = signs, moment
        if self.changed > self.asked and moment - self.asked >= ASK_SECONDS:
            self.ask()
            self.asked = moment
        return moment - self.changed >= self.stale_seconds


def start_cluster(command: tuple[str, ...] = CLUSTER) -> "subprocess.Popen[bytes]":
    """Start the cluster as leader of a new session, tied to our own life."""
    return subprocess.Popen(command, start_new_session=True, preexec_fn=follow_parent)


def end_cluster(cluster: "subprocess.Popen[bytes]", *, gently: bool) -> None:
    """End every process of the cluster's group. Gently lets a task at work finish, for STOP_SECONDS at most."""
    if gently and cluster.poll() is None:
        cluster.terminate()
        with suppress(subprocess.TimeoutExpired):
            cluster.wait(STOP_SECONDS)
    # The group outlives its leader when a sentinel was killed: without this its workers would be orphans.
    with suppress(ProcessLookupError):
        os.killpg(cluster.pid, signal.SIGKILL)
    cluster.wait()


def guard(cluster: "subprocess.Popen[bytes]", watch: Watch, *, poll_seconds: float = POLL_SECONDS) -> str:
    """Wait until the cluster must be replaced; returns why."""
    while True:
        with suppress(subprocess.TimeoutExpired):
            return f"it ended with code {cluster.wait(poll_seconds)}"
        close_old_connections()
        try:
            if watch.is_stale():
                return f"it showed no sign of life for {number(watch.stale_seconds, 0)} s"
        except DatabaseError as error:
            log.warning("The database did not answer the worker's watch: %s", error)
            connections.close_all()


def run() -> None:
    """Keep a cluster running until this process is asked to end; then end it gently."""
    while True:
        cluster = start_cluster()
        try:
            log.error("Restarting the cluster: %s", guard(cluster, Watch(read=signs_of_life, ask=look_after)))
        except BaseException:
            end_cluster(cluster, gently=True)
            raise
        end_cluster(cluster, gently=False)
        time.sleep(1)
