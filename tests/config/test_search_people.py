"""Who finds whom."""

import pytest

from config.search import PEOPLE, found
from tests.support.cast import Cast, person

pytestmark = pytest.mark.both_databases


def test_colleagues_find_each_other(cast: Cast) -> None:
    assert found(cast.csm, "Dana")[PEOPLE].ids == [cast.sponsor.pk]


def test_somebody_from_outside_finds_nobody_else(cast: Cast) -> None:
    felix = person("felix@desk.example", "Felix Brandt", "external")
    assert found(felix, "Dana")[PEOPLE].ids == []
    assert found(felix, "Felix")[PEOPLE].ids == [felix.pk]
