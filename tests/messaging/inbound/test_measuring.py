import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from messaging.inbound.parsing.measure import decisions_taken, measure_automatic, measure_replies
from messaging.inbound.parsing.measure_lines import FILE_NAME, measure_lines

FURTHER = Path(__file__).parents[2] / "data" / "5_mail" / FILE_NAME

HUMAN = b"From: ana@example.com\nMessage-ID: <1@example.com>\nSubject: Re: offer\n%s\n%s\n"
PROVEN = b"Authentication-Results: mx.desk.example; dmarc=pass header.from=example.com\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "auto").mkdir()
    (tmp_path / "malformed").mkdir()
    (tmp_path / "auto" / "human.eml").write_bytes(HUMAN % (b"", b"approve"))
    (tmp_path / "auto" / "away.eml").write_bytes(HUMAN % (b"Auto-Submitted: auto-replied\n" + PROVEN, b"approve"))
    (tmp_path / "malformed" / "proven.eml").write_bytes(HUMAN % (PROVEN, b"approve"))
    rows = [{"file": "auto/human.eml", "kind": "human"}, {"file": "auto/away.eml", "kind": "auto_reply"}]
    (tmp_path / "auto_index.jsonl").write_text("\n".join(map(json.dumps, rows)))
    reply = {"id": "1", "kind": "plain", "body": "Yes\n> No", "expected_reply": "Yes", "expected_kind": "full"}
    wrong = reply | {"id": "2", "expected_reply": "No"}
    (tmp_path / "replies.jsonl").write_text(f"{json.dumps(reply)}\n{json.dumps(wrong)}\n")
    return tmp_path


def run(folder: Path, *arguments: str) -> str:
    out = StringIO()
    call_command("check_mail", str(folder), *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_the_command_prints_three_lines(folder: Path) -> None:
    expected = "replies 1/2 exact\nautomatic 1/1 found, 0 human lost\ndecisions taken 0\n"
    assert run(folder) == expected


def test_only_a_proven_person_would_decide(folder: Path) -> None:
    assert decisions_taken(folder, "mx.desk.example") == 1
    assert decisions_taken(folder, "mx.other.example") == 0
    assert decisions_taken(folder, as_if_proven=True) == 2
    assert run(folder, "--as-if-proven").splitlines()[2] == "decisions taken 2"


def test_a_person_taken_for_a_robot_is_lost(folder: Path) -> None:
    (folder / "auto" / "human.eml").write_bytes(HUMAN % (b"X-Autoreply: yes\n", b"hello"))
    assert measure_automatic(folder).humans_lost == 1


def test_a_row_that_calls_a_self_declared_machine_human_is_counted_as_a_robot(folder: Path) -> None:
    row = {"file": "auto/away.eml", "kind": "human", "auto_submitted": "auto-replied"}
    (folder / "auto_index.jsonl").write_text(json.dumps(row))
    score = measure_automatic(folder)
    assert (score.found, score.total, score.humans_lost, score.relabelled) == (1, 1, 0, ["auto/away.eml"])


@pytest.mark.parametrize("line", ["{", "[]", '{"id": "1"}', '{"file": 1, "kind": "human"}'])
def test_a_bad_row_is_named_by_file_and_line(folder: Path, line: str) -> None:
    (folder / "auto_index.jsonl").write_text("\n" + line)
    with pytest.raises(CommandError, match=r"auto_index\.jsonl line 2"):
        run(folder)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"replies\.jsonl"):
        run(tmp_path / "nowhere")


def test_the_aims_are_met_on_real_mail(real_data: Path) -> None:
    mails = real_data / "5_mail"
    replies, robots = measure_replies(mails), measure_automatic(mails)
    assert replies.exact >= 0.95 * replies.total
    assert robots.found >= 0.99 * robots.total
    assert robots.humans_lost == 0
    assert decisions_taken(mails) == decisions_taken(mails, as_if_proven=True) == 0


def test_lost_words_and_shown_quotations_are_counted_by_line(folder: Path) -> None:
    (folder / FILE_NAME).write_text(
        "=== good | client, language | source\n+Yes.\n-On 3 May 2026 at 10:15, Ana <a@x.example> wrote:\n-> No?\n"
        "=== lost | client, language | source\n+> Yes.\n=== shown | client, language | source\n+Yes.\n-No?\n"
    )
    score = measure_lines(folder / FILE_NAME)
    assert (score.total, score.lost, score.shown) == (3, ["lost"], ["shown"])
    assert run(folder).splitlines()[3] == "own words lost 1/3, quotation shown 1/3"


def test_few_of_the_further_mails_are_shown_wrongly() -> None:
    score = measure_lines(FURTHER)
    assert score.total >= 60
    assert len(score.lost) <= 1, score.lost
    assert len(score.shown) <= 4, score.shown
