"""Queries whose SQL is put together once."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Role, RoleHolding, User
from approvals.models import Delegation
from ledger.now import now
from tests.support.cast import Cast

pytestmark = pytest.mark.both_databases


def test_each_person_gets_their_own_roles_the_most_senior_first(cast: Cast) -> None:
    for user in User.objects.all():
        held = Role.objects.filter(holdings__in=RoleHolding.objects.in_force(now()).filter(user=user))
        assert user.roles == list(held.order_by("-rank", "sort").distinct())
    assert cast.csm.roles != cast.lead.roles


def test_a_role_ends_with_its_date(cast: Cast) -> None:
    later = now() + timedelta(days=1)
    RoleHolding.objects.filter(user=cast.csm).update(ends=later)
    assert User.objects.get(pk=cast.csm.pk).roles
    RoleHolding.objects.filter(user=cast.csm).update(starts=later - timedelta(days=9), ends=now())
    assert User.objects.get(pk=cast.csm.pk).roles == []


def test_a_delegation_counts_while_it_is_in_force(cast: Cast) -> None:
    made = Delegation.objects.create(
        user=cast.lead, to=cast.csm, starts_at=now(), ends_at=now() + timedelta(days=1), concessions=["credit"]
    )
    [found] = Delegation.objects.given_to(User.objects.get(pk=cast.csm.pk))
    assert (found, found.concessions, found.ends_at) == (made, ["credit"], made.ends_at)
    assert Delegation.objects.given_to(User.objects.get(pk=cast.lead.pk)) == []
    Delegation.objects.filter(pk=made.pk).update(ended_at=now())
    assert Delegation.objects.given_to(User.objects.get(pk=cast.csm.pk)) == []


def test_the_values_are_parameters(cast: Cast) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert User.objects.get(pk=cast.lead.pk).roles
    assert len(queries) == 2


@pytest.mark.parametrize("name", ["region", "email", "is_staff", "team"])
def test_what_is_not_known_of_anyone_cannot_be_read(db: None, name: str) -> None:
    anyone = User.anyone(-5, Role.ALL)
    assert (anyone.pk, anyone.sees, anyone.is_superuser) == (-5, Role.ALL, False)
    with pytest.raises(User.DoesNotExist):
        getattr(anyone, name)
    with pytest.raises(Role.DoesNotExist):
        anyone.has_role("csm")
