"""Many at once: one decision is taken, limits hold together. On SQLite's file and on PostgreSQL."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection

from approvals.models import ApprovalRequest
from approvals.requests import decide as deciding
from approvals.requests import seats as seating
from ledger import chain
from ledger.errors import AlreadyDone, NotAllowed, Refused
from messaging.models import Message
from tests.approvals.conftest import make_request
from tests.support.cast import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.prove, pytest.mark.both_databases]


@pytest.fixture
def desk(deciders: Cast) -> Cast:
    """The deciders, committed, so that every thread sees it."""
    return deciders


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What each call returned or raised, all started together, each on a connection of its own."""
    barrier, answers = Barrier(len(calls)), [None] * len(calls)

    def run(place: int, call: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            answers[place] = call()
        except Refused as refusal:
            answers[place] = refusal
        finally:
            connection.close()

    threads = [Thread(target=run, args=each) for each in enumerate(calls)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return answers


def test_of_many_decisions_at_once_exactly_one_is_taken(desk: Cast) -> None:
    for _ in range(3):
        made = make_request(desk, amount=Decimal(11), account=desk.northwind, concession="liability-cap")
        people = [(desk.director, "approved"), (desk.sponsor, "declined"), (desk.committee, "conditions")] * 2
        words = {"request_id": made.pk, "version": 1, "words": deciding.Words("Mine", "One")}
        calls = [partial(deciding.decide, by=person, verdict=verdict, **words) for person, verdict in people]
        answers = at_once(*calls)
        taken = [answer for answer in answers if isinstance(answer, ApprovalRequest)]
        assert len(taken) == 1
        assert sum(isinstance(answer, AlreadyDone) for answer in answers) == 5
        made.refresh_from_db()
        assert made.version == 2
        assert [entry.kind for entry in made.log.all()] == ["asked", taken[0].state]
        assert list(chain.breaks_in(made, made.log.all())) == []


def test_two_halves_decided_at_once_cannot_pass_the_limit_together(desk: Cast) -> None:
    halves = [make_request(desk, concession="refund", amount=Decimal(6000)) for _ in range(2)]
    answers = at_once(
        *[
            (lambda half=half: deciding.decide(request_id=half.pk, by=desk.director, verdict="approved", version=1))
            for half in halves
        ]
    )
    assert sorted(type(answer) for answer in answers if isinstance(answer, NotAllowed)) == [NotAllowed]
    assert ApprovalRequest.objects.filter(state="approved").count() == 1


def test_a_band_is_not_used_up_twice_by_requests_at_once(desk: Cast) -> None:
    answers = at_once(
        *[lambda: make_request(desk, concession="credit", amount=Decimal(400), tier="green") for _ in range(3)]
    )
    assert sorted(answer.by_rule for answer in answers) == [False, False, True]


def test_a_decision_and_passing_up_at_once_leave_one_story(desk: Cast) -> None:
    made = make_request(desk)
    at_once(
        lambda: deciding.decide(request_id=made.pk, by=desk.director, verdict="approved", version=1, seat=1),
        lambda: seating.pass_up(request_id=made.pk, reason="Late"),
    )
    made.refresh_from_db()
    assert (made.state, made.authority_seat.number) in {("approved", 1), ("open", 2)}
    assert made.log.count() == 2
    assert list(chain.breaks_in(made, made.log.all())) == []
    decided = Message.objects.filter(kind="approval_decided").exists()
    assert decided == (made.state == "approved")
