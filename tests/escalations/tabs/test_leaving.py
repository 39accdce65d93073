"""Deactivating a person through the browser and the admin."""

from collections.abc import Callable
from typing import Any

from accounts.models import Role, User
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


def test_operations_make_a_colleague_an_external_party(cast: Cast, browse: Browse) -> None:
    case = accepted(cast)
    owner = case.owner
    assert owner is not None
    role = Role.objects.get(sees=Role.SHARED)
    here, post = f"/people/{owner.pk}/leaving/", f"/people/{owner.pk}/external/"
    assert f"Make {owner.name} an external party" in words(browse(cast.ops, here))
    assert browse(cast.director, post, {"role": role.pk, "once": "a"}).status_code == 404
    refused = browse(cast.ops, post, {"role": cast.csm.roles[0].pk, "once": "b"})
    assert refused.status_code == 422
    assert "Choose a role of external parties." in words(refused)
    assert browse(cast.ops, post, {"role": role.pk, "once": "c"}).status_code == 302
    while leaving.follow():
        pass
    page = words(browse(cast.ops, here))
    assert f"{owner.name}, external party" in page
    assert f"{case.key}: escalation owner" in page
    assert "an external party by Sana Khan" in page
    assert f"Make {owner.name} an external party" not in page
    assert browse(cast.ops, post, {"role": role.pk, "once": "d"}).status_code == 409
    assert browse(owner, f"/escalations/{case.key}/").status_code == 404


def holding_form(cast: Cast, *rows: dict[str, Any]) -> dict[str, Any]:
    """What the admin posts for the CSM: the held role as the first row, then new ones."""
    held = cast.csm.holdings.get()
    more = {"density": "comfortable", "holdings-TOTAL_FORMS": len(rows), "holdings-INITIAL_FORMS": 1}
    form = {"email": cast.csm.email, "name": cast.csm.name, "kind": "person", "zone": "UTC", **more}
    for number, row in enumerate(rows):
        first = {"id": held.pk, "user": cast.csm.pk} if number == 0 else {"user": cast.csm.pk}
        form |= {f"holdings-{number}-{name}": value for name, value in {**first, **row}.items()}
    return form


def test_the_admin_sends_a_colleague_who_becomes_external_to_the_page(cast: Cast, browse: Browse) -> None:
    here = f"/admin/accounts/user/{cast.csm.pk}/change/"
    shared, held = Role.objects.get(sees=Role.SHARED), cast.csm.holdings.get()
    start = {"starts_0": "2015-01-01", "starts_1": "00:00:00"}
    inside = {"role": held.role_id, **start}
    outside = {"role": shared.pk, **start}
    for ends in ("2020-01-01", "2099-01-01"):
        answer = browse(cast.admin, here, holding_form(cast, {**inside, "ends_0": ends, "ends_1": "00:00:00"}, outside))
        assert answer.status_code == 200
        assert f'<a href="/people/{cast.csm.pk}/leaving/">See what is open</a>' in words(answer)
    assert not User.objects.get(pk=cast.csm.pk).is_external
    assert browse(cast.admin, here, holding_form(cast, inside, outside)).status_code == 302
    assert not User.objects.get(pk=cast.csm.pk).is_external


def test_the_admin_keeps_what_a_held_role_sees_of_external_parties(cast: Cast, browse: Browse) -> None:
    role = cast.csm.roles[0]
    form = {"name": role.name, "sort": role.sort, "rank": 0, "start_page": "queue", "account_person": "csm"}
    answer = browse(cast.admin, f"/admin/accounts/role/{role.pk}/change/", {**form, "sees": "shared"})
    assert "and Priya Raman hold this role" in words(answer)
    role.refresh_from_db()
    assert role.sees == Role.OWN
    assert browse(cast.admin, f"/admin/accounts/role/{role.pk}/change/", {**form, "sees": "own"}).status_code == 302
