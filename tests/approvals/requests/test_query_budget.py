"""Asking and deciding read and write a bounded number of times, however many rules there are."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from pytest_django import DjangoAssertNumQueries

from approvals.requests.decide import decide
from tests.support.cast import Cast

# Savepoints of the test's own transaction count, too. One of asking looks for the case whose people change.
ASKING, DECIDING = 29, 25


def test_asking_stays_within_its_budget(
    deciders: Cast, ask: Callable[..., Any], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(ASKING):
        made = ask(amount=Decimal(18))
    assert made.is_open


def test_deciding_stays_within_its_budget(
    deciders: Cast, ask: Callable[..., Any], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    made = ask(amount=Decimal(18))
    with django_assert_max_num_queries(DECIDING):
        made = decide(request_id=made.pk, by=deciders.director, verdict="approved", version=made.version)
    assert made.decided_by == deciders.director
