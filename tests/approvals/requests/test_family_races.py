"""Two halves at once, on the parent and on the child, on one renewal, or out of one quarter: never both."""

from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from accounts.models import Account
from approvals.models import ApprovalRequest, AuthorityVersion, QuarterCap
from approvals.requests import decide as deciding
from ledger.errors import NotAllowed
from tests.approvals.conftest import make_request
from tests.approvals.requests.test_races import at_once
from tests.support.cast import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.prove, pytest.mark.both_databases]


@pytest.fixture
def desk(deciders: Cast) -> Cast:
    """The deciders with Northwind Labs below Northwind, committed."""
    deciders.labs = Account.objects.create(external_id="NW-2", name="Northwind Labs", parent=deciders.northwind)
    return deciders


def decided_at_once(desk: Cast, accounts: list[Account], amount: int, **values: Any) -> list[Any]:
    """A refund for each account, all approved by the director at the same moment."""
    wanted: dict[str, Any] = {"concession": "refund", "amount": Decimal(amount), **values}
    made = [make_request(desk, account=account, **wanted) for account in accounts]
    say = partial(deciding.decide, by=desk.director, verdict="approved")
    return at_once(*[partial(say, request_id=each.pk, version=each.version) for each in made])


def assert_one_of(answers: list[Any]) -> None:
    """One was taken, the others were told that it is too much by now."""
    assert sum(isinstance(answer, ApprovalRequest) for answer in answers) == 1
    assert sum(isinstance(answer, NotAllowed) for answer in answers) == len(answers) - 1
    assert ApprovalRequest.objects.filter(state="approved").count() == 1


def test_halves_on_parent_and_child_cannot_pass_the_limit_together(desk: Cast) -> None:
    assert_one_of(decided_at_once(desk, [desk.northwind, desk.labs], 6000))


def test_halves_on_one_renewal_cannot_pass_the_limit_together(desk: Cast) -> None:
    assert_one_of(decided_at_once(desk, [desk.northwind, desk.elsewhere], 6000, renewal="R-1"))


def test_two_grants_cannot_pass_the_quarter_of_a_role_together(desk: Cast) -> None:
    version = AuthorityVersion.objects.get()
    limit = version.limits.get(role__slug="director", concession__slug="refund")
    QuarterCap.objects.create(version=version, role=limit.role, concession=limit.concession, up_to=Decimal(10_000))
    assert_one_of(decided_at_once(desk, [desk.northwind, desk.elsewhere], 6000))


def test_halves_asked_for_at_once_are_not_both_pre_approved(desk: Cast) -> None:
    credit: dict[str, Any] = {"concession": "credit", "amount": Decimal(300), "tier": "green"}
    calls = [partial(make_request, desk, account=account, **credit) for account in (desk.northwind, desk.labs)]
    assert sorted(made.by_rule for made in at_once(*calls)) == [False, True]
