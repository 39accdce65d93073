"""Rows and files come together, and what nothing uses is removed."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from pytest_django import Settings

from ledger import files
from ledger.files import tidying
from ledger.models import StoredFile
from ledger.now import moved_to, now
from messaging.inbound.receive import receive
from messaging.models import InboundMail

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
MAIL = b"From: eve@nobody.example\r\nSubject: Help\r\nMessage-ID: <f1@nobody.example>\r\n\r\nWe are stuck."


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    """A media folder of this test."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def aged(path: Path) -> Path:
    """A file that was written long ago."""
    os.utime(path, (0, 0))
    return path


def test_an_upload_that_was_never_attached_goes_after_a_day(media: Path) -> None:
    path = files.path_of(files.store(b"never attached", name="a.txt").sha256)
    assert tidying.tidy().unused == 0
    assert path.exists()
    with moved_to(now() + timedelta(days=2)):
        assert tidying.tidy() == tidying.Tidied(unused=1, without_row=0, missing=0)
    assert not path.exists()
    assert not StoredFile.objects.exists()


def test_what_is_used_stays(media: Path) -> None:
    mail = receive(raw=MAIL)
    with moved_to(now() + timedelta(days=2)):
        assert tidying.tidy() == tidying.Tidied(0, 0, 0)
    assert mail.raw is not None
    assert files.read(mail.raw) == MAIL


def test_a_content_that_is_stored_again_starts_anew(media: Path) -> None:
    files.store(b"twice", name="a.txt")
    with moved_to(now() + timedelta(days=2)):
        files.store(b"twice", name="a.txt")
        assert tidying.tidy().unused == 0


def test_files_without_a_row_and_broken_uploads_go_after_a_day(media: Path) -> None:
    kept = files.store(b"kept", name="a.txt")
    receive(raw=MAIL)
    orphan = media / "ab" / ("c" * 62)
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"no row")
    young = media / "ab" / ("d" * 62)
    young.write_bytes(b"no row yet")
    (media / "incoming").mkdir(exist_ok=True)
    broken = media / "incoming" / "tmpx1"
    broken.write_bytes(b"half")
    foreign = media / "exports" / "figures.csv"
    foreign.parent.mkdir()
    foreign.write_bytes(b"not ours")
    for path in (orphan, broken, foreign, files.path_of(kept.sha256)):
        aged(path)
    assert tidying.tidy() == tidying.Tidied(unused=0, without_row=2, missing=0)
    assert [path.exists() for path in (orphan, broken, young, foreign)] == [False, False, True, True]
    assert files.read(kept) == b"kept"
    assert StoredFile.objects.count() == 2


def test_a_row_that_lost_its_file_is_held_and_released(media: Path) -> None:
    mail = receive(raw=MAIL)
    assert mail.raw is not None
    StoredFile.objects.update(scan=StoredFile.CLEAN)
    path = files.path_of(mail.raw.sha256)
    away = path.rename(media / "away")
    assert tidying.tidy().missing == 1
    row = StoredFile.objects.get()
    assert (row.scan, row.is_held) == (StoredFile.MISSING, True)
    away.rename(path)
    assert tidying.tidy().missing == 0
    row.refresh_from_db()
    assert (row.scan, row.is_held) == (StoredFile.UNSCANNED, False)
    assert InboundMail.objects.count() == 1


def test_a_failed_write_leaves_neither_row_nor_file(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"), transaction.atomic():
        files.store(b"words", name="a.txt")
    assert not StoredFile.objects.exists()
    assert [path for path in media.rglob("*") if path.is_file()] == []
