"""What was read before the transaction of a new case is checked again inside it; rows of a published policy are read once."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account, User
from escalations.cases import intake
from escalations.clocks.book import together
from escalations.clocks.verbs import refresh_cache, retarget
from escalations.models import CasePerson, Escalation, HandOff, PolicyVersion
from escalations.policy import versions
from escalations.policy.rows import rows_of
from ledger.errors import NotThere
from ledger.now import now
from messaging.models import Message
from messaging.outbox import messages as outbox
from tests.escalations.cases.builders import opened
from tests.support.cast import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def wanted(cast: Cast) -> intake.Intake:
    """A technical issue of Northwind, without an ask."""
    return intake.Intake(account=cast.northwind, issue_type="technical-outage", issue="The export fails.")


def test_a_person_who_left_meanwhile_is_not_named_on_the_case(cast: Cast) -> None:
    opening = intake.prepare(wanted(cast), by=cast.csm)
    chosen = opening.destination.authority
    assert chosen is not None
    User.objects.filter(pk=chosen.pk).update(is_active=False)
    case = intake.open_case(wanted(cast), by=cast.csm, prepared=opening)
    assert case.people.filter(duty=CasePerson.AUTHORITY).exists()
    assert not case.people.filter(user=chosen).exists()


def test_an_account_that_was_given_away_meanwhile_gets_no_case(cast: Cast) -> None:
    opening = intake.prepare(wanted(cast), by=cast.csm)
    Account.objects.filter(pk=cast.northwind.pk).update(csm=cast.outsider, ae=None)
    with pytest.raises(NotThere):
        intake.open_case(wanted(cast), by=cast.csm, prepared=opening)
    assert not Escalation.objects.exists()


def test_a_case_is_open_even_if_the_health_of_its_account_cannot_be_computed(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(intake.health, "recompute", busy)
    case = intake.open_case(wanted(cast), by=cast.csm)
    assert Escalation.objects.get() == case


def test_an_unchanged_opening_is_not_read_again(
    cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    opening = intake.prepare(wanted(cast), by=cast.csm)
    with django_assert_max_num_queries(28):  # six of them for the health of the account
        case = intake.open_case(wanted(cast), by=cast.csm, prepared=opening)
    assert case.opened_at == opening.at


def test_cases_of_one_process_do_not_share_the_row_of_their_issue_type(cast: Cast) -> None:
    one, two = intake.prepare(wanted(cast), by=cast.csm).case, intake.prepare(wanted(cast), by=cast.csm).case
    assert one.issue_type == two.issue_type
    assert one.issue_type is not two.issue_type


def test_the_rows_of_a_draft_are_read_each_time_and_those_of_a_published_version_once(cast: Cast) -> None:
    published = PolicyVersion.objects.get()
    draft = versions.clone_draft(by=cast.ops)
    assert rows_of(published) is rows_of(PolicyVersion.objects.get(pk=published.pk))
    before = len(rows_of(draft).targets)
    draft.targets.filter(clock="response").delete()
    assert len(rows_of(draft).targets) < before


def test_steps_of_one_block_are_written_together_and_in_order(
    cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    case = opened(cast)
    with django_assert_max_num_queries(12), together(case):
        case.tier = "red"
        retarget(case, at=now())
    entries = list(case.events.order_by("seq").values_list("seq", flat=True))
    assert entries == list(range(1, len(entries) + 1))
    fresh = Escalation.objects.get(pk=case.pk)
    first = min(clock.due_at for clock in case.clocks.live() if clock.rule.in_queue and clock.due_at)
    assert fresh.sla_due_at == first


def test_a_case_is_yellow_when_any_of_its_clocks_has_warned(cast: Cast) -> None:
    case = opened(cast)
    counted = [clock for clock in case.clocks.live() if clock.rule.in_queue and clock.due_at]
    last = max(counted, key=lambda clock: clock.due_at)
    type(last).objects.filter(pk=last.pk).update(warn_at=now() - timedelta(minutes=1))
    with together(case):
        refresh_cache(case)
    fresh = Escalation.objects.get(pk=case.pk)
    assert fresh.sla_due_at == min(clock.due_at for clock in counted)
    assert fresh.sla_status(now()) == "yel"


def test_the_mail_of_a_hand_off_is_composed_when_it_is_sent(cast: Cast) -> None:
    case = opened(cast)
    message = Message.objects.get(kind="handoff")
    assert (message.text, message.html) == ("", "")
    outbox.send_due()
    message.refresh_from_db()
    assert f"hands you the {HandOff.objects.get().get_duty_display().lower()} duty" in message.text
    assert case.issue[:40] in message.text


def test_a_repeated_request_over_the_api_prepares_nothing(cast: Cast, client: Client) -> None:
    client.force_login(cast.csm, backend="allauth.account.auth_backends.AuthenticationBackend")
    body = {"account": cast.northwind.pk, "issue_type": "technical-outage", "issue": "The export fails."}
    sent = {"content_type": "application/json", "headers": {"Idempotency-Key": "a"}}
    first = client.post("/api/v1/escalations/", body, **sent)  # type: ignore[arg-type]
    again = client.post("/api/v1/escalations/", body, **sent)  # type: ignore[arg-type]
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["key"] == again.json()["key"]
    assert Escalation.objects.count() == 1
