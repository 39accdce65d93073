"""Promises that no clock watches are found, each in words, and only where the policy promises something."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from escalations import states
from escalations.cases import closing
from escalations.clocks.rules.kinds import CHOICES
from escalations.models import Clock, Escalation, Review, Target
from ledger import heartbeats
from ledger.models import Heartbeat
from ledger.now import now
from messaging.models import Message
from reports.queries import engine, unwatched
from tests.escalations.cases.builders import accepted, asked, opened
from tests.support.cast import Cast


def take_away(case: Escalation, *kinds: str) -> None:
    """Lose the clocks of a case, as a bug or a hand at the database would."""
    Clock.objects.filter(case=case, kind__in=kinds, stopped_at=None).update(state=Clock.STOPPED, stopped_at=now())


def found() -> dict[str, str]:
    """What is listed: case to sentence; the figures must agree with the list."""
    listed = unwatched.listed(50)
    measured = engine.vitals()
    assert measured.unwatched + measured.lost_steps == len(listed)
    return {each.key: each.words for each in listed}


def test_cases_whose_clocks_run_or_are_paused_are_not_listed(cast: Cast) -> None:
    opened(cast)
    asked(cast, title="Second")
    Clock.objects.filter(kind=states.RESOLUTION).update(state=Clock.PAUSED, fire_at=None, due_at=None)
    assert found() == {}


def test_a_hand_off_that_no_acceptance_clock_watches_is_found(cast: Cast) -> None:
    case = opened(cast)
    take_away(case, states.ACCEPTANCE)
    assert found() == {case.key: "The case waits to be accepted, but no acceptance clock runs."}


def test_a_request_that_no_decision_clock_watches_is_found(cast: Cast) -> None:
    case = asked(cast)
    take_away(case, states.DECISION)
    assert found() == {case.key: "A request waits for a decision, but no decision clock runs."}


def test_an_open_review_that_no_clock_watches_is_found(cast: Cast) -> None:
    case = accepted(cast, concession="", amount=None)
    assert case.owner is not None
    closing.skip_to_execute(case_id=case.pk, by=case.owner, reason="Nothing to decide")
    ending = closing.Ending("saved", "Price", "Kept", customer_told=True)
    closing.resolve(case_id=case.pk, by=case.owner, ending=ending)
    assert found() == {}
    take_away(case, states.REVIEW_DUE)
    assert found() == {case.key: "The review is open, but no review clock runs."}
    Review.objects.filter(case=case).update(state=Review.DONE)
    assert found() == {}


def test_an_open_case_without_any_clock_is_found_and_told_so_once(cast: Cast) -> None:
    case = accepted(cast)
    take_away(case, *dict(CHOICES))
    words = found()[case.key]
    assert words == "The case is open, but none of its clocks runs."


def test_a_clock_that_lost_its_step_is_found(cast: Cast) -> None:
    case = accepted(cast)
    Clock.objects.filter(case=case, kind=states.DECISION, state=Clock.RUNNING).update(fire_at=None)
    assert found() == {case.key: "The clock “Director decision” runs, but it has no next step."}


def test_a_clock_that_ran_out_and_told_so_has_no_step_and_is_no_fault(cast: Cast) -> None:
    case = accepted(cast)
    Clock.objects.filter(case=case, kind=states.DECISION).update(fire_at=None, breached_at=now())
    assert found() == {}


@pytest.mark.parametrize("kept", [{"tier": "never"}, {"issue_type": "something-else"}])
def test_what_the_policy_of_the_case_does_not_promise_is_not_missing(cast: Cast, kept: dict[str, Any]) -> None:
    case = opened(cast)
    take_away(case, states.ACCEPTANCE)
    assert case.key in found()
    Target.objects.filter(clock=states.ACCEPTANCE).exclude(
        pk=Target.objects.filter(clock=states.ACCEPTANCE)[:1]
    ).delete()
    Target.objects.filter(clock=states.ACCEPTANCE).update(**kept)
    assert found() == {}


def test_the_number_of_queries_does_not_grow(cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for title in ("One", "Two", "Three"):
        take_away(opened(cast, title=title), states.ACCEPTANCE)
    with django_assert_max_num_queries(3):
        assert len(unwatched.listed(50)) == 3
    with django_assert_max_num_queries(4):
        assert engine.vitals().unwatched == 3
    with django_assert_max_num_queries(2):
        engine.alarm()


def test_the_engine_page_lists_them_with_a_link(client: Client, cast: Cast) -> None:
    case = opened(cast)
    take_away(case, states.ACCEPTANCE)
    client.force_login(cast.ops)
    page = client.get("/engine/").content.decode()
    assert "Targets without a clock" in page
    assert f'<a href="/escalations/{case.key}/">{case.key}</a>' in page
    assert "1 case has a target that no clock watches" in page


def well() -> None:
    for name in ("engine", "sender", "worker"):
        heartbeats.beat(name)


def test_operations_read_on_every_page_that_promises_are_not_watched(client: Client, cast: Cast) -> None:
    client.force_login(cast.ops)
    well()
    assert 'class="alarm' not in client.get("/escalations/").content.decode()
    Heartbeat.objects.filter(name="engine").update(at=now() - timedelta(seconds=61))
    page = client.get("/escalations/").content.decode()
    assert '<div class="banner bad">' in page
    assert "<strong>Clocks are not being watched:</strong> no sign of life from the engine for 61 s." in page
    assert '<a class="text-nowrap fw-semibold" href="/engine/">Open the engine page</a>' in page
    assert 'class="alarm' not in client.get("/engine/").content.decode()


def test_something_set_aside_is_said_more_quietly(client: Client, cast: Cast) -> None:
    client.force_login(cast.ops)
    well()
    message = {"kind": "breach", "address": "a@b.example", "text": "x"}
    Message.objects.create(key="k", message_id="<1>", state=Message.PARKED, **message)
    Message.objects.create(key="s", message_id="<2>", leased_until=now() - timedelta(minutes=2), **message)
    page = client.get("/escalations/").content.decode()
    assert '<div class="banner warn">' in page
    assert "1 message taken by a sender that has stopped; 1 message parked after failing" in page


def test_nobody_else_is_bothered_and_no_query_is_spent_on_them(
    client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise AssertionError("asked for somebody who is not in operations")

    monkeypatch.setattr(engine, "alarm", fail)
    client.force_login(cast.csm)
    assert 'class="alarm' not in client.get("/escalations/").content.decode()


def test_operations_have_clocks_tried_again_that_were_set_aside(client: Client, cast: Cast) -> None:
    clock = opened(cast).clocks.live().first()
    assert clock is not None
    Clock.objects.filter(pk=clock.pk).update(parked=True, tries=3, error="RuntimeError: no such thing")
    client.force_login(cast.director)
    assert client.post("/engine/try-again/").status_code == 403
    client.force_login(cast.ops)
    page = client.get("/engine/").content.decode()
    assert "RuntimeError: no such thing" in page
    assert 'action="/engine/try-again/"' in page
    assert "1 clock is retried now." in client.post("/engine/try-again/", follow=True).content.decode()
    clock.refresh_from_db()
    assert (clock.parked, clock.tries, clock.error) == (False, 0, "")
    assert client.post("/engine/try-again/").status_code == 409
