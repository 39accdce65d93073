"""Mail out of a real IMAP server: kept first, then marked; killed in between, nothing is lost and nothing comes twice."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from ledger import files
from messaging.events import mail_received
from messaging.inbound import fetch as fetching
from messaging.inbound import receive as inbound
from messaging.inbound.mailbox import Mailbox, MailboxTrouble, place
from messaging.inbound.parsing.parsed import MAX_RAW_BYTES
from messaging.models import InboundMail
from tests.support.databases import Templates
from tests.support.dovecot import PASSWORD, Server
from tests.support.server import ROOT, Desk, environment_for


def letter(number: int, text: str = "The refund is overdue.") -> bytes:
    """A small mail of a customer."""
    return (
        f"From: Ana Lopez <ana@customer.example>\r\nTo: desk@desk.example\r\nSubject: Refund {number}\r\n"
        f"Message-ID: <m{number}@customer.example>\r\n\r\n{text}\r\n"
    ).encode()


@pytest.fixture
def alone() -> Iterator[None]:
    """Nobody takes the mail."""
    before, mail_received.receivers = mail_received.receivers, []
    mail_received.sender_receivers_cache.clear()
    yield
    mail_received.receivers = before
    mail_received.sender_receivers_cache.clear()


@pytest.fixture
def configured(imap: Server, settings: Settings) -> Server:
    """The desk's mailbox is on this server."""
    settings.IMAP_URL = imap.url
    return imap


def fetched() -> list[str]:
    """The lines of the command."""
    out = StringIO()
    call_command("ingest_mail", "--imap", stdout=out)
    return out.getvalue().splitlines()


@pytest.mark.django_db
@pytest.mark.usefixtures("alone")
def test_what_is_unread_is_kept_byte_for_byte_and_marked_as_read(configured: Server) -> None:
    odd = letter(2, "Gr\xfc\xdfe").replace("Gr\xfc\xdfe".encode(), b"Gr\xfc\xdfe and \xff")
    configured.put(letter(1), odd)
    lines = fetched()
    assert [line.split(":")[0] for line in lines] == ["mail 1", "mail 2", "2 mails"]
    kept = list(InboundMail.objects.order_by("pk"))
    assert [files.read(mail.raw) for mail in kept] == [letter(1), odd]
    assert configured.numbers("UNSEEN") == []
    assert configured.numbers() == ["1", "2"]
    assert fetched() == ["0 mails: nothing to read"]


@pytest.mark.django_db
@pytest.mark.usefixtures("alone")
def test_what_was_taken_in_is_moved_when_a_folder_is_named_read_or_not(imap: Server, settings: Settings) -> None:
    settings.IMAP_URL = f"{imap.url}?move=Taken%20in"
    imap.put(letter(1), letter(2))
    with imap.session() as client:
        client.uid("STORE", "1", "+FLAGS", "(\\Seen)")
    assert fetched()[-1] == "2 mails: 2 waiting in the inbox"
    assert imap.numbers() == []
    assert len(imap.numbers(folder='"Taken in"')) == 2


@pytest.mark.django_db
@pytest.mark.usefixtures("alone")
def test_a_mail_that_cannot_be_kept_stays_unread_and_holds_up_no_other(
    configured: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured.put(letter(1), letter(2), letter(3))
    real = inbound.receive

    def breaks_at_two(*, raw: bytes, channel: str) -> InboundMail:
        if b"Refund 2" in raw:
            raise RuntimeError("a defect")
        return real(raw=raw, channel=channel)

    monkeypatch.setattr(inbound, "receive", breaks_at_two)
    assert fetching.fetch_all() == 2
    assert configured.numbers("UNSEEN") == ["2"]
    monkeypatch.undo()
    assert fetching.fetch_all() == 1
    assert InboundMail.objects.count() == 3


@pytest.mark.django_db
@pytest.mark.usefixtures("alone")
def test_a_mail_over_the_limit_is_kept_with_the_reason(configured: Server) -> None:
    configured.put(letter(1) + b"x" * MAX_RAW_BYTES)
    assert fetching.fetch_all() == 1
    mail = InboundMail.objects.get()
    assert (mail.state, "25 MB" in mail.note) == ("refused", True)
    assert configured.numbers("UNSEEN") == []


# A fork for each line, so that the desk is loaded once: fetches the mail, may die where the line says, and tells how it ended.
FETCHER = """
import json, os, sys, django
django.setup()
from django.core.management import call_command
from django.test import override_settings
for line in sys.stdin:
    child = os.fork()
    if not child:
        with override_settings(DIE_AT=json.loads(line)):
            call_command("ingest_mail", "--imap", stdout=sys.stderr)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def fetch(fetcher: "subprocess.Popen[str]", **die_at: int) -> int:
    """Fetch the mail in a process of its own; how it ended."""
    assert fetcher.stdin
    assert fetcher.stdout
    fetcher.stdin.write(f"{json.dumps(die_at)}\n")
    fetcher.stdin.flush()
    return int(fetcher.stdout.readline())


def test_killed_at_any_point_nothing_is_lost_and_nothing_comes_twice(
    imap: Server, database_templates: Templates, tmp_path: Path
) -> None:
    wanted = {f"<m{number}@customer.example>" for number in range(4)}
    imap.put(*(letter(number) for number in range(4)))
    with database_templates.copy() as url:
        environment = environment_for(url, tmp_path, port=0, IMAP_URL=imap.url, CLOCK_MAY_MOVE="0")
        command, pipe = [sys.executable, "-c", FETCHER], subprocess.PIPE
        with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, text=True) as fetcher:
            assert fetch(fetcher, mail_fetched=1) == -9
            assert len(imap.numbers("UNSEEN")) == 4
            assert fetch(fetcher, mail_kept=1) == -9
            assert len(imap.numbers("UNSEEN")) == 4
            assert fetch(fetcher) == 0
        assert imap.numbers("UNSEEN") == []
        rows = Desk(url, tmp_path, environment, 0).query("SELECT message_id FROM messaging_inboundmail")
        assert sorted(row[0] for row in rows) == sorted(wanted)


def test_a_wrong_password_is_told_without_it(imap: Server) -> None:
    where = place(imap.url.replace("%2F1", "%2F2"))
    with pytest.raises(MailboxTrouble, match="cannot be opened") as trouble, Mailbox(where):
        pass
    assert PASSWORD[:-1] not in str(trouble.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("imaps://u:p@mail.example", ("mail.example", 993, "u", "p", "INBOX", "", True)),
        (
            "imap://u%40x:p%3Aq@mail.example:1143/A%20B?move=Done",
            ("mail.example", 1143, "u@x", "p:q", "A B", "Done", False),
        ),
    ],
)
def test_the_address_of_a_mailbox_is_read(url: str, expected: tuple[Any, ...]) -> None:
    where = place(url)
    found = (where.host, where.port, where.user, where.password, where.folder, where.move, where.encrypted)
    assert found == expected


@pytest.mark.parametrize("url", ["", "pop3://u:p@x", "imaps://mail.example", "imaps://u:p@", "imaps://u:p@x:99999"])
def test_an_address_that_is_none_is_told_with_an_example(url: str) -> None:
    with pytest.raises(MailboxTrouble, match=r"imaps://user:password@"):
        place(url)


@pytest.mark.django_db
def test_the_command_wants_files_or_the_mailbox(settings: Settings, tmp_path: Path) -> None:
    for arguments in ([], ["--imap", str(tmp_path)]):
        with pytest.raises(CommandError, match="Give files"):
            call_command("ingest_mail", *arguments)
    settings.IMAP_URL = ""
    with pytest.raises(CommandError, match="IMAP_URL"):
        call_command("ingest_mail", "--imap")
    assert fetching.fetch_all() == 0


@pytest.mark.django_db
def test_a_mailbox_that_does_not_answer_is_told_and_tried_again(
    settings: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IMAP_URL = "imap://desk:hidden-word@127.0.0.1:1/INBOX"
    assert fetching.fetch_all() == 0
    assert "cannot be opened" in caplog.text
    assert "hidden-word" not in caplog.text
    with pytest.raises(CommandError, match="cannot be opened"):
        fetched()


def test_mail_is_fetched_every_minute_when_there_is_a_mailbox(tmp_path: Path) -> None:
    code = "from config.schedules import SCHEDULES; print(SCHEDULES.get('fetch_mail'))"
    said = {}
    for url in ("", "imaps://u:p@mail.example"):
        environment = {**os.environ, "IMAP_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings.test"}
        command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", code]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        said[url] = done.stdout.strip()
    assert said == {"": "None", "imaps://u:p@mail.example": "('messaging.inbound.fetch.fetch_all', 1)"}
