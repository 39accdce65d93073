"""Imports in the browser: upload, match, check, run, result; for operations only."""

import errno
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts import tasks
from accounts.imports import runs as imports
from accounts.models import Account, ImportMapping, ImportRun, User
from accounts.views import imports as pages
from ledger.models import StoredFile
from tests.support.cast import Cast

pytestmark = pytest.mark.django_db
Browse = Callable[[User], Client]
NEW = "/imports/new/"
FILE = b"id,name,arr\nA-1,Alder,1000\nA-2,,5\nA-3,<script>x</script>,7\n"


def upload(client: Client, data: bytes = FILE, **values: str) -> Any:
    """Send the upload form."""
    file = SimpleUploadedFile("crm.csv", data, content_type="text/csv")
    return client.post(NEW, {"file": file, "source": "crm", "kind": "", "default_currency": "USD", **values})


def staged(cast: Cast, data: bytes = FILE, **values: Any) -> ImportRun:
    """A staged import by the service."""
    return imports.stage(source="crm", data=data, filename="crm.csv", by=cast.ops, **values)


def test_a_file_goes_from_upload_to_result(cast: Cast, browse: Browse) -> None:
    ops = browse(cast.ops)
    address = upload(ops).headers["Location"]
    text = ops.get(address).content.decode()
    assert "Import 2 rows" in text
    assert "Enter the account&#x27;s name." in text
    assert not Account.objects.filter(source="crm").exists()
    assert ops.post(f"{address}start/").status_code == 302
    text = ops.get(address).content.decode()
    assert "1 of 3" in text
    assert "Problem rows, CSV" in text
    assert "<script>x" not in text
    assert Account.objects.filter(source="crm").count() == 2
    assert ops.get(f"{address}problems.csv").content.decode().splitlines()[1].startswith("3,A-2,name,,")
    assert "crm.csv" in ops.get("/imports/").content.decode()


def test_others_may_neither_see_nor_start_imports(cast: Cast, browse: Browse) -> None:
    run = staged(cast, default_currency="USD")
    for person in (cast.csm, cast.director, cast.sponsor):
        client = browse(person)
        assert client.get("/imports/").status_code == 403
        assert client.get(NEW).status_code == 403
        assert upload(client).status_code == 403
        for name in ("import_run", "import_problems"):
            assert client.get(reverse(f"accounts:{name}", args=[run.pk])).status_code == 404
        for name in ("import_start", "import_stop"):
            assert client.post(reverse(f"accounts:{name}", args=[run.pk])).status_code == 404
    run.refresh_from_db()
    assert run.state == "staged"
    assert ImportRun.objects.count() == 1


def test_an_import_is_never_started_by_opening_a_link(cast: Cast, browse: Browse) -> None:
    run = staged(cast, default_currency="USD")
    assert browse(cast.ops).get(reverse("accounts:import_start", args=[run.pk])).status_code == 405
    assert not Account.objects.filter(source="crm").exists()


def test_an_open_currency_or_a_missing_column_is_asked_for_before_anything_runs(cast: Cast, browse: Browse) -> None:
    ops = browse(cast.ops)
    run = staged(cast, b"id,colour,arr\n1,red,5\n", kind="accounts", columns={"external_id": "id", "arr": "arr"})
    address = reverse("accounts:import_run", args=[run.pk])
    text = ops.get(address).content.decode()
    assert "The currency is open" in text
    assert "A column is missing" in text
    assert "start/" not in text
    filled = {
        "column_0": "external_id",
        "column_1": "name",
        "column_2": "arr",
        "default_currency": "EUR",
        "save_as": "W",
    }
    assert ops.post(address, filled).status_code == 302
    assert "Import 1 row" in ops.get(address).content.decode()
    assert ImportMapping.objects.get().columns == {"external_id": "id", "name": "colour", "arr": "arr"}


def test_one_field_cannot_come_from_two_columns(cast: Cast, browse: Browse) -> None:
    run = staged(cast, default_currency="USD")
    filled = {"column_0": "external_id", "column_1": "name", "column_2": "name", "default_currency": "USD"}
    answer = browse(cast.ops).post(reverse("accounts:import_run", args=[run.pk]), filled)
    assert answer.status_code == 422
    assert "is already filled from" in answer.content.decode()


def test_one_column_may_fill_id_and_name(cast: Cast, browse: Browse) -> None:
    run = staged(cast, b"account,sector\nAlder,Wood\n", default_currency="USD")
    ops = browse(cast.ops)
    address = reverse("accounts:import_run", args=[run.pk])
    assert ops.get(address).status_code == 200
    filled = {"column_0": ["external_id", "name"], "column_1": "industry", "default_currency": "USD"}
    assert ops.post(address, filled).status_code == 302
    run.refresh_from_db()
    assert run.columns == {"external_id": "account", "name": "account", "industry": "sector"}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "The file is empty"),
        (b"PK\x03\x04", "workbook"),
        (b"a,b\n1,2\n", "Choose one"),
        (b"id,name\n", "no rows"),
    ],
)
def test_an_upload_that_is_no_table_of_ours_says_why(cast: Cast, browse: Browse, data: bytes, words: str) -> None:
    answer = upload(browse(cast.ops), data)
    assert answer.status_code == 422
    assert words in answer.content.decode()


def test_an_upload_that_is_too_large_is_refused(cast: Cast, browse: Browse) -> None:
    answer = upload(browse(cast.ops), b"id,name\n" + b"1,A\n" * 2_700_000)
    assert answer.status_code == 422
    assert "larger than 10 MB" in answer.content.decode()


def test_a_long_file_is_handed_to_the_worker_and_shows_its_progress(
    cast: Cast, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued: list[tuple[Any, ...]] = []
    monkeypatch.setattr(pages, "INLINE_ROWS", 2)
    monkeypatch.setattr(pages, "async_task", lambda *args, **options: queued.append(args))
    run = staged(cast, default_currency="USD")
    ops, address = browse(cast.ops), reverse("accounts:import_run", args=[run.pk])
    for _ in range(2):
        assert ops.post(f"{address}start/").status_code == 302
    assert queued == [("accounts.tasks.run_import", run.pk)]
    assert "You can leave this page" in ops.get(address).content.decode()
    partial = ops.get(address, headers={"HX-Request": "true"}).content.decode()
    assert 'hx-trigger="every 2s"' in partial
    assert "<html" not in partial
    assert tasks.run_import(run.pk) == "crm.csv: 3 of 3 rows"
    assert tasks.run_import(run.pk) == "crm.csv: 3 of 3 rows"
    partial = ops.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "hx-get" not in partial


def test_a_running_import_can_be_stopped_and_go_on(cast: Cast, browse: Browse) -> None:
    run = imports.begin(run=staged(cast, default_currency="USD"))
    ops, address = browse(cast.ops), reverse("accounts:import_run", args=[run.pk])
    ops.post(f"{address}stop/")
    assert "Go on" in ops.get(address).content.decode()
    tasks.run_import(run.pk)
    assert not Account.objects.filter(source="crm").exists()
    ops.post(f"{address}start/")
    assert ImportRun.objects.get().state == "done"


def test_the_check_shows_how_dates_and_amounts_are_read(cast: Cast, browse: Browse) -> None:
    data = (
        b"id;name;arr;currency;renewal date\n"
        b"A-1;Alder;1.234,50;EUR;25/03/2027\nA-2;Birch;12.500;EUR;04/05/2027\nA-3;Cedar;none at all;EUR;soon\n"
    )
    run = staged(cast, data)
    text = browse(cast.ops).get(reverse("accounts:import_run", args=[run.pk])).content.decode()
    assert "How dates and amounts are read" in text
    assert {tuple(cell) for cell in imports.cells_read(run)} == {
        ("renewal date", "25/03/2027", "Mar 25, 2027"),
        ("renewal date", "04/05/2027", "May 4, 2027"),
        ("arr", "1.234,50", "€1,234.50"),
        ("arr", "12.500", "€12,500"),
    }


def test_without_dates_and_amounts_nothing_is_shown_of_them(cast: Cast, browse: Browse) -> None:
    run = staged(cast, b"id,name\nA-1,Alder\n")
    text = browse(cast.ops).get(reverse("accounts:import_run", args=[run.pk])).content.decode()
    assert "How dates and amounts are read" not in text


@pytest.mark.parametrize("fails", ["ledger.files.uploads", "ledger.files.store"], ids=["arrives", "kept"])
def test_a_full_disk_is_said_and_nothing_is_half_written(
    cast: Cast, browse: Browse, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path, fails: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    settings.MEDIA_ROOT = tmp_path / "media"
    monkeypatch.setattr(import_module(fails), "flush", full)
    sent = {"file": SimpleUploadedFile("a.csv", b"id,name\n1,Alder\n"), "source": "erp"}
    answer = browse(cast.ops).post(NEW, sent)
    page = answer.content.decode()
    assert answer.status_code == 507
    assert "“a.csv” could not be stored, because the disk of the desk is full" in page
    assert 'value="erp"' in page
    assert not ImportRun.objects.exists()
    assert not StoredFile.objects.exists()
    assert not [path for path in (tmp_path / "media").rglob("*") if path.is_file()]
