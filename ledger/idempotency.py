"""Runs a request once: the same key returns the first answer; the same key with a different body is refused."""

import hashlib
from collections.abc import Callable
from typing import TypeVar, cast

from django.db import transaction

from ledger.errors import Stale
from ledger.models import IdempotencyKey
from ledger.now import now

Answer = TypeVar("Answer")


def once(*, scope: str, key: str, body: bytes, do: Callable[[], tuple[int, Answer]]) -> tuple[int, Answer]:
    """Run `do` for a new key and remember its (status, answer); for a known key return the remembered answer.

    Raises Stale when the key was used for another body. Without a key the request simply runs.
    """
    if not key:
        return do()
    with transaction.atomic():
        row, new = IdempotencyKey.objects.select_for_update().get_or_create(
            scope=scope[:120], key=key[:200], defaults={"fingerprint": _fingerprint(body), "at": now()}
        )
        _same(row, body)
        if new or row.status is None:
            row.status, row.answer = do()
            row.save(update_fields=["status", "answer"])
    return row.status or 200, cast("Answer", row.answer)


def is_answered(*, scope: str, key: str, body: bytes) -> bool:
    """Whether `once` would return a remembered answer, so that nothing needs to be prepared for it. Takes no lock. Raises
    Stale like `once`."""
    row = IdempotencyKey.objects.filter(scope=scope[:120], key=key[:200]).first() if key else None
    if row is None:
        return False
    _same(row, body)
    return row.status is not None


def _same(row: IdempotencyKey, body: bytes) -> None:
    if row.fingerprint != _fingerprint(body):
        raise Stale("This idempotency key was used for a different request. Send a new key.")


def _fingerprint(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
