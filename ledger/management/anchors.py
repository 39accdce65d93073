"""Daily anchors: a file outside the database with the number of entries and their joint digest.

The chain of one parent shows a change inside it. A person who has the key could still rewrite a whole chain; an anchor
kept elsewhere shows that too. In an append-only table the entries up to an id never change, so their count and joint
digest must stay the same.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from ledger.models import ChainedRow

# Younger entries may belong to a transaction that numbered its rows earlier and commits later.
SETTLED = timedelta(minutes=10)
BATCH = 5000


@dataclass(frozen=True)
class Anchor:
    """Entries of one table up to `last_id` on one day."""

    day: str
    table: str
    last_id: int
    count: int
    digest: str


def load(folder: Path) -> list[Anchor]:
    """All anchors kept, oldest first. Raises ValueError naming a file that cannot be read."""
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            found += [Anchor(**row) for row in json.loads(path.read_text(encoding="utf-8"))]
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path.name} is not an anchor file: {error}") from error
    return found


def save(folder: Path, day: str, anchors: list[Anchor]) -> Path:
    """Write the file of the day once; an existing file is not overwritten."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{day}.json"
    if not path.exists():
        path.write_text(json.dumps([asdict(each) for each in anchors], indent=1), encoding="utf-8")
    return path


def settled_id(model: type[ChainedRow], at: datetime) -> int:
    """The id up to which no entry can be added any more."""
    rows = model._default_manager
    young = rows.filter(at__gt=at - SETTLED).order_by("pk").values_list("pk", flat=True).first()
    last = rows.order_by("-pk").values_list("pk", flat=True).first() or 0
    return young - 1 if young else last


def walk(model: type[ChainedRow], stops: list[int]) -> dict[int, tuple[int, str]]:
    """Count and joint digest of the entries up to each of these ids, in one pass."""
    joint, count, found = hashlib.sha256(), 0, {}
    waiting = sorted(set(stops))
    for pk, digest in _digests(model, waiting[-1] if waiting else 0):
        while waiting and pk > waiting[0]:
            found[waiting.pop(0)] = (count, joint.hexdigest())
        joint.update(f"{pk}:{digest}\n".encode())
        count += 1
    return {**found, **dict.fromkeys(waiting, (count, joint.hexdigest()))}


def _digests(model: type[ChainedRow], last: int) -> Iterator[tuple[int, str]]:
    rows = model._default_manager.filter(pk__lte=last).order_by("pk")
    yield from rows.values_list("pk", "digest").iterator(chunk_size=BATCH)


def check(model: type[ChainedRow], kept: list[Anchor], at: datetime) -> tuple[list[str], Anchor]:
    """The differences from the anchors, as text, and the anchor of today."""
    table = model._meta.db_table
    mine = [each for each in kept if each.table == table]
    until = settled_id(model, at)
    sums = walk(model, [*(each.last_id for each in mine), until])
    wrong = [
        f"{table}: the entries of {each.day} differ from their anchor "
        f"({each.count} entries then, {sums[each.last_id][0]} now)"
        for each in mine
        if sums[each.last_id] != (each.count, each.digest)
    ]
    count, digest = sums[until]
    return wrong, Anchor(at.date().isoformat(), table, until, count, digest)
