"""A client of a measurement. It imports little, so that the process of many clients takes little."""

import gzip
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from time import perf_counter

from config.supervisor import HOST

PATIENCE = 120.0
GOOD = range(200, 400)


@dataclass(frozen=True)
class Request:
    """One HTTP request."""

    method: str
    path: str
    headers: dict[str, str]
    body: str = ""


@dataclass(frozen=True)
class Answer:
    """One answer: its status, seconds, bytes of its content and bytes as sent."""

    status: int
    seconds: float
    plain: int
    sent: int


@dataclass
class Client:
    """One client with a connection that is kept."""

    port: int
    _connection: HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self._connection = HTTPConnection(HOST, self.port, timeout=PATIENCE)

    def ask(self, wanted: Request) -> Answer:
        """Ask once; again on a new connection if the server has closed this one."""
        try:
            return self._ask(wanted)
        except (HTTPException, ConnectionError):
            self._connection.close()
            return self._ask(wanted)

    def _ask(self, wanted: Request) -> Answer:
        begun = perf_counter()
        self._connection.request(wanted.method, wanted.path, wanted.body.encode() or None, wanted.headers)
        answer = self._connection.getresponse()
        body = answer.read()
        seconds = perf_counter() - begun
        plain = len(gzip.decompress(body)) if answer.headers.get("Content-Encoding") == "gzip" else len(body)
        return Answer(answer.status, seconds, plain, len(body))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
