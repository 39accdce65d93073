"""Actions and commitments through the browser."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from escalations.cases import tracker
from escalations.cases.queries import tracker_page
from escalations.clocks.targets import business_day, end_of_business
from escalations.models import Action, Escalation
from ledger.errors import Invalid
from ledger.now import now
from tests.escalations.cases.builders import accepted
from tests.support.cast import Cast

pytestmark = pytest.mark.both_databases

Browse = Callable[..., Any]


def soon(days: int = 2) -> str:
    """A due time as a browser sends it."""
    return f"{now() + timedelta(days=days):%Y-%m-%dT%H:%M}"


def in_a_week() -> date:
    """A day by which something is promised."""
    return (now() + timedelta(days=7)).date()


@pytest.fixture
def case(cast: Cast) -> Escalation:
    """A case that is worked on."""
    return accepted(cast)


def action(cast: Cast, case: Escalation, **extra: Any) -> Action:
    """An action for the AE."""
    values = {"title": "Call counsel", "owner": cast.ae, "due_at": now() + timedelta(days=1), **extra}
    return tracker.add_action(case_id=case.pk, by=cast.csm, **values)


def test_an_action_is_added_once_and_shown(cast: Cast, case: Escalation, browse: Browse) -> None:
    data = {"title": "Call counsel", "owner": cast.ae.pk, "due_at": soon(), "once": "k"}
    for _ in range(2):
        assert browse(cast.csm, f"/escalations/{case.key}/tracker/actions/", data).status_code == 302
    assert case.actions.get().owner == cast.ae
    page = browse(cast.csm, f"/escalations/{case.key}/tracker/").content.decode()
    assert "Call counsel" in page
    assert "Later, 1" in page


def test_a_second_action_from_the_page_brought_back_is_another_one(
    cast: Cast, case: Escalation, browse: Browse
) -> None:
    for title in ("Call counsel", "Call finance"):
        data = {"title": title, "owner": cast.ae.pk, "due_at": soon(), "once": "k"}
        browse(cast.csm, f"/escalations/{case.key}/tracker/actions/", data)
    assert case.actions.count() == 2


def test_the_due_time_is_read_in_the_zone_of_the_viewer(cast: Cast, case: Escalation, browse: Browse) -> None:
    due = (now() + timedelta(days=3)).replace(hour=15, minute=0)
    data = {"title": "Call", "owner": cast.ae.pk, "due_at": f"{due:%Y-%m-%dT%H:%M}"}
    cast.csm.zone = "Asia/Tokyo"
    cast.csm.save()
    browse(cast.csm, f"/escalations/{case.key}/tracker/actions/", data)
    assert case.actions.get().due_at == datetime(due.year, due.month, due.day, 6, 0, tzinfo=UTC)


def test_what_is_missing_is_said_at_the_field(cast: Cast, case: Escalation, browse: Browse) -> None:
    answer = browse(cast.csm, f"/escalations/{case.key}/tracker/actions/", {"title": "", "owner": "", "due_at": ""})
    page = answer.content.decode()
    assert answer.status_code == 422
    for words in ("Enter what is to be done.", "Choose who does it.", "Enter when it is due, date and time."):
        assert words in page
    late = browse(
        cast.csm, f"/escalations/{case.key}/tracker/actions/", {"title": "a", "owner": cast.ae.pk, "due_at": soon(-2)}
    )
    assert late.status_code == 422
    assert "The due time must be in the future." in late.content.decode()


def test_an_execution_action_is_done_only_with_its_proof(cast: Cast, case: Escalation, browse: Browse) -> None:
    made = action(cast, case, execution=True)
    url = f"/escalations/{case.key}/tracker/actions/{made.pk}/done/"
    bare = browse(cast.ae, url, {})
    assert bare.status_code == 422
    assert "Enter the proof" in bare.content.decode()
    assert browse(cast.ae, url, {"proof": "CN-2231"}).status_code == 302
    made.refresh_from_db()
    assert (made.state, made.proof, made.done_by) == (Action.DONE, "CN-2231", cast.ae)
    again = browse(cast.ae, url, {"proof": "CN-2231", "once": "a page opened anew"})
    assert again.status_code == 409


def test_an_action_of_another_case_is_not_found(cast: Cast, case: Escalation, browse: Browse) -> None:
    other = accepted(cast, issue="Something else is wrong with the invoices.")
    made = action(cast, other)
    assert browse(cast.csm, f"/escalations/{case.key}/tracker/actions/{made.pk}/done/", {}).status_code == 404


def test_a_stranger_adds_nothing(cast: Cast, case: Escalation, browse: Browse) -> None:
    data = {"title": "x", "owner": cast.ae.pk, "due_at": soon()}
    assert browse(cast.outsider, f"/escalations/{case.key}/tracker/actions/", data).status_code == 404
    assert browse(cast.outsider, f"/escalations/{case.key}/tracker/").status_code == 404


def test_a_commitment_is_added_and_kept_once(cast: Cast, case: Escalation, browse: Browse) -> None:
    due = f"{now() + timedelta(days=30):%Y-%m-%d}"
    data = {"text": "Uptime of 99.9%", "who": "us", "owner": cast.ae.pk, "due_on": due}
    assert browse(cast.csm, f"/escalations/{case.key}/tracker/commitments/", data).status_code == 302
    made = case.commitments.get()
    url = f"/escalations/{case.key}/tracker/commitments/{made.pk}/"
    assert browse(cast.ae, url, {"kept": "yes"}).status_code == 302
    made.refresh_from_db()
    assert made.state == "kept"
    assert browse(cast.ae, url, {"kept": "no"}).status_code == 409


def test_a_broken_commitment_is_marked_broken(cast: Cast, case: Escalation, browse: Browse) -> None:
    made = tracker.promise(case_id=case.pk, by=cast.csm, text="Report", owner=cast.csm, due_on=in_a_week())
    browse(cast.csm, f"/escalations/{case.key}/tracker/commitments/{made.pk}/", {"kept": "no"})
    made.refresh_from_db()
    assert made.state == "broken"


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("9999-12-31", "Enter a day within ten years."),
        ("2099-01-01", "Enter a day within ten years."),
        ("1990-01-01", "The end of business on that day has passed."),
        ("0001-01-01", "The end of business on that day has passed."),
    ],
)
def test_a_commitment_is_due_from_today_to_ten_years_from_now(
    cast: Cast, case: Escalation, browse: Browse, day: str, words: str
) -> None:
    data = {"text": "Uptime of 99.9%", "who": "us", "owner": cast.ae.pk, "due_on": day}
    answer = browse(cast.csm, f"/escalations/{case.key}/tracker/commitments/", data)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert "Uptime of 99.9%" in page
    assert not case.commitments.exists()


def test_a_commitment_may_be_due_today_until_business_ends(cast: Cast, case: Escalation) -> None:
    today = business_day(now() + timedelta(days=1))
    with time_machine.travel(end_of_business(today) - timedelta(minutes=1), tick=False):
        made = tracker.promise(case_id=case.pk, by=cast.csm, text="Report", owner=cast.csm, due_on=today)
    assert made.due_on == today
    with time_machine.travel(end_of_business(today), tick=False), pytest.raises(Invalid, match="has passed"):
        tracker.promise(case_id=case.pk, by=cast.csm, text="Report", owner=cast.csm, due_on=today)


def test_an_action_is_due_within_ten_years(cast: Cast, case: Escalation, browse: Browse) -> None:
    data = {"title": "Call counsel", "owner": cast.ae.pk, "due_at": "2999-12-31T10:00"}
    answer = browse(cast.csm, f"/escalations/{case.key}/tracker/actions/", data)
    assert answer.status_code == 422
    assert "Enter a due time within ten years." in answer.content.decode()
    assert not case.actions.exists()


def test_actions_fall_into_groups_by_due_time(cast: Cast, case: Escalation) -> None:
    at = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
    rows = [
        Action(title="late", due_at=at - timedelta(minutes=1)),
        Action(title="today", due_at=at + timedelta(hours=2)),
        Action(title="later", due_at=at + timedelta(days=1)),
        Action(title="done", due_at=at - timedelta(days=1), state=Action.DONE),
        Action(title="dropped", due_at=at - timedelta(days=1), state=Action.CANCELLED),
    ]
    assert [(group.name, group.rows[0].title) for group in tracker_page.groups(rows, at)] == [
        ("Late", "late"),
        ("Due today", "today"),
        ("Later", "later"),
        ("Done", "done"),
        ("Cancelled", "dropped"),
    ]


def test_the_tab_asks_the_database_no_more_for_more_rows(cast: Cast, case: Escalation, browse: Browse) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            browse(cast.csm, f"/escalations/{case.key}/tracker/")
        return len(asked)

    def more(number: int) -> None:
        action(cast, case, title=f"Action {number}")
        tracker.promise(case_id=case.pk, by=cast.csm, text=f"Promise {number}", owner=cast.ae, due_on=in_a_week())

    more(0)
    before = queries()
    more(1)
    more(2)
    assert queries() == before


def test_an_owner_is_found_by_a_text_and_what_was_typed_stays(cast: Cast, case: Escalation, browse: Browse) -> None:
    address, data = (
        f"/escalations/{case.key}/tracker/actions/",
        {"title": "Call counsel", "due_at": soon(), "once": "k"},
    )
    found = browse(cast.csm, address, {**data, "owner-text": "marcus", "find": "owner"})
    page = found.content.decode()
    assert found.status_code == 200
    assert 'value="Call counsel"' in page
    assert re.search(rf'type="radio"\s+name="owner"\s+id="action_owner-{cast.ae.pk}"', page)
    assert not case.actions.exists()
    assert browse(cast.csm, address, {**data, "owner": cast.ae.pk}).status_code == 302
    assert case.actions.get().owner == cast.ae
    unclear = browse(cast.csm, address, {**data, "owner-text": "zoe", "once": "l"})
    assert unclear.status_code == 422
    assert "You have no person with that name." in unclear.content.decode()
    assert 'value="zoe"' in unclear.content.decode()
