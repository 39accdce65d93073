"""Reports of other systems that are not about a mail, and what a first-time buyer met. See tests/findings/register.py."""

import html
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client

from accounts.calendars.rules.workcalendar import WorkCalendar
from accounts.calendars.rules.worktime import work_between
from accounts.models import Account
from escalations import states
from escalations.cases import closing, thread
from escalations.clocks import engine as firing
from escalations.clocks.rules import timing
from escalations.models import Escalation
from ledger.now import now
from messaging.models import Message, Notice
from messaging.outbox import messages as outbox
from tests.escalations.cases.builders import accepted, asked, opened
from tests.support.cast import Cast

HOUR = 3600
OFFICE = WorkCalendar(
    "UTC", dict.fromkeys(range(5), ((9 * 60, 17 * 60),)), yearly_holidays=frozenset({(12, 25), (12, 26)})
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_row_36_a_warning_falls_into_open_hours() -> None:
    plan = timing.plan(OFFICE, resumed_at=utc("2026-11-30 16:00"), used=0, target=4 * HOUR, warn_percent=75)
    assert (plan.warn_at, plan.due_at) == (utc("2026-12-01 11:00"), utc("2026-12-01 12:00"))


def test_row_37_a_pause_over_a_weekend_counts_no_closed_hours() -> None:
    used = work_between(OFFICE, utc("2026-11-27 10:00"), utc("2026-11-27 16:00"))
    plan = timing.plan(OFFICE, resumed_at=utc("2026-11-30 10:00"), used=used, target=8 * HOUR, warn_percent=75)
    assert (used, plan.due_at) == (6 * HOUR, utc("2026-11-30 12:00"))


def test_row_38_holidays_do_not_count() -> None:
    plan = timing.plan(OFFICE, resumed_at=utc("2026-12-24 10:00"), used=0, target=8 * HOUR, warn_percent=75)
    assert plan.due_at == utc("2026-12-28 10:00")


@pytest.mark.django_db
@pytest.mark.both_databases
@pytest.mark.parametrize("between", ["\n", "\r\n", "\r", "\t", "\u2028"])
def test_row_39_a_line_break_in_a_name_does_not_stop_the_mail(cast: Cast, tmp_path: Path, between: str) -> None:
    file = tmp_path / "a.csv"
    content = f'Account ID,Name,ARR,Currency,CSM\nB-1,"Break{between}Line GmbH",1000,USD,priya@desk.example\n'
    file.write_bytes(content.encode())
    call_command("import_accounts", str(file), "--kind", "accounts", "--source", "crm")
    case = opened(cast, account=Account.objects.get(external_id="B-1"))
    while outbox.send_due():
        pass
    mail = Message.objects.get(kind="handoff", case_key=case.key)
    assert mail.state == Message.SENT
    assert mail.subject == f"{case.key} is handed to you: Break Line GmbH. Accept or refuse"


@pytest.mark.django_db
@pytest.mark.both_databases
def test_row_40_every_notice_opens_for_its_reader(cast: Cast, client: Client) -> None:
    case = asked(cast)
    thread.post(case_id=case.pk, by=cast.csm, text="They called again.")
    notices = list(Notice.objects.select_related("user"))
    assert len(notices) > 3
    for notice in notices:
        client.force_login(notice.user)
        assert client.get(notice.url, follow=True).status_code == 200, (notice.user, notice.url)


@pytest.mark.django_db
@pytest.mark.both_databases
@pytest.mark.parametrize("amount", ["12,500", "12.500,00", "12 500", "$12,500", "12'500", "1.2.3", "twelve"])
def test_row_42_an_amount_with_marks_is_refused_with_an_example(cast: Cast, client: Client, amount: str) -> None:
    client.force_login(cast.csm)
    typed = {
        "account": cast.northwind.pk,
        "issue_type": "discount-beyond-limit",
        "issue": "They ask for money back.",
        "impact": "The renewal lapses.",
        "deadline": "2099-01-23T17:00",
        "currency": "USD",
        "concession": "credit",
        "amount": amount,
    }
    answer = client.post("/escalations/new/", typed)
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert f'value="{amount}"' in page
    assert re.search(r"such as [0-9.]+|12500", page)
    assert not Escalation.objects.exists()


# A first-time buyer -------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.both_databases
@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kathmandu", "Europe/Berlin"])
def test_a1_the_history_shows_the_time_that_a_person_gave(cast: Cast, client: Client, zone: str) -> None:
    cast.csm.zone = zone
    cast.csm.save()
    case = accepted(cast)
    client.force_login(cast.csm)
    typed = {"mode": "internal", "text": "We call them.", "next_update_at": "2099-11-29T16:08"}
    assert client.post(f"/escalations/{case.key}/post/", typed).status_code == 302
    case.refresh_from_db()
    due = case.clocks.live().get(kind=states.INTERNAL_UPDATE).due_at
    local = due.astimezone(ZoneInfo(zone))
    assert f"{local:%Y-%m-%d %H:%M}" == "2099-11-29 16:08"
    entry = case.events.filter(kind__startswith="clock", summary__contains="2099-11-29").latest("seq")
    assert f"due {due:%Y-%m-%d %H:%M} UTC" in entry.summary
    page = " ".join(html.unescape(client.get(f"/escalations/{case.key}/history/").content.decode()).split())
    assert "4:08\u202fPM" in page or "4:08 PM" in page


@pytest.mark.django_db
@pytest.mark.both_databases
def test_b1_no_case_is_green_with_a_late_update_wherever_it_stands(cast: Cast, client: Client) -> None:
    case = accepted(cast)
    post = {"mode": "internal", "text": "We call them.", "next_update_at": ""}
    soon = now() + timedelta(minutes=2)
    cast.csm.zone = "UTC"
    cast.csm.save()
    client.force_login(cast.csm)
    client.post(f"/escalations/{case.key}/post/", {**post, "next_update_at": f"{soon:%Y-%m-%dT%H:%M}"})
    with time_machine.travel(soon + timedelta(minutes=1), tick=False):
        firing.fire_due()
        late = [clock.kind for clock in case.clocks.live() if clock.due_at and clock.due_at <= now()]
        assert late == [states.INTERNAL_UPDATE]
        assert client.get(f"/escalations/{case.key}/").context["sla"] == "yel"
        [row] = [each for each in client.get("/escalations/").context["rows"] if each.key == case.key]
        assert row.status == "yel"
        assert len(client.get("/escalations/", {"status": "yel"}).context["rows"]) == 1


@pytest.mark.django_db
@pytest.mark.both_databases
def test_b4_the_rhythm_names_each_update_with_its_own_time(cast: Cast, client: Client) -> None:
    case = accepted(cast)
    client.force_login(cast.csm)
    rows = client.get(f"/escalations/{case.key}/tracker/").context["next_updates"]
    named = {row.clock.label: row.clock.due_at for row in rows}
    live = {clock.label: clock.due_at for clock in case.clocks.live()}
    assert named == {label: live[label] for label in named}
    assert {clock.kind for clock in (row.clock for row in rows)} >= {states.CUSTOMER_UPDATE}


@pytest.mark.django_db
@pytest.mark.both_databases
def test_b9_no_update_is_promised_before_somebody_must_accept(cast: Cast) -> None:
    with time_machine.travel(utc("2026-11-28 18:43"), tick=False):  # a Saturday
        case = opened(cast)
        due = {clock.kind: clock.due_at for clock in case.clocks.live()}
    assert due[states.ACCEPTANCE] is not None
    if update := due.get(states.INTERNAL_UPDATE):
        assert update >= due[states.ACCEPTANCE]


@pytest.mark.django_db
@pytest.mark.both_databases
def test_b10_once_the_customer_was_told_nobody_is_asked_to_confirm_it(cast: Cast, client: Client) -> None:
    case = accepted(cast, concession="", amount=None, issue_type="billing-dispute")
    closing.skip_to_execute(case_id=case.pk, by=case.owner, reason="No concession is asked.")
    client.force_login(case.owner)
    before = client.get(f"/escalations/{case.key}/").content.decode()
    assert "confirm that the customer knows" in before
    lead = case.people.get(duty="communication").user
    thread.customer_update(case_id=case.pk, by=lead, text="It is corrected.", contacts=[cast.contact])
    after = client.get(f"/escalations/{case.key}/").content.decode()
    assert "confirm that the customer knows" not in after
    assert "the customer got an update since the decision" in after
    form = client.get(f"/escalations/{case.key}/resolve/").context["form"]
    assert form["customer_told"].value() is True
