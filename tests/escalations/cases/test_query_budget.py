"""Opening a case and working on it need a bounded number of statements, however many people, signals and cases there are."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role, RoleHolding, Signal, User
from approvals.models import ApprovalRequest
from approvals.requests.decide import decide
from escalations.cases import handoffs, intake, thread
from escalations.cases import requests as asking
from escalations.models import Escalation
from escalations.policy.rows import published_rows
from ledger.now import now
from tests.escalations.cases.builders import accepted, asked, briefed, opened, waiting_handoff
from tests.support.cast import LONG_AGO, Cast

pytestmark = pytest.mark.django_db

# Two of each are the savepoint that stands for the transaction in a test.
# By page: two of them make the form count once.
# Six of opening are the health of the account, computed afterwards: two reads, the account, its history, and a savepoint.
BY_PAGE, BY_API = 51, 51
OPENING, ACCEPTING, HANDING_OVER, POSTING, STATUS = 41, 19, 22, 16, 17
# Of both, one reads who is told: the communication lead. Of asking, one finds an equal request that still waits.
ASKING, DECIDING = 42, 36


def busy(cast: Cast, number: int) -> None:
    """That many other people with each role, cases and signals of the account. The policy was read before by this process."""
    for slug in ("director", "csm", "team-lead"):
        role = Role.objects.get(slug=slug)
        people = User.objects.bulk_create(
            User(email=f"{slug}-{place}@desk.example", name=f"{slug} {place}", manager=cast.lead)
            for place in range(number)
        )
        RoleHolding.objects.bulk_create(RoleHolding(user=user, role=role, starts=LONG_AGO) for user in people)
    at = now() - timedelta(days=1)
    Signal.objects.bulk_create(Signal(account=cast.northwind, at=at, tone="negative") for _ in range(number))
    for place in range(min(number, 3)):
        opened(cast, title=f"Earlier {place}")


def form(cast: Cast) -> dict[str, Any]:
    """An ask as the page and the API take it."""
    return {
        "account": cast.northwind.pk,
        "issue_type": "discount-beyond-limit",
        "issue": "Northwind asks for 18 percent. They will not sign otherwise.",
        "impact": "The renewal is at risk.",
        "deadline": (now() + timedelta(days=5)).strftime("%Y-%m-%dT%H:%M"),
        "concession": "discount",
        "amount": "18",
        "currency": "USD",
    }


@pytest.mark.parametrize("number", [1, 3, 50])
def test_opening_by_page_and_api_stays_within_its_budget(
    cast: Cast, client: Client, number: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    busy(cast, number)
    client.force_login(cast.csm, backend="allauth.account.auth_backends.AuthenticationBackend")
    values = form(cast)
    with django_assert_max_num_queries(BY_PAGE):
        assert client.post("/escalations/new/", values).status_code == 302
    values["deadline"] += ":00Z"
    with django_assert_max_num_queries(BY_API):
        assert client.post("/api/v1/escalations/", values, content_type="application/json").status_code == 201


@pytest.mark.parametrize("number", [1, 3, 50])
def test_opening_reads_before_its_transaction_and_then_only_writes(
    cast: Cast, number: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    busy(cast, number)
    data = intake.Intake(
        account=cast.northwind,
        issue_type="discount-beyond-limit",
        issue="They ask for 18 percent.",
        concession="discount",
        amount=Decimal(18),
        deadline=now() + timedelta(days=5),
    )
    with django_assert_max_num_queries(OPENING) as found:
        intake.open_case(data, by=cast.csm)
    statements = [each["sql"] for each in found.captured_queries]
    begin = next(place for place, sql in enumerate(statements) if sql.startswith("SAVEPOINT"))
    # The health of the account is computed after the case was written, in a transaction of its own.
    end = next(place for place, sql in enumerate(statements) if sql.startswith("RELEASE SAVEPOINT") and place > begin)
    inside = [sql for sql in statements[begin:end] if sql.startswith("SELECT")]
    assert len(inside) <= 2, inside


def test_a_new_process_reads_the_policy_once(cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    published_rows.cache_clear()
    opened(cast)
    with django_assert_max_num_queries(OPENING):
        opened(cast)


@pytest.mark.parametrize(
    ("act", "budget"),
    [
        (lambda case, cast: thread.post(case_id=case.pk, by=case.owner, text="We called them."), POSTING),
        (
            lambda case, cast: thread.set_status(case_id=case.pk, by=case.owner, text="Waiting.", version=case.version),
            STATUS,
        ),
        (
            lambda case, cast: handoffs.reassign(
                case_id=case.pk,
                by=case.owner,
                to=cast.director,
                notes=handoffs.Notes(tried="a", open_points="b", ask="c", both="The owner is away"),
            ),
            HANDING_OVER,
        ),
    ],
    ids=["post", "status", "hand over"],
)
def test_working_on_a_case_stays_within_its_budget(
    cast: Cast,
    act: Callable[[Escalation, Cast], object],
    budget: int,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    case = accepted(cast)
    with django_assert_max_num_queries(budget):
        act(case, cast)


def test_accepting_stays_within_its_budget(cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    case = opened(cast)
    handoff = waiting_handoff(case)
    with django_assert_max_num_queries(ACCEPTING):
        handoffs.accept(case_id=case.pk, handoff_id=handoff.pk, by=handoff.to_user)


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
