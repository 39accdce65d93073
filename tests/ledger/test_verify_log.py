"""`verify_log` finds every way in which a log was touched behind our back."""

import json
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import transaction

from escalations.cases.log import Entry, record
from escalations.models import Escalation, Event, EventText
from ledger.now import now
from ledger.triggers import lifted
from tests.reports.builders import Builder
from tests.support.cast import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def cases(cast: Cast) -> list[Escalation]:
    """Two cases with three entries each, one of them with words."""
    build = Builder(cast)
    made = [build.case(), build.case()]
    for case in made:
        with transaction.atomic():
            locked = Escalation.objects.select_for_update().get(pk=case.pk)
            entries = [
                Entry(kind="opened", summary="Opened"),
                Entry(kind="update", summary="Said", text="Confidential words"),
            ]
            record(locked, [*entries, Entry(kind="triaged", summary="Triaged")], at=now())
    return made


def verify(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What it says, whether well or not."""
    try:
        call_command("verify_log", "--anchors", str(folder))
    except CommandError as error:
        return f"{capsys.readouterr().err}{error}"
    return capsys.readouterr().out


def touch(rows: Any, **values: Any) -> None:
    with lifted():
        rows.update(**values)


def test_whole_logs_are_counted(cases: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(tmp_path, capsys) == "6 entries in 2 logs verified\n"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"summary": "Something else"}, "entry 2: content was changed"),
        ({"at": "2020-01-01T00:00:00Z"}, "entry 2: signature does not match"),
        ({"key_id": "mine"}, "entry 2: signed with unknown key mine"),
    ],
)
def test_an_edited_entry_is_found(
    cases: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any], words: str
) -> None:
    touch(Event.objects.filter(case=cases[0], seq=2), **change)
    assert words in verify(tmp_path, capsys)


def test_a_missing_entry_and_a_cut_tail_are_found(
    cases: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with lifted():
        Event.objects.filter(case=cases[0], seq=2).delete()
        Event.objects.filter(case=cases[1], seq=3).delete()
    said = verify(tmp_path, capsys)
    assert f"escalation {cases[0].pk}, entry 2: entry is missing" in said
    assert f"escalation {cases[1].pk}, entry 3: the end of the log was cut" in said


def test_logs_that_are_gone_whole_are_found(
    cast: Cast, cases: list[Escalation], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = Builder(cast).decision(cases[0], 2, now())
    with lifted():
        Event.objects.filter(case=cases[1]).delete()
    Escalation.objects.filter(pk=cases[1].pk).update(log_count=0, log_last="", log_seal="")
    said = verify(tmp_path, capsys)
    assert f"escalation {cases[1].pk}, entry 1: the log is missing" in said
    assert f"approval request {request.pk}, entry 1: the log is missing" in said
    assert "2 breaks in 3 entries of 3 logs" in said


def test_changed_words_are_found_and_erased_ones_are_allowed(
    cases: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = EventText.objects.order_by("pk")
    EventText.objects.filter(pk=first.pk).update(body="", erased_at=now())
    assert "verified" in verify(tmp_path, capsys)
    EventText.objects.filter(pk=second.pk).update(body="Other words")
    assert "entry 2: the text was changed" in verify(tmp_path, capsys)


def test_a_missing_trigger_is_found(cases: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with lifted():
        assert "is missing" in verify(tmp_path, capsys)


def test_an_anchor_shows_what_a_whole_chain_written_anew_hides(
    cases: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with time_machine.travel(now().replace(year=now().year + 1), tick=False) as later:
        assert "verified" in verify(tmp_path, capsys)
        kept = json.loads(next(tmp_path.glob("*.json")).read_text())
        assert {row["table"]: row["count"] for row in kept} == {"escalations_event": 6, "approvals_decisionentry": 0}
        with lifted():
            Event.objects.filter(case=cases[0]).delete()
        Escalation.objects.filter(pk=cases[0].pk).update(log_count=0, log_last="", log_seal="")
        assert "differ from their anchor (6 entries then, 3 now)" in verify(tmp_path, capsys)
        later.shift(86_400)


def test_later_entries_leave_an_anchor_true(cases: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with time_machine.travel(now().replace(year=now().year + 1), tick=False) as later:
        verify(tmp_path, capsys)
        later.shift(86_400)
        with transaction.atomic():
            record(
                Escalation.objects.select_for_update().get(pk=cases[0].pk),
                [Entry(kind="update", summary="x")],
                at=now(),
            )
        assert verify(tmp_path, capsys) == "7 entries in 2 logs verified\n"
        assert len(list(tmp_path.glob("*.json"))) == 2


def test_a_broken_anchor_file_is_named(cases: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "2026-01-01.json").write_text("{")
    assert "2026-01-01.json is not an anchor file" in verify(tmp_path, capsys)


def test_a_file_in_place_of_the_anchors_folder_is_one_clear_line(cases: list[Escalation], tmp_path: Path) -> None:
    file = tmp_path / "anchors"
    file.write_bytes(b"\x00")
    with pytest.raises(CommandError, match=r"Cannot use .* for anchors"):
        call_command("verify_log", anchors=file)
