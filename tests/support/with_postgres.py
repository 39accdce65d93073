"""Run a command of manage.py on a temporary PostgreSQL: `python -m tests.support.with_postgres bench`."""

import os
import subprocess
import sys

from tests.support import postgres


def main() -> int:
    """Returns the command's exit code."""
    url = postgres.start()
    try:
        environment = {**os.environ, "DATABASE_URL": url}
        return subprocess.run([sys.executable, "manage.py", *sys.argv[1:]], env=environment, check=False).returncode
    finally:
        postgres.stop()


if __name__ == "__main__":
    sys.exit(main())
