"""`python -m tests.support.nursery`: starts engines in milliseconds, by forking a process that has everything loaded.

Otherwise a killed engine would need two seconds to restart, and would never run long enough to be killed at work. Reads
a JSON list a line, [verb, argument …], and answers with a JSON line: "engine" answers with the new process id, any
other verb is a function of tests.support.chaos_cases.
"""

import json
import os
import random
import signal
import sys
import threading
from importlib import import_module
from typing import Any

import django
from django.db import connections
from django.test import override_settings
from django.utils.module_loading import import_string

from config.lifeline import follow_parent


def serve() -> None:
    """Answer until the input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # dead children must not stay as zombies
    follow_parent()
    django.setup()
    engine = import_module("config.engine")
    engine.warm_up()
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        verb, *arguments = json.loads(line)
        answer: Any = _engine(engine) if verb == "engine" else _call(verb, arguments)
        print(json.dumps(answer), flush=True)


def _call(verb: str, arguments: list[Any]) -> Any:
    # Only engines die at the named points, not the nursery, although its own work passes them too.
    with override_settings(DIE_AT={}):
        answer = import_string(f"tests.support.chaos_cases.{verb}")(*arguments)
    # A process and the engines that it starts must not share a connection.
    connections.close_all()
    return answer


def _engine(engine: Any) -> int:
    pid = os.fork()
    if pid:
        return pid
    follow_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    random.seed()  # otherwise all of them would die at the same points
    # Small batches finish between two kills, large ones are killed in the middle.
    engine.CASES_AT_ONCE, engine.MESSAGES_AT_ONCE = random.choice((5, 20, 100, 500)), random.choice((5, 50, 200))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    engine.run(stop)
    os._exit(0)


if __name__ == "__main__":
    serve()
