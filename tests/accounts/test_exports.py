"""Cells that a spreadsheet would run."""

from pathlib import Path

import pytest

from accounts.exports import csv_text, safe_cell


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-cmd", "@SUM(A1)", "\t=1", " =1", "\r=1", "|x", "%0A=1"])
def test_what_starts_a_formula_gets_an_apostrophe(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Alder", "-5", "+5.50", "a=b", "12%"])
def test_plain_words_and_numbers_stay(text: str) -> None:
    assert safe_cell(text) == text


def test_empty_cells_stay_empty() -> None:
    assert csv_text(("a", "b"), [(None, 0)]) == "\ufeffa,b\r\n,0\r\n"


def test_known_payloads_never_start_a_cell(real_data: Path) -> None:
    payloads = (real_data / "6_injection" / "csv_formula_payloads.txt").read_text().splitlines()
    assert not any(safe_cell(payload)[:1] in "=+-@" for payload in payloads if payload)
