"""A real SMTP server in a process of its own, so that it takes no time from the sender.

`python -m tests.messaging.smtp_process PORT FILE` writes the Message-ID of each mail it takes to FILE, one per line.
"""

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection
from typing import Any

from aiosmtpd.controller import Controller

from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
MESSAGE_ID = re.compile(rb"^Message-ID:\s*(<[^>]+>)", re.IGNORECASE | re.MULTILINE)


class Recorder:
    """Takes everything and remembers what it was."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("ab", buffering=0)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Called by aiosmtpd for each message. Written before the answer: what was answered is on record."""
        found = MESSAGE_ID.search(envelope.content or b"")
        self.file.write((found.group(1) if found else b"<none>") + b"\n")
        return "250 OK"


@contextmanager
def smtp_process(folder: Path) -> Iterator[tuple[int, Path]]:
    """Run the server; gives its port and the file of Message-IDs."""
    port, path = free_port(), folder / "arrived.txt"
    path.touch()
    command = [sys.executable, "-m", "tests.messaging.smtp_process", str(port), str(path)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        _wait_for(port)
        yield port, path
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the SMTP server did not start")


if __name__ == "__main__":
    Controller(Recorder(Path(sys.argv[2])), hostname="127.0.0.1", port=int(sys.argv[1])).start()
    threading.Event().wait()
