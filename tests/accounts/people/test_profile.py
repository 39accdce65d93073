"""A person's own preferences."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from accounts.people.profile import save_preferences
from ledger.errors import Invalid
from tests.support.cast import Cast

pytestmark = pytest.mark.django_db
Browse = Callable[[User], Client]


def test_people_set_name_zone_density_and_shortcuts_for_themselves_only(cast: Cast, browse: Browse) -> None:
    filled = {
        "name": "Priya R.",
        "zone": "Europe/Berlin",
        "density": "compact",
        "email": "x@y.example",
        "is_staff": "on",
    }
    assert browse(cast.csm).post("/profile/", filled).status_code == 302
    cast.csm.refresh_from_db()
    assert (cast.csm.name, cast.csm.zone, cast.csm.density) == ("Priya R.", "Europe/Berlin", "compact")
    assert (cast.csm.shortcuts, cast.csm.email, cast.csm.is_staff) == (False, "priya@desk.example", False)


@pytest.mark.parametrize("change", [{"name": ""}, {"zone": "Mars/Base"}, {"density": "huge"}])
def test_bad_preferences_are_refused(cast: Cast, browse: Browse, change: dict[str, str]) -> None:
    filled = {"name": "P", "zone": "UTC", "density": "compact", **change}
    assert browse(cast.csm).post("/profile/", filled).status_code == 422
    with pytest.raises(Invalid):
        save_preferences(user=cast.csm, shortcuts=True, **filled)


def test_the_page_shows_the_roles_held(cast: Cast, browse: Browse) -> None:
    assert "Team lead" in browse(cast.lead).get("/profile/").content.decode()
