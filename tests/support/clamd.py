"""A server that speaks the protocol of clamd: INSTREAM over a Unix or TCP socket."""

import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.samples import EICAR

Answer = Callable[[bytes], bytes]


def finds_eicar(data: bytes) -> bytes:
    """What clamd answers with its own signature of the test file."""
    return b"stream: Win.Test.EICAR_HDB-1 FOUND" if EICAR in data else b"stream: OK"


def _exact(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionError
        data += more
    return data


class Clamd:
    """What was scanned, and how the server answers now."""

    def __init__(self) -> None:
        self.answer: Answer = finds_eicar
        self.limit = 30 * 1024 * 1024
        self.scanned: list[int] = []
        self.url = ""

    def talk(self, connection: socket.socket) -> None:
        """One command of one connection."""
        assert _exact(connection, 10) == b"zINSTREAM\0"
        data = bytearray()
        while size := struct.unpack("!I", _exact(connection, 4))[0]:
            data += _exact(connection, size)
            if len(data) > self.limit:
                connection.sendall(b"INSTREAM size limit exceeded. ERROR\0")
                return
        self.scanned.append(len(data))
        connection.sendall(self.answer(bytes(data)) + b"\0")


@contextmanager
def running_clamd(unix: Path | None = None) -> Iterator[Clamd]:
    """The server, on a Unix socket at this path or on a TCP port."""
    clamd = Clamd()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            try:
                clamd.talk(self.request)
            except ConnectionError:
                return

    if unix:
        server: socketserver.BaseServer = socketserver.ThreadingUnixStreamServer(str(unix), Handler)
        clamd.url = f"unix://{unix}"
    else:
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        clamd.url = f"tcp://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield clamd
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
