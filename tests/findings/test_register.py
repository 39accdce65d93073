"""Each finding has a test, and each test that the register names exists."""

import ast
from pathlib import Path

import pytest

from tests.findings.met import COVERAGE, FIRST_DAY
from tests.findings.register import FILES, ROWS, TESTS
from tests.findings.reported import REPORTS

ROOT = Path(__file__).resolve().parents[2]
# 17 and 26 were never used.
NUMBERS = [number for number in range(1, 44) if number not in (17, 26)]


def test_every_report_has_a_row() -> None:
    assert [each.name for each in REPORTS if each.name.split()[-1].isdigit()] == [f"report {each}" for each in NUMBERS]
    assert len({each.name for each in ROWS}) == len(ROWS)
    assert all(each.tests for each in (*REPORTS, *FIRST_DAY, *COVERAGE))


@pytest.mark.parametrize("file", sorted(FILES))
def test_every_test_of_the_register_exists(file: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    found = {f"{file}::{each.name}" for each in tree.body if isinstance(each, ast.FunctionDef)}
    assert sorted(each for each in TESTS if each.startswith(f"{file}::") and each not in found) == []
