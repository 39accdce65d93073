import os
import subprocess
import sys
from pathlib import Path

import pytest

from messaging.inbound.parsing import reader
from messaging.inbound.parsing.parsed import MAX_RAW_BYTES, MailRefused, ParsedMail
from messaging.inbound.parsing.reader import MailReader, parse_in_child, parse_many

GOOD = b"From: ana@example.com\nMessage-ID: <1@example.com>\nSubject: s\n\nhello\n"
DEVOURING = GOOD.replace(b"\n\n", b"\nContent-Type: multipart/mixed; boundary=b\n\n") + b"--b\n\nx\n" * 3_000_000
PAGE = b"From: ana@example.com\nMessage-ID: <2@example.com>\nContent-Type: text/html\n\n"


def test_a_mail_is_parsed_in_a_child() -> None:
    mail = parse_in_child(GOOD)
    assert (mail.subject, mail.visible_text) == ("s", "hello")


def test_one_child_reads_many_mails_in_order() -> None:
    answers = list(parse_many(GOOD.replace(b"Subject: s", b"Subject: %d" % number) for number in range(50)))
    assert [mail.subject for mail in answers if isinstance(mail, ParsedMail)] == [str(number) for number in range(50)]


def test_a_refused_mail_costs_only_itself() -> None:
    first, second, third = parse_many([GOOD, b"Subject: " + b"a" * 70_000 + b"\n\nx", GOOD])
    assert [type(each) for each in (first, third)] == [ParsedMail, ParsedMail]
    assert isinstance(second, MailRefused)
    assert "header" in second.reason


def test_a_mail_over_the_size_limit_starts_no_child() -> None:
    with MailReader() as mail_reader:
        with pytest.raises(MailRefused, match="larger than 25 MB"):
            mail_reader.parse(b"x" * (MAX_RAW_BYTES + 1))
        assert mail_reader.child is None


def test_a_mail_that_takes_too_long_is_refused_and_the_next_one_read() -> None:
    with MailReader(seconds=0.5) as mail_reader:
        mail_reader.parse(GOOD)
        busy = mail_reader.child
        with pytest.raises(MailRefused, match=r"longer than 0\.5 seconds"):
            mail_reader.parse(DEVOURING)
        assert busy
        assert busy.poll() is not None, "the child must not go on reading"
        assert mail_reader.parse(GOOD).subject == "s"


def test_a_page_that_takes_too_long_is_refused_and_the_next_one_read() -> None:
    with MailReader(seconds=0.1) as mail_reader:
        mail_reader.parse(GOOD)
        with pytest.raises(MailRefused, match=r"longer than 0\.1 seconds"):
            mail_reader.parse(PAGE + b"<s>a</s>" * 120_000)
        assert mail_reader.parse(PAGE + b"<p>Fine.</p>").text == "Fine."


def test_a_page_nested_deep_is_read() -> None:
    assert parse_in_child(PAGE + b"<blockquote>" * 80_000 + b"Fine.").text == "> > > > > Fine."


def test_a_child_that_dies_is_replaced() -> None:
    with MailReader() as mail_reader:
        mail_reader.parse(GOOD)
        assert mail_reader.child
        mail_reader.child.kill()
        mail_reader.child.wait()
        with pytest.raises(MailRefused):
            mail_reader.parse(GOOD)
        assert mail_reader.parse(GOOD).subject == "s"


def test_the_child_knows_neither_django_nor_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "hidden")
    with MailReader() as mail_reader:
        mail_reader.parse(GOOD)
        assert mail_reader.child
        assert b"hidden" not in Path(f"/proc/{mail_reader.child.pid}/environ").read_bytes()
    probe = "import sys, messaging.inbound.parsing.child; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], cwd=reader.ROOT, check=False).returncode == 0


def test_no_child_is_left_behind() -> None:
    with MailReader() as mail_reader:
        mail_reader.parse(GOOD)
        assert mail_reader.child
        pid = mail_reader.child.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
