"""Asks a clamd server about a file: the command INSTREAM over a Unix or TCP socket."""

import socket
import struct
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

from django.conf import settings

from ledger.models import StoredFile

CHUNK = 64 * 1024
SECONDS = 20.0
LONGEST_ANSWER = 4096
DEFAULT_PORT = 3310


@dataclass(frozen=True)
class Verdict:
    """The state of a file after it was scanned, and what the scanner said."""

    state: str
    note: str = ""


def is_on() -> bool:
    """Whether a scanner is set."""
    return bool(settings.CLAMD_URL)


def scan(file: BinaryIO) -> Verdict:
    """Scan an open file. Without a scanner it stays unscanned; one that does not answer or answers with an error leaves
    the file held. Call it outside a transaction, because it waits for the scanner."""
    if not is_on():
        return Verdict(StoredFile.UNSCANNED)
    try:
        answer = _ask(file)
    except (OSError, ValueError) as error:
        return Verdict(StoredFile.FAILED, f"The virus scanner did not answer: {error}"[:200])
    if answer.endswith(" FOUND"):
        found = answer.removeprefix("stream: ").removesuffix(" FOUND")
        return Verdict(StoredFile.INFECTED, f"The virus scanner found {found}"[:200])
    if answer == "stream: OK":
        return Verdict(StoredFile.CLEAN)
    return Verdict(StoredFile.FAILED, f"The virus scanner answered: {answer}"[:200])


def _ask(file: BinaryIO) -> str:
    file.seek(0)
    with _connected() as server:
        server.sendall(b"zINSTREAM\0")
        try:
            while chunk := file.read(CHUNK):
                server.sendall(struct.pack("!I", len(chunk)) + chunk)
            server.sendall(struct.pack("!I", 0))
        except (BrokenPipeError, ConnectionResetError):
            # It stops reading when the file is larger than it accepts, and says so.
            return _answer(server) or "no answer"
        return _answer(server)


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


def _answer(server: socket.socket) -> str:
    said = b""
    while not said.endswith(b"\0") and len(said) < LONGEST_ANSWER:
        more = server.recv(LONGEST_ANSWER)
        if not more:
            break
        said += more
    return said.rstrip(b"\0\n").decode("utf-8", "replace").strip()
