"""Each kind of clock: which verb starts it, which keeps it, and what it does when the case waits or ends."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from escalations import states
from escalations.cases import closing, deadlines, tracker
from escalations.cases import thread as communication
from escalations.clocks import audit as rebuilding
from escalations.clocks import engine as firing
from escalations.clocks.rules.kinds import CHOICES
from escalations.models import Clock, Commitment, Escalation, Event
from escalations.triage import assess as triage
from ledger.errors import Invalid, NotAllowed, Stale
from ledger.now import now
from tests.escalations.cases.builders import accepted, opened
from tests.support.cast import Cast

ISSUE = {
    "issue_type": "billing-dispute",
    "concession": "",
    "amount": None,
}  # no deal: its deadline is a clock of its own
RED = {**ISSUE, "legal": True}


def live(case: Escalation, kind: str, about: int = 0) -> Clock:
    """The running or paused clock of a kind."""
    return Clock.objects.get(case=case, kind=kind, about=about, state__in=[Clock.RUNNING, Clock.PAUSED])


def states_of(case: Escalation, kind: str) -> list[str]:
    """What became of the clocks of a kind, in their order."""
    return list(Clock.objects.filter(case=case, kind=kind).order_by("generation").values_list("state", flat=True))


def later(**span: float) -> "time_machine.travel":
    """Some time from now."""
    return time_machine.travel(now() + timedelta(**span), tick=False)


def status(case: Escalation, text: str = "They answer on Friday.") -> None:
    """The owner writes the status."""
    fresh = Escalation.objects.select_related("owner").get(pk=case.pk)
    assert fresh.owner is not None
    communication.set_status(case_id=case.pk, by=fresh.owner, text=text, version=fresh.version)


def resolve(case: Escalation, cast: Cast) -> None:
    """Carry on to the end without an approval."""
    closing.skip_to_execute(case_id=case.pk, by=cast.csm, reason="Inside the playbook")
    closing.resolve(case_id=case.pk, by=cast.csm, ending=closing.Ending("fixed", "Wrong invoice", "Corrected.", True))


def promised(case: Escalation, cast: Cast, days: int = 10, text: str = "We report every Friday") -> Commitment:
    """A commitment by us, so many days from now."""
    due_on = now().date() + timedelta(days=days)
    return tracker.promise(case_id=case.pk, by=cast.csm, text=text, owner=cast.ae, due_on=due_on)


@pytest.mark.parametrize(("hours", "state"), [(0, Clock.MET), (11, Clock.MET), (13, Clock.MISSED)])
def test_the_time_to_escalate_is_measured_when_a_case_opens(cast: Cast, hours: int, state: str) -> None:
    case = opened(cast, impasse_at=now() - timedelta(hours=hours))
    clock = Clock.objects.get(case=case, kind=states.TIME_TO_ESCALATE)
    assert case.tier == states.YELLOW
    assert (clock.state, clock.target_text, clock.started_at) == (state, "12 hours", case.impasse_at)
    assert clock.stopped_at == case.opened_at
    assert (clock.breached_at is not None) == (state == Clock.MISSED)
    kinds = list(Event.objects.filter(clock=clock).order_by("seq").values_list("kind", flat=True))
    assert kinds == ["clock.start", *(["clock.breach"] if state == Clock.MISSED else []), "clock.stop"]


def test_a_measured_clock_fires_nothing(cast: Cast) -> None:
    opened(cast, impasse_at=now() - timedelta(days=3))
    assert firing.fire_due() == 0


def test_an_internal_update_is_due_by_rhythm_and_each_post_starts_the_next(cast: Cast) -> None:
    case = accepted(cast)
    first = live(case, states.INTERNAL_UPDATE)
    assert first.started_at == case.opened_at
    with later(hours=2):
        communication.post(case_id=case.pk, by=cast.csm, text="Counsel has it.")
        second = live(case, states.INTERNAL_UPDATE)
        assert (second.started_at, second.generation) == (now(), 2)
    assert states_of(case, states.INTERNAL_UPDATE) == [Clock.MET, Clock.RUNNING]


def test_a_promised_next_update_is_when_the_inside_hears_again_and_counts_as_a_check_in(cast: Cast) -> None:
    case = accepted(cast)
    when = now() + timedelta(hours=3)
    communication.post(case_id=case.pk, by=cast.csm, text="Counsel has it.", next_update_at=when)
    clock = live(case, states.INTERNAL_UPDATE)
    assert (clock.due_at, clock.on_breach) == (when, "remind")
    assert clock.why[0] == "Next update promised on the thread"
    assert states_of(case, states.CHECK_IN) == [Clock.MET, Clock.RUNNING]


def test_a_plain_post_is_no_check_in_but_a_new_status_is(cast: Cast) -> None:
    case = accepted(cast)
    communication.post(case_id=case.pk, by=cast.csm, text="Counsel has it.")
    assert states_of(case, states.CHECK_IN) == [Clock.RUNNING]
    status(case)
    assert states_of(case, states.CHECK_IN) == [Clock.MET, Clock.RUNNING]
    assert states_of(case, states.INTERNAL_UPDATE) == [Clock.MET, Clock.MET, Clock.RUNNING]


def test_words_to_the_customer_do_not_keep_the_inside_told(cast: Cast) -> None:
    case = accepted(cast)
    communication.customer_update(case_id=case.pk, by=cast.csm, text="Word by noon.", contacts=[cast.contact])
    assert states_of(case, states.INTERNAL_UPDATE) == [Clock.RUNNING]


@pytest.mark.parametrize(("facts", "found"), [({"legal": True}, "1 business day"), ({}, "3 business days")])
def test_red_cases_are_checked_daily_and_yellow_ones_twice_a_week(
    cast: Cast, facts: dict[str, bool], found: str
) -> None:
    assert live(opened(cast, **facts), states.CHECK_IN).target_text == found


def test_a_green_case_has_no_check_in(cast: Cast) -> None:
    cast.northwind.health = 90
    cast.northwind.renewal_date = None
    cast.northwind.save(update_fields=["health", "renewal_date"])
    case = opened(cast, **ISSUE, blocker=False)
    assert case.tier == states.GREEN
    assert not Clock.objects.filter(case=case, kind=states.CHECK_IN).exists()
    assert live(case, states.INTERNAL_UPDATE).target_text.startswith("168 hours")


def test_a_post_on_a_resolved_case_starts_no_rhythm_again(cast: Cast) -> None:
    case = accepted(cast, **ISSUE)
    resolve(case, cast)
    communication.post(
        case_id=case.pk, by=cast.csm, text="They say thank you.", next_update_at=now() + timedelta(days=1)
    )
    assert set(case.clocks.live().values_list("kind", flat=True)) == {states.REVIEW_DUE}


def test_the_customers_date_is_a_clock_of_its_own_unless_it_is_the_resolution_of_a_deal(cast: Cast) -> None:
    deal, other = opened(cast), opened(cast, **ISSUE)
    assert live(deal, states.RESOLUTION).due_at == deal.deadline
    assert not Clock.objects.filter(case=deal, kind=states.CUSTOMER_DEADLINE).exists()
    clock = live(other, states.CUSTOMER_DEADLINE)
    assert clock.due_at == other.deadline
    assert clock.why[0] == "Deadline given by the customer"
    assert live(other, states.RESOLUTION).due_at != other.deadline


def test_a_case_without_a_date_has_no_such_clock(cast: Cast) -> None:
    assert not Clock.objects.filter(case=opened(cast, **ISSUE, deadline=None), kind=states.CUSTOMER_DEADLINE).exists()


def test_another_date_starts_the_clock_again_and_says_who_moved_it(cast: Cast) -> None:
    case = accepted(cast, **ISSUE)
    when = now() + timedelta(days=9)
    deadlines.set_deadline(case_id=case.pk, by=cast.csm, deadline=when, reason="Their board meets later")
    assert states_of(case, states.CUSTOMER_DEADLINE) == [Clock.STOPPED, Clock.RUNNING]
    assert live(case, states.CUSTOMER_DEADLINE).due_at == when
    assert Event.objects.get(case=case, kind="deadline").summary.endswith("Their board meets later")
    deadlines.set_deadline(case_id=case.pk, by=cast.csm, deadline=None, reason="They gave it up")
    assert not case.clocks.live().filter(kind=states.CUSTOMER_DEADLINE).exists()


def test_another_date_of_a_deal_moves_its_resolution_and_none_brings_the_policy_back(cast: Cast) -> None:
    case = accepted(cast)
    when = now() + timedelta(days=9)
    deadlines.set_deadline(case_id=case.pk, by=cast.csm, deadline=when, reason="Their board meets later")
    assert live(case, states.RESOLUTION).due_at == when
    deadlines.set_deadline(case_id=case.pk, by=cast.csm, deadline=None, reason="They gave it up")
    assert live(case, states.RESOLUTION).target_text.startswith("10 business days")
    assert not Clock.objects.filter(case=case, kind=states.CUSTOMER_DEADLINE).exists()


def test_a_deadline_needs_a_future_date_a_reason_the_right_and_the_case_as_it_was_read(cast: Cast) -> None:
    case, when = accepted(cast, **ISSUE), now() + timedelta(days=9)
    for values, field in (
        ({"deadline": now() - timedelta(days=1), "reason": "x"}, "deadline"),
        ({"deadline": case.deadline, "reason": "x"}, "deadline"),
        ({"deadline": when, "reason": " "}, "reason"),
    ):
        with pytest.raises(Invalid) as caught:
            deadlines.set_deadline(case_id=case.pk, by=cast.csm, **values)  # type: ignore[arg-type]
        assert caught.value.field == field
    with pytest.raises(Stale):
        deadlines.set_deadline(case_id=case.pk, by=cast.csm, deadline=when, reason="x", version=0)
    with pytest.raises(NotAllowed):
        deadlines.set_deadline(case_id=case.pk, by=cast.outsider, deadline=when, reason="x")
    resolve(case, cast)
    with pytest.raises(Invalid, match="Reopen it"):
        deadlines.set_deadline(case_id=case.pk, by=cast.csm, deadline=when, reason="x")
    assert Event.objects.filter(case=case, kind="deadline").count() == 0


def test_a_commitment_is_due_at_the_end_of_business_on_its_day(cast: Cast) -> None:
    case = accepted(cast)
    with time_machine.travel(datetime(2026, 7, 1, 15, 0, tzinfo=UTC), tick=False):
        friday = promised(case, cast, days=1)  # Thursday, July 2: the day before the holiday
        holiday = promised(case, cast, days=3, text="We call on the holiday")
    assert live(case, states.COMMITMENT, friday.pk).due_at == datetime(2026, 7, 2, 21, 0, tzinfo=UTC)
    # Nobody works on the Saturday of the holiday: to the end of the day.
    assert live(case, states.COMMITMENT, holiday.pk).due_at == datetime(2026, 7, 5, 4, 0, tzinfo=UTC)
    assert live(case, states.COMMITMENT, holiday.pk).label == "Commitment: We call on the holiday"


def test_each_commitment_has_a_clock_of_its_own_and_ends_it_by_itself(cast: Cast) -> None:
    case = accepted(cast)
    one, two, three = (promised(case, cast, days=day, text=f"Promise {day}") for day in (5, 6, 7))
    tracker.keep(commitment_id=two.pk, by=cast.ae)
    tracker.keep(commitment_id=three.pk, by=cast.ae, kept=False)
    found = {clock.about: clock.state for clock in Clock.objects.filter(case=case, kind=states.COMMITMENT)}
    assert found == {one.pk: Clock.RUNNING, two.pk: Clock.MET, three.pk: Clock.MISSED}


def test_a_commitment_kept_late_was_missed(cast: Cast) -> None:
    case = accepted(cast)
    made = promised(case, cast, days=2)
    with later(days=4):
        while firing.fire_due():
            pass
        tracker.keep(commitment_id=made.pk, by=cast.ae)
    clock = Clock.objects.get(case=case, kind=states.COMMITMENT)
    assert (clock.state, clock.breached_at) == (Clock.MISSED, clock.due_at)


def test_a_late_commitment_reminds_its_owner_and_never_raises_the_level(cast: Cast) -> None:
    case = accepted(cast, **ISSUE)
    made = promised(case, cast, days=20)
    resolve(case, cast)
    level = Escalation.objects.get(pk=case.pk).level
    with later(days=30):
        while firing.fire_due():
            pass
    assert live(case, states.COMMITMENT, made.pk).breached_at is not None
    assert Escalation.objects.get(pk=case.pk).level == level
    assert Escalation.objects.get(pk=case.pk).sla_clock != states.COMMITMENT


def test_a_long_commitment_is_named_as_far_as_there_is_room(cast: Cast) -> None:
    case = accepted(cast)
    made = promised(case, cast, text="word " * 60)
    clock = live(case, states.COMMITMENT, made.pk)
    assert len(clock.topic) <= 160
    assert clock.topic.endswith(" …")


def test_a_commitment_without_a_case_is_settled_without_a_clock(cast: Cast) -> None:
    made = Commitment.objects.create(
        account=cast.northwind, text="A call a month", owner=cast.ae, due_on=now().date(), made_at=now()
    )
    tracker.keep(commitment_id=made.pk, by=cast.ae)
    assert not Clock.objects.filter(kind=states.COMMITMENT).exists()


def test_while_the_case_waits_the_rhythm_the_date_and_commitments_go_on(cast: Cast) -> None:
    case = accepted(cast, **ISSUE)
    promised(case, cast)
    communication.wait_on(case_id=case.pk, by=cast.csm, whom="customer", reason="Counsel reads the draft")
    running = set(case.clocks.filter(state=Clock.RUNNING).values_list("kind", flat=True))
    assert running == {
        states.CUSTOMER_UPDATE,
        states.INTERNAL_UPDATE,
        states.CHECK_IN,
        states.CUSTOMER_DEADLINE,
        states.COMMITMENT,
    }
    paused = set(case.clocks.filter(state=Clock.PAUSED).values_list("kind", flat=True))
    assert {states.DECISION, states.RESOLUTION} <= paused


def test_resolving_meets_what_it_answers_and_only_commitments_live_on_until_closing(cast: Cast) -> None:
    case = accepted(cast, **ISSUE)
    made = promised(case, cast, days=40)
    resolve(case, cast)
    for kind in (states.CUSTOMER_DEADLINE, states.INTERNAL_UPDATE, states.CHECK_IN, states.RESOLUTION):
        assert states_of(case, kind)[-1] == Clock.MET, kind
    assert set(case.clocks.live().values_list("kind", flat=True)) == {states.REVIEW_DUE, states.COMMITMENT}
    closing.waive_review(case_id=case.pk, by=cast.director, reason="Seen before")
    closing.close(case_id=case.pk, by=cast.csm)
    assert list(case.clocks.live().values_list("kind", "about")) == [(states.COMMITMENT, made.pk)]
    assert Escalation.objects.get(pk=case.pk).sla_due_at is None
    tracker.keep(commitment_id=made.pk, by=cast.ae)
    assert not case.clocks.live().exists()


def test_resolving_after_the_customers_date_missed_it(cast: Cast) -> None:
    case = accepted(cast, **ISSUE, deadline=now() + timedelta(hours=2))
    with later(hours=3):
        resolve(case, cast)
    assert states_of(case, states.CUSTOMER_DEADLINE) == [Clock.MISSED]


def test_withdrawing_stops_all_but_commitments(cast: Cast) -> None:
    case = accepted(cast, **ISSUE)
    promised(case, cast)
    closing.withdraw(case_id=case.pk, by=cast.csm, reason="They took it back")
    assert list(case.clocks.live().values_list("kind", flat=True)) == [states.COMMITMENT]
    assert states_of(case, states.CUSTOMER_DEADLINE) == [Clock.STOPPED]


def test_a_reopened_case_has_its_rhythm_and_the_customers_date_again_if_it_lies_ahead(cast: Cast) -> None:
    soon, far = accepted(cast, **ISSUE, deadline=now() + timedelta(hours=2)), accepted(cast, **ISSUE, title="Far")
    for case in (soon, far):
        resolve(case, cast)
    with later(hours=5):
        for case in (soon, far):
            closing.reopen(case_id=case.pk, by=cast.csm, reason="It is back")
    common = {states.DECISION, states.CUSTOMER_UPDATE, states.INTERNAL_UPDATE, states.CHECK_IN, states.RESOLUTION}
    assert set(soon.clocks.live().values_list("kind", flat=True)) == common
    assert set(far.clocks.live().values_list("kind", flat=True)) == common | {states.CUSTOMER_DEADLINE}


def test_a_case_that_becomes_red_is_checked_daily_from_the_same_start(cast: Cast) -> None:
    case = accepted(cast, **ISSUE)
    started = live(case, states.CHECK_IN).started_at
    Escalation.objects.filter(pk=case.pk).update(legal=True)
    triage.assess(Escalation.objects.select_related("policy", "issue_type", "account").get(pk=case.pk), at=now())
    clock = live(case, states.CHECK_IN)
    assert (clock.target_text, clock.started_at) == ("1 business day", started)


def test_the_history_of_every_kind_rebuilds_its_row(cast: Cast) -> None:
    case = accepted(cast, **RED, impasse_at=now() - timedelta(days=1))
    one, _ = promised(case, cast, days=2), promised(case, cast, days=30)
    with later(days=3):
        while firing.fire_due():
            pass
        status(case)
        tracker.keep(commitment_id=one.pk, by=cast.ae, kept=False)
        deadlines.set_deadline(case_id=case.pk, by=cast.csm, deadline=now() + timedelta(days=9), reason="Later")
    with later(days=4):
        closing.withdraw(case_id=case.pk, by=cast.csm, reason="They took it back")
    assert set(case.clocks.values_list("kind", flat=True)) >= {kind for kind, _ in CHOICES} - {
        states.REVIEW_DUE,
        states.RESPONSE,
    }
    assert [str(each) for each in rebuilding.differences()] == []
