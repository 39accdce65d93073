"""Parses mail in a child process with limits on time, memory and size."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from messaging.inbound.parsing.child import LENGTH
from messaging.inbound.parsing.parsed import MAX_RAW_BYTES, MAX_SECONDS, MailRefused, ParsedMail

ROOT = Path(__file__).resolve().parents[3]
# -S and -E: no site packages, no environment; the child needs the standard library and this project only.
COMMAND = [sys.executable, "-S", "-E", "-X", "utf8", "-m", "messaging.inbound.parsing.child"]
START_SECONDS = 5


def parse_in_child(raw: bytes) -> ParsedMail:
    """Parse one mail. Raises MailRefused when it is over a limit or the parser fails on it."""
    with MailReader() as reader:
        return reader.parse(raw)


def parse_many(mails: Iterable[bytes]) -> Iterator[ParsedMail | MailRefused]:
    """One answer per mail, in order, from one child; if a mail kills the child, only this mail is lost."""
    with MailReader() as reader:
        for raw in mails:
            try:
                yield reader.parse(raw)
            except MailRefused as refused:
                yield refused


class MailReader:
    """Keeps one child process; starts it when needed and again after it died. Use it in a `with` block."""

    def __init__(self, seconds: float = MAX_SECONDS) -> None:
        self.seconds = seconds
        self.child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def parse(self, raw: bytes) -> ParsedMail:
        if len(raw) > MAX_RAW_BYTES:
            raise MailRefused(f"The mail is larger than {MAX_RAW_BYTES // 1024**2} MB.")
        answer = json.loads(self._ask(raw))
        if "refused" in answer:
            raise MailRefused(answer["refused"])
        return ParsedMail.from_json(answer["mail"])

    def stop(self) -> None:
        if self.child is None:
            return
        self.child.kill()
        self.child.wait()
        for pipe in (self.child.stdin, self.child.stdout):
            if pipe:
                self._close(pipe)
        self.child = None

    @staticmethod
    def _close(pipe: IO[bytes]) -> None:
        try:
            pipe.close()
        except BrokenPipeError:
            return

    def _ask(self, raw: bytes) -> bytes:
        fresh = self.child is None
        child = self.child = self.child or self._start()
        timed_out = threading.Event()
        timer = threading.Timer(self.seconds + START_SECONDS * fresh, self._kill, (child, timed_out))
        timer.start()
        try:
            answer = _exchange(child, raw)
        except (OSError, EOFError):
            self.stop()
            if timed_out.is_set():
                raise MailRefused(f"The mail took longer than {self.seconds:g} seconds to read.") from None
            raise MailRefused("The parser failed on this mail (time or memory limit).") from None
        finally:
            timer.cancel()
        return answer

    @staticmethod
    def _kill(child: "subprocess.Popen[bytes]", timed_out: threading.Event) -> None:
        timed_out.set()
        child.kill()

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            COMMAND, cwd=ROOT, env={}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )


def _exchange(child: "subprocess.Popen[bytes]", raw: bytes) -> bytes:
    if child.stdin is None or child.stdout is None:
        raise EOFError
    child.stdin.write(LENGTH.pack(len(raw)) + raw)
    child.stdin.flush()
    head = child.stdout.read(LENGTH.size)
    if len(head) < LENGTH.size:
        raise EOFError
    (length,) = LENGTH.unpack(head)
    answer = child.stdout.read(length)
    if len(answer) < length:
        raise EOFError
    return answer
