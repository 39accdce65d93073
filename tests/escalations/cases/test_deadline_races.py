"""A step of the decision clock writes every open request of its case; decisions at the same moment wait and do not deadlock."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from threading import Barrier, Thread

import pytest
from django.db import DatabaseError, connection

from approvals.requests import decide as deciding
from approvals.requests import terms as changing
from escalations import states
from escalations.cases import requests as asking
from escalations.cases import thread
from ledger.errors import Refused
from tests.escalations.cases.builders import asked
from tests.support.cast import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.prove, pytest.mark.both_databases]


def at_once(*calls: Callable[[], object]) -> list[object]:
    """What each call returned or raised, all started together, each on a connection of its own."""
    barrier = Barrier(len(calls))
    answers: list[object] = [None] * len(calls)

    def run(place: int, call: Callable[[], object]) -> None:
        barrier.wait()
        try:
            answers[place] = call()
        except (Refused, DatabaseError) as error:
            answers[place] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=each) for each in enumerate(calls)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return answers


def test_decisions_new_terms_and_a_resumed_clock_at_once(cast: Cast) -> None:
    for _ in range(3):
        case = asked(cast)
        first = case.requests.get()
        wanted = asking.CaseAsk("discount", Decimal(17), "USD", "Approve 17 percent?")
        second = asking.ask(wanted, case_id=case.pk, by=cast.csm)
        thread.wait_on(case_id=case.pk, by=cast.csm, whom=states.CUSTOMER, reason="Their answer")
        answers = at_once(
            partial(
                changing.change_terms,
                request_id=first.pk,
                by=cast.csm,
                version=first.version,
                reason="More",
                wanted=changing.NewTerms(amount=Decimal(30)),
            ),
            partial(thread.wait_on, case_id=case.pk, by=cast.csm, whom=states.NOBODY, reason=""),
            partial(
                deciding.decide,
                request_id=second.pk,
                by=cast.director,
                verdict="declined",
                version=second.version,
                words=deciding.Words("Too much"),
            ),
        )
        assert [each for each in answers if isinstance(each, DatabaseError)] == []
        clock = case.clocks.live().get(kind=states.DECISION)
        first.refresh_from_db()
        assert (first.deadline, first.warn_at) == (clock.due_at, clock.warn_at)
        assert timedelta(0) < first.deadline - first.opened_at
