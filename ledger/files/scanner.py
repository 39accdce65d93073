"""Asks a clamd server about a file: the command INSTREAM over a Unix or TCP socket."""

import socket
import struct
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

from django.conf import settings

from ledger.models import StoredFile

CHUNK = 64 * 1024
# For one file, from connecting to the answer.
SECONDS: float = 20
LONGEST_ANSWER = 4096
DEFAULT_PORT = 3310


@dataclass(frozen=True)
class Verdict:
    """The state of a file after it was scanned, and what the scanner said. Not `answered`: the next file would only wait."""

    state: str
    note: str = ""
    answered: bool = True


def is_on() -> bool:
    """Whether a scanner is set."""
    return bool(settings.CLAMD_URL)


def scan_each(files: Sequence[BinaryIO]) -> Iterator[Verdict]:
    """Scan files that came together. If the scanner does not answer, the rest is not shown to it: all of them are held."""
    verdict = Verdict(StoredFile.UNSCANNED)
    for file in files:
        verdict = scan(file) if verdict.answered else verdict
        yield verdict


def scan(file: BinaryIO) -> Verdict:
    """Scan an open file. Without a scanner it stays unscanned; one that does not answer or answers with an error leaves
    the file held after `SECONDS`. Call it outside a transaction, because it waits for the scanner."""
    if not is_on():
        return Verdict(StoredFile.UNSCANNED)
    try:
        answer = _ask(file)
    except (OSError, ValueError) as error:
        return Verdict(StoredFile.FAILED, f"The virus scanner did not answer: {error}"[:200], answered=False)
    if answer.endswith(" FOUND"):
        found = answer.removeprefix("stream: ").removesuffix(" FOUND")
        return Verdict(StoredFile.INFECTED, f"The virus scanner found {found}"[:200])
    if answer == "stream: OK":
        return Verdict(StoredFile.CLEAN)
    return Verdict(StoredFile.FAILED, f"The virus scanner answered: {answer}"[:200])


def _ask(file: BinaryIO) -> str:
    file.seek(0)
    until = time.monotonic() + SECONDS
    with _connected() as server:
        _send(server, b"zINSTREAM\0", until)
        try:
            while chunk := file.read(CHUNK):
                _send(server, struct.pack("!I", len(chunk)) + chunk, until)
            _send(server, struct.pack("!I", 0), until)
        except (BrokenPipeError, ConnectionResetError):
            # It stops reading when the file is larger than it accepts, and says so.
            return _answer(server, until) or "no answer"
        return _answer(server, until)


def _send(server: socket.socket, data: bytes, until: float) -> None:
    server.settimeout(_left(until))
    server.sendall(data)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError(f"it took longer than {SECONDS} seconds")
    return left


def _connected() -> socket.socket:
    where = urlsplit(settings.CLAMD_URL)
    if where.scheme == "unix":
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.settimeout(SECONDS)
        try:
            server.connect(where.path)
        except OSError:
            server.close()
            raise
        return server
    if where.scheme != "tcp" or not where.hostname:
        raise ValueError("CLAMD_URL must be unix:///path or tcp://host:port")
    return socket.create_connection((where.hostname, where.port or DEFAULT_PORT), timeout=SECONDS)


def _answer(server: socket.socket, until: float) -> str:
    said = b""
    while not said.endswith(b"\0") and len(said) < LONGEST_ANSWER:
        server.settimeout(_left(until))
        more = server.recv(LONGEST_ANSWER)
        if not more:
            break
        said += more
    return said.rstrip(b"\0\n").decode("utf-8", "replace").strip()
