"""Cells that a spreadsheet would run."""

from pathlib import Path

import pytest

from accounts.exports import csv_text, safe_cell


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-cmd", "@SUM(A1)", "\t=1", " =1", "\r=1", "|x", "%0A=1"])
def test_what_starts_a_formula_gets_an_apostrophe(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["\u200b=1+1", "\ufeff=1", "\u3164 =1", "\x07=1", "\uff1d1+1", "\uff20SUM(A1)"])
def test_what_nobody_sees_hides_no_formula(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("x;=1+1", "x;'=1+1"),
        (";=1+1;@SUM(A1)", ";'=1+1;'@SUM(A1)"),
        ("x; \u200b-1+cmd", "x; \u200b'-1+cmd"),
        ("x\t=1", "x\t'=1"),
        ("x\n=1", "x\n'=1"),
        ("Price; 5% off", "Price; 5% off"),
        ("They ask:\n- 5% off\n- a call", "They ask:\n- 5% off\n- a call"),
    ],
)
def test_a_cell_is_no_formula_where_a_spreadsheet_splits_it(text: str, safe: str) -> None:
    assert safe_cell(text) == safe


@pytest.mark.parametrize("text", ["", "Alder", "-5", "+5.50", "a=b", "12%"])
def test_plain_words_and_numbers_stay(text: str) -> None:
    assert safe_cell(text) == text


def test_empty_cells_stay_empty() -> None:
    assert csv_text(("a", "b"), [(None, 0)]) == "\ufeffa,b\r\n,0\r\n"


def test_known_payloads_never_start_a_cell(real_data: Path) -> None:
    payloads = (real_data / "6_injection" / "csv_formula_payloads.txt").read_text().splitlines()
    assert not any(safe_cell(payload)[:1] in "=+-@" for payload in payloads if payload)
