"""The process in which raw mail is parsed. Reads frames (8-byte length, bytes) and answers each with a frame of JSON.

Run as `python -m messaging.inbound.parsing.child`. It limits itself before it reads a byte: memory, processor time per
mail, no files, no core dump. A failure here affects one mail only.
"""

import json
import resource
import struct
import sys
from typing import BinaryIO

from messaging.inbound.parsing.parse import parse_mail
from messaging.inbound.parsing.parsed import MAX_MEMORY_BYTES, MAX_RAW_BYTES, MAX_SECONDS, MailRefused

LENGTH = struct.Struct(">Q")


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve(sys.stdin.buffer, sys.stdout.buffer)


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    while True:
        raw = _read(source)
        if raw is None:
            return
        _allow_more_processor_time()
        answer = json.dumps(_answer(raw)).encode()
        sink.write(LENGTH.pack(len(answer)) + answer)
        sink.flush()


def _read(source: BinaryIO) -> bytes | None:
    head = source.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    return source.read(min(length, MAX_RAW_BYTES + 1))


def _allow_more_processor_time() -> None:
    """The limit counts from the start of the process, so it is raised for each mail."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + MAX_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def _answer(raw: bytes) -> dict[str, object]:
    try:
        return {"mail": parse_mail(raw).to_json()}
    except MailRefused as refused:
        return {"refused": refused.reason}
    except MemoryError:
        return {"refused": "The mail needs more memory than one mail may use."}
    except Exception as error:  # noqa: BLE001 - the fence: a defect of ours costs one mail, and says which
        return {"refused": f"The mail could not be read ({type(error).__name__})."}


if __name__ == "__main__":
    main()
