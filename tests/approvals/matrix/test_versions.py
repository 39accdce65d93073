"""Drafts of the matrix: copied whole, compared row by row, published by a second person; the admin does it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from approvals.absence import delegations as delegating
from approvals.matrix import versions
from approvals.matrix.authority import who_approves
from approvals.matrix.table import Cell, matrix
from approvals.matrix.totals import Ask
from approvals.models import AuthorityLimit, AuthorityVersion, DecisionEntry
from ledger.errors import Invalid, NotAllowed, Stale
from ledger.now import now
from tests.support.cast import Cast

pytestmark = pytest.mark.both_databases

D = Decimal


@pytest.fixture
def draft(deciders: Cast) -> AuthorityVersion:
    """Sana's draft, in which the director may grant 25 %."""
    made = versions.clone_draft(by=deciders.ops)
    made.limits.filter(role__slug="director", concession__slug="discount").update(up_to=D(25))
    return made


def test_a_draft_is_a_whole_copy_that_points_into_itself(deciders: Cast) -> None:
    base = AuthorityVersion.objects.get()
    made = versions.clone_draft(by=deciders.ops)
    assert (made.number, made.state, made.based_on, made.author) == (2, "draft", base, deciders.ops)
    for name in ("concessions", "limits", "bands"):
        assert getattr(made, name).count() == getattr(base, name).count() > 0
    assert not AuthorityLimit.objects.filter(version=made).exclude(concession__version=made).exists()
    assert versions.diff(made) == []
    assert versions.check(made) == []


def test_the_diff_names_added_removed_and_changed_rows(draft: AuthorityVersion) -> None:
    draft.bands.get(concession__slug="credit").delete()
    director = draft.limits.filter(role__slug="director").first()
    assert director is not None
    draft.limits.create(role=director.role, concession=draft.concessions.get(slug="indemnity"), needs_function="legal")
    found = {(change.sign, change.key, change.field, change.before, change.after) for change in versions.diff(draft)}
    assert ("~", "director · discount", "up to", "20.00", "25.00") in found
    assert {(sign, key) for sign, key, *_ in found if sign != "~"} == {
        ("-", "credit · green"),
        ("+", "director · indemnity"),
    }
    assert len(found) == 3


def test_a_second_person_publishes_and_earlier_requests_keep_their_version(
    deciders: Cast, ask: Any, draft: AuthorityVersion
) -> None:
    with pytest.raises(NotAllowed, match="second person"):
        versions.publish(version_id=draft.pk, by=deciders.ops)
    with pytest.raises(NotAllowed, match="Only operations"):
        versions.publish(version_id=draft.pk, by=deciders.director)
    before = ask(amount=D(22))
    versions.publish(version_id=draft.pk, by=deciders.admin, note="More for directors")
    assert ask(amount=D(22), account=deciders.elsewhere).approver == deciders.director
    before.refresh_from_db()
    assert (before.authority.number, before.approver) == (1, deciders.sponsor)


def test_a_version_in_force_later_does_not_hold_yet(deciders: Cast, draft: AuthorityVersion) -> None:
    tomorrow = now() + timedelta(days=1)
    versions.publish(version_id=draft.pk, by=deciders.admin, effective_from=tomorrow)
    asked = {"concession": "discount", "amount": D(22), "currency": "USD", "account": deciders.northwind}
    assert who_approves(Ask(**asked)).person == deciders.sponsor
    assert who_approves(Ask(**asked), at=tomorrow).person == deciders.director


def test_a_matrix_with_a_hole_an_overlap_or_nonsense_is_not_published(deciders: Cast, draft: AuthorityVersion) -> None:
    draft.limits.filter(concession__slug="indemnity").delete()
    draft.limits.filter(concession__slug="refund", role__slug="csm").update(currency="XXA")
    with pytest.raises(Invalid) as refused:
        versions.publish(version_id=draft.pk, by=deciders.admin)
    assert "Indemnity: nobody may approve it" in refused.value.message
    assert "no exchange rate for “XXA”" in refused.value.message
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_the_past_and_overtaken_or_published_drafts_are_refused(deciders: Cast, draft: AuthorityVersion) -> None:
    with pytest.raises(Invalid, match="in the future"):
        versions.publish(version_id=draft.pk, by=deciders.admin, effective_from=now() - timedelta(minutes=1))
    other = versions.clone_draft(by=deciders.ops)
    versions.publish(version_id=draft.pk, by=deciders.admin)
    with pytest.raises(Stale, match="was published after"):
        versions.publish(version_id=other.pk, by=deciders.admin)
    with pytest.raises(Stale, match="is not a draft"):
        versions.publish(version_id=draft.pk, by=deciders.admin)


def test_the_matrix_is_a_table_that_marks_the_viewers_row_and_the_answer(deciders: Cast) -> None:
    asked = {"concession": "discount", "amount": D(15), "currency": "USD", "account": deciders.northwind}
    table = matrix(now(), deciders.director, hit=who_approves(Ask(**asked)), concession="discount")
    rows = {row.role.slug: row for row in table.rows}
    assert [slug for slug, row in rows.items() if row.mine] == ["director"]
    cells = dict(zip([column.slug for column in table.columns], rows["director"].cells, strict=True))
    assert cells["discount"] == Cell(lines=["20%"], hit=True)
    assert cells["indemnity"].none
    assert {band.name for band in table.bands} == {"Discount up to 5%", "Credit up to $500"}


def admin(user: Any) -> Client:
    """The admin in the browser of this person."""
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


CHANGES = "admin:approvals_authorityversion_changelist"


def test_in_the_admin_a_draft_is_made_by_one_and_published_by_another(deciders: Cast) -> None:
    sana, rita = admin(deciders.ops), admin(deciders.admin)
    draft_url = reverse("admin:approvals_authorityversion_draft")
    sana.get(draft_url)
    assert AuthorityVersion.objects.count() == 1, "opening the address makes nothing"
    assert "New draft from the published version" in sana.get(reverse(CHANGES)).content.decode()
    page = sana.post(draft_url, follow=True)
    draft = AuthorityVersion.objects.get(number=2)
    assert "Changes since the version it was made from" in page.content.decode()
    publish = {"action": "publish", "_selected_action": [draft.pk]}
    assert "You made this draft" in sana.post(reverse(CHANGES), publish, follow=True).content.decode()
    assert "is published" in rita.post(reverse(CHANGES), publish, follow=True).content.decode()
    draft.refresh_from_db()
    assert (draft.state, draft.publisher) == ("published", deciders.admin)


def test_in_the_admin_published_rows_and_the_record_cannot_be_changed(deciders: Cast, ask: Any) -> None:
    made, client = ask(), admin(deciders.ops)
    version = AuthorityVersion.objects.get()
    page = client.get(reverse("admin:approvals_authorityversion_change", args=[version.pk]))
    assert page.status_code == 200
    assert 'name="limits-0-up_to"' not in page.content.decode()
    assert client.post(page.request["PATH_INFO"], {"note": "x"}).status_code == 403
    for address in (
        reverse("admin:approvals_approvalrequest_change", args=[made.pk]),
        reverse("admin:approvals_decisionentry_change", args=[DecisionEntry.objects.get().pk]),
    ):
        assert client.get(address).status_code == 200
        assert client.post(address, {"state": "approved"}).status_code == 403
        assert client.post(address.replace("change", "delete"), {"post": "yes"}).status_code == 403
    made.refresh_from_db()
    assert made.is_open


def test_in_the_admin_delegations_are_read_and_ended(deciders: Cast) -> None:
    start, end = now(), now() + timedelta(days=3)
    given = delegating.make(
        delegating.StandIn(to=deciders.outsider, starts_at=start, ends_at=end),
        user=deciders.director,
        by=deciders.director,
    )
    client, listed = admin(deciders.ops), reverse("admin:approvals_delegation_changelist")
    assert "Lena Ortiz" in client.get(listed).content.decode()
    change = reverse("admin:approvals_delegation_change", args=[given.pk])
    assert (client.get(change).status_code, client.post(change, {"note": "x"}).status_code) == (200, 403)
    data = {"action": "end_now", "_selected_action": [given.pk]}
    assert "Delegations ended: 1." in client.post(listed, data, follow=True).content.decode()
    assert "Delegations ended: 0." in client.post(listed, data, follow=True).content.decode()
    given.refresh_from_db()
    assert given.ended_by == deciders.ops


def test_in_the_admin_the_rows_of_a_draft_can_be_changed(deciders: Cast) -> None:
    draft, client = versions.clone_draft(by=deciders.ops), admin(deciders.ops)
    page = client.get(reverse("admin:approvals_authorityversion_change", args=[draft.pk]))
    data: dict[str, Any] = {}
    for formset in page.context["inline_admin_formsets"]:
        data |= _filled(formset.formset.management_form)
        for form in formset.formset.forms:
            data |= _filled(form)
    limit = draft.limits.get(role__slug="director", concession__slug="discount")
    field = next(name for name, value in data.items() if name.endswith("-id") and value == limit.pk and "limit" in name)
    data |= {
        "note": "Try 25",
        "window_days": 90,
        field.replace("-id", "-up_to"): "25",
        "effective_from_0": "",
        "effective_from_1": "",
    }
    answer = client.post(page.request["PATH_INFO"], data)
    assert answer.status_code == 302, answer.context and answer.context["errors"]
    limit.refresh_from_db()
    assert limit.up_to == D(25)
    assert "20.00 → 25.00" in client.get(page.request["PATH_INFO"]).content.decode()


def _filled(form: Any) -> dict[str, Any]:
    """What the browser would send back unchanged."""
    values = {form.add_prefix(name): form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    return {name: getattr(value, "pk", value) for name, value in values.items() if value is not None}
