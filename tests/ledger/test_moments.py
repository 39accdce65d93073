"""Local times that do not exist or come twice, in forms and over the API."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from ledger.local_time import instant_of, is_certain
from ledger.moments import MomentField, moved
from tests.escalations.cases import builders
from tests.support.cast import Cast

NEW_YORK = ZoneInfo("America/New_York")
# Row 35: the doubled hour is the first one; the skipped one is the change itself.
TWICE, FIRST = "2027-11-07T01:30", datetime(2027, 11, 7, 5, 30, tzinfo=UTC)
NEVER, CHANGE = "2027-03-14T02:30", datetime(2027, 3, 14, 7, 0, tzinfo=UTC)


class OneMoment(forms.Form):
    """A form with a time."""

    at = MomentField()


@pytest.mark.parametrize(("typed", "at"), [(TWICE, FIRST), (NEVER, CHANGE)], ids=["twice", "never"])
def test_the_instant_of_a_local_time(typed: str, at: datetime) -> None:
    local = datetime.fromisoformat(typed)
    assert instant_of(local, NEW_YORK) == at
    assert not is_certain(local, NEW_YORK)


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1)),
    st.sampled_from(["America/New_York", "Asia/Kathmandu", "UTC"]),
)
def test_a_certain_time_reads_back_as_it_was_typed(local: datetime, zone: str) -> None:
    at = instant_of(local, ZoneInfo(zone))
    assert not is_certain(local, ZoneInfo(zone)) or at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (TWICE, "1:30 AM comes twice on Nov 7, 2027, because clocks go back: the first one is taken."),
        (NEVER, "2:30 AM does not exist on Mar 14, 2027, because clocks go forward: 3:00 AM is taken."),
        ("2027-03-14T03:30", ""),
    ],
)
def test_a_form_says_what_it_took(typed: str, said: str) -> None:
    with timezone.override(NEW_YORK):
        form = OneMoment({"at": typed})
        assert form.is_valid()
        assert [each.replace("\u202f", " ") for each in moved(form)] == ([said] if said else [])


@pytest.mark.parametrize("typed", ["2027-01-05", "2027-01-05 10:00", "2027-01-05T10:00:00Z"])
def test_the_usual_spellings_are_read(typed: str) -> None:
    assert OneMoment({"at": typed}).is_valid()


@pytest.mark.parametrize("typed", ["tomorrow", "2027-02-30T10:00", "1899-01-01T00:00", "3000-01-01T00:00"])
def test_others_are_refused(typed: str) -> None:
    assert not OneMoment({"at": typed}).is_valid()


@pytest.mark.django_db
@pytest.mark.both_databases
@pytest.mark.parametrize(("typed", "at"), [(TWICE, FIRST), (NEVER, CHANGE)], ids=["twice", "never"])
def test_a_deadline_is_accepted_by_page_and_api(cast: Cast, typed: str, at: datetime) -> None:
    cast.csm.zone = "America/New_York"
    cast.csm.save()
    case = builders.opened(cast)
    client = Client()
    client.force_login(cast.csm, backend="allauth.account.auth_backends.AuthenticationBackend")
    data = {"deadline": typed, "reason": "Their board meets that night", "version": case.version}
    answer = client.post(f"/escalations/{case.key}/deadline/", data)
    assert answer.status_code == 302
    assert any("taken." in str(each) for each in get_messages(answer.wsgi_request))
    case.refresh_from_db()
    assert case.deadline == at

    other, program = builders.opened(cast), APIClient()
    program.force_login(cast.csm, backend="allauth.account.auth_backends.AuthenticationBackend")
    body = {"deadline": typed, "reason": "Their board meets that night"}
    sent = program.put(f"/api/v1/escalations/{other.key}/deadline/", body, format="json")
    assert sent.status_code == 200
    other.refresh_from_db()
    assert other.deadline == at
