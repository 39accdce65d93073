"""The clocks of a case as people and integrations see them: each its own row, worst on top, with why; another deadline."""

import json
import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from escalations import states
from escalations.cases import thread as communication
from escalations.cases import tracker
from escalations.clocks import engine as firing
from escalations.clocks.rules import factors
from escalations.models import Clock, Escalation
from ledger.now import now
from tests.escalations.pages.stories import days, urls

ISSUE = {"issue_type": "billing-dispute"}


def rail(client, case):
    """The clocks card of the case's page."""
    page = client.get(urls("case", case)).content.decode()
    return " ".join(page.split("SLA clocks")[1].split("</section>")[0].split())


def labels(client, case):
    """The live clocks in the order they are shown."""
    return re.findall(
        r'<div class="clock"> <div class="row1"> <span class="fw-semibold">([^<]+)</span>', rail(client, case)
    )


def promise(case, cast, text, day=3):
    """A commitment of the account executive."""
    due_on = (now() + timedelta(days=day)).date()
    return tracker.promise(case_id=case.pk, by=cast.csm, text=text, owner=cast.ae, due_on=due_on)


def test_every_clock_is_a_row_of_its_own_and_each_commitment_by_its_topic(cast, accepted, as_user):
    promise(accepted, cast, "A named engineer")
    promise(accepted, cast, "A report every Friday", 9)
    shown = labels(as_user(cast.csm), accepted)
    assert len(shown) == len(set(shown)) == accepted.clocks.live().count()
    assert {"Commitment: A named engineer", "Commitment: A report every Friday", "Next check-in"} <= set(shown)


def test_the_worst_clock_is_on_top_and_paused_ones_last(cast, accepted, as_user):
    decision = accepted.clocks.get(kind=states.DECISION)
    Clock.objects.filter(case=accepted, kind=states.CHECK_IN).update(warn_at=now() - timedelta(minutes=1))
    Clock.objects.filter(case=accepted, kind=states.RESOLUTION).update(due_at=now() - timedelta(minutes=1))
    Clock.objects.filter(pk=decision.pk).update(state=Clock.PAUSED, due_at=None, pause_reason="Their counsel reads")
    shown = labels(as_user(cast.csm), accepted)
    assert shown[:2] == ["Resolution", "Next check-in"]
    assert shown[-1] == decision.label
    assert "Their counsel reads" in rail(as_user(cast.csm), accepted)


def test_a_row_says_how_much_is_used_and_who_keeps_it(cast, case, as_user):
    asked = case.handoffs.get(state="waiting", duty="owner").to_user
    promise(case, cast, "A named engineer")
    rows = rail(as_user(cast.csm), case).split('<div class="clock">')
    of = {label: next(row for row in rows if f">{label}<" in row) for label in ("Acceptance", "First response")}
    assert f"· {asked.name}" in of["Acceptance"]
    assert "0% used," in of["Acceptance"]
    assert f"· {case.people.get(duty='communication').user.name}" in of["First response"]
    assert f"· {cast.ae.name}" in next(row for row in rows if "A named engineer" in row)


def test_the_first_three_clocks_and_every_near_one_stand_open_and_the_others_are_folded(cast, accepted, as_user):
    for number in range(4):
        promise(accepted, cast, f"Promise {number}", 3 + number)
    open_ones, folded = rail(as_user(cast.csm), accepted).split('<details class="clock fold">')
    assert open_ones.count('<div class="clock">') == 3
    later = folded.split('<div class="clock">')[0]
    assert f"{accepted.clocks.live().count() - 3} more clocks, due later" in later
    Clock.objects.live().filter(case=accepted).update(warn_at=now() - timedelta(minutes=1))
    assert "more clocks, due later" not in rail(as_user(cast.csm), accepted)


def test_why_is_it_due_then_names_target_policy_calendar_every_factor_and_the_warnings(cast, accepted, as_user):
    rows = rail(as_user(cast.csm), accepted).split('<div class="clock">')
    why = next(row for row in rows if ">First act<" in row).split("Why is it due then?")[1]
    for words in (
        "Target: 2 business hours",
        "Policy version 1, row for yellow tier",
        "Calendar: Business hours, New York",
    ):
        assert words in why
    assert all(part.name in why for part in factors.PARTS)
    assert "Renewal in 34 days (30 days to under 60 days): 90% of the time" in why
    assert "Warns at 75% of the time; a breach notifies people" in why


def test_reminders_that_were_told_are_counted_on_the_row(cast, accepted, as_user):
    clock = accepted.clocks.get(kind=states.CUSTOMER_UPDATE)
    with time_machine.travel(clock.due_at + timedelta(hours=9), tick=False):
        while firing.fire_due():
            pass
        row = next(
            each for each in rail(as_user(cast.csm), accepted).split('<div class="clock">') if clock.label in each
        )
    assert "reminded 2 times" in row


def test_the_page_asks_as_many_queries_with_three_commitments_as_with_one(cast, accepted, as_user):
    client = as_user(cast.csm)
    client.get(urls("case", accepted))
    promise(accepted, cast, "One")
    with CaptureQueriesContext(connection) as few:
        client.get(urls("case", accepted))
    promise(accepted, cast, "Two")
    promise(accepted, cast, "Three")
    with CaptureQueriesContext(connection) as many:
        client.get(urls("case", accepted))
    assert len(many) == len(few) <= 15


def test_the_api_shows_each_clock_with_why_thresholds_and_repeats(cast, accepted, as_user):
    made = promise(accepted, cast, "A named engineer")
    client = as_user(cast.csm)
    found = client.get(f"/api/v1/escalations/{accepted.key}/").json()["clocks"]
    clock = next(each for each in found if each["kind"] == "decision")
    assert (clock["warn_percent"], clock["also_warn_at"], clock["on_breach"]) == (75, [], "escalate")
    assert (clock["repeat_minutes"], clock["repeat_times"], clock["repeats"]) == (240, 3, 0)
    assert clock["why"][0] == "Target: 48 hours"
    assert clock["calendar"] is None
    [promised] = [each for each in found if each["kind"] == "commitment"]
    assert (promised["about"], promised["topic"]) == (made.pk, "A named engineer")
    assert promised["label"] == "Commitment: A named engineer"


def test_the_deadline_is_changed_on_a_page_with_a_reason(cast, open_case, as_user):
    case = open_case(**ISSUE)
    client = as_user(cast.csm)
    status = as_user(case.people.get(duty="communication").user)
    assert urls("deadline", case) in status.get(urls("case", case)).content.decode()
    page = client.get(urls("deadline", case)).content.decode()
    assert "Change customer deadline" in page
    version = Escalation.objects.get(pk=case.pk).version
    answer = status.post(
        urls("deadline", case), {"deadline": "2099-01-21T16:30", "reason": "Their board", "version": version}
    )
    assert answer.status_code == 302
    case.refresh_from_db()
    assert f"{case.deadline:%Y-%m-%d %H:%M}" == "2099-01-21 21:30"  # typed in New York, kept in UTC
    assert "Their board" in client.get(urls("case", case)).content.decode()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"deadline": "soon"}, "Enter the deadline as a date and time."),
        ({"deadline": "2001-01-01T10:00"}, "must be in the future"),
        ({"reason": ""}, "Enter who changed the deadline and why."),
        ({"version": "0"}, "Another user changed the case while you typed."),
    ],
)
def test_a_wrong_deadline_is_422_and_keeps_what_was_typed(cast, case, as_user, typed, words):
    version = Escalation.objects.get(pk=case.pk).version
    given = {"deadline": "2099-01-21T16:30", "reason": "Their board", "version": version, **typed}
    answer = as_user(cast.csm).post(urls("deadline", case), given)
    assert answer.status_code in (409, 422)
    assert words in answer.content.decode()
    before, case.deadline = case.deadline, None
    case.refresh_from_db()
    assert case.deadline == before


def test_who_may_not_change_the_deadline_is_refused_and_outsiders_find_nothing(cast, accepted, as_user):
    given = {"deadline": "2099-01-21T16:30", "reason": "x", "version": Escalation.objects.get(pk=accepted.pk).version}
    assert as_user(cast.ae).post(urls("deadline", accepted), given).status_code == 403
    assert as_user(cast.outsider).post(urls("deadline", accepted), given).status_code == 404
    assert as_user(cast.outsider).get(urls("deadline", accepted)).status_code == 404


def test_the_api_changes_the_deadline(cast, accepted, as_user):
    client, path = as_user(cast.csm), f"/api/v1/escalations/{accepted.key}/deadline/"
    when = days(8).replace(microsecond=0)
    body = {"deadline": when.isoformat(), "reason": "Their board"}
    assert client.put(path, json.dumps(body), content_type="application/json").status_code == 200
    accepted.refresh_from_db()
    assert accepted.deadline == when
    wrong = client.put(path, json.dumps({"deadline": None}), content_type="application/json")
    assert wrong.status_code in (400, 422)
    assert "reason" in wrong.content.decode()


def test_a_post_on_the_page_moves_the_next_internal_update(cast, accepted, as_user):
    before = accepted.clocks.live().get(kind=states.INTERNAL_UPDATE)
    communication.post(case_id=accepted.pk, by=cast.csm, text="Counsel has it")
    assert "Next internal update" in labels(as_user(cast.csm), accepted)
    assert accepted.clocks.live().get(kind=states.INTERNAL_UPDATE).generation == before.generation + 1
