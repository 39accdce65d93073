"""Files of a case over the API: the same verb, limits and rights as on the page."""

from pathlib import Path
from typing import Any, BinaryIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings
from rest_framework.authtoken.models import Token

from accounts.models import User
from escalations.models import Escalation
from ledger.files import scanner
from ledger.models import IdempotencyKey, StoredFile
from tests.support import samples
from tests.support.cast import Cast
from tests.support.clamd import running_clamd

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> None:
    """A media folder of this test."""
    settings.MEDIA_ROOT = tmp_path / "media"


def program(user: User) -> Client:
    """A program with the token of this person."""
    return Client(headers={"Authorization": f"Token {Token.objects.get_or_create(user=user)[0].key}"})


def send(
    client: Client, case: Escalation, name: str, data: bytes, text: str = "From the ticket system.", key: str = ""
) -> Any:
    files = SimpleUploadedFile(name, data)
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"/api/v1/escalations/{case.key}/files/", {"text": text, "files": files}, headers=headers)


def test_a_program_attaches_lists_and_fetches(case: Escalation, cast: Cast) -> None:
    client = program(cast.csm)
    made = send(client, case, "log.txt", samples.TEXT)
    assert made.status_code == 201, made.content
    [row] = client.get(f"/api/v1/escalations/{case.key}/files/").json()
    assert [row] == made.json()
    assert (row["name"], row["size"], row["place"], row["by"]) == (
        "log.txt",
        len(samples.TEXT),
        "thread",
        cast.csm.email,
    )
    answer: Any = client.get(f"/api/v1/escalations/{case.key}/files/{row['id']}/content/")
    assert b"".join(answer.streaming_content) == samples.TEXT
    assert answer["Content-Disposition"] == 'attachment; filename="log.txt"'
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"


def test_refusals_have_the_form_of_all_errors(case: Escalation, cast: Cast) -> None:
    client = program(cast.csm)
    refused = send(client, case, "a.svg", samples.SVG)
    assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (422, "invalid", "files")
    assert refused.json()["message"].startswith("“a.svg” is a web page")
    nothing = client.post(f"/api/v1/escalations/{case.key}/files/", {"text": "x"})
    assert (nothing.status_code, nothing.json()["field"]) == (422, "files")
    silent = send(client, case, "a.txt", samples.TEXT, text="")
    assert (silent.status_code, silent.json()["field"]) == (422, "text")
    assert not StoredFile.objects.exists()


def test_a_long_text_is_refused(case: Escalation, cast: Cast) -> None:
    answer = send(program(cast.csm), case, "a.txt", samples.TEXT, text="x" * 20_001)
    assert (answer.status_code, answer.json()["field"]) == (422, "text")


def test_what_the_scanner_found_stays_when_the_same_bytes_come_again(
    case: Escalation, cast: Cast, settings: Settings
) -> None:
    client = program(cast.csm)
    with running_clamd() as clamd:
        settings.CLAMD_URL = clamd.url
        send(client, case, "bill.txt", samples.EICAR)
    settings.CLAMD_URL = ""
    [row] = send(client, case, "again.txt", samples.EICAR).json()
    assert row["why_not"] == "Held. The virus scanner found something in it."


def test_other_people_find_nothing(case: Escalation, cast: Cast) -> None:
    number = send(program(cast.csm), case, "log.txt", samples.TEXT).json()[0]["id"]
    other = program(cast.outsider)
    assert send(other, case, "log.txt", samples.TEXT).status_code == 404
    assert other.get(f"/api/v1/escalations/{case.key}/files/").status_code == 404
    assert other.get(f"/api/v1/escalations/{case.key}/files/{number}/content/").status_code == 404
    assert Client().get(f"/api/v1/escalations/{case.key}/files/{number}/content/").status_code == 401


def test_a_held_file_is_listed_and_not_served(case: Escalation, cast: Cast, settings: Settings) -> None:
    client = program(cast.csm)
    with running_clamd() as clamd:
        settings.CLAMD_URL = clamd.url
        [row] = send(client, case, "bill.txt", samples.EICAR).json()
        assert row["why_not"] == "Held. The virus scanner found something in it."
        assert client.get(f"/api/v1/escalations/{case.key}/files/{row['id']}/content/").status_code == 409


@pytest.mark.both_databases
def test_a_key_stands_for_the_content_of_its_files(case: Escalation, cast: Cast) -> None:
    client = program(cast.csm)
    first = send(client, case, "log.txt", samples.TEXT, key="k1")
    again = send(client, case, "log.txt", samples.TEXT, key="k1")
    assert (again.status_code, again.json()) == (201, first.json())
    assert case.files.count() == 1
    other = send(client, case, "log.txt", samples.TEXT + b"more", key="k1")
    assert (other.status_code, other.json()["code"]) == (409, "changed_meanwhile")
    renamed = send(client, case, "other.txt", samples.TEXT, key="k1")
    assert renamed.status_code == 409


def test_a_key_stands_for_all_of_its_files(case: Escalation, cast: Cast) -> None:
    client, address = program(cast.csm), f"/api/v1/escalations/{case.key}/files/"

    def send_two(first: bytes) -> Any:
        files = [SimpleUploadedFile("a.txt", first), SimpleUploadedFile("b.txt", samples.TEXT)]
        return client.post(address, {"text": "Two.", "files": files}, headers={"Idempotency-Key": "k1"})

    assert send_two(b"one").status_code == 201
    assert send_two(b"two").status_code == 409


def test_files_are_scanned_before_the_key_holds_the_database_and_once(
    case: Escalation, cast: Cast, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[bool] = []
    real = scanner.scan

    def watched(file: BinaryIO) -> scanner.Verdict:
        held.append(IdempotencyKey.objects.exists())
        return real(file)

    monkeypatch.setattr("ledger.files.scanner.scan", watched)
    with running_clamd() as clamd:
        settings.CLAMD_URL = clamd.url
        for _ in range(2):
            assert send(program(cast.csm), case, "log.txt", samples.TEXT, key="k1").status_code == 201
    assert held == [False]
