"""Append-only, tamper-evident logs: one HMAC chain per parent row (a case, an approval request).

An entry's content is what `content()` of its model returns: plain JSON values. Text the law may ask us to erase lives in a
row of its own; the entry keeps only its keyed hash (`text_hash`), so erasing the text leaves the chain whole.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Protocol, TypeVar

from django.conf import settings
from django.db import models

from ledger.models import ChainedRow, ChainParent


class Entry(Protocol):
    """What a chained model offers besides its columns."""

    seq: int
    at: datetime
    digest: str
    content_digest: str
    key_id: str

    def content(self) -> Mapping[str, object]: ...


@dataclass(frozen=True)
class Break:
    """Where a chain does not hold, in words."""

    parent: int
    seq: int
    what: str


@cache
def _keys() -> dict[str, hmac.HMAC]:
    """A signature begun with each key: copying it costs less than beginning anew for every entry."""
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
    """What an entry's signature covers."""
    at = entry.at.isoformat(timespec="microseconds")[:26]  # without the zone: moments are kept in UTC
    return f"{parent}\x00{entry.seq}\x00{at}\x00{entry.content_digest}\x00{before}"


def _digest(parent: int, entry: Entry, before: str) -> str:
    return _mac(_keys()[entry.key_id], _signed(parent, entry, before))


def _seal(parent: ChainParent) -> str:
    return sign(f"seal\x00{parent.pk}\x00{parent.log_count}\x00{parent.log_last}", current_key())


# One model of entries, and one of parents, at a time.
Row = TypeVar("Row", bound=ChainedRow)
Parent = TypeVar("Parent", bound=ChainParent)


def append(parent: ChainParent, rows: Sequence[Row]) -> None:
    """Number, sign and insert `rows` (unsaved, `at` set) at the end of the parent's chain and seal the parent.

    The caller holds the parent's row lock inside its transaction; without it two writers would take one number and the
    unique constraint (parent, seq) would refuse the second.
    """
    if not rows:
        return
    if not _sealed_with(parent, rows):
        # A verb called in between wrote through another instance of the same parent, so this one does not know the end.
        parent.refresh_from_db(fields=["log_count", "log_last", "log_seal"])
        if not _sealed_with(parent, rows):
            raise RuntimeError(f"The log of {parent!r} grows without its row lock.")
    type(rows[0])._default_manager.bulk_create(rows)


def _sealed_with(parent: ChainParent, rows: Sequence[ChainedRow]) -> bool:
    """Number the rows and seal the parent behind them, if the chain still ends where this instance says."""
    end = type(parent)._base_manager.filter(pk=parent.pk, log_count=parent.log_count, log_last=parent.log_last)
    number(parent, rows)
    return bool(end.update(log_count=parent.log_count, log_last=parent.log_last, log_seal=parent.log_seal))


def append_many(rows: Mapping[Parent, Sequence[Row]]) -> None:
    """`append` for many parents of one model at once, in a few statements. Each parent was read under its lock, and nothing was
    appended to it since."""
    parents = [parent for parent, added in rows.items() if added]
    if not parents:
        return
    for parent in parents:
        number(parent, rows[parent])
    added = [row for parent in parents for row in rows[parent]]
    type(added[0])._default_manager.bulk_create(added)
    type(parents[0])._default_manager.bulk_update(parents, ["log_count", "log_last", "log_seal"])


def number(parent: ChainParent, rows: Iterable[Entry]) -> None:
    """The part of `append` that touches no database: number and sign the rows, and seal the parent in memory.

    Seeding and filling write whole histories at once: they call this and insert rows and parents in their own way.
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
    """Every place where the parent's chain does not hold: edited, missing, reordered entries, a cut tail or no log at all.

    Every parent is made together with its first entry, so one that has none has lost them.
    """
    before, expected = "", 1
    for entry in entries:
        if entry.seq != expected:
            yield Break(parent.pk, expected, "entry is missing")
            expected = entry.seq
        if entry.content_digest != _content_digest(entry.content()):
            yield Break(parent.pk, entry.seq, "content was changed")
        if entry.key_id not in _keys():
            yield Break(parent.pk, entry.seq, f"signed with unknown key {entry.key_id}")
        elif _digest(parent.pk, entry, before) != entry.digest:
            yield Break(parent.pk, entry.seq, "signature does not match the entry before it")
        before, expected = entry.digest, entry.seq + 1
    if not parent.log_count and not before:
        yield Break(parent.pk, expected, "the log is missing")
    elif parent.log_count != expected - 1 or parent.log_last != before:
        yield Break(parent.pk, expected, "the end of the log was cut or the counter changed")
    elif _seal(parent) != parent.log_seal:
        yield Break(parent.pk, parent.log_count, "the seal of the log does not match")


def chained_models(registry: Iterable[type[models.Model]]) -> list[type[ChainedRow]]:
    """The concrete append-only models of a registry."""
    return [model for model in registry if issubclass(model, ChainedRow) and not model._meta.abstract]
