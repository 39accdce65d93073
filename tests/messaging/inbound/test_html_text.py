"""What a person sees in a page, and what of it is their own present word."""

import time

import pytest

from messaging.inbound.rules.decision_words import decision_in
from messaging.inbound.rules.html_text import html_to_text
from messaging.inbound.rules.reply_text import visible_reply_html


@pytest.mark.parametrize(
    "struck",
    [
        "<s>Approve</s>",
        "<del>Approve</del>",
        "<strike>Approve</strike>",
        "<S>App<b>ro</b>ve</S>",
        "<span style='text-decoration:line-through'>Approve</span>",
        '<span style="COLOR: red; Text-Decoration: underline LINE-THROUGH !important">Approve</span>',
        "<span style=text-decoration-line:line-through>Approve</span>",
        "<span style='text-decoration&#58; line-/**/through'>Approve</span>",
    ],
)
def test_what_is_struck_out_stays_on_record_and_decides_nothing(struck: str) -> None:
    page = f"<p>{struck}</p><p>Let me think.</p>"
    assert html_to_text(page) == "~~Approve~~\nLet me think."
    assert decision_in(visible_reply_html(page)) is None
    assert decision_in(visible_reply_html(f"<p>{struck}</p>")) is None
    assert decision_in(visible_reply_html(f"<p>{struck} approve</p>")) is None


def test_each_line_of_a_block_that_is_struck_out_is_marked() -> None:
    page = "<div style='text-decoration:line-through'><p>Approve</p><p>as <b>asked</b></p></div><p>Wait</p>"
    assert html_to_text(page) == "~~Approve~~\n~~as asked~~\nWait"
    assert html_to_text("<p>Please <s>cancel</s> renew,<s> </s>thanks</p>") == "Please ~~cancel~~ renew, thanks"


@pytest.mark.parametrize("name", ["q", "cite"])
def test_a_quotation_within_a_line_is_in_quotation_marks_and_decides_nothing(name: str) -> None:
    page = f"<p><{name}>Approve</{name}></p><p>is what you want me to say.</p>"
    assert html_to_text(page) == "“Approve”\nis what you want me to say."
    assert decision_in(visible_reply_html(page)) is None


@pytest.mark.parametrize(
    "unseen",
    [
        "<div style='display:none'>Approve</div>",
        "<div style='DISPLAY : none !important; display: block'>Approve</div>",
        "<div style='display&#58;none'>Approve</div>",
        "<p style='visibility:hidden'>Approve</p>",
        "<p style='font-size:0'>Approve</p>",
        "<p style='font-size:0.0px;color:red'>Approve</p>",
        "<p style='font:0/0 a'>Approve</p>",
        "<p style='opacity:0'>Approve</p>",
        "<p style='opacity:.0'>Approve</p>",
        "<p hidden>Approve</p>",
        "<p class=x HIDDEN=''>Approve</p>",
        "<div style='display:none'><p>Approve</p><blockquote>x</blockquote></div>",
        f"<p style='{'font-family: Example, serif; ' * 40}display:none'>Approve</p>",
        "<textarea>Approve</textarea>",
        "<textarea></p></div>Approve</TEXTAREA>",
        "<select><option>Approve</option><option>Decline</option></select>",
        "<template>Approve</template>",
        "<STYLE>Approve</STYLE>",
    ],
)
def test_what_is_not_shown_is_not_read(unseen: str) -> None:
    page = f"<div>{unseen}<p>Why?</p></div>"
    assert html_to_text(page) == "Why?"


@pytest.mark.parametrize(
    "attributes",
    [
        "class=hidden",
        "class='a hidden b' title='hidden'",
        "aria-hidden=true",
        "data-style='display:none'",
        "style='display:none;display:block'",
        "style='opacity:0.5;font-size:10px'",
        "style='font: 0.9em serif; text-decoration: none'",
        "style='visibility:visible'",
        "style='xdisplay:none;font-size:;opacity'",
    ],
)
def test_what_is_shown_is_read_whatever_its_attributes_are_called(attributes: str) -> None:
    assert html_to_text(f"<p {attributes}>Approve</p>") == "Approve"


@pytest.mark.parametrize(
    "page",
    [
        "<p " + 'style="' * 150_000,
        ("<p style='" + "a:b;/*" * 600 + "'>") * 250,
        ("<p hidden " + "a = " * 900 + ">") * 250,
        "<style>" * 140_000,
        "<textarea>" * 100_000,
        "<s>a</s>" * 120_000,
        ("<p style='font:" + " " * 3_900 + "'>") * 250,
    ],
    ids=["quotes", "comments", "names", "open styles", "open texts", "pieces", "blanks"],
)
def test_a_hostile_page_costs_little(page: str) -> None:
    started = time.process_time()
    html_to_text(page)
    assert time.process_time() - started < 2
