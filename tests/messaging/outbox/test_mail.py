"""Mail written from one context: HTML escaped, text readable, links complete."""

import pytest

from messaging.outbox import layout as mail

CONTEXT = {
    "ref": "ESC-1042",
    "word": "RED: decision is past SLA",
    "tone": "red",
    "head": "Approve <script>alert(1)</script> for Alder & Co?",
    "lead": "Priya needs\nyour decision",
    "facts": [("Requested", "24 <b>months</b>")],
    "sections": [{"h": "Past SLA", "rows": [("ESC-1", "Cap & indemnity", "42m", "#B3261E", "http://x.example/1")]}],
    "quote": [("Tried", "three <i>offers</i>"), ("Ask", "hold until Friday")],
    "button": "Review and decide",
    "url": "/d/abc/",
    "after": "Nothing is decided until you submit.",
    "why": "The matrix names you.",
    "subject": "Decision needed",
    "preview": "24 months",
}


def test_every_value_is_escaped_in_html() -> None:
    _, html = mail.render("base", CONTEXT)
    assert "<script>" not in html
    assert "24 &lt;b&gt;months&lt;/b&gt;" in html
    assert "three &lt;i&gt;offers&lt;/i&gt;" in html
    assert "Alder &amp; Co" in html
    assert "background:#B3261E" in html


def test_the_text_part_reads_as_a_person_would_write_it() -> None:
    text, _ = mail.render("base", CONTEXT)
    assert "Alder & Co" in text
    assert "Tried: three <i>offers</i>" in text
    assert "Review and decide:\nhttp://127.0.0.1:8000/d/abc/" in text
    assert "\n\n\n" not in text


def test_the_button_leads_to_a_full_address(settings: object) -> None:
    settings.SITE_URL = "https://desk.example"  # type: ignore[attr-defined]
    text, html = mail.render("base", CONTEXT)
    assert 'href="https://desk.example/d/abc/"' in html
    assert "https://desk.example/d/abc/" in text


def test_without_a_template_of_its_own_a_mail_uses_the_base() -> None:
    assert mail.render("no_such_mail", CONTEXT) == mail.render("base", CONTEXT)


@pytest.mark.parametrize("context", [{}, {"head": "Hello"}, {"quote": "One text", "url": "https://a.example/"}])
def test_no_key_is_required(context: dict[str, str]) -> None:
    text, html = mail.render("base", context)
    assert text.endswith("\n")
    assert html.rstrip().endswith("</html>")
