"""The frozen brief goes with the question as a PDF, made when the mail leaves; without it the mail leaves all the same."""

import io
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pypdf
import pytest
from django.contrib.staticfiles import finders
from django.db import connection
from pytest_django import Settings

from approvals.mail import kinds
from approvals.models import ApprovalRequest
from approvals.pdf import printer as printing
from approvals.pdf.brief import brief_pdf
from approvals.pdf.printer import NoPdf, Printer
from approvals.requests import talk
from messaging.models import Message
from messaging.outbox import messages as outbox

Ask = Callable[..., ApprovalRequest]
NOT_ATTACHED = "The brief is not attached; the page has it."


@pytest.fixture(scope="module")
def printer() -> Iterator[Printer]:
    """A process that makes PDFs."""
    made = Printer()
    yield made
    made.stop()


@pytest.fixture
def style() -> Path:
    """The style sheet of briefs."""
    return Path(str(finders.find("brief.css")))


def pages(data: bytes) -> list[str]:
    """The text of each page."""
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages]


def sent(mailoutbox: list[Any]) -> Any:
    """The mail with the question."""
    outbox.send_due()
    [mail] = [each for each in mailoutbox if "ecision needed" in each.subject or "Reminder" in each.subject]
    return mail


@pytest.mark.django_db
def test_the_question_leaves_with_its_brief(ask: Ask, mailoutbox: list[Any]) -> None:
    made = ask()
    mail = sent(mailoutbox)
    [(name, data, kind)] = mail.attachments
    assert (name, kind) == ("brief-ESC-1042-v3.pdf", "application/pdf")
    text = " ".join(" ".join(pages(data)).split())
    for words in (made.ask, "Northwind wants a discount.", "Keep the price", made.recommendation, "Version 3"):
        assert words in text
    assert "The brief is attached as a PDF." in mail.body
    raw = mail.message().as_bytes()
    assert raw.index(b"text/plain") < raw.index(b"text/html") < raw.index(b"application/pdf")


@pytest.mark.django_db
def test_nothing_is_made_before_the_mail_leaves_and_nothing_inside_a_transaction(
    ask: Ask, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    inside: list[int] = []
    depth = len(connection.savepoint_ids)

    def look(request: ApprovalRequest) -> bytes:
        inside.append(len(connection.savepoint_ids) - depth)
        return b"%PDF-"

    monkeypatch.setattr(kinds, "brief_pdf", look)
    ask()
    assert inside == []
    sent(mailoutbox)
    assert inside == [0]


@pytest.mark.django_db
@pytest.mark.parametrize("error", [NoPdf("no Pango"), ValueError("a defect")])
def test_a_mail_that_gets_no_brief_leaves_and_says_so(
    ask: Ask, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(request: ApprovalRequest) -> bytes:
        raise error

    monkeypatch.setattr(kinds, "brief_pdf", fail)
    made = ask()
    mail = sent(mailoutbox)
    assert mail.attachments == []
    message = Message.objects.get(key=f"approval:{made.pk}:1")
    for text in (mail.body, mail.alternatives[0].content, message.text, message.html):
        assert NOT_ATTACHED in text
        assert "is attached as a PDF" not in text


@pytest.mark.django_db
def test_a_mail_that_is_tried_again_says_what_holds_then(
    ask: Ask, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ask()
    Message.objects.filter(key=f"approval:{made.pk}:1").update(
        text=Message.objects.get(key=f"approval:{made.pk}:1").text.replace(
            "The brief is attached as a PDF.", NOT_ATTACHED
        )
    )
    monkeypatch.setattr(kinds, "brief_pdf", lambda request: b"%PDF-")
    assert "The brief is attached as a PDF." in sent(mailoutbox).body


@pytest.mark.django_db
def test_where_no_mail_leaves_nothing_is_made_and_the_page_does_not_claim_it(ask: Ask, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    made = ask()
    outbox.send_due()
    assert NOT_ATTACHED in Message.objects.get(key=f"approval:{made.pk}:1").text


@pytest.mark.django_db
def test_a_request_without_a_brief_promises_none(ask: Ask, mailoutbox: list[Any]) -> None:
    ask(brief={})
    mail = sent(mailoutbox)
    assert mail.attachments == []
    assert "brief" not in mail.body.lower()


@pytest.mark.django_db
def test_a_reminder_carries_it_too(ask: Ask, mailoutbox: list[Any]) -> None:
    made = ask()
    outbox.send_due()
    mailoutbox.clear()
    talk.remind(request_id=made.pk)
    assert len(sent(mailoutbox).attachments) == 1


@pytest.mark.django_db
def test_a_hostile_or_endless_brief_is_laid_out_in_time(ask: Ask) -> None:
    words = "<script>alert(1)</script> ![x](http://127.0.0.1:1/x.png) <img src=file:///etc/passwd> "
    made = ask(brief={"version": 1, "parts": {f"part {n}": words * 2_000 for n in range(60)}})
    started = time.process_time()
    found = pages(brief_pdf(made))
    assert len(found) <= 6
    assert time.process_time() - started < 20
    assert "root:" not in "".join(found)
    assert "Shortened here" in "".join(found)


def test_nothing_is_fetched_from_elsewhere(printer: Printer, style: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("hidden words")
    page = f'<p>seen</p><img src="http://127.0.0.1:9/x.png"><object data="file://{tmp_path}/secret.txt"></object>'
    text = "".join(pages(printer.pdf(page, style)))
    assert "seen" in text
    assert "hidden" not in text


def test_a_page_that_takes_for_ever_costs_its_file_only(style: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Printer(seconds=0.2)
    try:
        with pytest.raises(NoPdf, match="took too long"):
            made.pdf("<p>x</p>", style)
        made.seconds = 60
        assert pages(made.pdf("<p>after all</p>", style)) == ["after all"]
    finally:
        made.stop()


def test_where_the_library_is_missing_there_is_no_pdf(style: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printing, "COMMAND", [printing.COMMAND[0], "-c", "import no_such_module"])
    made = Printer()
    with pytest.raises(NoPdf):
        made.pdf("<p>x</p>", style)


def test_a_process_that_died_is_replaced_and_none_is_left_behind(printer: Printer, style: Path) -> None:
    printer.pdf("<p>one</p>", style)
    first = printer._child
    assert first
    first.kill()
    first.wait()
    assert pages(printer.pdf("<p>two</p>", style)) == ["two"]
    second = printer._child
    assert second
    assert second.pid != first.pid
    printer.stop()
    assert second.poll() is not None


def test_threads_take_turns(printer: Printer, style: Path) -> None:
    found: dict[int, list[str]] = {}

    def work(number: int) -> None:
        found[number] = pages(printer.pdf(f"<p>page {number}</p>", style))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert found == {number: [f"page {number}"] for number in range(4)}
