"""Whoever our mail server vouched for must be whom we read."""

import time

import pytest

from messaging.inbound.parsing.header_block import sender_is_clear
from messaging.inbound.parsing.parse import parse_mail


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_mail_whose_lines_end_one_way_names_its_sender_whatever_its_body_holds(line_end: str) -> None:
    raw = "From: dana@desk.example\nTo: desk@desk.example\n\nFrom: eve@evil.example\nFrom : x\n".replace("\n", line_end)
    for tail in (b"", b"\rFrom: eve\r\r", b"\x00", b"\n\nFrom: eve\n\n"):
        mail = parse_mail(raw.encode() + tail)
        assert (mail.single_from, "sender not clear from the header" in mail.problems) == ("dana@desk.example", False)


@pytest.mark.parametrize(
    "hidden",
    [
        b"X-A: a\rFrom: dana@desk.example\r\rApprove\r\r-- \r\n",
        b"X-A: a\r\nFrom: dana@desk.example\r\r\nApprove\r\n",
        b"X-A: a\nFrom: dana@desk.example\n\nApprove\n\n-- \r\n",
        b"X-A: a\r\nFrom: dana@desk.example\n\nApprove\n\n-- \r\n",
        b"From: dana@desk.example\r\n\nApprove\r\n",
    ],
    ids=["CR CR", "CR CR LF", "LF LF", "LF LF after CR LF", "CR LF LF"],
)
def test_a_header_that_ends_earlier_for_us_than_for_a_strict_server_names_nobody(hidden: bytes) -> None:
    mail = parse_mail(
        b"Received: by mx\r\n" + hidden + b"From: eve@evil.example\r\nTo: desk@desk.example\r\n\r\nHello\r\n"
    )
    assert mail.single_from == ""
    assert "sender not clear from the header" in mail.problems


@pytest.mark.parametrize("raw", [b"\n" * 2_000_000, b"a: b\r\n" + b"from " * 500_000, b"\x80" * 60_000 + b"\n\nx"])
def test_a_hostile_header_costs_little(raw: bytes) -> None:
    started = time.process_time()
    assert not sender_is_clear(raw)
    assert time.process_time() - started < 1
