"""Whose mail it is, who holds a role, what money is worth, when clocks run."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from accounts.calendars.queries import public_holidays, work_calendar
from accounts.calendars.rules.worktime import due_after
from accounts.customers.queries import account_for_address
from accounts.customers.rates import usd
from accounts.models import AccountDomain, Calendar, CalendarDay, ExchangeRate, Role, RoleHolding, User
from accounts.people.queries import best_holder
from ledger.errors import Invalid
from ledger.now import now
from tests.support.cast import Cast, person

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def test_mail_of_a_contact_finds_the_account_and_the_contact_whatever_the_case(cast: Cast) -> None:
    assert account_for_address("Jonas@NORTHWIND.example") == (cast.northwind, cast.contact)


def test_mail_of_an_unknown_person_finds_the_account_by_domain_or_a_domain_above(cast: Cast) -> None:
    assert account_for_address("new@northwind.example") == (cast.northwind, None)
    assert account_for_address("new@mail.eu.northwind.example") == (cast.northwind, None)


def test_the_nearest_domain_wins(cast: Cast) -> None:
    AccountDomain.objects.create(account=cast.elsewhere, domain="eu.northwind.example")
    assert account_for_address("new@eu.northwind.example") == (cast.elsewhere, None)


@pytest.mark.parametrize("address", ["", "nobody", "who@stranger.example", "x@notnorthwind.example", "@", "a@example"])
def test_nobody_knows_a_stranger(cast: Cast, address: str) -> None:
    assert account_for_address(address) is None


def test_csm_and_ae_are_the_accounts_own(cast: Cast) -> None:
    assert best_holder("csm", account=cast.northwind) == cast.csm
    assert best_holder("ae", account=cast.northwind) == cast.ae
    assert best_holder("csm", account=cast.elsewhere) == cast.outsider


def test_a_role_is_looked_for_up_the_csms_chain_first(cast: Cast) -> None:
    person("far@desk.example", "Far Away", "director")
    near = person("zoe@desk.example", "Zoe Near", "director")
    cast.lead.manager = near
    cast.lead.save()
    assert best_holder("director", account=cast.northwind) == near


def test_without_an_account_the_chain_of_the_person_near_counts(cast: Cast) -> None:
    boss = person("boss@desk.example", "Bo Boss", "team-lead")
    cast.outsider.manager = boss
    cast.outsider.save()
    assert best_holder("team-lead", near=cast.outsider) == boss
    assert best_holder("team-lead") == cast.lead


def test_a_role_nobody_in_the_chain_holds_goes_to_any_active_holder(cast: Cast) -> None:
    assert best_holder("legal", account=cast.northwind) == cast.legal


def test_people_who_left_ended_holdings_and_the_excluded_are_passed_over(cast: Cast) -> None:
    second = person("lea@desk.example", "Lea Law", "legal")
    assert best_holder("legal", exclude=[cast.legal.pk]) == second
    RoleHolding.objects.filter(user=second).update(ends=now() - timedelta(seconds=1))
    assert best_holder("legal", exclude=[cast.legal.pk]) is None
    User.objects.filter(pk=cast.legal.pk).update(is_active=False)
    assert best_holder("legal") is None


def test_a_circle_of_managers_ends(cast: Cast) -> None:
    cast.sponsor.manager = cast.csm
    cast.sponsor.save()
    assert best_holder("legal", account=cast.northwind) == cast.legal


def test_money_is_worth_the_latest_rate_not_after_the_day(shipped: None) -> None:
    ExchangeRate.objects.create(currency="EUR", on=date(2026, 3, 1), usd=Decimal("1.20"))
    assert usd(Decimal(100), "EUR", date(2026, 2, 28)) == Decimal("108.00")
    assert usd(Decimal(100), "EUR", date(2026, 3, 1)) == Decimal("120.00")
    assert usd(Decimal("0.015"), "USD", date(2026, 3, 1)) == Decimal("0.02")


@pytest.mark.parametrize(
    ("currency", "day"), [("XYZ", date(2026, 1, 1)), ("", date(2026, 1, 1)), ("EUR", date(1999, 1, 1))]
)
def test_money_without_a_rate_is_refused(shipped: None, currency: str, day: date) -> None:
    with pytest.raises(Invalid, match="exchange rate"):
        usd(Decimal(1), currency, day)


def test_business_hours_leave_out_nights_weekends_and_us_holidays(shipped: None) -> None:
    hours = work_calendar(Calendar.objects.get(slug="business"))
    thursday_afternoon_before_independence_day = datetime(2026, 7, 2, 20, 0, tzinfo=UTC)
    due = due_after(hours, thursday_afternoon_before_independence_day, 2 * 3600)
    assert due == datetime(2026, 7, 6, 14, 0, tzinfo=UTC)


def test_around_the_clock_and_no_calendar_never_stop(shipped: None) -> None:
    start = datetime(2026, 12, 25, 3, 0, tzinfo=UTC)
    for calendar in (None, Calendar.objects.get(slug="round-the-clock")):
        assert due_after(work_calendar(calendar), start, 3600) == start + timedelta(hours=1)


def test_a_changed_calendar_counts_from_the_next_question_on(shipped: None) -> None:
    calendar = Calendar.objects.get(slug="business")
    monday = date(2026, 6, 1)
    assert work_calendar(calendar).spans_on(monday) == ((540, 1020),)
    calendar.spans.filter(weekday=0).update(opens=600)
    calendar.save()
    assert work_calendar(calendar).spans_on(monday) == ((600, 1020),)


def test_special_days_beat_holidays_and_dated_rows_beat_yearly_ones(shipped: None) -> None:
    calendar = Calendar.objects.get(slug="business")
    christmas = {"calendar": calendar, "name": "Christmas", "month": 12, "day": 25}
    CalendarDay.objects.create(**christmas, opens=600, closes=720)
    CalendarDay.objects.create(**christmas, year=2027)
    CalendarDay.objects.create(calendar=calendar, name="Founders", month=6, day=2)
    calendar.save()
    hours = work_calendar(calendar)
    assert hours.spans_on(date(2026, 12, 25)) == ((600, 720),)
    assert hours.spans_on(date(2027, 12, 25)) == ()
    assert hours.spans_on(date(2026, 6, 2)) == ()


def test_a_region_adds_its_own_holidays() -> None:
    epiphany, unity_day = date(2026, 1, 6), date(2026, 10, 3)
    assert unity_day in public_holidays("DE")
    assert unity_day in public_holidays("DE", "BY")
    assert epiphany in public_holidays("DE", "BY")
    assert epiphany not in public_holidays("DE", "BE")
    assert epiphany not in public_holidays("DE")


def test_a_yearly_half_day_has_its_hours_every_year_even_on_a_public_holiday(shipped: None) -> None:
    calendar = Calendar.objects.get(slug="business")
    for number, name in ((24, "Christmas Eve"), (25, "Christmas")):
        CalendarDay.objects.create(calendar=calendar, name=name, month=12, day=number, opens=540, closes=720)
    CalendarDay.objects.create(calendar=calendar, name="Leap day", month=2, day=29, opens=540, closes=600)
    calendar.save()
    hours = work_calendar(calendar)
    assert [hours.spans_on(date(year, 12, 24)) for year in (2026, 2031, 2045)] == [((540, 720),)] * 3
    assert hours.spans_on(date(2026, 12, 25)) == ((540, 720),)
    assert hours.spans_on(date(2028, 2, 29)) == ((540, 600),)
    start = datetime(2026, 12, 23, 21, 0, tzinfo=UTC)  # 16:00 in New York, an hour before the day's end
    assert due_after(hours, start, 4 * 3600) == datetime(2026, 12, 24, 17, 0, tzinfo=UTC)


def test_several_spans_of_one_special_day_add_up(shipped: None) -> None:
    calendar = Calendar.objects.get(slug="business")
    for opens, closes in ((480, 600), (660, 720)):
        CalendarDay.objects.create(
            calendar=calendar, name="Stocktaking", month=6, day=2, year=2026, opens=opens, closes=closes
        )
    calendar.save()
    assert work_calendar(calendar).spans_on(date(2026, 6, 2)) == ((480, 600), (660, 720))
    assert work_calendar(calendar).spans_on(date(2027, 6, 2)) == ((540, 1020),)


def test_holidays_of_an_unknown_country_are_refused() -> None:
    with pytest.raises(Invalid, match="XX"):
        public_holidays("XX")


def test_a_holder_twice_is_named_once(cast: Cast) -> None:
    RoleHolding.objects.create(user=cast.legal, role=Role.objects.get(slug="legal"))
    assert list(User.objects.holding(["legal"])) == [cast.legal]
