"""Append-only, tamper-evident logs: one HMAC chain per parent row (a case, an approval request).

An entry's content is what `content()` of its model returns: plain JSON values. Text the law may ask us to erase lives in a
row of its own; the entry keeps only its keyed hash (`text_hash`), so erasing the text leaves the chain whole.
"""

import hashlib
import hmac
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Protocol, TypeVar

from django.conf import settings
from django.db import models

from ledger.models import ChainedRow, ChainParent, Unwritten


class Entry(Protocol):
    """The methods that a chained model has besides its columns."""

    seq: int
    at: datetime
    digest: str
    content_digest: str
    key_id: str

    def content(self) -> Mapping[str, object]: ...


class Numbered(Protocol):
    """The columns of a parent that `number` reads and sets."""

    pk: int
    log_count: int
    log_last: str
    log_seal: str


@dataclass(frozen=True)
class Break:
    """A place where a chain is broken, with the reason as text."""

    parent: int
    seq: int
    what: str


@cache
def _keys() -> dict[str, hmac.HMAC]:
    """An initialised signature for each key. Copying it costs less than creating one for every entry."""
    pairs = (text.partition(":") for text in settings.LOG_KEYS)
    return {key_id: hmac.new(secret.encode(), digestmod="sha256") for key_id, _, secret in pairs}


def _mac(key: hmac.HMAC, text: str) -> str:
    made = key.copy()
    made.update(text.encode())
    return made.hexdigest()


def current_key() -> str:
    """Id of the key that signs new entries: the first one configured."""
    return next(iter(_keys()))


def sign(text: str, key_id: str) -> str:
    """Keyed SHA-256 of a text, as hex. Raises KeyError for a key that is not configured."""
    return _mac(_keys()[key_id], text)


def text_hash(text: str) -> str:
    """Keyed hash kept in the log in place of erasable text."""
    return sign("text\x00" + text, current_key())


# Made once: `json.dumps` with these options makes an encoder for every entry.
_content_text = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=str).encode


def _content_digest(content: Mapping[str, object]) -> str:
    return hashlib.sha256(_content_text(content).encode()).hexdigest()


def _signed(parent: int, entry: Entry, before: str) -> str:
    """The values that the signature of an entry covers."""
    at = entry.at.isoformat(timespec="microseconds")[:26]  # without the zone: moments are kept in UTC
    return f"{parent}\x00{entry.seq}\x00{at}\x00{entry.content_digest}\x00{before}"


def _digest(parent: int, entry: Entry, before: str) -> str:
    return _mac(_keys()[entry.key_id], _signed(parent, entry, before))


def _seal(parent: Numbered) -> str:
    return sign(f"seal\x00{parent.pk}\x00{parent.log_count}\x00{parent.log_last}", current_key())


# One model of entries, and one of parents, at a time.
Row = TypeVar("Row", bound=ChainedRow)
Parent = TypeVar("Parent", bound=ChainParent)


def append(parent: ChainParent, rows: Sequence[Row], *, changed: Collection[str] = ()) -> None:
    """Number, sign and insert `rows` (unsaved, `at` set) at the end of the parent's chain and seal the parent.

    `changed` names fields of the parent that are saved with it, in the same statement. The caller holds the parent's
    row lock inside its transaction; without it two writers would use the same number, and the unique constraint
    (parent, seq) would refuse the second.
    """
    if parent.unwritten is not None:
        parent.unwritten.rows += rows
        parent.unwritten.fields |= set(changed)
        return
    if not rows:
        save(parent, changed)
        return
    type(rows[0]).save_related(rows)
    if not _sealed_with(parent, rows, changed):
        # A verb may have written through another instance of the same parent meanwhile, so this one may not know the
        # end.
        parent.refresh_from_db(fields=["log_count", "log_last", "log_seal"])
        if not _sealed_with(parent, rows, changed):
            raise RuntimeError(f"The log of {parent!r} was changed without its row lock.")
    type(rows[0])._default_manager.bulk_create(rows)


def _sealed_with(parent: ChainParent, rows: Sequence[ChainedRow], changed: Collection[str]) -> bool:
    """Number the rows and seal the parent with them, if the chain still ends where this instance says."""
    end = type(parent)._base_manager.filter(pk=parent.pk, log_count=parent.log_count, log_last=parent.log_last)
    number(parent, rows)
    values = {name: getattr(parent, name) for name in (*changed, "log_count", "log_last", "log_seal")}
    return bool(end.update(**values))


def save(parent: ChainParent, fields: Collection[str]) -> None:
    """Save these fields of a parent. Inside a `together` block, they are saved when the block ends."""
    if parent.unwritten is not None:
        parent.unwritten.fields |= set(fields)
    elif fields:
        parent.save(update_fields=fields)


@contextmanager
def together(parent: ChainParent) -> Iterator[None]:
    """Collect the entries that the block appends and the fields that it saves through this instance, and write them when the
    block ends, with one UPDATE and one INSERT. Until then the entries have no id, and the block must not read the parent's row
    or its entries from the database."""
    if parent.unwritten is not None:
        yield
        return
    parent.unwritten = Unwritten()
    try:
        yield
    finally:
        found, parent.unwritten = parent.unwritten, None
    append(parent, found.rows, changed=sorted(found.fields))


def append_many(rows: Mapping[Parent, Sequence[Row]]) -> None:
    """`append` for many parents of one model at once, in a few statements. Each parent was read under its lock, and nothing was
    appended to it since."""
    parents = [parent for parent, added in rows.items() if added]
    if not parents:
        return
    added = [row for parent in parents for row in rows[parent]]
    type(added[0]).save_related(added)
    for parent in parents:
        number(parent, rows[parent])
    type(added[0])._default_manager.bulk_create(added)
    type(parents[0])._default_manager.bulk_update(parents, ["log_count", "log_last", "log_seal"])


def number(parent: Numbered, rows: Iterable[Entry]) -> None:
    """The part of `append` that touches no database: number and sign the rows, and seal the parent in memory.

    Seeding and filling write whole histories at once: they call this and insert rows and parents themselves.
    """
    key_id, owner, seq, last = current_key(), parent.pk, parent.log_count, parent.log_last
    key = _keys()[key_id]
    for row in rows:
        seq += 1
        row.seq, row.key_id = seq, key_id
        row.content_digest = _content_digest(row.content())
        row.digest = last = _mac(key, _signed(owner, row, last))
    parent.log_count, parent.log_last = seq, last
    parent.log_seal = _seal(parent)


def breaks_in(parent: ChainParent, entries: Iterable[Entry]) -> Iterator[Break]:
    """Every place where the parent's chain is broken: edited, missing or reordered entries, a cut tail, or no log at
    all. Every parent is created together with its first entry, so a parent without entries has lost them.
    """
    before, expected = "", 1
    for entry in entries:
        if entry.seq != expected:
            yield Break(parent.pk, expected, "entry is missing")
            expected = entry.seq
        yield from _entry_breaks(parent.pk, entry, before)
        before, expected = entry.digest, entry.seq + 1
    yield from _end_breaks(parent, expected - 1, before)


def breaks_at(parent: ChainParent, entries: Iterable[Entry], digests: Mapping[int, str]) -> Iterator[Break]:
    """The faults of some entries and of the end of the log, without reading the rest: what each entry says, its signature
    over the entry before it, and the seal. `digests`: by number, those of the entry before each, and of the last one and any
    after it.
    """
    for entry in entries:
        if entry.seq > 1 and entry.seq - 1 not in digests:
            yield Break(parent.pk, entry.seq - 1, "entry is missing")
        else:
            yield from _entry_breaks(parent.pk, entry, digests.get(entry.seq - 1, ""))
    last = max(digests, default=0)
    if parent.log_count and parent.log_count not in digests:
        yield Break(parent.pk, parent.log_count, "the end of the log was cut or the counter changed")
    else:
        yield from _end_breaks(parent, last, digests.get(last, ""))


def _entry_breaks(parent: int, entry: Entry, before: str) -> Iterator[Break]:
    if entry.content_digest != _content_digest(entry.content()):
        yield Break(parent, entry.seq, "content was changed")
    if entry.key_id not in _keys():
        yield Break(parent, entry.seq, f"signed with unknown key {entry.key_id}")
    elif _digest(parent, entry, before) != entry.digest:
        yield Break(parent, entry.seq, "signature does not match the entry before it")


def _end_breaks(parent: ChainParent, count: int, last: str) -> Iterator[Break]:
    """`count` and `last`: the number and the digest of the last entry that was found."""
    if not parent.log_count and not last:
        yield Break(parent.pk, count + 1, "the log is missing")
    elif parent.log_count != count or parent.log_last != last:
        yield Break(parent.pk, count + 1, "the end of the log was cut or the counter changed")
    elif _seal(parent) != parent.log_seal:
        yield Break(parent.pk, parent.log_count, "the seal of the log does not match")


def chained_models(registry: Iterable[type[models.Model]]) -> list[type[ChainedRow]]:
    """The concrete append-only models of a registry."""
    return [model for model in registry if issubclass(model, ChainedRow) and not model._meta.abstract]
