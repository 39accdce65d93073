"""Run a command of manage.py on a PostgreSQL of its own: `python -m tests.support.with_postgres [--keep FOLDER] COMMAND …`.

Without a folder the server and its databases are removed at the end; with one they are kept for the next run.
"""

import os
import subprocess
import sys
from pathlib import Path

from config.lifeline import follow_parent
from config.supervisor import Stopped, stopped_by_signals
from tests.support import postgres


def main(arguments: list[str]) -> int:
    """Returns the command's exit code."""
    kept = None
    if arguments[:1] == ["--keep"]:
        kept, arguments = Path(arguments[1]).resolve(), arguments[2:]
    url = postgres.keep(kept) if kept else postgres.start()
    try:
        with stopped_by_signals():
            return _run(arguments, url)
    except Stopped:
        return 1
    finally:
        if kept:
            postgres.rest(kept)
        else:
            postgres.stop()


def _run(arguments: list[str], url: str) -> int:
    command = [sys.executable, "manage.py", *arguments]
    with subprocess.Popen(command, env={**os.environ, "DATABASE_URL": url}, preexec_fn=follow_parent) as process:
        try:
            return process.wait()
        except Stopped:
            process.terminate()
            raise


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
