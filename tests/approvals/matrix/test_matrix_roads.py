"""Every road to a limit goes through a draft that somebody else publishes; a draft with a hole or an overlap is not saved."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from approvals.matrix import versions
from approvals.models import AuthorityVersion, ChainRule
from ledger.errors import Invalid, NotAllowed
from ledger.now import now
from tests.support.cast import Cast

D = Decimal


@pytest.fixture
def draft(deciders: Cast) -> AuthorityVersion:
    """Sana's draft."""
    made = versions.clone_draft(by=deciders.ops)
    AuthorityVersion.objects.filter(pk=made.pk).update(window_days=90)
    return made


def admin(user: Any) -> Client:
    """The admin in the browser of this person."""
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def address(version: AuthorityVersion) -> str:
    """The page of a version."""
    return reverse("admin:approvals_authorityversion_change", args=[version.pk])


def filled(client: Client, version: AuthorityVersion) -> dict[str, Any]:
    """What the browser would send back unchanged."""
    page = client.get(address(version))
    data: dict[str, Any] = {"note": "", "window_days": 90, "effective_from_0": "", "effective_from_1": ""}
    for formset in page.context["inline_admin_formsets"]:
        for form in (formset.formset.management_form, *formset.formset.forms):
            values = {
                form.add_prefix(name): form.get_initial_for_field(field, name) for name, field in form.fields.items()
            }
            data |= {name: getattr(value, "pk", value) for name, value in values.items() if value is not None}
    return data


def added(data: dict[str, Any], prefix: str, **values: Any) -> dict[str, Any]:
    """One more row of a kind."""
    place = int(data[f"{prefix}-TOTAL_FORMS"])
    return {
        **data,
        f"{prefix}-TOTAL_FORMS": place + 1,
        **{f"{prefix}-{place}-{key}": each for key, each in values.items()},
    }


def row_of(data: dict[str, Any], prefix: str, pk: int) -> str:
    """The form of a saved row."""
    return next(
        name.removesuffix("-id")
        for name, value in data.items()
        if name.endswith("-id") and value == pk and name.startswith(f"{prefix}-")
    )


def test_who_changed_rows_of_a_draft_does_not_publish_it_either(deciders: Cast, draft: AuthorityVersion) -> None:
    client = admin(deciders.admin)
    data = filled(client, draft)
    limit = draft.limits.get(role__slug="director", concession__slug="discount")
    data[f"{row_of(data, 'limits', limit.pk)}-up_to"] = "25"
    assert client.post(address(draft), data).status_code == 302
    limit.refresh_from_db()
    assert limit.up_to == 25
    for by, words in ((deciders.admin, "You changed rows of this draft"), (deciders.ops, "You made this draft")):
        with pytest.raises(NotAllowed, match=words):
            versions.publish(version_id=draft.pk, by=by)


def test_a_second_person_may_write_the_note_and_still_publish(deciders: Cast, draft: AuthorityVersion) -> None:
    client = admin(deciders.admin)
    assert client.post(address(draft), {**filled(client, draft), "note": "Read and agreed"}).status_code == 302
    assert versions.publish(version_id=draft.pk, by=deciders.admin).publisher == deciders.admin


def test_the_window_is_a_change_like_any_other(deciders: Cast, draft: AuthorityVersion) -> None:
    client = admin(deciders.admin)
    assert client.post(address(draft), {**filled(client, draft), "window_days": 30}).status_code == 302
    with pytest.raises(NotAllowed, match="You changed rows"):
        versions.publish(version_id=draft.pk, by=deciders.admin)
    draft.refresh_from_db()
    assert [str(change) for change in versions.diff(draft)] == ["Authority version : window days 90 → 30"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"up_to": "15"}, "two limits for the same accounts"),
        ({"up_to": "15", "arr_from": "100", "arr_to": "50"}, "ARR"),
        ({"up_to": "101", "region": "EMEA"}, "cannot be above 100%"),
        ({"up_to": "15", "asked_in": "EUR"}, "only money has a currency"),
    ],
)
def test_an_overlap_or_nonsense_is_refused_when_it_is_saved(
    deciders: Cast, draft: AuthorityVersion, values: dict[str, str], words: str
) -> None:
    client = admin(deciders.ops)
    limit = draft.limits.get(role__slug="director", concession__slug="discount")
    row = {"role": limit.role_id, "concession": limit.concession_id, "currency": "USD", "effective_to": "2099-01-01"}
    answer = client.post(address(draft), added(filled(client, draft), "limits", **row, **values))
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert draft.limits.filter(role=limit.role, concession=limit.concession).count() == 1


def test_a_hole_that_deleting_a_row_would_leave_is_refused(deciders: Cast, draft: AuthorityVersion) -> None:
    limit = draft.limits.get(role__slug="director", concession__slug="discount")
    limit.arr_to = D(100)
    limit.save()
    upper = draft.limits.create(role=limit.role, concession=limit.concession, arr_from=D(100), up_to=D(10))
    client = admin(deciders.ops)
    data = filled(client, draft)
    data[f"{row_of(data, 'limits', upper.pk)}-DELETE"] = "on"
    answer = client.post(address(draft), data)
    assert "no limit for ARR of $100 and more" in answer.content.decode()
    assert draft.limits.filter(pk=upper.pk).exists()


def test_a_function_nobody_holds_is_refused_and_what_is_left_to_do_is_said(
    deciders: Cast, draft: AuthorityVersion
) -> None:
    client, legal = admin(deciders.ops), Role.objects.get(slug="legal")
    row = {"role": legal.pk, "part": "approve", "place": "before", "quorum": "all", "sort": 100}
    answer = client.post(address(draft), added(filled(client, draft), "chain_rules", **row))
    assert "nobody holds the role Legal" in answer.content.decode()
    assert not ChainRule.objects.filter(version=draft).exists()
    draft.limits.filter(concession__slug="indemnity").delete()
    saved = client.post(address(draft), filled(client, draft), follow=True).content.decode()
    assert "Before publishing: Indemnity: nobody may approve it" in saved


def test_bands_caps_and_mail_amounts_are_checked_when_saved(deciders: Cast, draft: AuthorityVersion) -> None:
    client = admin(deciders.ops)
    band = draft.bands.get(concession__slug="discount")
    data = filled(client, draft)
    graver = added(data, "bands", concession=band.concession_id, tier="red", up_to="50", currency="USD")
    assert "larger than the range for green cases" in client.post(address(draft), graver).content.decode()
    indemnity = draft.concessions.get(slug="indemnity")
    by_mail = {**data, f"{row_of(data, 'concessions', indemnity.pk)}-link_up_to": "1"}
    assert "never decided by mail" in client.post(address(draft), by_mail).content.decode()
    role = draft.limits.get(role__slug="director", concession__slug="discount").role_id
    cap = added(data, "caps", role=role, concession=band.concession_id, up_to="0", currency="USD")
    assert "the cap must be above 0" in client.post(address(draft), cap).content.decode()


def test_a_draft_published_meanwhile_is_not_changed_any_more(deciders: Cast, draft: AuthorityVersion) -> None:
    client = admin(deciders.ops)
    data = filled(client, draft)
    limit = draft.limits.get(role__slug="director", concession__slug="discount")
    data[f"{row_of(data, 'limits', limit.pk)}-up_to"] = "90"
    versions.publish(version_id=draft.pk, by=deciders.admin)
    assert client.post(address(draft), data).status_code == 403
    gone = reverse("admin:approvals_authorityversion_delete", args=[draft.pk])
    assert client.post(gone, {"post": "yes"}).status_code == 403
    bulk = {"action": "delete_selected", "_selected_action": [draft.pk], "post": "yes"}
    client.post(reverse("admin:approvals_authorityversion_changelist"), bulk)
    limit.refresh_from_db()
    assert limit.up_to == 20


def test_publishing_again_or_by_the_author_in_the_admin_changes_nothing(
    deciders: Cast, draft: AuthorityVersion
) -> None:
    publish = {"action": "publish", "_selected_action": [draft.pk]}
    page = admin(deciders.ops).post(reverse("admin:approvals_authorityversion_changelist"), publish, follow=True)
    assert "You made this draft, so a second person must publish it." in page.content.decode()
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_days_without_any_authority_stop_publishing_from_the_moment_it_would_begin(
    deciders: Cast, draft: AuthorityVersion
) -> None:
    today = now().date()
    draft.limits.filter(concession__slug="indemnity").update(effective_to=today + timedelta(days=30))
    with pytest.raises(Invalid, match=f"Indemnity: nobody may approve it from {today + timedelta(days=30)}"):
        versions.publish(version_id=draft.pk, by=deciders.admin)
    draft.limits.filter(concession__slug="indemnity").update(
        effective_from=today + timedelta(days=2), effective_to=None
    )
    with pytest.raises(Invalid, match="nobody may approve it from"):
        versions.publish(version_id=draft.pk, by=deciders.admin)
    later = now() + timedelta(days=2)
    assert versions.publish(version_id=draft.pk, by=deciders.admin, effective_from=later).effective_from == later
