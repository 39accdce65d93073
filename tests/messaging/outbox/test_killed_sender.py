"""Senders that are killed again and again, as real processes against a real SMTP server: nothing is lost, and each kill
doubles one message at most, under the same Message-ID."""

import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.messaging.smtp_process import smtp_process
from tests.support.databases import Templates
from tests.support.ports import free_port
from tests.support.server import Desk, environment_for

pytestmark = pytest.mark.both_databases

SHORT, LONG, ENGINES = 40, 3_000, 2
# About every eighth message ends an engine; in the short form, which must not pass without a death, every fourth.
CHANCES = "after_250=0.05,before_mark=0.05,after_lease=0.05"
SHORT_CHANCES = "after_250=0.1,before_mark=0.1,after_lease=0.1"
COLUMNS = (
    "key, kind, channel, state, address, reply_to, subject, text, html, message_id, thread_id, case_key, account_name,"
    " source, notice_url, note, attempts, created_at, next_try_at"
)


@pytest.fixture
def desk(database_templates: Templates, tmp_path: Path, proving: bool) -> Iterator[tuple[Desk, Path]]:
    """A database of its own, and where the mail that arrived is on record. No engine runs yet."""
    with database_templates.copy() as url, smtp_process(tmp_path) as (smtp, arrived):
        port = free_port()
        environment = environment_for(
            url,
            tmp_path,
            port=port,
            EMAIL_URL=f"smtp://127.0.0.1:{smtp}",
            DIE_AT=CHANCES if proving else SHORT_CHANCES,
            OUTBOX_LEASE_SECONDS="0.3",
            OUTBOX_HAND_OVER_SECONDS="4" if proving else "1",
            CLOCK_MAY_MOVE="0",
        )
        desk = Desk(url, tmp_path, environment, port)
        try:
            yield desk, arrived
        finally:
            desk.stop()


def fill(desk: Desk, count: int) -> set[str]:
    """Waiting mail; returns its Message-IDs."""
    at = (datetime.now(UTC) - timedelta(seconds=10)).strftime("%Y-%m-%d %H:%M:%S.%f")
    at = at if desk.database_url.startswith("sqlite") else f"{at}+00:00"
    ids = [f"<kill-{number}@desk.example>" for number in range(count)]
    for start in range(0, count, 500):
        rows, values = [], []
        for number in range(start, min(start + 500, count)):
            rows.append(f"({', '.join(['%s'] * 19)})")
            values += [f"kill:{number}", "breach", "email", "pending", f"person{number}@desk.example", "", "Past SLA"]
            values += ["Text", "", ids[number], "", "", "", "", "", "", 0, at, at]
        desk.query(f"INSERT INTO messaging_message ({COLUMNS}) VALUES {', '.join(rows)}", values)
    return set(ids)


def run_until_all_left(desk: Desk, seconds: float) -> int:
    """Run engines, each started again when it has died, until nothing waits; returns how many were killed."""
    graves = desk.folder / "killed.txt"
    graves.touch()
    desk.start("engines", "-m", "tests.messaging.engine_process", str(graves), str(ENGINES))
    deadline = time.monotonic() + seconds
    while desk.query("SELECT count(*) FROM messaging_message WHERE state <> 'sent'")[0][0]:
        assert time.monotonic() < deadline, f"mail still waits after {seconds} s:\n{desk.log('engines')[-3000:]}"
        time.sleep(0.2)
    desk.kill("engines")
    endings = graves.read_text().split()
    assert set(endings) <= {str(int(signal.SIGKILL))}, endings
    return len(endings)


@pytest.mark.prove
@pytest.mark.timeout(1800)
def test_killed_senders_lose_nothing_and_double_one_message_a_kill_at_most(
    desk: tuple[Desk, Path], proving: bool
) -> None:
    running, path = desk
    count = LONG if proving else SHORT
    ids = fill(running, count)
    kills = run_until_all_left(running, seconds=1700 if proving else 100)
    arrived = Counter(path.read_text().split())
    doubled = sum(arrived.values()) - len(arrived)
    print(f"\n{count} messages, {kills} kills, {doubled} sent twice")
    assert set(arrived) == ids, "every message arrived, and none under another Message-ID"
    assert kills > 0
    assert doubled <= kills
    marked = running.query("SELECT count(*) FROM messaging_delivery WHERE ok")[0][0]
    assert marked == count, "one attempt is on record for each"
