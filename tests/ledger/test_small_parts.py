"""Idempotency keys, stored files, heartbeats and the clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from pytest_django import Settings

from ledger import files, heartbeats, idempotency
from ledger.errors import Stale
from ledger.models import ClockOffset, StoredFile
from ledger.now import now

pytestmark = pytest.mark.both_databases


def test_one_key_runs_once_and_answers_the_same(db: None) -> None:
    done: list[int] = []

    def do() -> tuple[int, Any]:
        done.append(1)
        return 201, {"key": f"ESC-{len(done)}"}

    first = idempotency.once(scope="open:1", key="a", body=b"{}", do=do)
    assert idempotency.once(scope="open:1", key="a", body=b"{}", do=do) == first == (201, {"key": "ESC-1"})
    assert len(done) == 1


def test_one_key_for_two_bodies_is_refused(db: None) -> None:
    idempotency.once(scope="open:1", key="a", body=b"{}", do=lambda: (201, {}))
    with pytest.raises(Stale):
        idempotency.once(scope="open:1", key="a", body=b"[]", do=lambda: (201, {}))


def test_without_a_key_every_request_runs(db: None) -> None:
    done: list[int] = []
    for _ in range(2):
        idempotency.once(scope="s", key="", body=b"", do=lambda: (200, done.append(1)))
    assert len(done) == 2


def test_a_failed_request_is_not_remembered(db: None) -> None:
    def fail() -> tuple[int, Any]:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        idempotency.once(scope="s", key="k", body=b"", do=fail)
    assert idempotency.once(scope="s", key="k", body=b"", do=lambda: (200, "yes")) == (200, "yes")


def test_a_file_is_kept_once_by_its_content(db: None, settings: Settings, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    one, two = files.store(b"words", name="a.txt"), files.store(b"words", name="b.txt")
    assert one == two
    assert StoredFile.objects.count() == 1
    assert files.read(one) == b"words"


def test_a_heartbeat_has_an_age(db: None) -> None:
    assert heartbeats.age("engine") is None
    with time_machine.travel(datetime(2026, 1, 5, 12, tzinfo=UTC), tick=False) as clock:
        heartbeats.beat("engine")
        clock.shift(timedelta(seconds=40))
        assert heartbeats.age("engine") == timedelta(seconds=40)


def test_the_clock_moves_only_where_it_may(db: None, settings: Settings) -> None:
    ClockOffset.objects.create(seconds=3600)
    plain = now()
    settings.CLOCK_MAY_MOVE = True
    assert timedelta(minutes=59) < now() - plain < timedelta(minutes=61)
