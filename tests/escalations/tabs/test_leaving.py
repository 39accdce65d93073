"""Deactivating a person through the browser and the admin."""

from collections.abc import Callable
from typing import Any

from accounts.models import User
from accounts.people import leaving
from escalations.cases.queries import open_work
from tests.escalations.cases.builders import accepted
from tests.support.cast import Cast

Browse = Callable[..., Any]


def words(answer: Any) -> str:
    """The text of a page on one line."""
    return " ".join(answer.content.decode().split())


def test_operations_read_what_moves_deactivate_and_read_where_it_went(cast: Cast, browse: Browse) -> None:
    case = accepted(cast)
    owner = case.owner
    assert owner is not None
    here = f"/people/{owner.pk}/leaving/"
    page = words(browse(cast.ops, here))
    assert "Open cases owned" in page
    assert f"Deactivate {owner.name}" in page
    assert browse(cast.ops, here, {"once": "a"}).status_code == 302
    owner.refresh_from_db()
    assert not owner.is_active
    while open_work.of(owner):
        leaving.follow()
    page = words(browse(cast.ops, here))
    assert f"{case.key}: escalation owner" in page
    assert "Nothing moves back." in page
    assert browse(cast.ops, here, {"once": "b"}).status_code == 409
    assert browse(cast.ops, f"/people/{owner.pk}/reactivate/", {}).status_code == 302
    assert User.objects.get(pk=owner.pk).is_active


def test_only_operations_deactivate_and_only_managers_read_the_result(cast: Cast, browse: Browse) -> None:
    here = f"/people/{cast.csm.pk}/leaving/"
    assert browse(cast.director, here).status_code == 404
    assert browse(cast.director, here, {"once": "a"}).status_code == 404
    assert browse(cast.director, "/people/departures/").status_code == 404
    browse(cast.ops, here, {"once": "a"})
    assert browse(cast.director, here).status_code == 200
    assert browse(cast.outsider, here).status_code == 404
    assert browse(cast.director, f"/people/{cast.csm.pk}/reactivate/", {}).status_code == 403


def test_operations_choose_who_leaves_and_see_who_has_left(cast: Cast, browse: Browse) -> None:
    answer = browse(cast.ops, "/people/departures/", {"person": cast.csm.pk})
    assert answer["Location"] == f"/people/{cast.csm.pk}/leaving/"
    browse(cast.ops, f"/people/{cast.csm.pk}/leaving/", {"once": "a"})
    assert "Priya Raman" in words(browse(cast.ops, "/people/departures/"))


def test_the_page_says_why_somebody_must_stay(cast: Cast, browse: Browse) -> None:
    page = words(browse(cast.ops, f"/people/{cast.ops.pk}/leaving/"))
    assert "You cannot deactivate yourself." in page
    assert "Sessions and the API token end." not in page
    assert browse(cast.ops, f"/people/{cast.ops.pk}/leaving/", {"once": "a"}).status_code == 422


def test_the_admin_leads_to_the_verb_and_cannot_write_the_tick(cast: Cast, browse: Browse) -> None:
    here = f"/admin/accounts/user/{cast.csm.pk}/change/"
    page = words(browse(cast.admin, here))
    assert f'href="/people/{cast.csm.pk}/leaving/"' in page
    assert 'name="is_active"' not in page
    form = {"email": cast.csm.email, "name": "Priya R.", "kind": "person", "zone": "Europe/Berlin"}
    more = {"density": "comfortable", "holdings-TOTAL_FORMS": 0, "holdings-INITIAL_FORMS": 0}
    assert browse(cast.admin, here, {**form, **more}).status_code == 302
    cast.csm.refresh_from_db()
    assert (cast.csm.name, cast.csm.is_active) == ("Priya R.", True)
