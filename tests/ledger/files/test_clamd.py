"""The scanner's protocol, against a server that speaks it, and against clamd itself where it is installed."""

import io
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from ledger.files import scanner
from ledger.files.scanner import Verdict, scan
from ledger.models import StoredFile
from tests.support import samples
from tests.support.clamd import Clamd, running_clamd


@pytest.fixture(params=["unix", "tcp"])
def clamd(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Iterator[Clamd]:
    with running_clamd(tmp_path / "ctl" if request.param == "unix" else None) as server:
        settings.CLAMD_URL = server.url
        yield server


def test_a_file_is_sent_whole_and_the_answer_is_read(clamd: Clamd) -> None:
    assert scan(io.BytesIO(samples.PDF.ljust(200_001))) == Verdict(StoredFile.CLEAN)
    assert clamd.scanned == [200_001]
    found = scan(io.BytesIO(samples.EICAR))
    assert found == Verdict(StoredFile.INFECTED, "The virus scanner found Win.Test.EICAR_HDB-1")


def test_an_answer_that_is_no_verdict_is_none(clamd: Clamd) -> None:
    clamd.limit = 1000
    assert scan(io.BytesIO(bytes(10_000_000))).state == StoredFile.FAILED
    clamd.answer = lambda data: b"stream: OK but"
    assert scan(io.BytesIO(b"x")) == Verdict(StoredFile.FAILED, "The virus scanner answered: stream: OK but")


@pytest.mark.parametrize("url", ["unix:///nowhere/clamd.ctl", "tcp://127.0.0.1:1", "http://127.0.0.1:1", "clamd"])
def test_a_scanner_that_is_not_there_is_no_verdict(settings: Settings, url: str) -> None:
    settings.CLAMD_URL = url
    assert scan(io.BytesIO(b"x")).state == StoredFile.FAILED


def slow(data: bytes) -> bytes:
    """The answer of a scanner that is slower than the tests wait."""
    time.sleep(0.4)
    return b"stream: OK"


def test_a_scanner_that_hangs_is_left_after_its_time(clamd: Clamd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanner, "SECONDS", 0.2)

    clamd.answer = slow
    verdict = scan(io.BytesIO(samples.PDF))
    assert (verdict.state, verdict.answered) == (StoredFile.FAILED, False)


def test_files_that_came_together_wait_for_a_silent_scanner_once(clamd: Clamd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanner, "SECONDS", 0.2)
    clamd.answer = slow
    verdicts = list(scanner.scan_each([io.BytesIO(samples.PDF) for _ in range(3)]))
    assert [verdict.state for verdict in verdicts] == [StoredFile.FAILED] * 3
    assert len(clamd.scanned) == 1


def test_an_answer_that_is_no_verdict_does_not_keep_the_other_files(clamd: Clamd) -> None:
    clamd.answer = lambda data: b"stream: OK" if data == samples.PDF else b"INSTREAM: Can't allocate memory ERROR"
    states = [each.state for each in scanner.scan_each([io.BytesIO(samples.TEXT), io.BytesIO(samples.PDF)])]
    assert states == [StoredFile.FAILED, StoredFile.CLEAN]


def test_without_a_scanner_files_are_not_scanned(settings: Settings) -> None:
    settings.CLAMD_URL = ""
    assert scan(io.BytesIO(b"x")) == Verdict(StoredFile.UNSCANNED)


@pytest.fixture
def real_clamd(settings: Settings, tmp_path: Path) -> Iterator[None]:
    """clamd with one signature of ours: that of the test file."""
    program = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin")
    if program is None:
        pytest.skip("clamd is not installed (package clamav-daemon)")
    signatures, control = tmp_path / "signatures", tmp_path / "clamd.ctl"
    signatures.mkdir()
    (signatures / "test.ndb").write_text(f"Test.File:0:0:{samples.EICAR.hex()}\n")
    config = tmp_path / "clamd.conf"
    config.write_text(f"LocalSocket {control}\nDatabaseDirectory {signatures}\nForeground yes\nMaxThreads 2\n")
    process = subprocess.Popen([program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    settings.CLAMD_URL = f"unix://{control}"
    try:
        for _ in range(200):
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(str(control)) == 0:
                    break
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait()


def test_clamd_itself_is_understood(real_clamd: None) -> None:
    assert scan(io.BytesIO(samples.EICAR)) == Verdict(
        StoredFile.INFECTED, "The virus scanner found Test.File.UNOFFICIAL"
    )
    assert scan(io.BytesIO(samples.PDF)) == Verdict(StoredFile.CLEAN)
