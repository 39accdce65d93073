"""Who reports to whom, at any depth, in one query."""

from typing import Any

import pytest

from accounts.models import User
from tests.support.cast import Cast

pytestmark = pytest.mark.both_databases


def test_a_tree_holds_everybody_below_and_the_person(cast: Cast, django_assert_num_queries: Any) -> None:
    sponsor = User.objects.get(pk=cast.sponsor.pk)
    with django_assert_num_queries(1):
        found = sponsor.tree_ids
    assert set(found) == {cast.sponsor.pk, cast.director.pk, cast.lead.pk, cast.csm.pk, cast.ae.pk}


def test_a_circle_of_managers_ends(cast: Cast) -> None:
    User.objects.filter(pk=cast.sponsor.pk).update(manager=cast.csm)
    assert len(User.objects.get(pk=cast.lead.pk).tree_ids) == 5


def test_without_reports_the_tree_is_the_person(cast: Cast) -> None:
    assert User.objects.get(pk=cast.outsider.pk).tree_ids == [cast.outsider.pk]
