"""Runs a request once. `once`: one transaction for a request of a program; the same key returns the first answer, and the
same key with a different body is refused. `claim`, `remember` and `release`: for a form, whose page runs between them.
"""

import hashlib
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar, cast

from django.db import connection, transaction

from ledger.errors import Stale
from ledger.json_types import Json
from ledger.models import IdempotencyKey
from ledger.now import now

Answer = TypeVar("Answer")
View = TypeVar("View", bound=Callable[..., Any])
LONGEST_KEY = 200
# How long a second press waits for the first one, and how often it looks.
LOOKS, SECONDS_BETWEEN = 400, 0.05
# A first press without an answer after this time has ended with its process.
LOST_AFTER = timedelta(seconds=60)
NOT_KNOWN = (
    "This form was sent before, and it is not known yet whether it was saved. Check first; if it was not saved, open the "
    "page again and send it once more."
)


def once(*, scope: str, key: str, body: bytes, do: Callable[[], tuple[int, Answer]]) -> tuple[int, Answer]:
    """Run `do` for a new key and remember its (status, answer); for a known key return the remembered answer.

    Raises Stale when the key was used for another body. Without a key the request simply runs.
    """
    if not key:
        return do()
    with transaction.atomic():
        row, new = IdempotencyKey.objects.select_for_update().get_or_create(
            scope=scope[:120], key=key[:LONGEST_KEY], defaults={"fingerprint": _fingerprint(body), "at": now()}
        )
        _same(row, body)
        if new or row.status is None:
            row.status, row.answer = do()
            row.save(update_fields=["status", "answer"])
    return row.status or 200, cast("Answer", row.answer)


def is_answered(*, scope: str, key: str, body: bytes) -> bool:
    """Whether `once` would return a remembered answer, so that nothing needs to be prepared for it. Takes no lock. Raises
    Stale like `once`."""
    row = IdempotencyKey.objects.filter(scope=scope[:120], key=key[:LONGEST_KEY]).first() if key else None
    if row is None:
        return False
    _same(row, body)
    return row.status is not None


def claim(*, scope: str, key: str, again_after: timedelta | None = None) -> tuple[IdempotencyKey, bool]:
    """The row of a form that was sent, and whether it was sent first. Who is first calls `remember` or `release`; all
    others wait here for what the first one does. With `again_after` the same key is new again after that time.

    Raises Stale if the first one has no answer for too long.
    """
    row: IdempotencyKey | None = None
    for _ in range(LOOKS):
        mine = IdempotencyKey(scope=scope[:120], key=key[:LONGEST_KEY], at=now())
        # While it waits it only looks: on SQLite, inserting takes the write lock that the first press needs.
        if row is None and _inserted(mine):
            return mine, True
        row = IdempotencyKey.objects.filter(scope=mine.scope, key=mine.key).first()
        if row is None:  # released meanwhile
            continue
        if again_after is not None and _taken_over(row, again_after):
            return row, True
        if row.status is not None:
            return row, False
        time.sleep(SECONDS_BETWEEN)
    raise Stale(NOT_KNOWN)


def _inserted(row: IdempotencyKey) -> bool:
    """Whether the key was new. One statement, which the ORM has not: its own needs a savepoint or a second read."""
    at = connection.ops.adapt_datetimefield_value(row.at)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_idempotencykey (scope, key, fingerprint, at) VALUES (%s, %s, '', %s) ON CONFLICT DO NOTHING",
            [row.scope, row.key, at],
        )
        return bool(cursor.rowcount)


def _taken_over(row: IdempotencyKey, again_after: timedelta) -> bool:
    at = now()
    if row.at + (LOST_AFTER if row.status is None else again_after) > at:
        return False
    mine = IdempotencyKey.objects.filter(pk=row.pk, at=row.at)
    return bool(mine.update(at=at, status=None, answer=None))


def remember(row: IdempotencyKey, status: int, answer: Json) -> None:
    """Keep the answer to the first press."""
    IdempotencyKey.objects.filter(scope=row.scope, key=row.key).update(status=status, answer=answer)


def release(row: IdempotencyKey) -> None:
    """Nothing was written: the form may be sent again."""
    IdempotencyKey.objects.filter(scope=row.scope, key=row.key).delete()


def repeatable(view: View) -> View:
    """Marks a view that writes nothing, or that may be sent again as often as wanted, such as a preview."""
    view.repeatable = True  # type: ignore[attr-defined]  # a mark, as Django's csrf_exempt sets one
    return view


def forget_old(older_than: timedelta) -> int:
    """Delete keys that nobody sends again. Returns how many."""
    number, _ = IdempotencyKey.objects.filter(at__lt=now() - older_than).delete()
    return number


def _same(row: IdempotencyKey, body: bytes) -> None:
    if row.fingerprint != _fingerprint(body):
        raise Stale("This idempotency key was used for a different request. Send a new key.")


def _fingerprint(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
