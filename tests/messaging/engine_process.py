"""`python -m tests.messaging.engine_process FILE COUNT` runs engines as `run_engine` does, and a new one for each that dies.

Each is a fork of a process that has loaded the desk, so that a kill costs milliseconds instead of seconds. FILE gets one
line a death: the signal, or `ended`.
"""

import os
import sys
import threading
from pathlib import Path

import django

django.setup()

from django.db import connections  # noqa: E402 - the same

from config import engine  # noqa: E402 - models load only once Django is set up


def begin() -> int:
    """One more engine; returns its process id."""
    child = os.fork()
    if child:
        return child
    engine.run(threading.Event())
    os._exit(0)


def main(path: Path, count: int) -> None:
    """Keep so many engines alive until this process group is killed."""
    engine.warm_up()
    # A mail that a killed engine held is looked for at once.
    engine.SENDER_SLEEP = 0.1
    connections.close_all()
    for _ in range(count):
        begin()
    while True:
        _, status = os.wait()
        with path.open("a") as file:
            file.write(f"{os.WTERMSIG(status)}\n" if os.WIFSIGNALED(status) else "ended\n")
        begin()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
