"""One spelling of money, moments and lengths of time, wherever people read them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from approvals.matrix.rules.units import UNITS, amount_words, unit_of
from config.templatetags import formats
from ledger import format as write

D = Decimal
NOW = datetime(2026, 1, 21, 19, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1200.50", "EUR", "€1,200.50"),
        ("1200.5", "JPY", "¥1,201"),
        ("1200", "CAD", "CA$1,200"),
        ("0.5", "USD", "$0.50"),
        ("1.234", "KWD", "KWD 1.234"),
    ],
)
def test_an_amount_reads_the_same_on_a_page_in_a_mail_and_on_the_record(amount, currency, text):
    assert write.money(D(amount), currency) == text
    assert formats.money(D(amount), currency) == text, "the page"
    assert amount_words("money", D(amount), currency) == text, "mails, PDFs and the decision log"


@pytest.mark.parametrize(
    ("amount", "currency", "refused"),
    [
        ("1200.5", "JPY", "JPY has no decimals"),
        ("1.005", "EUR", "EUR has 2 decimals"),
        ("1.234", "KWD", "Amounts are kept with 2 decimals. Enter 1.23 or"),
        ("1200.00", "JPY", ""),
        ("1200.50", "EUR", ""),
        ("1.23", "KWD", ""),
    ],
)
def test_an_amount_has_no_more_decimals_than_its_currency(amount, currency, refused):
    problem = unit_of("money").problem(D(amount), currency)
    assert problem.startswith(refused)
    assert bool(problem) == bool(refused)


def test_a_recorded_moment_is_in_utc_whatever_zone_it_came_in():
    at = datetime(2026, 11, 29, 16, 8, tzinfo=ZoneInfo("America/New_York"))
    assert write.recorded(at) == "2026-11-29 21:08 UTC"
    assert write.recorded_to_local("due 2026-11-29 21:08 UTC", "America/New_York", NOW) == "due Sun Nov 29, 4:08 PM ET"


def test_every_moment_names_its_zone():
    tomorrow = NOW + timedelta(days=1)
    assert write.moment(NOW, "America/New_York", NOW) == "2:12 PM ET"
    assert write.moment(tomorrow, "Asia/Kathmandu", NOW) == "Fri Jan 23, 12:57 AM UTC+5:45"
    assert write.moment(tomorrow, "") == "Thu Jan 22, 2026, 7:12 PM UTC"


def test_lengths_of_time_have_one_spelling():
    assert write.duration(2 * 86400 + 3 * 3600) == "2d 3h"
    assert write.span(72 * 3600) == "72h"
    assert write.span(7 * 86400) == "7 days"
    assert write.hours(230_400) == "64h"
    assert write.span_in_words(240, "business") == "4 business hours"


def test_every_unit_has_words_for_every_amount():
    for unit in UNITS:
        assert unit.words(D(3)), unit.slug
        assert unit.quantity(D(3), "USD"), unit.slug


def test_a_moment_on_paper_keeps_its_day_and_names_its_zone():
    at = datetime(2026, 1, 23, 22, 0, tzinfo=UTC)
    assert write.on_paper(at, "America/New_York") == "Fri Jan 23, 2026, 5:00 PM ET"
    assert write.on_paper(at, "America/New_York", at) == "Fri Jan 23, 5:00 PM ET"
    assert write.to_the_second(at.replace(second=8), "America/New_York") == "Fri Jan 23, 2026, 5:00:08 PM ET"
    assert write.in_table(at.astimezone(ZoneInfo("America/New_York"))) == "2026-01-23 22:00:00"
    assert (write.weekday(at, NOW), write.month(at)) == ("Fri Jan 23", "Jan 2026")


def test_figures_of_a_column_keep_their_decimals():
    assert [write.figure(value, 1) for value in (6, 2.25, D("1234.5"))] == ["6.0", "2.3", "1,234.5"]
    assert [write.figure(value, 2, signed=True) for value in (0.4, 0, -0.4)] == ["+0.40", "0.00", "-0.40"]
    assert (write.decimal_hours(19.44), write.percent(61.5, 0)) == ("19.4h", "62%")


def test_a_small_negative_figure_is_zero_without_a_sign():
    found = (write.figure(-0.3, 0), write.number(-0.001), write.figure(-0.004, 2, signed=True))
    assert found == ("0", "0", "0.00")
