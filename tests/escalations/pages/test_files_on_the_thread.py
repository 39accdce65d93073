"""Files on the thread: attached to a post, downloaded by those who see the case, held, and never half stored."""

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from escalations.cases import access_rows, files
from escalations.models import CaseFile, CasePerson, Escalation, Event
from ledger.files import path_of, scanner, store, tidying, uploads
from ledger.models import DownloadLog, StoredFile
from ledger.now import moved_to
from messaging.models import Message, Notice
from messaging.outbox.messages import send_due
from tests.escalations.pages.stories import join, urls
from tests.support import samples
from tests.support.cast import Cast
from tests.support.clamd import Clamd, running_clamd

pytestmark = pytest.mark.django_db

As = Callable[[User], Client]
MB = 1024 * 1024


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    """A media folder of this test."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def clamd(settings: Settings, tmp_path: Path) -> Iterator[Clamd]:
    """A scanner that every file is shown to."""
    with running_clamd(tmp_path / "clamd.ctl") as server:
        settings.CLAMD_URL = server.url
        yield server


def post(client: Client, case: Escalation, *given: tuple[str, bytes], **more: Any) -> Any:
    """Post an internal update with files."""
    data = {"mode": "internal", "text": "Their redline.", **more}
    data["files"] = [SimpleUploadedFile(name, content) for name, content in given]
    return client.post(urls("post", case), data)


def kept_files(media: Path) -> list[Path]:
    """Every file below the media folder."""
    return [path for path in media.rglob("*") if path.is_file()]


def test_a_post_keeps_its_files_and_shows_them(case: Escalation, cast: Cast, as_user: As, media: Path) -> None:
    client = as_user(cast.csm)
    answer = post(client, case, ("Vertrag Müller.pdf", samples.PDF), ("sums.xlsx", samples.EXCEL))
    assert answer.status_code == 302
    event = case.events.get(kind=Event.UPDATE)
    assert [(each["name"], each["size"]) for each in event.data["files"]] == [
        ("Vertrag Müller.pdf", len(samples.PDF)),
        ("sums.xlsx", len(samples.EXCEL)),
    ]
    row = case.files.get(name="Vertrag Müller.pdf")
    assert row.file is not None
    assert row.file.sha256 == event.data["files"][0]["sha256"]
    assert path_of(row.file.sha256).read_bytes() == samples.PDF
    assert len(kept_files(media)) == 2, "nothing stays in the folder of received files"
    page = client.get(urls("case", case)).content.decode()
    assert "Vertrag Müller.pdf" in page
    assert f"{len(samples.PDF)} bytes" in page


def test_a_download_is_only_ever_a_download(case: Escalation, cast: Cast, as_user: As) -> None:
    client = as_user(cast.csm)
    post(client, case, ('Vertrag "Müller".pdf', samples.PDF))
    row = case.files.get()
    answer: Any = client.get(urls("file", None, row.pk))
    assert b"".join(answer.streaming_content) == samples.PDF
    assert answer["Content-Disposition"] == "attachment; filename*=utf-8''Vertrag%20%22M%C3%BCller%22.pdf"
    assert answer["Content-Type"] == "application/pdf"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["Cache-Control"] == "private, no-store"
    assert DownloadLog.objects.get().what == f'{case.key}: Vertrag "Müller".pdf'


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("csm", 200),
        ("ae", 200),
        ("lead", 200),
        ("director", 200),
        ("sponsor", 200),
        ("outsider", 404),
    ],
)
def test_whoever_sees_the_case_gets_the_file(case: Escalation, cast: Cast, as_user: As, who: str, status: int) -> None:
    post(as_user(cast.csm), case, ("a.pdf", samples.PDF))
    client = as_user(getattr(cast, who))
    assert client.get(urls("case", case)).status_code == status
    assert client.get(urls("file", None, case.files.get().pk)).status_code == status


def test_losing_access_loses_the_file_at_once(case: Escalation, cast: Cast, as_user: As) -> None:
    post(as_user(cast.csm), case, ("a.pdf", samples.PDF))
    join(case, cast.outsider)
    access_rows.keep([case.pk])
    client, address = as_user(cast.outsider), urls("file", None, case.files.get().pk)
    assert client.get(address).status_code == 200
    CasePerson.objects.filter(case=case, user=cast.outsider).delete()
    access_rows.keep([case.pk])
    assert client.get(address).status_code == 404


def test_a_file_of_a_confidential_case_is_for_named_people(
    open_case: Callable[..., Escalation], cast: Cast, as_user: As
) -> None:
    case = open_case(confidential=True)
    join(case, cast.csm)
    access_rows.keep([case.pk])
    post(as_user(cast.csm), case, ("a.pdf", samples.PDF))
    address = urls("file", None, case.files.get().pk)
    assert as_user(cast.csm).get(address).status_code == 200
    assert as_user(cast.outsider).get(address).status_code == 404


def test_nobody_gets_a_file_without_signing_in(case: Escalation, cast: Cast, as_user: As) -> None:
    post(as_user(cast.csm), case, ("a.pdf", samples.PDF))
    assert Client().get(urls("file", None, case.files.get().pk)).status_code == 302


def test_a_refused_file_is_named_and_the_words_stay(case: Escalation, cast: Cast, as_user: As, media: Path) -> None:
    answer = post(as_user(cast.csm), case, ("good.pdf", samples.PDF), ("logo.svg", samples.SVG))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "“logo.svg” is a web page, a drawing or XML" in page
    assert "Their redline." in page
    assert not CaseFile.objects.exists()
    assert not StoredFile.objects.exists()
    assert kept_files(media) == []


def test_the_limits_of_a_file_and_of_a_post(
    case: Escalation, cast: Cast, as_user: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "LARGEST_FILE", 2 * MB)
    monkeypatch.setattr(uploads, "LARGEST_POST", 5 * MB)
    client = as_user(cast.csm)
    full, over = samples.PDF.ljust(2 * MB), samples.PDF.ljust(2 * MB + 1)
    assert post(client, case, ("full.pdf", full), ("again.pdf", full + b"")).status_code == 302
    assert "“over.pdf” is larger than 2 MB." in post(client, case, ("over.pdf", over)).content.decode()
    three = [(f"{number}.pdf", full) for number in range(3)]
    assert "The files are larger than 5 MB together." in post(client, case, *three).content.decode()


def test_a_large_file_is_not_held_in_memory(case: Escalation, cast: Cast, as_user: As) -> None:
    """Its pieces go to the disk: no piece that the handler is given is larger than Django's chunk."""
    seen: list[int] = []
    take = uploads.Part.take

    def noted(part: uploads.Part, data: bytes) -> None:
        seen.append(len(data))
        take(part, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uploads.Part, "take", noted)
        assert post(as_user(cast.csm), case, ("big.pdf", samples.PDF.ljust(3 * MB))).status_code == 302
    assert sum(seen) == 3 * MB
    assert max(seen) <= 64 * 1024


def test_the_same_content_is_kept_once_under_both_names(case: Escalation, cast: Cast, as_user: As, media: Path) -> None:
    post(as_user(cast.csm), case, ("one.pdf", samples.PDF), ("two.pdf", samples.PDF))
    assert sorted(case.files.values_list("name", flat=True)) == ["one.pdf", "two.pdf"]
    assert StoredFile.objects.count() == len(kept_files(media)) == 1


# A full disk ---------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """A file system of one megabyte as media folder."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("this system does not let us mount a small file system")
    settings.MEDIA_ROOT = folder
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_said_and_nothing_is_half_stored(
    small_disk: Path, case: Escalation, cast: Cast, as_user: As
) -> None:
    client, before = as_user(cast.csm), case.events.count()
    answer = post(client, case, ("small.pdf", samples.PDF), ("big.pdf", samples.PDF.ljust(2 * MB)))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "“big.pdf” could not be stored, because the disk of the desk is full" in page
    assert "Their redline." in page
    assert kept_files(small_disk) == []
    assert not StoredFile.objects.exists()
    assert case.events.count() == before
    assert post(client, case, ("small.pdf", samples.PDF)).status_code == 302, "there is room for a small one again"


def test_a_file_that_cannot_be_moved_to_its_place_leaves_no_row(
    case: Escalation, cast: Cast, as_user: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = case.events.count()
    monkeypatch.setattr(Path, "replace", full)
    answer = post(as_user(cast.csm), case, ("a.pdf", samples.PDF))
    assert answer.status_code == 507
    assert "“a.pdf” could not be stored" in answer.content.decode()
    assert "Their redline." in answer.content.decode()
    assert case.events.count() == before
    assert not StoredFile.objects.exists()


# The virus scanner ---------------------------------------------------------------------------------


def test_what_the_scanner_finds_is_held_and_told(clamd: Clamd, case: Escalation, cast: Cast, as_user: As) -> None:
    client = as_user(cast.csm)
    assert post(client, case, ("bill.txt", samples.EICAR), ("good.pdf", samples.PDF)).status_code == 302
    bad, good = case.files.get(name="bill.txt"), case.files.get(name="good.pdf")
    assert client.get(urls("file", None, good.pk)).status_code == 200
    refused = client.get(urls("file", None, bad.pk))
    assert refused.status_code == 409
    assert "The virus scanner found something in it." in refused.content.decode()
    page = client.get(urls("case", case)).content.decode()
    assert urls("file", None, bad.pk) not in page
    assert "Held. The virus scanner found something in it." in page
    told = Notice.objects.filter(kind="file").values_list("user", "text")
    assert list(told) == [(cast.csm.pk, f"{case.key}: “bill.txt” cannot be downloaded. {bad.why_not}")]
    assert "EICAR" in Notice.objects.get(kind="operations", user=cast.ops).text


@pytest.mark.parametrize("answer", [b"INSTREAM: Can't allocate memory ERROR", b""])
def test_what_could_not_be_scanned_is_held_until_it_was(
    clamd: Clamd, case: Escalation, cast: Cast, as_user: As, answer: bytes
) -> None:
    clamd.answer = lambda data: answer
    client = as_user(cast.csm)
    post(client, case, ("a.pdf", samples.PDF))
    address = urls("file", None, case.files.get().pk)
    assert client.get(address).status_code == 409
    assert files.scan_again() == 0, "the scanner still cannot"
    clamd.answer = lambda data: b"stream: OK"
    assert files.scan_again() == 1
    assert client.get(address).status_code == 200
    assert case.events.filter(kind="file", summary="Released by the virus scanner: a.pdf").count() == 1
    assert Notice.objects.filter(user=cast.csm, text__endswith="was scanned and can be downloaded").count() == 1


def test_a_scanner_that_does_not_answer_holds_the_file(
    case: Escalation, cast: Cast, as_user: As, settings: Settings, tmp_path: Path
) -> None:
    settings.CLAMD_URL = f"unix://{tmp_path}/nobody.ctl"
    assert post(as_user(cast.csm), case, ("a.pdf", samples.PDF)).status_code == 302
    assert case.files.get().why_not == "Held. It could not be scanned for viruses yet."


def test_files_from_before_the_scanner_wait_for_it(
    case: Escalation, cast: Cast, as_user: As, settings: Settings
) -> None:
    client = as_user(cast.csm)
    post(client, case, ("a.pdf", samples.PDF), ("b.txt", samples.EICAR))
    address = urls("file", None, case.files.get(name="a.pdf").pk)
    assert client.get(address).status_code == 200
    with running_clamd() as server:
        settings.CLAMD_URL = server.url
        assert client.get(address).status_code == 409
        assert files.scan_again() == 2
        assert client.get(address).status_code == 200
    assert case.files.get(name="b.txt").why_not == "Held. The virus scanner found something in it."
    assert Notice.objects.filter(user=cast.csm, kind="file").count() == 1


@pytest.mark.both_databases
def test_a_file_that_an_import_kept_before_is_offered(case: Escalation, cast: Cast, as_user: As) -> None:
    store(samples.TEXT, name="accounts.csv", content_type="text/csv")
    client = as_user(cast.csm)
    post(client, case, ("accounts.csv", samples.TEXT))
    assert case.files.get().why_not == ""
    assert client.get(urls("file", None, case.files.get().pk)).status_code == 200


@pytest.mark.both_databases
def test_a_file_that_an_import_kept_before_is_scanned(clamd: Clamd, case: Escalation, cast: Cast, as_user: As) -> None:
    store(samples.TEXT, name="accounts.csv", content_type="text/csv")
    clamd.answer = lambda data: b""
    client = as_user(cast.csm)
    post(client, case, ("accounts.csv", samples.TEXT))
    assert case.files.get().why_not == "Held. It could not be scanned for viruses yet."
    assert Notice.objects.filter(user=cast.csm, kind="file").count() == 1
    clamd.answer = lambda data: b"stream: OK"
    assert files.scan_again() == 1
    assert case.files.get().why_not == ""


def test_a_content_that_was_missing_is_there_when_it_is_sent_again(case: Escalation, cast: Cast, as_user: As) -> None:
    client = as_user(cast.csm)
    post(client, case, ("a.pdf", samples.PDF))
    path_of(StoredFile.objects.get().sha256).unlink()
    tidying.tidy()
    assert case.files.get().why_not.startswith("Held. Its content is missing")
    post(client, case, ("a.pdf", samples.PDF), text="Once more.")
    assert [row.why_not for row in case.files.all()] == ["", ""]


def test_whoever_sends_a_held_content_again_is_told(
    clamd: Clamd, case: Escalation, cast: Cast, as_user: As, settings: Settings
) -> None:
    post(as_user(cast.ae), case, ("bill.txt", samples.EICAR))
    settings.CLAMD_URL = ""
    post(as_user(cast.csm), case, ("again.txt", samples.EICAR))
    assert Notice.objects.filter(user=cast.csm, kind="file", text__contains="again.txt").count() == 1


@pytest.mark.both_databases
def test_a_scanner_that_is_silent_is_asked_once_and_then_begins_with_what_it_never_saw(
    clamd: Clamd, case: Escalation, cast: Cast, as_user: As, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    working, settings.CLAMD_URL = settings.CLAMD_URL, "unix:///nowhere/clamd.ctl"
    client, asked = as_user(cast.csm), []
    for name in ("a", "b", "c"):
        post(client, case, (f"{name}.txt", f"File {name}".encode()), text=f"File {name}.")
    real = scanner.scan

    def watched(file: BinaryIO) -> scanner.Verdict:
        verdict = real(file)
        file.seek(0)
        asked.append(file.read()[-1:].decode())
        return verdict

    monkeypatch.setattr("ledger.files.scanner.scan", watched)
    files.scan_again()
    assert asked == ["a"]
    settings.CLAMD_URL = working
    assert files.scan_again() == 3
    assert asked == ["a", "b", "c", "a"]


@pytest.mark.both_databases
def test_what_could_not_be_said_is_scanned_and_said_again(
    clamd: Clamd, case: Escalation, cast: Cast, as_user: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    clamd.answer = lambda data: b""
    post(as_user(cast.csm), case, ("a.pdf", samples.PDF))
    clamd.answer = lambda data: b"stream: OK"

    def deadlock(*_: Any, **__: Any) -> None:
        raise OperationalError("deadlock detected")

    with monkeypatch.context() as patch:
        patch.setattr("escalations.cases.files.record", deadlock)
        assert files.scan_again() == 0
    assert case.files.get().why_not == "Held. It could not be scanned for viruses yet."
    assert files.scan_again() == 1
    assert case.files.get().why_not == ""
    assert case.events.filter(kind="file", summary="Released by the virus scanner: a.pdf").count() == 1
    assert Notice.objects.filter(user=cast.csm, text__endswith="was scanned and can be downloaded").count() == 1


# To the customer -----------------------------------------------------------------------------------


def tell(client: Client, case: Escalation, cast: Cast, *given: tuple[str, bytes]) -> Any:
    return post(client, case, *given, mode="customer", contacts=[cast.contact.pk])


def test_a_customer_update_carries_its_files(
    accepted: Escalation, cast: Cast, as_user: As, mailoutbox: list[Any]
) -> None:
    lead = accepted.people.get(duty=CasePerson.COMMUNICATION).user
    assert tell(as_user(lead), accepted, cast, ("Offer Ü.pdf", samples.PDF)).status_code == 302
    assert accepted.files.get().audience == Event.CUSTOMER
    send_due()
    sent = [mail for mail in mailoutbox if mail.to == [cast.contact.email]]
    assert [mail.attachments for mail in sent] == [[("Offer Ü.pdf", samples.PDF, "application/pdf")]]


def test_a_held_or_too_large_file_is_not_mailed(clamd: Clamd, accepted: Escalation, cast: Cast, as_user: As) -> None:
    client = as_user(accepted.people.get(duty=CasePerson.COMMUNICATION).user)
    answer = tell(client, accepted, cast, ("bill.txt", samples.EICAR))
    assert answer.status_code == 422
    assert "“bill.txt” cannot be sent: The virus scanner found" in answer.content.decode()
    answer = tell(client, accepted, cast, ("big.pdf", samples.PDF.ljust(11 * MB)))
    assert "A mail carries 10 MB of files at most." in answer.content.decode()
    assert not Message.objects.filter(kind="customer_update").exists()


def read_fails(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """No stored file can be read now."""

    def fail(stored: StoredFile) -> bytes:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("ledger.files.read", fail)


@pytest.mark.both_databases
def test_an_update_waits_while_its_file_cannot_be_read(
    accepted: Escalation, cast: Cast, as_user: As, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = accepted.people.get(duty=CasePerson.COMMUNICATION).user
    tell(as_user(lead), accepted, cast, ("offer.pdf", samples.PDF))
    with monkeypatch.context() as patch:
        read_fails(patch, errno.EMFILE)
        send_due()
    message = Message.objects.get(kind="customer_update")
    assert (message.state, message.attempts) == (Message.PENDING, 1)
    assert "“offer.pdf” cannot be read now: Too many open files" in message.deliveries.get().detail
    with moved_to(message.next_try_at):
        send_due()
    [sent] = [mail for mail in mailoutbox if mail.to == [cast.contact.email]]
    assert [name for name, *_ in sent.attachments] == ["offer.pdf"]


@pytest.mark.parametrize("fate", ["held", "missing"])
def test_the_author_is_told_that_an_update_goes_without_its_file(
    accepted: Escalation, cast: Cast, as_user: As, mailoutbox: list[Any], fate: str
) -> None:
    lead = accepted.people.get(duty=CasePerson.COMMUNICATION).user
    tell(as_user(lead), accepted, cast, ("offer.pdf", samples.PDF), ("sums.xlsx", samples.EXCEL))
    file = StoredFile.objects.get(name="offer.pdf")
    if fate == "held":
        StoredFile.objects.filter(pk=file.pk).update(scan=StoredFile.INFECTED)
    else:
        path_of(file.sha256).unlink()
    send_due()
    [sent] = [mail for mail in mailoutbox if mail.to == [cast.contact.email]]
    assert [name for name, *_ in sent.attachments] == ["sums.xlsx"]
    why = {
        "held": "Held. The virus scanner found something in it.",
        "missing": "Its content is missing; operations can restore it from a backup.",
    }
    text = f"{accepted.key}: your update goes to {cast.contact.email} without “offer.pdf”. {why[fate]}"
    assert Notice.objects.get(user=lead, kind="file").text == text
