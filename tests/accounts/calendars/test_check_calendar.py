"""`check_calendar FILE` on the command line."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.accounts.calendars.test_facts import due_fact


def run(file: Path) -> str:
    out = StringIO()
    call_command("check_calendar", str(file), stdout=out)
    return out.getvalue()


def test_it_prints_how_many_passed_and_how_many_were_left_out(tmp_path: Path):
    file = tmp_path / "facts.json"
    file.write_text(json.dumps({"vectors": [due_fact(), due_fact(verified=False)]}))
    assert run(file) == "1 passed, 0 failed\n1 unverified left out\n"


def test_an_unverified_fact_that_comes_out_otherwise_is_told_but_does_not_fail(tmp_path: Path):
    file = tmp_path / "facts.json"
    other = due_fact(id="f-2", verified=False, expected_due="2026-01-05T09:02:00Z")
    file.write_text(json.dumps([due_fact(), other]))
    told = "f-2: expected 2026-01-05T09:02:00Z, got 2026-01-05T09:01:00Z (unverified, not counted)"
    assert run(file) == f"1 passed, 0 failed\n1 unverified left out\n{told}\n"


def test_a_failure_is_listed_with_both_times_and_ends_non_zero(tmp_path: Path):
    file = tmp_path / "facts.json"
    file.write_text(json.dumps([due_fact(expected_due="2026-01-05T09:02:00Z")]))
    out = StringIO()
    with pytest.raises(CommandError) as end:
        call_command("check_calendar", str(file), stdout=out)
    assert end.value.returncode == 1
    assert "0 passed, 1 failed" in out.getvalue()
    assert "f-1: expected 2026-01-05T09:02:00Z, got 2026-01-05T09:01:00Z" in out.getvalue()


@pytest.mark.parametrize("content", [b"", b"not json", b"{}", b"[]", b"[1]", b'"text"', b"\xff\xfe", b"[" * 100_000])
def test_a_bad_file_ends_with_one_clear_line(tmp_path: Path, content: bytes):
    file = tmp_path / "facts.json"
    file.write_bytes(content)
    with pytest.raises(CommandError) as end:
        run(file)
    assert end.value.returncode == 2
    assert "\n" not in str(end.value)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(CommandError, match=r"Cannot read .*nowhere\.json"):
        run(tmp_path / "nowhere.json")


def test_the_shared_facts_pass(real_data: Path):
    file = real_data / "4_sla_vectors" / "sla_vectors.json"
    verified = len(json.loads(file.read_text())["vectors"]) - 1
    passed, left_out, *others = run(file).splitlines()
    assert passed == f"{verified} passed, 0 failed"
    assert left_out == "1 unverified left out"
    assert others == ["working_hours-022: expected 86400, got 90000 (unverified, not counted)"]
