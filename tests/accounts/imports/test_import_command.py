"""`manage.py import_accounts`: what it prints, asks and how it ends."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account, ImportMapping

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shipped")]


def run(path: Path, *args: str) -> tuple[str, str]:
    """What it wrote to stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    source = () if "--source" in args else ("--source", "crm")
    call_command("import_accounts", str(path), *source, *args, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Any:
    """Write a file and return its path."""

    def write(text: str) -> Path:
        path = tmp_path / "in.csv"
        path.write_text(text)
        return path

    return write


def test_the_summary_counts_and_bad_rows_are_named(file: Any) -> None:
    out, err = run(file("id,name,arr\n1,A,5\n2,B,x\n"), "--currency", "EUR")
    assert "row 3, arr 'x': \"x\" is not an amount" in out
    assert out.splitlines()[-1] == "accounts: 1 created, 0 updated, 0 unchanged, 1 row with problems"
    assert err == ""
    assert Account.objects.get().currency == "EUR"


def test_without_a_currency_usd_is_taken_and_said(file: Any) -> None:
    _, err = run(file("id,name,arr\n1,A,5\n"))
    assert "using USD" in err
    assert Account.objects.get().currency == "USD"


def test_at_a_terminal_the_currency_is_asked_for(file: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: "gbp")
    run(file("id,name,arr\n1,A,5\n"))
    assert Account.objects.get().currency == "GBP"


def test_columns_can_be_named_and_the_mapping_kept(file: Any) -> None:
    path = file("Nr,Firma\n1,Alder\n")
    args = ["--kind", "accounts", "--currency", "EUR"]
    run(path, *args, "--map", "external_id=Nr", "name=Firma", "--save-mapping", "ERP")
    assert Account.objects.get().name == "Alder"
    assert ImportMapping.objects.get().columns == {"external_id": "Nr", "name": "Firma"}
    assert "1 unchanged" in run(path, "--mapping", "ERP")[0]


def test_problem_rows_are_written_with_formulas_made_harmless(file: Any, tmp_path: Path) -> None:
    report = tmp_path / "bad.csv"
    run(file('id,name,arr\n1,A,5\n=2+5,B,"=cmd|calc"\n'), "--currency", "USD", "--errors", str(report))
    assert report.read_text().splitlines()[1].startswith("3,'=2+5,arr,'=cmd|calc,")


@pytest.mark.parametrize(
    ("text", "args", "message"),
    [
        ("", [], "empty"),
        ("a,b\n1,2\n", [], "accounts, subscriptions or contacts"),
        ("id,name\n1,A\n", ["--map", "name"], "FIELD=HEADER"),
        ("id,name\n1,A\n", ["--mapping", "none"], "no mapping"),
        ("id,name,arr\n1,A,x\n", [], "No row could be read"),
        ("id,name\n1,A\n", ["--currency", "XYZ"], "Unknown currency"),
    ],
)
def test_what_cannot_be_read_ends_with_an_error_in_one_line(
    file: Any, text: str, args: list[str], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        run(file(text), *args)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"nothing\.csv"):
        run(tmp_path / "nothing.csv")


def test_long_files_show_their_progress(file: Any) -> None:
    _, err = run(file("id,name\n" + "".join(f"{n},N\n" for n in range(1100))), "--currency", "USD")
    assert "1,000 of 1,100 rows" in err
