"""Attachments of received mail: named on the case, kept where they may be, and fetched by those who see the case."""

import base64
import errno
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.models import Signal, User
from escalations.cases import conversation, mail_files
from escalations.cases import inbound as listening
from escalations.models import CaseFile, CustomerMessage, Escalation
from ledger.files import path_of
from messaging.inbound.receive import receive
from messaging.models import InboundMail
from tests.escalations.cases.builders import opened
from tests.escalations.pages.stories import urls
from tests.support import samples
from tests.support.cast import Cast
from tests.support.clamd import running_clamd

pytestmark = pytest.mark.django_db

As = Callable[[User], Client]
Attached = tuple[str, str, bytes]
REDLINE: Attached = ("Vertrag Müller.pdf", "application/pdf", samples.PDF)


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    """A media folder of this test."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


def letter(sender: str, to: str, *attached: Attached) -> bytes:
    """A mail with attachments, as mail programs write it."""
    parts = [
        f'--b1\r\nContent-Type: {kind}\r\nContent-Disposition: attachment; filename="=?utf-8?B?'
        f'{base64.b64encode(name.encode()).decode()}?="\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        f"{base64.encodebytes(data).decode()}\r\n"
        for name, kind, data in attached
    ]
    return (
        f"From: Ana <{sender}>\r\nTo: {to}\r\nSubject: Our redline\r\nMessage-ID: <r1@northwind.example>\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b1"\r\n\r\n'
        f"--b1\r\nContent-Type: text/plain\r\n\r\nPlease see the attached redline.\r\n{''.join(parts)}--b1--\r\n"
    ).encode()


@pytest.fixture
def received(
    case: Escalation, cast: Cast, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> Callable[..., InboundMail]:
    """`received(REDLINE, …)`: a mail of the customer to the case, and all that follows its commit."""

    def take(*attached: Attached) -> InboundMail:
        with django_capture_on_commit_callbacks(execute=True):
            return receive(raw=letter(cast.contact.email, f"case+{case.pk}@desk.example", *attached))

    return take


def test_attachments_are_on_the_case_and_can_be_fetched(
    received: Callable[..., InboundMail], case: Escalation, cast: Cast, as_user: As
) -> None:
    mail = received(REDLINE, ("notes.txt", "text/plain", samples.TEXT))
    assert [(each.name, each.size) for each in mail.attachments.all()] == [
        ("Vertrag Müller.pdf", len(samples.PDF)),
        ("notes.txt", len(samples.TEXT)),
    ]
    rows = {each.name: each for each in case.files.filter(place=CaseFile.MAIL, mail=mail, by=None)}
    client = as_user(cast.csm)
    for name, content in (("Vertrag Müller.pdf", samples.PDF), ("notes.txt", samples.TEXT)):
        answer: Any = client.get(urls("file", None, rows[name].pk))
        assert b"".join(answer.streaming_content) == content
    assert as_user(cast.outsider).get(urls("file", None, rows["notes.txt"].pk)).status_code == 404
    page = client.get(urls("case", case)).content.decode()
    assert "2 attachments of a mail from Ana: Vertrag Müller.pdf and notes.txt" in page
    assert urls("file", None, rows["notes.txt"].pk) in page
    event = case.events.get(kind="file")
    assert {each["sha256"] for each in event.data["files"]} == {row.file.sha256 for row in rows.values() if row.file}


def test_what_is_not_accepted_is_named_with_the_reason(
    received: Callable[..., InboundMail], case: Escalation, cast: Cast, as_user: As
) -> None:
    received(
        REDLINE,
        ("logo.svg", "image/svg+xml", samples.SVG),
        ("winmail.dat", "application/ms-tnef", b"\x78\x9f>\x22\x00\x01"),
    )
    rows = {each.name: each for each in case.files.all()}
    assert rows["Vertrag Müller.pdf"].why_not == ""
    assert rows["logo.svg"].why_not.startswith("Not offered for download: it is a web page, a drawing or XML")
    client = as_user(cast.csm)
    page = client.get(urls("case", case)).content.decode()
    assert "winmail.dat" in page
    assert "Not offered for download: it is of a kind that is not accepted." in page
    assert client.get(urls("file", None, rows["logo.svg"].pk)).status_code == 409


def test_a_damaged_document_does_not_keep_the_others(received: Callable[..., InboundMail], case: Escalation) -> None:
    received(("letter.odt", "application/vnd.oasis.opendocument.text", samples.garbled(zipfile.ZIP_DEFLATED)), REDLINE)
    rows = {each.name: each for each in case.files.all()}
    assert rows["letter.odt"].why_not.startswith("Not offered for download: it is damaged")
    assert rows["Vertrag Müller.pdf"].why_not == ""


def test_the_attachments_of_a_mail_wait_for_a_silent_scanner_once(
    received: Callable[..., InboundMail],
    case: Escalation,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ledger.files.scanner.SECONDS", 0.2)

    def slow(data: bytes) -> bytes:
        time.sleep(0.4)
        return b"stream: OK"

    with running_clamd(tmp_path / "clamd.ctl") as clamd:
        settings.CLAMD_URL, clamd.answer = clamd.url, slow
        received(REDLINE, ("logo.svg", "image/svg+xml", samples.SVG), ("notes.txt", "text/plain", samples.TEXT))
    assert len(clamd.scanned) == 1
    why = {each.name: each.why_not for each in case.files.all()}
    assert why["Vertrag Müller.pdf"] == why["notes.txt"] == "Held. It could not be scanned for viruses yet."
    assert why["logo.svg"].startswith("Not offered for download: it is a web page")


def test_a_mail_is_taken_once(received: Callable[..., InboundMail], case: Escalation) -> None:
    mail = received(REDLINE)
    assert mail_files.take(mail=mail, case=case) == []
    assert mail_files.take_missed() == 0
    assert case.files.count() == 1


def test_after_a_full_disk_the_worker_takes_what_was_missed(
    received: Callable[..., InboundMail], case: Escalation, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("ledger.files.uploads.flush", full)
        received(REDLINE)
        assert mail_files.take_missed() == 1
    assert not case.files.exists()
    assert not case.events.filter(kind="file").exists()
    assert mail_files.take_missed() == 1
    file = case.files.get().file
    assert file is not None
    assert path_of(file.sha256).read_bytes() == samples.PDF
    assert list((media / "incoming").iterdir()) == []


def test_a_mail_that_a_person_placed_brings_its_attachments(case: Escalation, cast: Cast) -> None:
    mail = receive(raw=letter("ana@private.example", f"case+{case.pk}@desk.example", REDLINE))
    assert mail.state == InboundMail.WAITING
    listening.place(mail=mail, account=cast.northwind, by=cast.csm)
    assert mail_files.take_missed() == 1
    assert case.files.get().mail == mail


@pytest.mark.both_databases
def test_mail_of_an_account_without_a_case_waits_until_one_is_opened_from_it(cast: Cast) -> None:
    mail = receive(raw=letter(cast.contact.email, "desk@desk.example", REDLINE))
    assert mail.attachments.get().name == "Vertrag Müller.pdf"
    assert mail_files.take_missed() == 0
    assert not CaseFile.objects.exists()
    opened(cast, signal=Signal.objects.get())
    assert mail_files.take_missed() == 1
    assert CaseFile.objects.get().name == "Vertrag Müller.pdf"


@pytest.mark.both_databases
def test_mail_without_a_case_does_not_keep_the_worker_from_what_was_missed(
    case: Escalation, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive(raw=letter(cast.contact.email, f"case+{case.pk}@desk.example", REDLINE))
    later = letter("kim@elsewhere.example", "desk@desk.example", REDLINE).replace(b"<r1@", b"<r2@")
    listening.place(mail=receive(raw=later), account=cast.elsewhere, by=cast.outsider)
    monkeypatch.setattr(mail_files, "MOST", 1)
    assert mail_files.take_missed() == 1
    assert case.files.get().name == "Vertrag Müller.pdf"


def test_a_mail_that_is_moved_takes_its_attachments_along(
    received: Callable[..., InboundMail],
    case: Escalation,
    cast: Cast,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    mail = received(REDLINE)
    other = opened(cast, title="The budget")
    message = CustomerMessage.objects.get(mail=mail)
    with django_capture_on_commit_callbacks(execute=True):
        conversation.move(message_id=message.pk, to=other, by=cast.ops)
    [row] = other.files.filter(mail=mail)
    assert (row.name, row.why_not) == ("Vertrag Müller.pdf", "")
    assert row.file is not None
    assert case.files.filter(mail=mail).count() == 1


def test_the_worker_takes_what_a_moved_mail_has_missed(
    received: Callable[..., InboundMail], case: Escalation, cast: Cast
) -> None:
    mail = received(REDLINE)
    other = opened(cast, title="The budget")
    conversation.move(message_id=CustomerMessage.objects.get(mail=mail).pk, to=other, by=cast.ops)
    assert not other.files.exists()
    assert mail_files.take_missed() == 1
    assert other.files.filter(mail=mail).count() == 1
    assert mail_files.take_missed() == 0


SIGNED: Attached = ("logo.svg", "image/svg+xml", samples.SVG)


def test_operations_fetch_the_attachments_of_a_strangers_mail(cast: Cast, as_user: As) -> None:
    mail = receive(raw=letter("ana@nowhere.example", "desk@desk.example", REDLINE, SIGNED))
    client = as_user(cast.ops)
    page = client.get(f"/messages/inbox/{mail.pk}/").content.decode()
    url = f"/received/{mail.pk}/attachments/0/"
    assert url in page
    answer: Any = client.get(url)
    assert b"".join(answer.streaming_content) == samples.PDF
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    refused = client.get(f"/received/{mail.pk}/attachments/1/")
    assert (refused.status_code, "It is not offered for download." in refused.content.decode()) == (409, True)
    assert client.get(f"/received/{mail.pk}/attachments/2/").status_code == 404
    for other in (cast.csm, cast.outsider):
        assert as_user(other).get(url).status_code == 404


@pytest.mark.parametrize("to", ["desk@desk.example", "set aside"])
def test_those_who_see_the_account_fetch_the_files_of_its_mail(cast: Cast, as_user: As, to: str, media: Path) -> None:
    raw = letter(cast.contact.email, "desk@desk.example", REDLINE)
    if to == "set aside":
        raw = b"Auto-Submitted: auto-generated\r\n" + raw
    mail = receive(raw=raw)
    url = f"/received/{mail.pk}/attachments/0/"
    client = as_user(cast.csm)
    assert url in client.get(f"/accounts/{cast.northwind.pk}/").content.decode()
    answer: Any = client.get(url)
    assert b"".join(answer.streaming_content) == samples.PDF
    assert list((media / "incoming").iterdir()) == []
    assert as_user(cast.outsider).get(url).status_code == 404


def test_an_attachment_of_a_mail_that_the_scanner_holds_is_not_given_out(
    cast: Cast, as_user: As, settings: Settings
) -> None:
    mail = receive(raw=letter("ana@nowhere.example", "desk@desk.example", ("bill.txt", "text/plain", samples.EICAR)))
    with running_clamd() as clamd:
        settings.CLAMD_URL = clamd.url
        answer = as_user(cast.ops).get(f"/received/{mail.pk}/attachments/0/")
    assert answer.status_code == 409
