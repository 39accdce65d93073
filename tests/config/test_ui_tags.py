"""Components and formats: what people read does not change by accident, stays escaped and keeps to the CSP."""

import datetime as dt
import re
from decimal import Decimal
from types import SimpleNamespace

import pytest
import time_machine
from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as some

from config.templatetags import formats, ui

NOW = dt.datetime(2026, 1, 21, 19, 12, tzinfo=dt.UTC)  # Wed 2:12 PM in New York


@pytest.fixture(autouse=True)
def _new_york_afternoon():
    with time_machine.travel(NOW, tick=False), timezone.override("America/New_York"):
        yield


def ago(**span: float) -> dt.datetime:
    return NOW - dt.timedelta(**span)


# Formats


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        (Decimal("500000.00"), "USD", "$500,000"),
        (Decimal("1200.5"), "EUR", "€1,200.50"),
        (Decimal(-90), "CHF", "-CHF 90"),
        (Decimal("1999.6"), "JPY", "¥2,000"),
        (0, "USD", "$0"),
        (None, "USD", "–"),
        ("soon", "USD", "–"),
        ("NaN", "USD", "–"),
    ],
)
def test_money_is_written_with_its_currency(value, currency, text):
    assert formats.money(value, currency) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (950, "$950"),
        (9400, "$9.4k"),
        (500_000, "$500k"),
        (999_949, "$1M"),
        (999_499, "$999k"),
        (3_100_000, "$3.1M"),
        (1_250_000_000, "$1.3B"),
        (-740_000, "-$740k"),
        (None, "–"),
    ],
)
def test_short_money_keeps_two_or_three_digits(value, text):
    assert formats.money_short(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (20, "under 1m"),
        (42 * 60, "42m"),
        (3600, "1h"),
        (3900, "1h 05m"),
        (11400, "3h 10m"),
        (86400, "1d"),
        (2 * 86400 + 3 * 3600 + 59, "2d 3h"),
        (dt.timedelta(hours=-6), "6h"),
        (None, "–"),
    ],
)
def test_a_span_has_at_most_two_units(seconds, text):
    assert formats.duration(seconds) == text


def test_a_moment_is_told_in_the_zone_of_the_reader():
    assert formats.when(dt.datetime(2026, 1, 21, 18, 30, tzinfo=dt.UTC)) == "1:30 PM ET today"
    assert formats.when(dt.datetime(2026, 1, 23, 22, 0, tzinfo=dt.UTC)) == "Fri Jan 23, 5:00 PM ET"
    assert formats.when(dt.datetime(2027, 1, 1, 5, 0, tzinfo=dt.UTC)) == "Fri Jan 1, 2027, 12:00 AM ET"
    with timezone.override("Asia/Kolkata"):
        assert formats.when(dt.datetime(2026, 1, 21, 18, 30, tzinfo=dt.UTC)) == "12:00 AM IST today"


def test_a_day_near_midnight_belongs_to_the_readers_date():
    assert formats.day(dt.datetime(2026, 2, 25, 3, 0, tzinfo=dt.UTC)) == "Feb 24"
    assert formats.day(dt.date(2027, 2, 24)) == "Feb 24, 2027"
    assert formats.day(None) == formats.when(None) == "–"


@pytest.mark.parametrize(
    ("date", "text"),
    [
        (dt.date(2026, 2, 24), "in 34 days"),
        (dt.date(2026, 1, 22), "in 1 day"),
        (dt.date(2026, 1, 21), "today"),
        (dt.date(2026, 1, 9), "12 days ago"),
    ],
)
def test_days_until_counts_calendar_days(date, text):
    assert formats.days_until(date, "in") == text


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("America/New_York", "ET"),
        ("America/Los_Angeles", "PT"),
        ("Europe/Berlin", "CET"),
        ("Asia/Shanghai", "CST"),
        ("America/Sao_Paulo", "UTC-3"),
        ("Asia/Kathmandu", "UTC+5:45"),
    ],
)
def test_zones_have_short_names(zone, text):
    with timezone.override(zone):
        assert formats.viewer_zone() == text


def test_percent_figures_lose_idle_zeros():
    assert formats.plain_percent(Decimal("12.50")) == "12.5%"
    assert formats.plain_percent(Decimal("100.00")) == "100%"
    assert formats.ratio_percent(0.615) == "62%"


def test_a_recorded_moment_reads_in_the_zone_of_the_viewer():
    assert formats.local_times("Review: due 2026-01-23 22:00 UTC") == "Review: due Fri Jan 23, 5:00 PM ET"
    assert formats.local_times("ref 2026-99-99 22:00 UTC <b>") == "ref 2026-99-99 22:00 UTC <b>"


def test_markdown_cannot_carry_script_or_tracking_pixels():
    html = formats.markdown(
        "**Hi** <script>x</script> [a](javascript:x) [b](https://example.com) ![p](https://example.com/p)"
    )
    assert "<strong>Hi</strong>" in html
    assert "<script" not in html
    assert "<img" not in html
    assert 'href="javascript' not in html
    assert 'rel="nofollow noopener noreferrer"' in html


def test_flagged_phrases_are_marked_and_everything_is_escaped():
    text = "<b>This is unacceptable</b>"
    assert formats.phrases(text, [(11, 23)]) == ('&lt;b&gt;This is <mark class="phrase">unacceptable</mark>&lt;/b&gt;')


@given(some.text(), some.lists(some.tuples(some.integers(-5, 40), some.integers(-5, 40))))
def test_marking_phrases_never_loses_or_invents_words(text, spans):
    html = str(formats.phrases(text, spans))
    plain = Template("{{ t }}").render(Context({"t": text}))
    assert re.sub(r'<mark class="phrase">|</mark>', "", html) == plain


# Components


def test_a_running_chip_says_colour_word_and_time_left():
    html = ui.sla_chip("yellow", NOW + dt.timedelta(minutes=18))
    assert 'class="st st-yel"' in html
    assert "Yellow: " in html
    assert "18m left" in html
    assert 'data-due="2026-01-21T19:30:00+00:00"' in html


def test_a_late_chip_says_how_late_in_the_words_of_its_place():
    assert "Past SLA 42m" in ui.sla_chip("red", ago(minutes=42))
    assert "42m over" in ui.sla_chip("red", ago(minutes=42), over="over")


def test_a_paused_chip_does_not_count_down():
    html = ui.sla_chip("paused", NOW, since=ago(hours=6))
    assert "Paused 6h" in html
    assert "data-due" not in html


def test_text_given_to_a_component_is_escaped():
    assert "<b>" not in ui.st("red", "<b>") + ui.mark("green", "<b>") + ui.own("<b>", "<b>") + ui.icon("<b>")


def test_no_component_writes_a_style_attribute():
    parts = [
        ui.bar("red", 140),
        ui.spark([1, 2, 30]),
        ui.steps("Approve"),
        ui.raci("RA"),
        ui.health("red", 38),
        ui.raci("-"),
    ]
    assert not any("style=" in part for part in parts)


def test_a_clock_bar_stays_between_empty_and_full():
    assert 'width="100"' in ui.bar("red", 140)
    assert 'width="0"' in ui.bar("green", -3)


def test_a_case_nobody_owns_says_so():
    assert "Needs an owner" in ui.person(None)


def test_raci_letters_are_spelled_out_for_screen_readers():
    assert "Responsible" in ui.raci("R")
    assert "Not involved" in ui.raci("")


def page(text: str, **context: object) -> str:
    return Template("{% load ui formats %}" + text).render(Context(context))


def test_the_current_page_is_marked_in_the_navigation():
    link = '{% nav "inbox" "Sign in" "account_login" "queue" 4 keys="g q" %}'
    assert 'aria-current="page"' in page(link, nav={"page": "queue"})
    assert "aria-current" not in page(link, nav={"page": "accounts"})
    assert 'data-key="g q"' in page(link)
    assert ">4</span>" in page(link)


def test_oneline_glues_what_stands_on_several_lines():
    source = """{% oneline %}
      <b class="x">
        {{ name }}
      </b>
      {% if town %}, {{ town }}{% endif %}
      {% if year %}{{ " " }}since {{ year }}{% endif %}
      .
    {% endoneline %}"""
    html = Template(source).render(Context({"name": "Ada\n & Co", "town": "Bonn", "year": 2020}))
    assert html == '<b class="x">Ada\n &amp; Co</b>, Bonn since 2020.', "what a value brings along stays as it is"


class Reply(forms.Form):
    words = forms.CharField(
        label="Words",
        help_text="In 1 to 3 sentences.",
        error_messages={"required": "Enter the words"},
    )
    way = forms.ChoiceField(choices=[("a", "Mail"), ("b", "Phone")], widget=forms.RadioSelect, required=True)
    tick = forms.BooleanField(required=False)


def test_the_error_summary_links_to_every_field_in_error():
    html = render_to_string("components/form_errors.html", {"form": Reply({})})
    assert "There is a problem" in html
    assert 'href="#id_words">Enter the words' in html
    assert 'href="#id_way_0"' in html, "a group of choices is reached at its first choice"


def test_a_form_without_errors_has_no_summary():
    assert "errsum" not in render_to_string("components/form_errors.html", {"form": Reply({"words": "x", "way": "a"})})


def test_a_field_ties_help_and_error_to_its_control():
    html = render_to_string("components/field.html", {"field": Reply({})["words"]})
    assert 'class="form-control is-invalid"' in html
    assert 'aria-invalid="true"' in html
    described = re.search(r'aria-describedby="([^"]+)"', html)
    assert described
    assert all(f'id="{name}"' in html for name in described[1].split())


def test_choices_of_a_group_have_labels_of_their_own():
    html = render_to_string("components/field.html", {"field": Reply({})["way"]})
    assert html.count('class="form-check-input"') == 2
    assert '<label class="form-check-label" for="id_way_1">Phone</label>' in html


def request_for(path: str) -> HttpRequest:
    return RequestFactory().get(path)


def test_the_pager_keeps_the_filters_of_the_address():
    pages = Paginator(range(60), 25)
    html = render_to_string(
        "components/pagination.html",
        {"page": pages.page(2)},
        request_for("/x/?view=mine&page=2"),
    )
    assert "Rows 26 to 50 of 60" in html
    assert "?view=mine&amp;page=3" in html
    assert "?view=mine&amp;page=1" in html


def test_the_page_for_our_own_failure_needs_nothing_but_the_template():
    html = render_to_string("500.html", {"reference": "7KQ2-41F9"})
    assert "Your input was not saved" in html
    assert "7KQ2-41F9" in html


def test_messages_are_a_status_region_with_escaped_words():
    notes = [SimpleNamespace(level_tag="error", __str__=lambda s: "x")]
    assert 'role="status"' in render_to_string("components/messages.html", {"messages": notes})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/auth/login/", "Work email"),
        ("/auth/password/reset/", "Send the link"),
        ("/auth/signup/", "You cannot sign up here"),
    ],
)
def test_the_way_in_offers_no_account_of_ones_own(client, address, words):
    html = client.get(address).content.decode()
    assert words in html
    assert "/auth/signup/" not in html
    assert "style=" not in html


@pytest.mark.django_db
def test_a_wrong_password_is_explained_in_the_summary(client):
    html = client.post("/auth/login/", {"login": "nobody@example.com", "password": "wrong"}).content.decode()
    assert "There is a problem" in html
    assert "Error: Sign in" in html
