"""The engine was away for hours, or the clock of the host jumped: everything due fires once, at its own time."""

from datetime import timedelta

import pytest
import time_machine

from escalations import states
from escalations.clocks import audit as rebuilding
from escalations.clocks import engine as firing
from escalations.models import Clock, Escalation, Event
from ledger.now import now
from messaging.models import Message
from messaging.outbox import messages as outbox
from tests.escalations.cases.builders import accepted, opened
from tests.support.cast import Cast
from tests.support.levels import DIRECTOR, EXECUTIVE, TEAM

pytestmark = pytest.mark.both_databases


def fire_all() -> int:
    """Until nothing is due."""
    total = 0
    while done := firing.fire_due():
        total += done
    return total


def test_eight_hours_away_with_three_levels_due(cast: Cast) -> None:
    """Payment terms: two hours a level, around the clock. Each breach is at its due time, the next level counts from there."""
    case = opened(cast, issue_type="payment-terms-dispute", concession="", amount=None)
    begun = Clock.objects.get(case=case, kind=states.DECISION).started_at
    Message.objects.all().delete()
    with time_machine.travel(begun + timedelta(hours=8), tick=False):
        fire_all()
        late = Clock.objects.filter(case=case, kind=states.DECISION).order_by("generation")
        assert [clock.level for clock in late] == [TEAM, DIRECTOR, EXECUTIVE]
        assert [clock.breached_at for clock in late] == [begun + timedelta(hours=hours) for hours in (2, 4, 6)]
        assert [clock.started_at for clock in late] == [begun + timedelta(hours=hours) for hours in (0, 2, 4)]
        case = Escalation.objects.get(pk=case.pk)
        assert (case.level, case.level_since) == (EXECUTIVE, begun + timedelta(hours=4))
        moves = Event.objects.filter(case=case, kind="level").count()
        assert moves == 2
        breaches = Event.objects.filter(case=case, kind="clock.breach").values_list("clock", flat=True)
        assert len(breaches) == len(set(breaches))
        assert fire_all() == 0
        assert not list(rebuilding.differences())


def test_after_an_outage_each_person_gets_one_message_a_case_about_where_it_stands_now(cast: Cast) -> None:
    case = opened(cast, issue_type="payment-terms-dispute", concession="", amount=None)
    begun = Clock.objects.get(case=case, kind=states.DECISION).started_at
    Message.objects.all().delete()
    with time_machine.travel(begun + timedelta(hours=8), tick=False):
        fire_all()
        outbox.send_due()
        mails = Message.objects.filter(case_key=case.key, state=Message.SENT)
        per_person = list(mails.values_list("address", flat=True))
        clocks = [mail for mail in mails if mail.kind in ("breach", "warning")]
        assert clocks
        assert len({mail.address for mail in clocks}) == len(clocks)
        assert all("Current state" in mail.text and "executive level" in mail.text for mail in clocks)
        # The directors of the levels in between are not asked to accept what has gone past them.
        assert not mails.filter(kind="handoff", user=cast.director, subject__contains="decision").exists()
        assert len(per_person) <= 2 * len(set(per_person))


def test_the_order_is_oldest_first(cast: Cast) -> None:
    cases = [accepted(cast, title=f"Number {number}") for number in range(3)]
    with time_machine.travel(now() + timedelta(days=20), tick=False):
        ids = list(dict.fromkeys(clock.case_id for clock in firing.due_clocks(now(), 100)))
        oldest = Clock.objects.past_due(now()).order_by("fire_at").values_list("case_id", flat=True)
        assert ids == list(dict.fromkeys(oldest))
        assert sorted(ids) == sorted(case.pk for case in cases)


@pytest.mark.parametrize("jump", [timedelta(hours=2), timedelta(hours=-2)])
def test_a_jump_of_the_clock_fires_nothing_twice(cast: Cast, jump: timedelta) -> None:
    accepted(cast)
    start = now()
    seen: list[tuple[int, str, int]] = []
    for step in range(0, 60, 5):
        moment = start + timedelta(hours=step) + (jump if step % 10 else timedelta(0))
        with time_machine.travel(moment, tick=False):
            fire_all()
    for clock, kind, data in Event.objects.filter(kind__in=["clock.warn", "clock.breach", "clock.repeat"]).values_list(
        "clock", "kind", "data"
    ):
        number = {"clock.warn": "warned_percent", "clock.repeat": "repeats"}.get(kind, "")
        seen.append((clock, kind, data.get(number, 0)))
    assert seen
    assert len(seen) == len(set(seen))


def test_firing_late_gives_the_same_clocks_as_firing_in_time(cast: Cast) -> None:
    """However long the engine was away, levels and breach times are those of an engine that never slept."""
    in_time = opened(cast, issue_type="payment-terms-dispute", concession="", amount=None)
    late = opened(cast, issue_type="payment-terms-dispute", concession="", amount=None, title="The same, watched later")
    begun = {case.pk: Clock.objects.get(case=case, kind=states.DECISION).started_at for case in (in_time, late)}

    def told(case: Escalation) -> list[tuple[int | None, timedelta, timedelta]]:
        clocks = Clock.objects.filter(case=case, kind=states.DECISION, breached_at__isnull=False).order_by("generation")
        since = begun[case.pk]
        return [(each.level, each.started_at - since, each.breached_at - since) for each in clocks if each.breached_at]

    for minutes in range(0, 500, 10):
        at = begun[in_time.pk] + timedelta(minutes=minutes, seconds=1)
        with time_machine.travel(at, tick=False):
            while firing.fire_case(in_time.pk, now()):
                pass
    with time_machine.travel(begun[late.pk] + timedelta(minutes=500), tick=False):
        fire_all()
    assert told(in_time) == told(late)
    assert len(told(late)) == 3
