"""The process that makes PDFs. Reads frames (8-byte length, JSON) and answers each with a frame (the PDF; empty when it
could not be made). It ends after a minute without work and when its parent is gone. Run as `python -m
approvals.pdf.child`. A separate process, because WeasyPrint takes seconds to load and minutes for a bad page.
"""

import json
import select
import struct
import sys
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from weasyprint import CSS, HTML, URLFetcher

LENGTH = struct.Struct(">Q")
IDLE_SECONDS = 60.0


def main() -> None:
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while select.select([source], [], [], IDLE_SECONDS)[0]:
        head = source.read(LENGTH.size)
        if len(head) < LENGTH.size:
            return
        answer = _answer(source.read(LENGTH.unpack(head)[0]))
        _write(sink, answer)


def _answer(question: bytes) -> bytes:
    try:
        asked = json.loads(question)
        return pdf(asked["versions"], Path(asked["style"]), asked["sheets"])
    except Exception as error:  # noqa: BLE001 - whatever a page does to the library, its mail leaves without it
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return b""


class Fetcher(URLFetcher):
    """Fetches the style sheet's own files (its fonts) and nothing else, even if a text has other addresses."""

    def __init__(self, folder: Path) -> None:
        super().__init__(allowed_protocols=["file"], allow_redirects=False)
        self._folder = folder.resolve()

    def fetch(self, url: str, headers: Any = None) -> Any:
        """A file inside the folder. Raises ValueError for everything else."""
        parts = urlsplit(url)
        if parts.scheme != "file" or self._folder not in Path(unquote(parts.path)).resolve().parents:
            raise ValueError("nothing is fetched from elsewhere")
        return super().fetch(url, headers)


def pdf(versions: list[str], style: Path, sheets: int) -> bytes:
    """The first version that fits on `sheets` pages; if none fits, the first pages of the last one."""
    fetcher = Fetcher(style.parent)
    look = CSS(filename=str(style), url_fetcher=fetcher)
    for html in versions:
        document = HTML(string=html, url_fetcher=fetcher).render(stylesheets=[look])
        if len(document.pages) <= sheets:
            break
    return bytes(document.copy(document.pages[:sheets]).write_pdf())


def _write(sink: BinaryIO, answer: bytes) -> None:
    sink.write(LENGTH.pack(len(answer)) + answer)
    sink.flush()


if __name__ == "__main__":
    main()
