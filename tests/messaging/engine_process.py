"""`python -m tests.messaging.engine_process FILE` runs the engine as `run_engine` does, and once more each time it dies.

Each engine is a fork of a process that has loaded the desk, so that a kill costs milliseconds instead of seconds. FILE gets
one line a kill.
"""

import os
import sys
import threading
from pathlib import Path

import django

django.setup()

from config import engine  # noqa: E402 - models load only once Django is set up


def main(path: Path) -> None:
    """Keep one engine alive until this process group is killed."""
    while True:
        child = os.fork()
        if not child:
            engine.run(threading.Event())
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print("KILL", __import__("time").monotonic(), flush=True)
        with path.open("a") as file:
            file.write(f"{os.WTERMSIG(status)}\n" if os.WIFSIGNALED(status) else "ended\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
