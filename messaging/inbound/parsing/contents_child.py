"""The process that takes the attachments out of one raw mail: raw mail in, frames out, two for each attachment (JSON with
its name and type, its bytes).

Run as `python -m messaging.inbound.parsing.contents_child`, under the limits of the parser.
"""

import json
import resource
import sys

from messaging.inbound.parsing.child import LENGTH
from messaging.inbound.parsing.parse import attachments_of
from messaging.inbound.parsing.parsed import MAX_MEMORY_BYTES, MAX_RAW_BYTES, MAX_SECONDS


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, resource.RLIM_INFINITY))
    raw = sys.stdin.buffer.read(MAX_RAW_BYTES + 1)
    for name, content_type, data in attachments_of(raw):
        head = json.dumps({"name": name, "content_type": content_type}).encode()
        for frame in (head, data):
            sys.stdout.buffer.write(LENGTH.pack(len(frame)) + frame)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
