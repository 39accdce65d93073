"""How fast waiting mail leaves: the short form counts and prints, the long form holds the promise of 10,000 in a minute."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import Settings

from messaging.models import Delivery, Message
from messaging.outbox import messages as outbox
from tests.messaging.smtp_process import smtp_process

pytestmark = pytest.mark.both_databases

SHORT, LONG, SECONDS = 500, 10_000, 60
SQLITE_FULL = 2


def fill(count: int) -> None:
    """Waiting mail as the clocks write it: 600 bytes of text, two kilobytes of HTML, a few cases, many people."""
    Message.objects.bulk_create(
        (
            Message(
                key=f"rate:{number}",
                kind="breach",
                address=f"person{number % 700}@desk.example",
                subject=f"Past SLA: first response of ESC-{number % 900}, Northwind",
                text="First response was due Fri Jan 23, 5:00 PM ET.\n" * 12,
                html="<p>First response was due Fri Jan 23, 5:00 PM ET.</p>" * 40,
                message_id=f"<rate-{number}@desk.example>",
                thread_id=f"<case-{number % 900}@desk.example>",
                case_key=f"ESC-{number % 900}",
            )
            for number in range(count)
        ),
        batch_size=1000,
    )


def send_all() -> tuple[int, float]:
    """Send until nothing is due; how many left and in how many seconds. This is what `make bench` measures, too."""
    begun, total = time.perf_counter(), 0
    while sent := outbox.send_due():
        total += sent
    return total, time.perf_counter() - begun


@pytest.fixture
def arrived(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """The desk sends to an SMTP server in a process of its own."""
    with smtp_process(tmp_path) as (port, path):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        yield path


@pytest.mark.prove
@pytest.mark.timeout(600)
@pytest.mark.django_db(transaction=True)
def test_ten_thousand_waiting_messages_leave_within_a_minute(arrived: Path, proving: bool) -> None:
    count = LONG if proving else SHORT
    fill(count)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA synchronous = {SQLITE_FULL}")  # as in life; tests are lax about power cuts
    sent, seconds = send_all()
    print(f"\n{sent} messages left in {seconds:.1f} s: {sent / seconds:.0f} a second ({connection.vendor})")
    ids = arrived.read_text().split()
    assert sent == len(ids) == len(set(ids)) == count
    assert Message.objects.filter(state=Message.SENT, attempts=1, leased_until=None).count() == count
    assert Delivery.objects.filter(ok=True).count() == count
    if proving:
        assert seconds <= SECONDS
