"""`python -m tests.run [part …]`: the parts of `make test` one after the other, and what each of them took."""

import os
import resource
import subprocess
import sys
import time
from typing import NamedTuple

WORKERS = "2"


class Part(NamedTuple):
    """One run of pytest."""

    title: str
    database: str
    tests: str


class Took(NamedTuple):
    """Seconds of waiting and of processor time, and how it ended."""

    title: str
    seconds: float
    processor: float
    code: int


PARTS = {
    "sqlite": Part("SQLite", "sqlite", "not postgres and not browser and not chaos"),
    "postgres": Part("PostgreSQL", "postgres", "(both_databases or postgres) and not browser and not chaos"),
    "browser": Part("Browser", "sqlite", "browser and not chaos"),
}


def main(names: list[str]) -> int:
    """Run the named parts, or all; every part runs even where one before it failed."""
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        print(f"Unknown part: {', '.join(unknown)}. The parts are {', '.join(PARTS)}.", file=sys.stderr)
        return 2
    done = [_run(name) for name in names or PARTS]
    for took in done:
        ended = "passed" if took.code == 0 else f"FAILED ({took.code})"
        print(f"{took.title:<12} {took.seconds:5.0f} s  (processor {took.processor:5.0f} s)  {ended}")
    print(f"{'Total':<12} {sum(took.seconds for took in done):5.0f} s")
    return max(took.code for took in done)


def _run(name: str) -> Took:
    part = PARTS[name]
    print(f"== {part.title}", flush=True)
    began, processor = time.monotonic(), _processor_seconds()
    done = subprocess.run(
        # The order is that of tests/plugin.py; xdist's own would begin with the files of many short tests.
        [
            *(sys.executable, "-m", "pytest", "-q", "-n", WORKERS, "--dist", "loadscope", "--no-loadscope-reorder"),
            *("-m", part.tests),
        ],
        env={**os.environ, "TEST_DATABASE": part.database, "TEST_PART": name},
        check=False,
    )
    return Took(part.title, time.monotonic() - began, _processor_seconds() - processor, done.returncode)


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
