"""A clock paused by hand: with a reason, on the record, and only a person lets it go on."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from escalations import states
from escalations.cases import thread as communication
from escalations.clocks import audit as rebuilding
from escalations.clocks import engine as firing
from escalations.clocks import verbs as holding
from escalations.models import Clock, Event
from ledger.errors import AlreadyDone, Invalid, NotAllowed
from ledger.now import now
from tests.escalations.cases.builders import accepted
from tests.support.cast import Cast


def test_a_held_clock_does_not_count_and_the_others_run(cast: Cast) -> None:
    case = accepted(cast)
    clock = Clock.objects.get(case=case, kind=states.DECISION)
    assert clock.due_at is not None
    holding.hold(case_id=case.pk, clock_id=clock.pk, by=cast.csm, reason="Counsel is on leave until Monday")
    with time_machine.travel(now() + timedelta(hours=5), tick=False):
        firing.fire_due()
        holding.let_go(case_id=case.pk, clock_id=clock.pk, by=cast.csm)
    before = clock.due_at
    clock.refresh_from_db()
    assert (clock.state, clock.held) == (Clock.RUNNING, False)
    assert abs(clock.due_at - before - timedelta(hours=5)) < timedelta(seconds=5)
    kinds = list(Event.objects.filter(clock=clock).order_by("seq").values_list("kind", flat=True))
    assert kinds == ["clock.start", "clock.pause", "clock.resume"]
    assert not list(rebuilding.differences())


def test_what_is_held_by_hand_does_not_go_on_when_the_customer_answers(cast: Cast) -> None:
    case = accepted(cast)
    clock = Clock.objects.get(case=case, kind=states.DECISION)
    communication.wait_on(case_id=case.pk, by=cast.csm, whom="customer", reason="They read")
    holding.hold(case_id=case.pk, clock_id=clock.pk, by=cast.csm, reason="Counsel is away")
    communication.wait_on(case_id=case.pk, by=cast.csm, whom="nobody", reason="")
    clock.refresh_from_db()
    assert (clock.state, clock.held, clock.pause_reason) == (Clock.PAUSED, True, "Counsel is away")


def test_let_go_while_the_case_waits_it_stays_paused_for_that_reason(cast: Cast) -> None:
    case = accepted(cast)
    clock = Clock.objects.get(case=case, kind=states.DECISION)
    holding.hold(case_id=case.pk, clock_id=clock.pk, by=cast.csm, reason="Counsel is away")
    communication.wait_on(case_id=case.pk, by=cast.csm, whom="customer", reason="They read")
    holding.let_go(case_id=case.pk, clock_id=clock.pk, by=cast.csm)
    clock.refresh_from_db()
    assert (clock.state, clock.held, clock.pause_reason) == (Clock.PAUSED, False, "Waiting on customer")


def test_without_a_reason_without_the_right_and_past_its_time_nothing_is_paused(cast: Cast) -> None:
    case = accepted(cast)
    clock = Clock.objects.get(case=case, kind=states.DECISION)
    with pytest.raises(Invalid, match="Enter why"):
        holding.hold(case_id=case.pk, clock_id=clock.pk, by=cast.csm, reason=" ")
    with pytest.raises(NotAllowed):
        holding.hold(case_id=case.pk, clock_id=clock.pk, by=cast.legal, reason="No")
    with pytest.raises(AlreadyDone, match="not paused by hand"):
        holding.let_go(case_id=case.pk, clock_id=clock.pk, by=cast.csm)
    assert clock.due_at is not None
    with (
        time_machine.travel(clock.due_at + timedelta(minutes=1), tick=False),
        pytest.raises(AlreadyDone, match="past SLA"),
    ):
        holding.hold(case_id=case.pk, clock_id=clock.pk, by=cast.csm, reason="Too late")


def test_the_page_asks_for_a_reason_and_offers_to_let_go(cast: Cast, client: Client) -> None:
    case = accepted(cast)
    clock = Clock.objects.get(case=case, kind=states.DECISION)
    client.force_login(cast.csm)
    address = f"/escalations/{case.key}/clocks/{clock.pk}/pause/"
    assert "Pause director decision" in client.get(address).content.decode()
    assert client.post(address, {"reason": ""}).status_code == 422
    client.post(address, {"reason": "Counsel is away"})
    page = client.get(f"/escalations/{case.key}/").content.decode()
    assert "Paused by hand: Counsel is away" in page
    assert "Resume" in page
    client.post(f"/escalations/{case.key}/clocks/{clock.pk}/resume/")
    clock.refresh_from_db()
    assert clock.state == Clock.RUNNING
    client.force_login(cast.outsider)
    assert client.get(address).status_code == 404
