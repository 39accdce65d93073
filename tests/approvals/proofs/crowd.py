"""Processes that knock at the same moment, each with a database connection of its own."""

import multiprocessing
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from django.db import connection, connections

from accounts.models import User
from config.lifeline import follow_parent
from tests.approvals.proofs.doors import Caller, Heard, Knock

WAIT_SECONDS = 120
FAILED = 500


class Crowd:
    """Some processes that wait for their knocks."""

    def __init__(self, ends: Sequence[Connection]) -> None:
        self.ends = ends

    def at_once(self, knocks: Sequence[Knock]) -> list[Heard]:
        """One knock each, all started together; what each heard, in that order."""
        assert len(knocks) == len(self.ends)
        for end, knock in zip(self.ends, knocks, strict=True):
            end.send(knock)
        return [_received(end) for end in self.ends]


def _received(end: Connection) -> Heard:
    assert end.poll(WAIT_SECONDS), f"no answer within {WAIT_SECONDS} s"
    heard: Heard = end.recv()
    return heard


@contextmanager
def crowd(size: int) -> Iterator[Crowd]:
    """Forked, so that they see the database of this test; committed rows only."""
    connections.close_all()
    context = multiprocessing.get_context("fork")
    barrier: Any = context.Barrier(size)
    pipes = [context.Pipe() for _ in range(size)]
    people = [context.Process(target=_live, args=(theirs, barrier), daemon=True) for _, theirs in pipes]
    for person in people:
        person.start()
    try:
        yield Crowd([ours for ours, _ in pipes])
    finally:
        for ours, _ in pipes:
            ours.send(None)
        for person in people:
            person.join(10)
            person.kill()


def _live(end: Connection, barrier: Any) -> None:
    follow_parent()
    if connection.vendor == "sqlite":
        # Writers queue. On a machine with a hundred other things to do that takes long, and is no fault.
        connection.settings_dict["OPTIONS"]["timeout"] = WAIT_SECONDS
    callers: dict[int, Caller] = {}
    while (knock := end.recv()) is not None:
        if knock.by not in callers:
            callers[knock.by] = Caller(User.objects.get(pk=knock.by))
        barrier.wait(WAIT_SECONDS)
        end.send(_tried(callers[knock.by], knock))
    connections.close_all()


def _tried(caller: Caller, knock: Knock) -> Heard:
    """An exception that a server would answer with 500 is one."""
    try:
        return caller.knock(knock)
    except Exception:  # noqa: BLE001 - whatever it is, a server would answer 500
        return Heard(False, FAILED, traceback.format_exc())
