"""Makes PDFs in a separate process, so that a page that takes too long fails alone."""

import json
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LENGTH = struct.Struct(">Q")
COMMAND = [sys.executable, "-E", "-m", "approvals.pdf.child"]
# A cold start takes about three seconds on a busy machine.
SECONDS = 20.0
MOST_SHEETS = 6


class NoPdf(Exception):
    """The PDF could not be made: not on this server, not of this page, or not in time."""


class Printer:
    """Keeps one process; starts it when needed and again after it ended. Threads take turns."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def pdf(self, html: str | Sequence[str], style: Path, *, sheets: int = MOST_SHEETS) -> bytes:
        """The page as PDF, on at most `sheets` pages. Of several versions of a page, the first that fits; the last one
        is cut off. Raises NoPdf."""
        versions = [html] if isinstance(html, str) else list(html)
        question = json.dumps({"versions": versions, "style": str(style), "sheets": sheets}).encode()
        with self._lock:
            answer = self._asked(question)
        if not answer:
            raise NoPdf("The page could not be made into a PDF.")
        return answer

    def stop(self) -> None:
        """End the process."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            try:
                if pipe:
                    pipe.close()
            except BrokenPipeError:
                continue

    def _asked(self, question: bytes) -> bytes:
        if self._child is not None and self._child.poll() is not None:
            self.stop()  # it ended while it was idle
        child = self._child = self._child or _start()
        timer = threading.Timer(self.seconds, child.kill)
        timer.start()
        try:
            return _exchange(child, question)
        except (OSError, EOFError):
            self.stop()
            raise NoPdf("PDFs cannot be made here, or this one took too long.") from None
        finally:
            timer.cancel()


def _start() -> "subprocess.Popen[bytes]":
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.Popen(
        COMMAND, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


def _exchange(child: "subprocess.Popen[bytes]", question: bytes) -> bytes:
    if child.stdin is None or child.stdout is None:
        raise EOFError
    child.stdin.write(LENGTH.pack(len(question)) + question)
    child.stdin.flush()
    head = child.stdout.read(LENGTH.size)
    if len(head) < LENGTH.size:
        raise EOFError
    (length,) = LENGTH.unpack(head)
    answer = child.stdout.read(length)
    if len(answer) < length:
        raise EOFError
    return answer


printer = Printer()
