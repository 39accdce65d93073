"""Asking and deciding on a case read and write a bounded number of times: the request, the case, its clocks and the mails."""

from decimal import Decimal
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from approvals.models import ApprovalRequest
from approvals.requests.decide import decide
from escalations.cases import requests as asking
from tests.escalations.cases.builders import asked, briefed
from tests.support.cast import Cast

pytestmark = pytest.mark.django_db

# Two of them are the savepoint that stands for the transaction in a test.
ASKING, DECIDING = 40, 35


def test_asking_on_a_case_stays_within_its_budget(
    cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    case = briefed(cast)
    wanted = asking.CaseAsk("discount", Decimal(18), "USD", "Approve a discount of 18 percent?")
    with django_assert_max_num_queries(ASKING):
        made = asking.ask(wanted, case_id=case.pk, by=cast.csm)
    assert made.is_open


def test_deciding_on_a_case_stays_within_its_budget(
    cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    asked(cast)
    made = ApprovalRequest.objects.get()
    (seat,) = [each for each in made.all_seats() if each.waits]
    values: dict[str, Any] = {"verdict": "approved", "version": made.version, "seat": seat.number}
    with django_assert_max_num_queries(DECIDING):
        made = decide(request_id=made.pk, by=seat.person, **values)
    assert made.decided_by == seat.person
