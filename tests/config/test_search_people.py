"""Who finds whom."""

import pytest

from config.search import PEOPLE, found
from tests.support.cast import Cast, person

pytestmark = pytest.mark.both_databases


def test_colleagues_find_each_other(cast: Cast) -> None:
    assert cast.sponsor in found(cast.csm, "Dana")[PEOPLE]


def test_somebody_from_outside_finds_nobody_else(cast: Cast) -> None:
    felix = person("felix@desk.example", "Felix Brandt", "external")
    assert list(found(felix, "Dana")[PEOPLE]) == []
    assert list(found(felix, "Felix")[PEOPLE]) == [felix]
