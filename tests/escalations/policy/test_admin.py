"""The admin: operations edit drafts, a second person publishes, cases are read-only."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Role
from escalations.admin.access import ReadOnlyAdmin
from escalations.models import Escalation, PolicyVersion, Target
from escalations.policy import versions

LIST = "admin:escalations_policyversion_changelist"
CHANGE = "admin:escalations_policyversion_change"
PUBLISH = "admin:escalations_policyversion_publish"
DISCARD = "admin:escalations_policyversion_discard"


@pytest.fixture
def as_user(client):
    def sign_in(user):
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def few_rows(draft):
    """The page lays out every row as a form, which takes seconds: for a test of single rows the others go."""
    for rows in (draft.matrixrows, draft.stakeholders, draft.triggerrules, draft.scoreweights):
        rows.all().delete()
    draft.targets.exclude(clock="response").delete()
    draft.targetfactors.exclude(clock="first_act").delete()


def form_data(response):
    """What the browser would send back of a change page, unchanged."""
    data = {"note": response.context["adminform"].form.initial.get("note") or ""}
    for inline in response.context["inline_admin_formsets"]:
        forms = [inline.formset.management_form, *inline.formset.forms]
        for form in forms:
            for field in form:
                value = field.value()
                if value is not None and value is not False:
                    data[field.html_name] = value.replace("\n", "\r\n") if isinstance(value, str) else value
    return data


def test_a_draft_is_started_with_a_button_and_opens(as_user, author, policy):
    page = as_user(author)
    assert "Start a draft" in page.get(reverse(LIST)).content.decode()
    answer = page.post(reverse("admin:escalations_policyversion_start"), follow=True)
    assert answer.redirect_chain[-1][0] == reverse(CHANGE, args=[PolicyVersion.objects.get(number=2).pk])
    assert "Checks: 14 of 14 pass" in answer.content.decode()


def test_looking_at_the_start_button_starts_nothing(as_user, author, policy):
    assert as_user(author).get(reverse("admin:escalations_policyversion_start")).status_code == 405
    assert PolicyVersion.objects.count() == 1


def test_a_changed_row_of_a_draft_is_saved_and_shown_as_a_difference(as_user, author, draft):
    page, url = as_user(author), reverse(CHANGE, args=[draft.pk])
    data = form_data(page.get(url))
    row = draft.targets.get(clock="response", tier="red")
    key = next(name for name, value in data.items() if name.startswith("targets-") and str(value) == str(row.pk))
    data |= {key.replace("-id", "-amount"): "45", "note": "Faster answers", "_continue": "1"}
    answer = page.post(url, data, follow=True)
    assert answer.status_code == 200
    row.refresh_from_db()
    draft.refresh_from_db()
    assert (row.amount, draft.note) == (45, "Faster answers")
    words = answer.content.decode()
    assert "± Changed" in words
    assert "<del>60</del>" in words
    assert "<ins>45</ins>" in words
    assert Target.objects.get(version__number=1, clock="response", tier="red").amount == 60


def test_a_draft_changed_by_nobody_shows_no_difference(as_user, author, draft):
    page, url = as_user(author), reverse(CHANGE, args=[draft.pk])
    page.post(url, form_data(page.get(url)))
    assert versions.diff_to_base(draft) == []


def test_published_rows_are_shown_without_any_field_to_change_them(as_user, author, second, policy):
    for person in (author, second):
        response = as_user(person).get(reverse(CHANGE, args=[policy.pk]))
        assert response.status_code == 200
        assert not any(inline.formset.can_delete for inline in response.context["inline_admin_formsets"])
        assert 'name="targets-0-amount"' not in response.content.decode()


def test_a_posted_change_of_a_published_version_is_refused(as_user, second, policy):
    row = policy.targets.get(clock="response", tier="red")
    data = {"note": "x", "targets-TOTAL_FORMS": "1", "targets-INITIAL_FORMS": "1", "targets-0-id": row.pk}
    data |= {"targets-0-version": policy.pk, "targets-0-amount": "5"}
    assert as_user(second).post(reverse(CHANGE, args=[policy.pk]), data).status_code == 403
    row.refresh_from_db()
    assert row.amount == 60


def test_only_the_author_edits_a_draft(as_user, second, draft):
    page = as_user(second)
    assert 'name="targets-0-amount"' not in page.get(reverse(CHANGE, args=[draft.pk])).content.decode()
    assert page.post(reverse(CHANGE, args=[draft.pk]), {"note": "x"}).status_code == 403


def test_the_author_sees_no_button_to_publish_and_posting_is_refused(as_user, author, draft):
    page, url = as_user(author), reverse(PUBLISH, args=[draft.pk])
    words = page.get(url).content.decode()
    assert "a second person must publish it" in words
    assert "Publish policy version" not in words
    assert page.post(url, {"note": "Mine"}).status_code == 422
    draft.refresh_from_db()
    assert draft.state == PolicyVersion.DRAFT


def test_a_second_person_confirms_and_publishes(as_user, second, draft):
    page, url = as_user(second), reverse(PUBLISH, args=[draft.pk])
    assert "Publish policy version 2" in page.get(url).content.decode()
    draft.refresh_from_db()
    assert draft.state == PolicyVersion.DRAFT
    assert page.post(url, {"note": "Quarterly review"}).status_code == 302
    draft.refresh_from_db()
    assert (draft.state, draft.publisher) == (PolicyVersion.PUBLISHED, second)


def test_a_refusal_to_publish_stands_at_its_field(as_user, second, draft):
    data = {"note": "Q3", "effective_from": "2020-01-01T08:00"}
    answer = as_user(second).post(reverse(PUBLISH, args=[draft.pk]), data)
    assert answer.status_code == 422
    assert "cannot change the past" in str(answer.context["form"].errors["effective_from"])


def test_an_incomplete_draft_cannot_be_published_and_the_page_says_why(as_user, second, draft):
    draft.cadences.filter(tier="red").delete()
    words = as_user(second).get(reverse(PUBLISH, args=[draft.pk])).content.decode()
    assert "Red tier has no rhythm of updates" in words
    assert "Publish policy version" not in words


def test_a_draft_can_be_discarded_and_stays_readable(as_user, author, draft):
    page = as_user(author)
    page.post(reverse(DISCARD, args=[draft.pk]))
    draft.refresh_from_db()
    assert draft.state == PolicyVersion.RETIRED
    assert page.get(reverse(CHANGE, args=[draft.pk])).status_code == 200


@pytest.mark.parametrize("who", ["director", "csm"])
def test_staff_without_an_operations_role_find_nothing_of_the_app(as_user, cast, draft, who):
    person = getattr(cast, who)
    person.is_staff = True
    person.save(update_fields=["is_staff"])
    page = as_user(person)
    for url in (reverse(LIST), reverse(CHANGE, args=[draft.pk]), reverse(PUBLISH, args=[draft.pk])):
        assert page.get(url).status_code == 403
    assert page.post(reverse(DISCARD, args=[draft.pk])).status_code == 403
    assert "policyversion" not in page.get(reverse("admin:index")).content.decode()


def test_a_pmo_who_is_not_staff_cannot_open_the_admin(as_user, cast):
    assert as_user(cast.ops).get(reverse(LIST)).status_code == 302


READ_ONLY = [model for model, of in admin.site._registry.items() if isinstance(of, ReadOnlyAdmin)]


@pytest.mark.parametrize("model", READ_ONLY, ids=lambda model: model.__name__)
def test_cases_and_their_records_can_be_listed_but_never_added_changed_or_deleted(as_user, second, rf, model):
    of, request = admin.site._registry[model], rf.get("/")
    request.user = second
    assert of.has_view_permission(request)
    allowed = [of.has_add_permission, of.has_change_permission, of.has_delete_permission]
    assert not any(may(request) for may in allowed)
    assert of.get_actions(request) == {}
    base = f"admin:escalations_{model._meta.model_name}"
    page = as_user(second)
    assert page.get(reverse(f"{base}_changelist")).status_code == 200
    assert page.get(reverse(f"{base}_add")).status_code == 403


def test_the_case_itself_is_among_what_is_read_only():
    assert Escalation in READ_ONLY


@pytest.mark.usefixtures("few_rows")
def test_the_page_of_a_draft_asks_the_same_number_of_queries_whatever_its_length(as_user, author, draft):
    page, url = as_user(author), reverse(CHANGE, args=[draft.pk])
    page.get(url)
    lead, director = Role.objects.get(slug="team-lead"), Role.objects.get(slug="director")
    with CaptureQueriesContext(connection) as before:
        page.get(url)
    for issue_type in ("billing-dispute", "vip-at-risk", "refund-credit"):
        draft.targets.create(clock="first_act", issue_type=issue_type, amount=30)
        draft.targetfactors.create(clock="decision", part="age_hours", from_value=len(issue_type), percent=90)
        draft.matrixrows.create(
            issue_type=issue_type, level=1, role=lead, owner_role=lead, then_role=director, wait_minutes=60, sort=500
        )
    with CaptureQueriesContext(connection) as after:
        page.get(url)
    assert len(after) == len(before)


def row_of(data, prefix, pk):
    """The prefix of the inline form of one row."""
    key = next(name for name, value in data.items() if name.startswith(f"{prefix}-") and str(value) == str(pk))
    return key.removesuffix("-id")


@pytest.mark.usefixtures("few_rows")
def test_a_draft_shows_when_each_target_would_be_due_if_it_started_now(as_user, author, draft):
    draft.targets.all().delete()
    draft.targets.create(clock="response", amount=120, unit="clock")
    draft.targets.create(clock="decision", amount=5, unit="business_days", issue_type="technical-outage")
    with time_machine.travel(datetime(2026, 1, 19, 15, 0, tzinfo=UTC), tick=False):  # Monday, 10 AM in New York
        words = as_user(author).get(reverse(CHANGE, args=[draft.pk])).content.decode()
    assert "Starting now: due at" in words
    assert "Mon Jan 19, 2026, 12:00 PM ET" in words
    # Business days are those of the business calendar, for an issue that runs around the clock too; the 19th is a holiday.
    assert "Mon Jan 26, 2026, 5:00 PM ET" in words


@pytest.mark.usefixtures("few_rows")
def test_a_target_on_a_calendar_without_working_time_says_so_instead_of_failing(as_user, author, draft):
    calendar = draft.issuetypes.get(slug="refund-credit").calendar
    calendar.spans.all().delete()
    calendar.save()
    words = as_user(author).get(reverse(CHANGE, args=[draft.pk])).content.decode()
    assert "The calendar has no working time" in words


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("90, 50", "Write them in ascending order, each once: 50, 90."),
        ("75", "75 is the main warning already. Leave it out here."),
        ("half", "Write whole numbers from 1 to 99 with commas between, such as 50, 90."),
    ],
)
@pytest.mark.usefixtures("few_rows")
def test_wrong_further_warnings_are_refused_at_their_row(as_user, author, draft, typed, words):
    page, url = as_user(author), reverse(CHANGE, args=[draft.pk])
    data, row = form_data(page.get(url)), draft.targets.get(clock="response", tier="red")
    answer = page.post(url, data | {f"{row_of(data, 'targets', row.pk)}-also_warn_at": typed})
    assert answer.status_code == 200
    assert words in answer.content.decode()
    row.refresh_from_db()
    assert row.also_warn_at == ""


@pytest.mark.usefixtures("few_rows")
def test_further_warnings_and_a_factor_are_saved_and_shown_as_differences(as_user, author, draft):
    page, url = as_user(author), reverse(CHANGE, args=[draft.pk])
    data, row = form_data(page.get(url)), draft.targets.get(clock="response", tier="red")
    factor = draft.targetfactors.get(clock="first_act", part="renewal_days", to_value=30)
    data |= {f"{row_of(data, 'targets', row.pk)}-also_warn_at": "50,90"}
    data |= {f"{row_of(data, 'targetfactors', factor.pk)}-percent": "60", "_continue": "1"}
    words = page.post(url, data, follow=True).content.decode()
    row.refresh_from_db()
    factor.refresh_from_db()
    assert (row.also_warn_at, factor.percent) == ("50, 90", 60)
    assert "<ins>60</ins>" in words
    assert "<ins>50, 90</ins>" in words


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"percent": "5"}, "the percent must be from 10 to 300, not 5."),
        ({"from_value": "40"}, "the end value must be above the start value."),
    ],
)
@pytest.mark.usefixtures("few_rows")
def test_a_factor_that_holds_nothing_or_goes_too_far_is_refused_at_its_row(as_user, author, draft, values, words):
    page, url = as_user(author), reverse(CHANGE, args=[draft.pk])
    data = form_data(page.get(url))
    factor = draft.targetfactors.get(clock="first_act", part="renewal_days", to_value=30)
    prefix = row_of(data, "targetfactors", factor.pk)
    answer = page.post(url, data | {f"{prefix}-{name}": value for name, value in values.items()})
    assert answer.status_code == 200
    assert words in answer.content.decode()


def test_overlapping_factors_stop_the_publication_and_the_page_says_which(as_user, second, draft):
    draft.targetfactors.filter(clock="first_act", part="renewal_days", to_value=60).update(from_value=20)
    words = as_user(second).get(reverse(PUBLISH, args=[draft.pk])).content.decode()
    assert "Factor “Renewal under 30 days” of First act overlaps “20 days to under 60 days”." in words
    assert "Publish policy version" not in words
