"""What is promised to a case: its target, what factors make of it, and that every due time explains itself."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, Signal
from escalations import states
from escalations.clocks import verbs as clocks
from escalations.clocks.rules import factors
from escalations.clocks.rules.kinds import CHOICES
from escalations.clocks.targets import promise
from escalations.models import Cadence, Clock, Escalation, MatrixRow, Target, TargetFactor
from escalations.policy.rows import published_rows
from ledger.now import now
from tests.escalations.cases.builders import accepted, opened
from tests.support.cast import Cast

PARTS = [part.name for part in factors.PARTS]


def case_of(case: Escalation) -> Escalation:
    """The case as a verb of a new process loads it: these tests change rows of a published policy."""
    published_rows.cache_clear()
    return Escalation.objects.select_related("policy", "issue_type", "account").get(pk=case.pk)


def switch_on(case: Escalation, clock: str, part: str, percent: int = 50, **edges: int) -> None:
    """One factor for a clock of the case's policy, which always fits unless edges say otherwise."""
    TargetFactor.objects.create(version=case.policy, clock=clock, part=part, percent=percent, **edges)


def words(case: Escalation, kind: str) -> str:
    """Why a clock of this kind is due then."""
    made = promise(case_of(case), kind)
    assert made is not None
    return " | ".join(made.why)


def test_the_shipped_promises_are_exact_for_every_tier_whatever_the_case_is_like(cast: Cast) -> None:
    case = opened(cast, blocker=True)
    Account.objects.filter(pk=cast.northwind.pk).update(renewal_date=now().date())
    case = case_of(case)
    for tier, text in (("red", "1 hour"), ("yellow", "4 business hours"), ("green", "1 business day")):
        case.tier = tier
        made = promise(case, states.RESPONSE)
        assert made is not None
        assert made.text == text
        assert "No factor applies to this target" in " ".join(made.why)
    for level, text in ((2, "48 hours"), (3, "72 hours")):
        case.level = level
        assert promise(case, states.DECISION).text == text  # type: ignore[union-attr]


def test_a_clock_whose_number_is_ours_tightens_with_the_case_and_says_why(cast: Cast) -> None:
    case = accepted(cast)
    Account.objects.filter(pk=cast.northwind.pk).update(renewal_date=now().date() + timedelta(days=12))
    made = promise(case_of(case), states.FIRST_ACT)
    assert made is not None
    assert made.seconds == 2 * 3600 * 80 // 100
    assert made.text == "2 business hours, shortened to 1h 36m"
    line = "Renewal in 12 days (under 30 days): 80% of the time, 1h 36m left of 2h"
    assert line in made.why
    assert all(part in " ".join(made.why) for part in PARTS)


def test_every_part_reaches_the_target_by_itself(cast: Cast) -> None:
    case = accepted(cast)
    Account.objects.filter(pk=cast.northwind.pk).update(renewal_date=now().date() + timedelta(days=100))
    tones = [Signal(account=cast.northwind, at=now() - timedelta(days=day), tone="negative") for day in (1, 80, 91)]
    Signal.objects.bulk_create([*tones, Signal(account=cast.northwind, at=now(), tone="neutral")])
    Escalation.objects.filter(pk=case.pk).update(impasse_at=now() - timedelta(hours=5, minutes=30))
    values = {
        "tier": 1,
        "arr": 180_000,
        "renewal_days": 100,
        "age_hours": 5,
        "queue_load": 1,
        "sentiment": 2,
        "history": 0,
    }
    for part, value in values.items():
        TargetFactor.objects.all().delete()
        switch_on(case, states.DECISION, part, from_value=value, to_value=value + 1)
        made = promise(case_of(case), states.DECISION)
        assert made is not None
        assert made.seconds == 24 * 3600, (part, made.why)


def test_other_cases_of_account_and_owner_count_and_those_of_others_do_not(cast: Cast) -> None:
    case = accepted(cast)
    accepted(cast, issue_type="billing-dispute", concession="", amount=None)
    Escalation.objects.exclude(pk=case.pk).update(owner=case.owner)
    old = opened(cast, issue_type="refund-credit", concession="", amount=None)
    Escalation.objects.filter(pk=old.pk).update(opened_at=now() - timedelta(days=400), account=cast.northwind)
    TargetFactor.objects.all().delete()
    switch_on(case, states.DECISION, "queue_load", from_value=2, to_value=3)
    switch_on(case, states.DECISION, "history", from_value=1, to_value=2)
    assert promise(case_of(case), states.DECISION).seconds == 12 * 3600  # type: ignore[union-attr]


def test_what_is_not_known_changes_nothing_and_is_called_unknown(cast: Cast) -> None:
    case = opened(cast)
    Account.objects.filter(pk=cast.northwind.pk).update(renewal_date=None)
    Escalation.objects.filter(pk=case.pk).update(arr_currency="XXX", owner=None)
    said = words(case, states.FIRST_ACT)
    assert "Unknown, so it changes nothing: ARR at risk, Renewal, Open cases of the owner" in said


def test_arr_is_compared_in_usd(cast: Cast) -> None:
    case = opened(cast)
    Escalation.objects.filter(pk=case.pk).update(arr_at_risk=Decimal(100_000), arr_currency="EUR")
    assert "ARR at risk $1" in words(case, states.FIRST_ACT)
    Escalation.objects.filter(pk=case.pk).update(arr_at_risk=Decimal(100_000), arr_currency="JPY")
    assert "ARR at risk $1" not in words(case, states.FIRST_ACT)


def test_a_factor_that_is_switched_off_says_and_does_nothing(cast: Cast) -> None:
    case = opened(cast)
    assert TargetFactor.objects.filter(clock="", active=False).exists()
    assert "No factor applies to this target" in words(case, states.ACCEPTANCE)
    TargetFactor.objects.filter(clock="", part="renewal_days").update(active=True, from_value=None, to_value=None)
    assert "Renewal in" in words(case, states.ACCEPTANCE)


def test_facts_are_asked_for_only_where_a_factor_is_on_and_then_in_few_queries(cast: Cast) -> None:
    case = case_of(opened(cast))
    promise(case, states.RESPONSE)
    with CaptureQueriesContext(connection) as without:
        promise(case, states.RESPONSE)
    with CaptureQueriesContext(connection) as found:
        promise(case, states.RESOLUTION)
    assert len(found) - len(without) <= 2
    assert not any("signal" in each["sql"] for each in without)


def test_further_warnings_and_repeats_come_with_the_promise_and_reach_the_clock(cast: Cast) -> None:
    Target.objects.filter(clock=states.DECISION).update(also_warn_at="50, 90")
    MatrixRow.objects.filter(issue_type="", tier="yellow").update(repeat_minutes=30, repeat_times=2)
    case = opened(cast)
    clock = case.clocks.get(kind=states.DECISION)
    assert (clock.also_warn_at, clock.repeat_minutes, clock.repeat_times) == ([50, 90], 30, 2)
    assert "Warns at 50%, 75% and 90% of the time; a breach goes to the next level" in clock.why


def test_the_row_in_force_for_the_present_tier_says_how_often_people_are_told_again(cast: Cast) -> None:
    case = case_of(opened(cast))
    found = {}
    for tier in ("red", "yellow", "green"):
        case.tier = tier
        made = promise(case, states.DECISION)
        assert made is not None
        found[tier] = (made.repeat_minutes, made.repeat_times)
    assert found == {"red": (60, 3), "yellow": (240, 3), "green": (240, 3)}


def test_the_next_internal_update_follows_the_rhythm_unless_a_target_says_otherwise(cast: Cast) -> None:
    case = opened(cast)
    Cadence.objects.filter(tier="yellow").update(internal_minutes=600)
    TargetFactor.objects.all().delete()
    made = promise(case_of(case), states.INTERNAL_UPDATE)
    assert made is not None
    assert (made.text, made.on_breach) == ("10 hours", "remind")
    assert "rhythm of updates for yellow tier" in made.why[1]
    Target.objects.create(version=case.policy, clock=states.INTERNAL_UPDATE, amount=60, unit="clock")
    assert promise(case_of(case), states.INTERNAL_UPDATE).text == "1 hour"  # type: ignore[union-attr]


def test_a_change_of_tier_takes_the_factors_along(cast: Cast) -> None:
    TargetFactor.objects.exclude(part="tier").delete()
    case = accepted(cast)
    clock = Clock.objects.get(case=case, kind=states.FIRST_ACT, state=Clock.RUNNING)
    assert clock.target_seconds == 2 * 3600
    Escalation.objects.filter(pk=case.pk).update(tier="red")
    clocks.retarget(case_of(case), at=now())
    clock.refresh_from_db()
    assert clock.target_seconds == 30 * 60 * 90 // 100
    assert any(line.startswith("Tier Red (Red): 90% of the time") for line in clock.why)


@pytest.mark.parametrize("kind", [kind for kind, _ in CHOICES if kind not in ("customer_deadline", "commitment")])
def test_every_kind_with_a_target_explains_itself(cast: Cast, kind: str) -> None:
    said = words(opened(cast), kind)
    assert "Target: " in said
    assert "Policy version 1" in said
    assert "Calendar: " in said or "Runs around the clock" in said
    assert all(part in said for part in PARTS)
