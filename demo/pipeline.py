"""Two processors for one filling: a child makes the batches, this process writes them."""

import gc
import multiprocessing
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from django.db import connection, connections

from demo.rows import Parameters

Batches = Callable[[], Iterable[Parameters]]
END = "end"


def ahead(make: Batches, *, worthwhile: bool) -> Iterator[Parameters]:
    """The batches of `make`, which must not touch the database, made by a child one ahead of the reader.

    Inside a transaction, or where it is not worthwhile, they are made here. Raises RuntimeError with the child's traceback.
    """
    if not worthwhile or connection.in_atomic_block:
        yield from make()
        return
    # A child must not inherit an open connection: ours opens again at the next query.
    connections.close_all()
    receiver, sender = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=_make, args=(make, sender), daemon=True)
    child.start()
    sender.close()
    try:
        yield from _received(receiver)
    finally:
        child.kill()
        child.join()


@contextmanager
def no_collector() -> Iterator[None]:
    """Rows make no cycles and live for one batch; looking for garbage among them would take a fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _make(make: Batches, sender: Connection) -> None:
    try:
        for batch in make():
            sender.send(batch)
        sender.send(END)
    except Exception:  # noqa: BLE001 the parent raises it
        sender.send(traceback.format_exc())


def _received(receiver: Connection) -> Iterator[Parameters]:
    while True:
        try:
            found = receiver.recv()
        except EOFError:
            raise RuntimeError("The process that makes the cases ended without a word.") from None
        if found == END:
            return
        if isinstance(found, str):
            raise RuntimeError(found)
        yield found
