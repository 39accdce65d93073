"""The admin of people, accounts and calendars."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import Account, Calendar, CalendarSpan, ExchangeRate, ImportRun, Signal, User
from accounts.signals import record as signals
from tests.support.cast import Cast

pytestmark = pytest.mark.django_db
Browse = Callable[[User], Client]


def rows(prefix: str, *rows: dict[str, Any]) -> dict[str, Any]:
    """Management form and rows of an inline."""
    filled: dict[str, Any] = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": 0}
    for number, row in enumerate(rows):
        filled |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return filled


def calendar(*spans: dict[str, Any], days: tuple[dict[str, Any], ...] = (), **values: Any) -> dict[str, Any]:
    """The calendar form."""
    basics = {"name": "Night shift", "slug": "night", "zone": "Europe/Berlin", "country": "", "subdivision": ""}
    return {**basics, **rows("spans", *spans), **rows("days", *days), **values}


NINE_TO_FIVE = {"weekday": 0, "opens": 540, "closes": 1020}
ADD = "/admin/accounts/calendar/add/"


def test_a_calendar_with_working_time_is_saved(cast: Cast, browse: Browse) -> None:
    day = {"name": "Eve", "month": 12, "day": 24, "opens": 540, "closes": 720}
    assert browse(cast.admin).post(ADD, calendar(NINE_TO_FIVE, days=(day,))).status_code == 302
    assert Calendar.objects.get(slug="night").spans.count() == 1


def test_an_always_open_calendar_needs_no_spans(cast: Cast, browse: Browse) -> None:
    assert browse(cast.admin).post(ADD, calendar(always_open="on")).status_code == 302


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (calendar(), "Add at least one span"),
        (calendar(NINE_TO_FIVE, {"weekday": 0, "opens": 1000, "closes": 1100}), "overlap"),
        (calendar({"weekday": 0, "opens": 1020, "closes": 540}), "open before it closes"),
        (calendar({"weekday": 0, "opens": 0, "closes": 1500}), "open before it closes"),
        (calendar({"weekday": 0, "opens": "9:00", "closes": "24:01"}), "open before it closes"),
        (calendar({"weekday": 0, "opens": -60, "closes": "9:00"}), "open before it closes"),
        (calendar({"weekday": 0, "opens": "9:75", "closes": "17:00"}), "such as 9:00 or 17:30"),
        (calendar({"weekday": 0, "opens": "nine", "closes": "17:00"}), "such as 9:00 or 17:30"),
        (calendar(NINE_TO_FIVE, country="DE", subdivision="ZZ"), "No holidays are known for DE ZZ"),
        (calendar(NINE_TO_FIVE, zone="Mars/Base"), "Unknown time zone"),
        (calendar(NINE_TO_FIVE, country="QQ"), "No holidays are known"),
        (calendar(NINE_TO_FIVE, days=({"name": "X", "month": 2, "day": 30},)), "This date does not exist"),
        (calendar(NINE_TO_FIVE, days=({"name": "X", "month": 2, "day": 3, "opens": 5},)), "both ends"),
    ],
)
def test_a_calendar_on_which_no_clock_could_run_is_refused(
    cast: Cast, browse: Browse, form: dict[str, Any], words: str
) -> None:
    answer = browse(cast.admin).post(ADD, form)
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert not Calendar.objects.filter(slug="night").exists()


def test_removing_the_last_span_is_refused(cast: Cast, browse: Browse) -> None:
    browse(cast.admin).post(ADD, calendar(NINE_TO_FIVE))
    made = Calendar.objects.get(slug="night")
    form = calendar({**NINE_TO_FIVE, "id": made.spans.get().pk, "calendar": made.pk, "DELETE": "on"})
    form["spans-INITIAL_FORMS"] = 1
    answer = browse(cast.admin).post(f"/admin/accounts/calendar/{made.pk}/change/", form)
    assert "Add at least one span" in answer.content.decode()
    assert CalendarSpan.objects.filter(calendar=made).count() == 1


def saved(client: Client, *spans: dict[str, Any], **form: Any) -> Calendar:
    """A new calendar, by way of the form."""
    assert client.post(ADD, calendar(*spans, **form)).status_code == 302
    return Calendar.objects.get(slug="night")


def page(made: Calendar) -> str:
    """Where it is changed."""
    return f"/admin/accounts/calendar/{made.pk}/change/"


def test_hours_are_written_and_read_as_times_of_day_up_to_24(cast: Cast, browse: Browse) -> None:
    client = browse(cast.admin)
    eve = {"name": "Eve", "month": 12, "day": 24, "opens": "9:00", "closes": "12:30"}
    made = saved(client, {"weekday": 4, "opens": "17:30", "closes": "24:00"}, days=(eve,))
    assert made.spans.values_list("opens", "closes").get() == (17 * 60 + 30, 1440)
    assert made.days.values_list("opens", "closes").get() == (540, 750)
    text = client.get(page(made)).content.decode()
    assert all(f'value="{time}"' in text for time in ("17:30", "24:00", "9:00", "12:30"))


def test_unticking_24x7_on_a_calendar_without_spans_is_refused(cast: Cast, browse: Browse) -> None:
    client = browse(cast.admin)
    made = saved(client, always_open="on")
    answer = client.post(page(made), calendar())
    assert "Add at least one span, or tick 24×7" in answer.content.decode()
    made.refresh_from_db()
    assert made.always_open


def test_special_days_alone_are_no_working_week(cast: Cast, browse: Browse) -> None:
    day = {"name": "Fair", "month": 5, "day": 2, "opens": "9:00", "closes": "17:00"}
    answer = browse(cast.admin).post(ADD, calendar(days=(day,)))
    assert "Add at least one span" in answer.content.decode()


MONDAY_NOON_IN_BERLIN = datetime(2026, 1, 5, 11, 30, 20, tzinfo=UTC)


@time_machine.travel(MONDAY_NOON_IN_BERLIN, tick=False)
def test_a_calendar_shows_when_a_clock_that_starts_now_would_be_due(cast: Cast, browse: Browse) -> None:
    client = browse(cast.admin)
    week = [{"weekday": day, "opens": "9:00", "closes": "13:00"} for day in range(5)]
    afternoons = [{"weekday": day, "opens": "14:00", "closes": "18:00"} for day in range(4)]
    made = saved(client, *week, *afternoons, country="DE", subdivision="BY")  # 6 January is a holiday there
    text = client.get(page(made)).content.decode()
    assert "1 business hour: due Mon Jan 5, 2026, 2:30 PM CET" in text
    assert "4 business hours: due Mon Jan 5, 2026, 5:30 PM CET" in text
    assert "1 business day: due Wed Jan 7, 2026, 12:30 PM CET" in text
    assert "5 business days: due Tue Jan 13, 2026, 5:30 PM CET" in text
    assert "A business day of this calendar has 8:00 hours." in text
    assert "Starting now" not in client.get(ADD).content.decode()


@time_machine.travel(MONDAY_NOON_IN_BERLIN + timedelta(hours=1), tick=False)
def test_a_calendar_around_the_clock_shows_due_times_too(cast: Cast, browse: Browse) -> None:
    client = browse(cast.admin)
    text = client.get(page(saved(client, always_open="on"))).content.decode()
    assert "1 business day: due Tue Jan 6, 2026, 1:30 PM CET" in text


def test_a_stored_calendar_without_working_time_says_so_on_its_page(cast: Cast, browse: Browse) -> None:
    bare = Calendar.objects.create(slug="bare", name="Bare", zone="UTC")
    text = browse(cast.admin).get(page(bare)).content.decode()
    assert "has no working time: add working hours" in text


def test_no_page_of_a_user_shows_any_part_of_the_password_hash(cast: Cast, browse: Browse) -> None:
    client = browse(cast.admin)
    algorithm, *parts = cast.csm.password.split("$")
    for address in (f"/admin/accounts/user/{cast.csm.pk}/change/", "/admin/accounts/user/"):
        text = client.get(address).content.decode()
        assert algorithm not in text
        assert not any(part in text for part in parts if len(part) > 4)
    assert "../password/" in client.get(f"/admin/accounts/user/{cast.csm.pk}/change/").content.decode()


def test_a_new_user_gets_a_lower_case_address_once(cast: Cast, browse: Browse) -> None:
    password = "a long new phrase"
    form = {
        "email": "New@Desk.Example",
        "name": "N",
        "usable_password": "true",
        "password1": password,
        "password2": password,
    }
    client = browse(cast.admin)
    assert client.post("/admin/accounts/user/add/", {**form, **rows("holdings")}).status_code == 302
    assert User.objects.get(email="new@desk.example").check_password(password)
    assert "exists" in client.post("/admin/accounts/user/add/", {**form, **rows("holdings")}).content.decode()


def clerk(cast: Cast) -> User:
    """Staff with every right on accounts, not a superuser."""
    cast.ops.is_staff = True
    cast.ops.save()
    cast.ops.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
    return cast.ops


def person_form(user: User, **change: Any) -> dict[str, Any]:
    """The user form as it stands."""
    basics = {
        "email": user.email,
        "name": user.name,
        "kind": "person",
        "is_active": "on",
        "manager": user.manager_id or "",
    }
    return {**basics, "zone": user.zone, "density": "compact", **rows("holdings"), **change}


def test_nobody_gives_themselves_admin_rights(cast: Cast, browse: Browse) -> None:
    ops = clerk(cast)
    form = person_form(ops, is_superuser="on", is_staff="on", name="Sana K.")
    assert browse(ops).post(f"/admin/accounts/user/{ops.pk}/change/", form).status_code == 302
    ops.refresh_from_db()
    assert (ops.name, ops.is_superuser) == ("Sana K.", False)


def test_the_last_administrator_keeps_the_right(cast: Cast, browse: Browse) -> None:
    client, address = browse(cast.admin), f"/admin/accounts/user/{cast.admin.pk}/change/"
    refused = client.post(address, person_form(cast.admin, is_staff="on"))
    assert "This is the last active administrator" in refused.content.decode()
    assert User.objects.get(pk=cast.admin.pk).is_superuser


def test_only_a_superuser_changes_a_superuser_or_their_password(cast: Cast, browse: Browse) -> None:
    client = browse(clerk(cast))
    new = {"password1": "taken over now", "password2": "taken over now", "usable_password": "true"}
    assert client.post(f"/admin/accounts/user/{cast.admin.pk}/password/", new).status_code == 403
    client.post(f"/admin/accounts/user/{cast.admin.pk}/change/", person_form(cast.admin, email="mine@desk.example"))
    cast.admin.refresh_from_db()
    assert cast.admin.email == "root@desk.example"


def test_a_circle_of_managers_or_an_unknown_zone_is_refused(cast: Cast, browse: Browse) -> None:
    client = browse(cast.admin)
    address = f"/admin/accounts/user/{cast.lead.pk}/change/"
    text = client.post(address, person_form(cast.lead, manager=cast.csm.pk)).content.decode()
    assert "does not report to this person" in text
    assert "Unknown time zone" in client.post(address, person_form(cast.lead, zone="Mars/Base")).content.decode()


@pytest.mark.parametrize("model", ["signal", "importrun"])
def test_signals_and_imports_are_read_only(cast: Cast, browse: Browse, model: str) -> None:
    signals.record(signals.Observed(kind="note", text="x"), account=cast.northwind)
    client = browse(cast.admin)
    assert client.get(f"/admin/accounts/{model}/").status_code == 200
    assert client.get(f"/admin/accounts/{model}/add/").status_code == 403
    if signal := Signal.objects.first():
        assert client.post(f"/admin/accounts/signal/{signal.pk}/change/", {"text": "y"}).status_code == 403
        assert client.post(f"/admin/accounts/signal/{signal.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Signal.objects.get().text == "x"
    assert not ImportRun.objects.exists()


def test_accounts_people_and_roles_cannot_be_deleted(cast: Cast, browse: Browse) -> None:
    client = browse(cast.admin)
    for model, pk in (
        ("account", cast.northwind.pk),
        ("user", cast.outsider.pk),
        ("calendar", Calendar.objects.first().pk),
    ):
        assert client.post(f"/admin/accounts/{model}/{pk}/delete/", {"post": "yes"}).status_code == 403
    assert Account.objects.filter(pk=cast.northwind.pk).exists()


def test_a_rate_needs_a_code_and_a_value(cast: Cast, browse: Browse) -> None:
    client, address = browse(cast.admin), "/admin/accounts/exchangerate/add/"
    assert client.post(address, {"currency": "krw", "on": "2026-01-01", "usd": "0.0007"}).status_code == 302
    assert ExchangeRate.objects.filter(currency="KRW").exists()
    assert client.post(address, {"currency": "E1", "on": "2026-01-01", "usd": "1"}).status_code == 200
    assert client.post(address, {"currency": "CNY", "on": "2026-01-01", "usd": "0"}).status_code == 200
