"""The conditions of an approval are carried: seen before the decision, tracked after it, named when the case is resolved."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from time_machine import TimeMachineFixture

from approvals.models import ApprovalRequest
from approvals.requests import decide as deciding
from escalations import states
from escalations.cases import brief as briefing
from escalations.cases import closing, tracker
from escalations.cases import requests as asking
from escalations.cases.rules.named_dates import named_date, passed_date
from escalations.clocks.targets import business_day, end_of_business
from escalations.models import Action, Clock, Commitment, Escalation
from ledger.errors import AlreadyDone, Invalid, NotAllowed
from messaging.models import Message
from tests.escalations.cases.builders import OPTIONS, TEXTS, asked, briefed
from tests.escalations.tabs.conftest import browse  # noqa: F401 a fixture
from tests.support.cast import Cast

Browse = Callable[..., Any]
GIVEN = ["3-year term signed by Dec 18", "Reference call"]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("3-year term signed by Dec 18", date(2026, 12, 18)),
        ("Signed by 18 December", date(2026, 12, 18)),
        ("Signed by January 5th", date(2027, 1, 5)),
        ("Paid on 2027-02-01, call on Dec 18", date(2027, 2, 1)),
        ("Paid by 1 Feb, 2027", date(2027, 2, 1)),
        ("Paid by Dec 18, 2025", None),
        ("They may 3 times call us, march 4 people", None),
        ("By Feb 30", None),
        ("Reference call", None),
    ],
)
def test_a_condition_names_its_day(text: str, day: date | None) -> None:
    assert named_date(text, date(2026, 11, 28)) == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Paid by 1 March 2020", date(2020, 3, 1)),
        ("Paid by 1 March 2020, call on 2021-04-05", date(2021, 4, 5)),
        ("Paid by 1 March 2020, call on Dec 18", None),
        ("Signed by Dec 18", None),
        ("By Feb 29", None),
        ("Reference call", None),
    ],
)
def test_a_condition_may_name_only_a_day_that_has_passed(text: str, day: date | None) -> None:
    assert passed_date(text, date(2026, 11, 28)) == day


def bound(cast: Cast) -> Escalation:
    """A case that waits for a decision; the recommended option has two conditions."""
    case = briefed(cast)
    assert case.owner is not None
    options = [{**OPTIONS[0], "conditions": GIVEN}, OPTIONS[1]]
    briefing.save_parts(case_id=case.pk, by=case.owner, texts=TEXTS, options=options, versions={})
    wanted = asking.CaseAsk("discount", Decimal(18), "USD", "Approve an 18 percent discount?")
    asking.ask(wanted, case_id=case.pk, by=cast.csm)
    return Escalation.objects.get(pk=case.pk)


def decided(case: Escalation, verdict: str = "conditions", given: str = "\n".join(GIVEN)) -> ApprovalRequest:
    """The newest request is decided by the person asked."""
    made = case.requests.latest("pk")
    reason = "So be it" if verdict == "declined" or given.splitlines() != GIVEN else ""
    words = deciding.Words(reason, given if verdict == "conditions" else "")
    deciding.decide(request_id=made.pk, by=made.approver, verdict=verdict, version=made.version, words=words)
    case.refresh_from_db()
    return case.requests.get(pk=made.pk)


def test_each_condition_becomes_a_commitment_with_owner_and_day(cast: Cast) -> None:
    case = bound(cast)
    made = decided(case)
    first, second = case.commitments.order_by("pk")
    assert [first.text, second.text] == GIVEN
    assert {each.owner for each in (first, second)} == {case.owner}
    assert {(each.by, each.request) for each in (first, second)} == {(Commitment.CONDITION, made)}
    assert (first.due_on.month, first.due_on.day) == (12, 18)
    assert case.deadline is not None
    assert second.due_on == business_day(case.deadline)
    assert case.clocks.filter(kind=states.COMMITMENT, state=Clock.RUNNING).count() == 2


def test_days_of_conditions_are_those_of_the_business_calendar(cast: Cast, time_machine: TimeMachineFixture) -> None:
    """In New York it is still Friday 18 December when it is Saturday in UTC."""
    friday = date(2026, 12, 18)
    evening = datetime(2026, 12, 18, 20, tzinfo=ZoneInfo("America/New_York"))
    time_machine.move_to(evening - timedelta(days=2))
    case = bound(cast)
    Escalation.objects.filter(pk=case.pk).update(deadline=evening)
    made = case.requests.latest("pk")
    ApprovalRequest.objects.filter(pk=made.pk).update(deadline=evening + timedelta(days=3))
    time_machine.move_to(evening - timedelta(minutes=5))
    decided(case)
    assert [each.due_on for each in case.commitments.order_by("pk")] == [friday, friday]


def test_a_condition_whose_day_has_passed_is_said_to_have_another(cast: Cast) -> None:
    case = bound(cast)
    decided(case, given="\n".join([*GIVEN, "Paid by 1 March 2020"]))
    assert case.deadline is not None
    assert case.commitments.get(text="Paid by 1 March 2020").due_on == business_day(case.deadline)
    said = case.events.filter(kind="commitment", summary__contains="Paid by").get().summary
    assert said.endswith("). It names Mar 1, 2020, which has passed.")
    assert case.events.filter(kind="commitment", summary__contains="which has passed").count() == 1


@pytest.mark.both_databases
@pytest.mark.parametrize("text", ["word " * 80, "x" * 400])
def test_a_condition_too_long_for_a_commitment_shows_that_it_goes_on(cast: Cast, text: str) -> None:
    case = bound(cast)
    made = decided(case, given="\n".join([*GIVEN, text]))
    long = case.commitments.order_by("pk")[2].text
    assert long.endswith(" …")
    assert 295 <= len(long) <= 300
    assert made.conditions.endswith(text.strip())


def test_an_approval_without_conditions_makes_no_commitment(cast: Cast) -> None:
    case = asked(cast)
    decided(case, "approved")
    assert not case.commitments.exists()


def test_conditions_lapse_when_the_decision_is_undone(cast: Cast) -> None:
    case = bound(cast)
    made = decided(case)
    deciding.undo(request_id=made.pk, by=made.approver)
    assert {each.state for each in case.commitments.all()} == {Commitment.LAPSED}
    assert not case.clocks.filter(kind=states.COMMITMENT, state=Clock.RUNNING).exists()


def resolve(case: Escalation) -> Escalation:
    action = case.actions.get()
    tracker.finish_action(action_id=action.pk, by=action.owner, proof="Order form 4711")
    ending = closing.Ending("renewed", "Price", "Signed.", customer_told=True)
    assert case.owner is not None
    return closing.resolve(case_id=case.pk, by=case.owner, ending=ending)


def test_resolving_names_the_conditions_that_are_still_open(cast: Cast) -> None:
    case = bound(cast)
    decided(case)
    first, second = case.commitments.order_by("pk")
    tracker.keep(commitment_id=second.pk, by=second.owner)
    resolve(case)
    said = case.events.filter(kind="commitment").latest("seq").summary
    assert said.startswith("1 condition is still open: 3-year term signed by Dec 18 (")
    first.refresh_from_db()
    assert first.state == Commitment.OPEN


def test_resolving_says_nothing_when_all_conditions_are_kept(cast: Cast) -> None:
    case = bound(cast)
    decided(case)
    for each in case.commitments.all():
        tracker.keep(commitment_id=each.pk, by=each.owner)
    resolve(case)
    assert not case.events.filter(summary__contains="still open").exists()


def test_the_conditions_stand_in_the_brief_on_the_decision_page_and_in_the_mail(cast: Cast, browse: Browse) -> None:  # noqa: F811
    case = bound(cast)
    made = case.requests.get()
    assert made.approver is not None
    pages = [
        f"/approvals/{made.pk}/",
        f"/approvals/{made.pk}/brief/",
        f"/escalations/{case.key}/brief/page/",
    ]
    for path in pages:
        page = browse(made.approver, path).content.decode()
        assert all(line in page for line in GIVEN), path
    mail = Message.objects.filter(kind="approval", address=made.approver.email).latest("pk")
    assert all(line in mail.text for line in GIVEN)


def test_the_page_for_resolving_lists_the_open_conditions(cast: Cast, browse: Browse) -> None:  # noqa: F811
    case = bound(cast)
    decided(case)
    page = browse(case.owner, f"/escalations/{case.key}/resolve/").content.decode()
    assert "Conditions of the approval that are still open" in page
    assert all(line in page for line in GIVEN)
    assert "Condition of the approval" in browse(case.owner, f"/escalations/{case.key}/tracker/").content.decode()


def grant(pk: int) -> None:
    """Everybody who is asked approves."""
    while True:
        made = ApprovalRequest.objects.with_seats().get(pk=pk)
        if not made.is_open:
            return
        person = next(seat.person for seat in made.all_seats() if seat.waits)
        deciding.decide(request_id=pk, by=person, verdict="approved", version=made.version)


def two_asks(cast: Cast) -> tuple[Escalation, ApprovalRequest, ApprovalRequest]:
    case = asked(cast)
    first = case.requests.get()
    asking.ask(asking.CaseAsk("payment-terms", Decimal(60), "USD", "Pay in 60 days?"), case_id=case.pk, by=cast.csm)
    return case, first, case.requests.latest("pk")


def test_what_was_approved_is_carried_out_when_the_other_request_is_recalled(cast: Cast) -> None:
    case, first, second = two_asks(cast)
    deciding.decide(request_id=first.pk, by=first.approver, verdict="approved", version=first.version)
    case.refresh_from_db()
    assert case.state == states.APPROVING
    deciding.recall(request_id=second.pk, by=cast.csm, reason="Not needed any more")
    case.refresh_from_db()
    assert case.state == states.EXECUTING
    assert case.actions.get().request == first
    assert not case.clocks.filter(kind=states.DECISION, state=Clock.RUNNING).exists()


def test_two_recalled_requests_go_back_to_diagnose(cast: Cast) -> None:
    case, first, second = two_asks(cast)
    for each in (first, second):
        each.refresh_from_db()
        deciding.recall(request_id=each.pk, by=cast.csm, reason="Not needed any more")
    case.refresh_from_db()
    assert (case.state, case.actions.count()) == (states.DIAGNOSING, 0)


def test_undoing_one_of_two_grants_leaves_the_action_of_the_other(cast: Cast) -> None:
    case, first, second = two_asks(cast)
    for pk in (first.pk, second.pk):
        grant(pk)
    assert case.actions.filter(state=Action.OPEN).count() == 2
    second.refresh_from_db()
    deciding.undo(request_id=second.pk, by=second.decided_by)
    assert case.actions.get(state=Action.OPEN).request == first
    case.refresh_from_db()
    assert case.state == states.APPROVING


def test_a_condition_gets_another_day_on_the_record(cast: Cast, browse: Browse) -> None:  # noqa: F811
    case = bound(cast)
    decided(case)
    first = case.commitments.order_by("pk")[0]
    later, url = first.due_on + timedelta(days=7), f"/escalations/{case.key}/tracker/commitments/{first.pk}/day/"
    page = browse(cast.csm, f"/escalations/{case.key}/tracker/").content.decode()
    assert url in page
    answer = browse(cast.csm, url, {"due_on": f"{later:%Y-%m-%d}", "reason": "Their signer is away."})
    assert answer.status_code == 302
    first.refresh_from_db()
    assert first.due_on == later
    assert case.events.filter(kind="commitment", actor=cast.csm, summary__contains="Their signer is away.").exists()
    ended, running = case.clocks.filter(kind=states.COMMITMENT, about=first.pk).order_by("pk")
    assert (ended.state, running.state) == (Clock.STOPPED, Clock.RUNNING)
    assert running.due_at == end_of_business(later)


@pytest.mark.parametrize(
    ("day", "reason", "words"),
    [
        ("", "Why not", "Enter the new day."),
        ("2020-01-01", "Why not", "Enter a later day."),
        ("0001-01-01", "Why not", "Enter a later day."),
        ("9999-12-31", "Why not", "Enter a day within ten years."),
        ("2027-01-08", " ", "Enter why the day changes."),
        ("same", "Why not", "This is already the day"),
    ],
)
def test_a_day_that_cannot_be_is_refused_and_what_was_typed_stays(
    cast: Cast,
    browse: Browse,  # noqa: F811
    day: str,
    reason: str,
    words: str,
) -> None:
    case = bound(cast)
    decided(case)
    first = case.commitments.order_by("pk")[0]
    due_on = f"{first.due_on:%Y-%m-%d}" if day == "same" else day
    url = f"/escalations/{case.key}/tracker/commitments/{first.pk}/day/"
    answer = browse(cast.csm, url, {"due_on": due_on, "reason": reason})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert reason.strip() in page
    assert Commitment.objects.get(pk=first.pk).due_on == first.due_on


def test_a_late_condition_that_gets_another_day_was_missed(cast: Cast, time_machine: TimeMachineFixture) -> None:
    case = bound(cast)
    decided(case)
    first = case.commitments.order_by("pk")[0]
    time_machine.move_to(end_of_business(first.due_on) + timedelta(hours=1), tick=False)
    later = first.due_on + timedelta(days=7)
    tracker.move_day(commitment_id=first.pk, by=first.owner, due_on=later, reason="They asked for a week.")
    ended, running = case.clocks.filter(kind=states.COMMITMENT, about=first.pk).order_by("pk")
    assert (ended.state, running.state) == (Clock.MISSED, Clock.RUNNING)


def test_only_the_open_condition_of_ones_own_case_moves(cast: Cast, browse: Browse) -> None:  # noqa: F811
    case = bound(cast)
    decided(case)
    first = case.commitments.order_by("pk")[0]
    promised = tracker.promise(case_id=case.pk, by=cast.csm, text="Report", owner=cast.csm, due_on=first.due_on)
    later = first.due_on + timedelta(days=7)
    with pytest.raises(Invalid):
        tracker.move_day(commitment_id=promised.pk, by=cast.csm, due_on=later, reason="Later")
    with pytest.raises(NotAllowed):
        tracker.move_day(commitment_id=first.pk, by=cast.outsider, due_on=later, reason="Later")
    tracker.keep(commitment_id=first.pk, by=cast.csm)
    with pytest.raises(AlreadyDone):
        tracker.move_day(commitment_id=first.pk, by=cast.csm, due_on=later, reason="Later")
    url = f"/escalations/{case.key}/tracker/commitments/{first.pk}/day/"
    assert browse(cast.outsider, url, {}).status_code == 404
