import email
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.inbound.parsing.parse import parse_mail
from messaging.inbound.parsing.parsed import (
    MAX_DEPTH,
    MAX_HEADER_BYTES,
    MAX_PARTS,
    MAX_RAW_BYTES,
    MAX_SECONDS,
    Attachment,
    MailRefused,
    ParsedMail,
)
from messaging.inbound.parsing.parts import read_body

PLAIN = b"""Return-Path: <ana@example.com>
Delivered-To: desk@example.org
From: =?utf-8?q?An=C3=A1_Roy?= <Ana@Example.com>
To: "Desk, The" <desk@example.org>, Sam <sam@example.org>
Cc: lee@example.org
Subject: =?utf-8?b?UmU6IMO8YmVy?=
 =?utf-8?q?_alles?=
Message-ID: <1@example.com>
In-Reply-To: <0@example.org>
References: <00@example.org> <0@example.org>
Date: Mon, 1 Feb 2021 16:58:10 +0100
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Gr=FC=DFe, fine.

On Mon, 1 Feb 2021 at 10:00, Desk <desk@example.org> wrote:
> Old
"""
MIXED = b"""From: ana@example.com
Message-ID: <2@example.com>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=outer

--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=utf-8

See the file.
--inner
Content-Type: text/html; charset=utf-8

<p>See the <b>file</b>.</p>
--inner--
--outer
Content-Type: application/pdf
Content-Disposition: attachment; filename*=utf-8''..%2F%C3%BCber.pdf
Content-Transfer-Encoding: base64

QUJD!REVG
--outer
Content-Type: message/rfc822

From: evil@example.net
Subject: inside

approve
--outer--
"""


def body(headers: bytes, content: bytes) -> ParsedMail:
    return parse_mail(b"From: a@example.com\nMessage-ID: <1@example.com>\n" + headers + b"\n\n" + content)


def test_the_facts_of_a_plain_reply_are_read() -> None:
    mail = parse_mail(PLAIN)
    assert (mail.message_id, mail.subject, mail.problems) == ("<1@example.com>", "Re: über alles", [])
    assert (mail.from_addresses, mail.from_name) == (["ana@example.com"], "Aná Roy")
    assert mail.to_addresses == ["desk@example.org", "sam@example.org", "lee@example.org"]
    assert mail.date == datetime(2021, 2, 1, 15, 58, 10, tzinfo=UTC)
    assert (mail.in_reply_to, mail.references) == ("<0@example.org>", ["<00@example.org>", "<0@example.org>"])
    assert (mail.visible_text, mail.visible_is_own, mail.automatic_kind) == ("Grüße, fine.", True, "human")


def test_text_page_and_attachments_are_told_apart() -> None:
    mail = parse_mail(MIXED)
    assert mail.text.strip() == "See the file."
    assert "<b>file</b>" in read_body(email.message_from_bytes(MIXED)).html
    assert mail.attachments[0] == Attachment("über.pdf", "application/pdf", 6)
    assert mail.attachments[1].content_type == "message/rfc822"
    assert "approve" not in mail.text
    assert "base64 holds foreign characters" in mail.problems


def test_a_mail_survives_the_way_through_json() -> None:
    mail = parse_mail(MIXED + b"\xff\xfe")
    assert ParsedMail.from_json(json.loads(json.dumps(mail.to_json()))) == mail
    assert ParsedMail.from_json(json.loads(json.dumps(parse_mail(PLAIN).to_json()))) == parse_mail(PLAIN)


@pytest.mark.parametrize(
    "header", [b"", b"Message-ID: <a b@c>\n", b"Message-ID: <1@a>\nMessage-ID: <2@a>\n", b"Message-ID:\n"]
)
def test_a_mail_without_a_usable_id_gets_a_stable_one(header: bytes) -> None:
    raw = header + b"From: a@example.com\n\nhello"
    mail = parse_mail(raw)
    assert mail.message_id.endswith("@no-message-id>")
    assert mail.message_id == parse_mail(raw).message_id != parse_mail(raw + b"!").message_id
    assert any("Message-ID" in problem for problem in mail.problems)


@pytest.mark.parametrize(
    ("header", "content", "text"),
    [
        (b"Content-Type: text/plain; charset=nonsense", "grün".encode(), "grün"),
        (b"Content-Type: text/plain; charset=hex", b"plain", "plain"),
        (b"Content-Type: text/plain; charset=utf-8", b"gr\xfcn", "grün"),
        (b"X: y", b"gr\xfcn", "grün"),
        (b"Content-Type: text/plain; charset=iso-8859-1", b"\x93gr\xfcn\x94", "“grün”"),
        (b"Content-Transfer-Encoding: base64", b"aGVsbG8", "hello"),
        (b"Content-Transfer-Encoding: x-unheard-of", b"hello", "hello"),
        (b"X: y", b"he\x00llo", "hello"),
    ],
)
def test_text_in_a_wrong_dress_is_read_all_the_same(header: bytes, content: bytes, text: str) -> None:
    assert body(header, content).text == text


@pytest.mark.parametrize(
    "date",
    [b"nonsense", b"99 Foo 20x1", b"Mon, 99 Feb 2021 99:99:99 +9999", b"9" * 3000, b"Fri, 31 Dec 9999 23:59:59 +0000"],
)
def test_an_impossible_date_is_none_and_noted(date: bytes) -> None:
    mail = body(b"Date: " + date, b"x")
    assert mail.date is None
    assert "unreadable date" in mail.problems


def test_a_date_without_a_zone_is_read_as_utc() -> None:
    assert body(b"Date: Mon, 1 Feb 2021 16:58:10", b"x").date == datetime(2021, 2, 1, 16, 58, 10, tzinfo=UTC)


def test_a_mailbox_line_before_the_header_is_no_header() -> None:
    assert parse_mail(b"From ana Mon Feb  1 2021\nFrom: a@example.com\nSubject: s\n\nx").subject == "s"


def test_raw_bytes_in_a_subject_are_read() -> None:
    assert body("Subject: grün".encode(), b"x").subject == "grün"
    assert body(b"Subject: gr\xfcn", b"x").subject == "grün"


def test_a_page_without_text_gives_the_text_and_the_visible_text() -> None:
    mail = body(b"Subject: Re: x\nContent-Type: text/html", b"<p>Fine.</p><blockquote>Old</blockquote>")
    assert (mail.text, mail.visible_text, mail.cut) == ("Fine.\n> Old", "Fine.", "> Old")


def test_a_quotation_in_a_new_mail_is_the_senders() -> None:
    mail = body(b"Content-Type: text/html", b"<p>Our conditions:</p><blockquote>Price of 2025</blockquote>")
    assert (mail.visible_text, mail.cut) == ("Our conditions:\n> Price of 2025", "")


@pytest.mark.parametrize(
    ("plain", "page", "visible"),
    [
        ("Approve", "<p>Approve</p>", "Approve"),
        ("Approve\n\nOnce.", "<div>approve</div><br><div>Once.</div>", "Approve\n\nOnce."),
        ("Approve\n\nWait.", "<p><s>Approve</s></p><p>Wait.</p>", "~~Approve~~\nWait."),
        ("Approve", "<p>I do not approve</p>", "I do not approve"),
        ("Approve", "<div hidden>Approve</div>", ""),
        ("Fine.", "<p>Approve</p>", "Fine."),
        ("", "<p>Approve</p>", "Approve"),
    ],
)
def test_a_decision_in_the_plain_text_stands_only_when_the_page_beside_it_says_the_same(
    plain: str, page: str, visible: str
) -> None:
    parts = f"--b\nContent-Type: text/plain\n\n{plain}\n--b\nContent-Type: text/html\n\n{page}\n--b--\n"
    mail = body(b"MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b", parts.encode())
    assert mail.visible_text == visible


def nested(depth: int) -> bytes:
    return (
        b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (i, i) for i in range(depth)) + b"\nhi\n"
    )


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: " + b"a " * 140_000 + b"\n\nx",
        nested(25),
        nested(2_000),
        b"Content-Type: message/rfc822\n\n" * 30 + b"x",
        b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 300,
    ],
    ids=["header", "deep", "very deep", "mail in mail", "parts"],
)
def test_a_mail_over_a_limit_is_refused_with_a_reason(raw: bytes) -> None:
    with pytest.raises(MailRefused) as refused:
        parse_mail(raw)
    assert refused.value.reason.endswith(".")


def parts(number: int) -> bytes:
    """A mail of so many parts, itself counted."""
    return b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * (number - 1) + b"--b--\n"


def header(size: int) -> bytes:
    """A mail whose header, with its empty line, has so many bytes."""
    return b"Subject: " + b"a" * (size - len(b"Subject: ") - 2) + b"\n\nx"


def test_the_limits_are_those_that_were_promised() -> None:
    assert (MAX_RAW_BYTES, MAX_HEADER_BYTES) == (25 * 1024 * 1024, 64 * 1024)
    assert (MAX_PARTS, MAX_DEPTH, MAX_SECONDS) == (200, 20, 5)


@pytest.mark.parametrize(
    ("at_the_limit", "over"),
    [
        (header(MAX_HEADER_BYTES), header(MAX_HEADER_BYTES + 10)),
        (parts(MAX_PARTS), parts(MAX_PARTS + 1)),
        (nested(MAX_DEPTH - 1), nested(MAX_DEPTH)),
        (b"Subject: s\n\n" + b"x" * (MAX_RAW_BYTES - 12), b"Subject: s\n\n" + b"x" * (MAX_RAW_BYTES - 11)),
    ],
    ids=["header", "parts", "depth", "size"],
)
def test_a_mail_at_the_limit_is_read_and_one_just_over_it_is_not(at_the_limit: bytes, over: bytes) -> None:
    assert parse_mail(at_the_limit).message_id
    with pytest.raises(MailRefused):
        parse_mail(over)


@pytest.mark.parametrize(
    ("senders", "single"),
    [
        (b"From: Dana <Dana@Desk.example>\n", "dana@desk.example"),
        (b"From: Dana\n <dana@desk.example>\n", "dana@desk.example"),
        (b"From: dana@desk.example\nFrom: dana@desk.example\n", ""),
        (b"From: dana@desk.example, eve@evil.example\n", ""),
        (b"From: da\x00na@desk.example\n", ""),
        (b"From: dana@desk.example\x07\n", ""),
        (b"Subject: x\rFrom: eve@evil.example\nFrom: dana@desk.example\n", ""),
        (b"", ""),
        (b"From: dana@desk.example\nFrom : eve@evil.example\n", ""),
        (b"From\t: eve@evil.example\nFrom: dana@desk.example\n", ""),
        (b"From : dana@desk.example\n", ""),
        (b"Subject: x\nfrom\xa0: eve@evil.example\nFROM: dana@desk.example\n", ""),
        (b"From: dana@desk.example\nnot a header\nFrom: eve@evil.example\n", ""),
        (b"From: dana@desk.example\nX-A: a\x00b\n", ""),
        (b"From: dana@desk.example\nX-A: a\rb\n", ""),
        (b" From: eve@evil.example\nFrom: dana@desk.example\n", ""),
        (b"DKIM-Signature: v=1; h=\n\tFrom:To:Subject\nFrom: dana@desk.example\n", "dana@desk.example"),
        (b"From ana Mon Feb  1 10:00:00 2021\nFrom: dana@desk.example\n", "dana@desk.example"),
        (b"\nX-From: eve@evil.example\nfrom: dana@desk.example\n", "dana@desk.example"),
    ],
)
def test_the_one_sender_is_read_from_the_header_as_it_came(senders: bytes, single: str) -> None:
    assert parse_mail(senders + b"To: desk@desk.example\n\nx").single_from == single


def storable(mail: ParsedMail) -> bool:
    plain = json.dumps(mail.to_json(), ensure_ascii=False)
    return "\\u0000" not in plain and bool(plain.encode("utf-8"))


@pytest.mark.prove
@given(st.binary(max_size=600))
def test_random_bytes_never_bring_the_parser_down(raw: bytes) -> None:
    assert storable(parse_mail(raw))


HEADS = [
    b"From: ",
    b"Subject: ",
    b"Message-ID: <",
    b"Date: ",
    b"Mon, 1 Feb 2021 1:2:3",
    b" +9999",
    b"To: a@b, ",
    b"a@b.cd",
]
MARKS = [
    b"\n--b\n",
    b"\n\n",
    b"\n",
    b"=?utf-8?b?",
    b"?=",
    b"\xff\xfc",
    b"@",
    b"<",
    b">",
    b"%ff",
    b'"',
    b"(",
    b"\x00",
    b"==",
]
PARTS = [
    b"Content-Type: multipart/mixed; boundary=b",
    b"Content-Type: text/html; charset=utf-16",
    b"Content-Transfer-Encoding: base64\n",
    b"Content-Disposition: attachment; filename*0*=",
]


@pytest.mark.prove
@given(st.lists(st.sampled_from(HEADS + MARKS + PARTS), max_size=40))
def test_torn_mails_never_bring_the_parser_down(pieces: list[bytes]) -> None:
    assert storable(parse_mail(b"".join(pieces)))


def test_every_broken_real_mail_is_read(real_data: Path) -> None:
    files = sorted((real_data / "5_mail" / "malformed").iterdir())
    assert files
    assert all(storable(parse_mail(each.read_bytes())) for each in files)
