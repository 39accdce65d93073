import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.inbound.rules.mail_auth import dmarc_passes, is_disproved, single_from

PASS = "mx.desk.example; spf=pass smtp.mailfrom=x@example.com; dmarc=pass (p=reject dis=none) header.from=example.com"


def passes(*headers: str, server: str = "mx.desk.example", domain: str = "example.com") -> bool:
    return dmarc_passes(headers, server, domain)


def test_a_pass_of_our_own_server_for_the_domain_counts() -> None:
    assert passes(PASS)
    assert passes("MX.Desk.Example 1; dmarc=pass header.from=Example.COM")


@pytest.mark.parametrize(
    "header",
    [
        "mx.other.example; dmarc=pass header.from=example.com",
        "mx.desk.example.evil.example; dmarc=pass header.from=example.com",
        "mx.desk.example; dmarc=fail header.from=example.com",
        "mx.desk.example; dmarc=pass header.from=evil.example",
        "mx.desk.example; dmarc=pass",
        "mx.desk.example; spf=pass (dmarc=pass header.from=example.com)",
        'mx.desk.example; spf=pass reason="; dmarc=pass header.from=example.com"',
        "mx.desk.example; dmarc=pass header.from=example.com; dmarc=fail header.from=example.com",
        "mx.desk.example; dmarc=pass header.from=evil.example header.from=example.com",
        "mx.desk.example; dmarc=pass (open header.from=example.com",
        "mx.desk.example; dmarc=pass header.from=example.com; what is this",
        "mx.desk.example dmarc=pass header.from=example.com",
        "mx.desk.example; none",
        "",
    ],
)
def test_anything_else_does_not_pass(header: str) -> None:
    assert not passes(header)


def test_one_failing_header_of_ours_outweighs_a_passing_one() -> None:
    assert not passes(PASS, "mx.desk.example; dmarc=fail header.from=example.com")


def test_one_malformed_header_of_ours_outweighs_a_passing_one() -> None:
    assert not passes(PASS, "mx.desk.example; dmarc=pass (")


def test_a_foreign_header_beside_ours_does_no_harm() -> None:
    assert passes(PASS, "mx.other.example; dmarc=fail header.from=example.com")


def test_nothing_passes_without_a_name_for_our_server() -> None:
    assert not passes("; dmarc=pass header.from=example.com", server="")
    assert not passes(PASS, domain="")


@given(st.text(max_size=200))
def test_no_header_brings_the_reader_down(text: str) -> None:
    dmarc_passes(["mx.desk.example;" + text, text], "mx.desk.example", "example.com")
    single_from([("From", text)])


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("ana@example.com", "ana@example.com"),
        ("Ana Roy <Ana@Example.com>", "ana@example.com"),
        ('"Roy, Ana (Ltd) <x@evil.example>" <ana@example.com>', "ana@example.com"),
        ("=?utf-8?q?An=C3=A1?= <ana@example.com>", "ana@example.com"),
        ("ana@example.com (Ana Roy)", "ana@example.com"),
    ],
)
def test_one_sender_is_read(value: str, address: str) -> None:
    assert single_from([("From", value), ("To", "x@y.example")]) == address


@pytest.mark.parametrize(
    "value",
    [
        "ana@example.com, bob@example.com",
        "Ana <ana@example.com> <bob@example.com>",
        "boss@example.com <evil@evil.example>",
        "Roy, Ana <ana@example.com>",
        "group: ana@example.com;",
        "ana@example.com)bob@evil.example",
        "ana@@example.com",
        "a@b@example.com",
        '"ana <ana@example.com>',
        "Ana",
        "<>",
        "",
        "ana@exam ple.com",
        "ana\x00@example.com",
    ],
)
def test_any_doubt_about_the_sender_gives_none(value: str) -> None:
    assert single_from([("From", value)]) is None


def test_two_from_headers_give_none() -> None:
    assert single_from([("From", "ana@example.com"), ("from", "ana@example.com")]) is None


@pytest.mark.parametrize(
    ("header", "disproved"),
    [
        ("mx.desk.example; dmarc=fail (p=none) header.from=example.com", True),
        ("mx.desk.example; spf=pass smtp.mailfrom=x@example.com; dmarc=FAIL", True),
        ("mx.other.example; dmarc=fail header.from=example.com", False),
        ("mx.desk.example; spf=fail smtp.mailfrom=x@example.com; dmarc=none", False),
        (PASS, False),
        ("mx.desk.example; none", False),
        ("", False),
    ],
)
def test_only_a_dmarc_fail_of_our_own_server_disproves_a_sender(header: str, disproved: bool) -> None:
    assert is_disproved([header], "mx.desk.example") is disproved
    assert not is_disproved([header], "")
