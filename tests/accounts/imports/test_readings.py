"""A file is read as a whole: what its cells, separator and currency say about dates, amounts and letters; else it is asked."""

import io
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.imports import runs as imports
from accounts.imports.rules import Evidence, read_rows
from accounts.models import Account, ImportRun
from ledger.errors import Invalid
from tests.support.cast import Cast

EUROPEAN = (
    "\ufeffAccount ID;Name;ARR;Currency;Renewal date\nK-1;Bäckerei Süd;120.000;EUR;31.03.2027\n"
    "K-2;Ärzte Nord;85.500,50;EUR;30.06.2027\nK-3;Öko Werk;9.000;EUR;15.01.2027\n"
).encode()
SJIS = "Account ID,Name,ARR,Currency\nJ-1,株式会社北風物流,1000,JPY\nJ-2,東京商事株式会社,2000,JPY\n".encode("cp932")
GBK = "Account ID,Name,ARR,Currency\nG-1,北风物流有限公司,1000,USD\n".encode("gbk")
POLISH = "Account ID;Name;ARR;Currency\nP-1;Żółta Łódź Śląsk;1000;PLN\n".encode("cp1250")
MAC = "Account ID;Name;ARR;Currency\nM-1;Crédit Général;1000;EUR\n".encode("mac_roman")
# Two currencies whose countries write both ways.
OPEN = b"id,name,arr,renewal date,currency\n1,A,120.000,03/04/2027,EUR\n2,B,130.000,05/04/2027,USD\n"
TITLE = b'"Report: Accounts";"2026-11-28"\n\n"Account ID";"Name";"ARR";"Currency"\n"L-1";"Meta One";"1000,00";"EUR"\n'


def evidence(dates: str = "", amounts: str = "", delimiter: str = ",", *currencies: str) -> Evidence:
    """Of these cells."""
    found = Evidence(delimiter, set(currencies))
    for text in dates.split():
        found.see_date(text)
    for text in amounts.split():
        found.see_amount(text)
    return found


@pytest.mark.parametrize(
    ("found", "order", "asked"),
    [
        (evidence("03/04/2025 31/03/2025"), "dmy", ""),
        (evidence("03/04/2025 03/31/2025"), "mdy", ""),
        (evidence("03.04.2025"), "dmy", ""),
        (evidence("03/04/2025", "", ";"), "dmy", ""),
        (evidence("03/04/2025", "", ",", "USD"), "mdy", ""),
        (evidence("03/04/2025", "", ",", "EUR"), "dmy", ""),
        (evidence("03/04/2025", "", ",", "EUR", "USD"), "", "03/04/2025"),
        (evidence("03/04/2025"), "", "03/04/2025"),
        (evidence("03/04/2025 31/03/2025 03/31/2025"), "", "03/04/2025"),
        (evidence("2025-04-03 05/05/2025"), "", ""),
    ],
)
def test_the_order_of_dates(found: Evidence, order: str, asked: str) -> None:
    assert (found.order(), found.asks_order) == (order, asked)


@pytest.mark.parametrize(
    ("found", "mark", "asked"),
    [
        (evidence("", "120.000 85.500,50 9.000"), ",", ""),
        (evidence("", "120.000 7,5"), ",", ""),
        (evidence("", "120,000 1,234.50"), ".", ""),
        (evidence("", "120,000 1,234,567"), ".", ""),
        (evidence("", "120.000 12.50"), ".", ""),
        (evidence("", "120.000", ";"), ",", ""),
        (evidence("", "120.000", ",", "EUR"), ",", ""),
        (evidence("", "$120,000", ",", "USD"), ".", ""),
        (evidence("", "120.000", ",", "CHF"), "", "120.000"),
        (evidence("", "120.000"), "", "120.000"),
        (evidence("", "120.000 7,5 7.5"), "", "120.000"),
        (evidence("", "1000 12000"), "", ""),
        # Usual for the currency or the separator, but it would give three decimals.
        (evidence("", "1,000", ",", "EUR"), "", "1,000"),
        (evidence("", "1.000", ",", "USD"), "", "1.000"),
        (evidence("", "1,000", ";"), "", "1,000"),
        (evidence("", "9.000,-", ",", "EUR"), ",", ""),
        (evidence("", "1’234.50 9,000", ",", "CHF"), ".", ""),
    ],
)
def test_the_mark_of_amounts(found: Evidence, mark: str, asked: str) -> None:
    assert (found.mark(), found.asks_mark) == (mark, asked)


@pytest.fixture
def folder(tmp_path: Path, shipped: None) -> Path:
    """For files."""
    return tmp_path


def run(folder: Path, data: bytes, *args: str) -> str:
    """The command on a file of these bytes."""
    path, out = folder / "in.csv", io.StringIO()
    path.write_bytes(data)
    call_command("import_accounts", str(path), "--kind", "accounts", *args, stdout=out)
    return out.getvalue()


pytestmark = pytest.mark.django_db


def test_thousands_of_a_european_file_are_read_by_its_other_cells(folder: Path) -> None:
    assert "3 created" in run(folder, EUROPEAN, "--source", "erp")
    amounts = dict(Account.objects.filter(source="erp").values_list("external_id", "arr"))
    assert amounts == {"K-1": Decimal(120_000), "K-2": Decimal("85500.50"), "K-3": Decimal(9000)}
    assert f"{Account.objects.get(external_id='K-1').renewal_date}" == "2027-03-31"


def test_what_the_file_does_not_tell_is_asked_before_anything_is_written(folder: Path) -> None:
    with pytest.raises(CommandError, match="--dates dmy or mdy"):
        run(folder, OPEN, "--source", "s", "--decimals", "comma")
    with pytest.raises(CommandError, match="--decimals point or comma"):
        run(folder, OPEN, "--source", "s", "--dates", "dmy")
    assert not Account.objects.exists()
    run(folder, OPEN, "--source", "s", "--dates", "dmy", "--decimals", "comma")
    made = Account.objects.get(external_id="1")
    assert (made.arr, f"{made.renewal_date}") == (Decimal(120_000), "2027-04-03")


def test_at_a_terminal_it_is_asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"The system": "erp", "“03/04/2027”": "mdy", "“120.000”": "comma"}
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(
        "builtins.input", lambda question: next(a for q, a in answers.items() if question.startswith(q))
    )
    run(folder, OPEN)
    made = Account.objects.get(external_id="1")
    assert (made.source, made.arr, f"{made.renewal_date}") == ("erp", Decimal(120_000), "2027-03-04")


def test_the_source_is_never_assumed(folder: Path) -> None:
    with pytest.raises(CommandError, match="--source"):
        run(folder, b"id,name\n1,A\n", "--currency", "USD")
    with pytest.raises(Invalid, match="system that the ids come from"):
        imports.stage(data=b"id,name\n1,A\n", filename="a.csv", source=" ")


@pytest.mark.parametrize(
    ("data", "encoding", "name"),
    [
        (SJIS, "cp932", "株式会社北風物流"),
        (GBK, "gb18030", "北风物流有限公司"),
        (POLISH, "cp1250", "Żółta Łódź Śląsk"),
        (MAC, "mac_roman", "Crédit Général"),
    ],
    ids=["sjis", "gbk", "cp1250", "mac"],
)
def test_letters_are_shown_before_anything_is_written(folder: Path, data: bytes, encoding: str, name: str) -> None:
    with pytest.raises(CommandError, match="--encoding"):
        run(folder, data, "--source", "erp")
    assert not Account.objects.exists()
    run(folder, data, "--source", "erp", "--encoding", encoding)
    assert Account.objects.order_by("pk")[0].name == name


def test_ids_that_look_alike_are_one(folder: Path) -> None:
    data = "Account ID,Name,ARR,Currency\nN-1,One,1000,USD\nN-1\u00a0,One,1100,USD\n\u200bN-1,One,1200,USD\nn-1,One,1300,USD\n"
    out = run(folder, data.encode(), "--source", "crm")
    assert out.count("It appears twice in the file, first in row 2") == 2
    assert sorted(Account.objects.values_list("external_id", flat=True)) == ["N-1", "n-1"]


def test_a_title_above_the_header_is_named(folder: Path) -> None:
    with pytest.raises(CommandError, match="Line 1 is no header: the column names are in line 3"):
        run(folder, TITLE, "--source", "crm")


# The pages ----------------------------------------------------------------------------------------


def browser(cast: Cast) -> Client:
    """Operations."""
    client = Client()
    client.force_login(cast.ops, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def page_of(client: Client, made: ImportRun) -> str:
    """The page on which columns are matched."""
    return str(client.get(reverse("accounts:import_run", args=[made.pk])).content.decode())


def test_the_page_asks_and_reads_as_chosen(cast: Cast) -> None:
    made = imports.stage(data=OPEN, filename="a.csv", source="erp", by=cast.ops)
    client = browser(cast)
    page = page_of(client, made)
    assert "“03/04/2027” can have the day or the month first" in page
    assert "“120.000” can have decimals or thousands" in page
    assert client.post(reverse("accounts:import_start", args=[made.pk])).status_code == 422
    assert not Account.objects.filter(source="erp").exists()
    columns = {
        f"column_{place}": name for place, name in enumerate(("external_id", "name", "arr", "renewal_date", "currency"))
    }
    choice = {"dates": "dmy", "decimals": ",", "encoding": "utf-8-sig"}
    client.post(reverse("accounts:import_run", args=[made.pk]), {**columns, **choice})
    client.post(reverse("accounts:import_start", args=[made.pk]))
    account = Account.objects.get(source="erp", external_id="1")
    assert (account.arr, f"{account.renewal_date}") == (Decimal(120_000), "2027-04-03")


def test_the_page_shows_names_and_reads_them_again(cast: Cast) -> None:
    made = imports.stage(data=POLISH, filename="a.csv", source="erp", by=cast.ops)
    client = browser(cast)
    assert "Are these names right?" in page_of(client, made)
    columns = {f"column_{place}": name for place, name in enumerate(("external_id", "name", "arr", "currency"))}
    client.post(reverse("accounts:import_run", args=[made.pk]), {**columns, "encoding": "cp1250"})
    assert "Żółta Łódź Śląsk" in page_of(client, made)


def test_the_source_is_asked_on_the_page(cast: Cast) -> None:
    client = browser(cast)
    assert 'value="crm"' not in client.get(reverse("accounts:import_new")).content.decode()
    file = io.BytesIO(b"id,name\n1,A\n")
    file.name = "a.csv"
    answer = client.post(reverse("accounts:import_new"), {"file": file})
    assert answer.status_code == 422
    assert "Enter the system that the ids come from." in answer.content.decode()


@pytest.mark.parametrize("path", ["/accounts/export.csv", "/escalations/export.csv", "/dashboard/kpis.csv"])
def test_exports_open_right_in_excel(cast: Cast, path: str) -> None:
    answer = browser(cast).get(path)
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert content.startswith(b"\xef\xbb\xbf")
    assert not content.startswith(b"\xef\xbb\xbf" * 2)


def test_read_rows_takes_an_encoding() -> None:
    assert next(read_rows(MAC, "mac_roman")[1]).values["Name"] == "Crédit Général"
