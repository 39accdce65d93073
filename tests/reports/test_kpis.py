"""The figures against cases whose values were computed by hand."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals.models import ApprovalRequest
from escalations import states
from escalations.models import CasePerson, Clock, Escalation, HandOff
from reports.facts.refresh import refresh
from reports.queries import kpis
from reports.queries.dashboard import dashboard
from reports.queries.kpis import Counting, Row, TimeToEscalate, figures
from reports.queries.scope import Scope
from reports.rules import kpis as rules
from reports.rules.periods import Period
from tests.reports.builders import Builder
from tests.support.cast import Cast

pytestmark = pytest.mark.both_databases

FEB = datetime(2026, 2, 10, 9, tzinfo=UTC)
DEC = datetime(2025, 12, 10, 9, tzinfo=UTC)
EVERYTHING = Scope()
Make = Callable[..., Any]

TEAM, DIRECTOR, EXECUTIVE = "decision-team", "decision-director", "decision-executive"


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def values(slug: str, period: Period, scope: Scope = EVERYTHING) -> list[float | None]:
    return [row.value for row in listed(slug, period, scope)]


def listed(slug: str, period: Period, scope: Scope = EVERYTHING) -> list[Row]:
    counting = Counting(scope, period)
    listing = counting.kpi(slug).cases(counting)
    return listing.made(listing.rows)


def test_time_to_escalate_is_the_median_from_impasse_to_opening(a_case: Make, period: Period) -> None:
    for took in (2, 4, 10, 30, 50):
        a_case(took=took)
    for took in (20, 20, 20, 20, 20):
        a_case(took=took, opened_at=DEC)
    figure = figures(EVERYTHING, period)[rules.ESCALATE]
    assert (figure.value, figure.cases, figure.previous) == (pytest.approx(10), 5, pytest.approx(20))
    assert (figure.note, figure.change) == ("60% under 24h", "10.0h faster")


def test_the_period_is_half_open(a_case: Make, period: Period) -> None:
    for moment in (period.start - hours(0.001), period.start, period.end - hours(0.001), period.end):
        a_case(opened_at=moment)
    assert figures(EVERYTHING, period)[rules.ESCALATE].cases == 2


def test_a_duplicate_is_no_escalation_of_its_own(a_case: Make, period: Period) -> None:
    a_case(took=3)
    a_case(took=9, state=states.DUPLICATE)
    assert values(rules.ESCALATE, period) == [pytest.approx(3)]


def test_an_impasse_typed_as_later_than_the_opening_counts_as_no_time(a_case: Make, period: Period) -> None:
    a_case(took=-5)
    assert figures(EVERYTHING, period)[rules.ESCALATE].value == 0


def test_time_to_decision_runs_from_when_the_level_got_the_case(a_case: Make, a_decision: Make, period: Period) -> None:
    case = a_case(level=2, level_since=FEB)
    a_decision(case, 2, FEB + hours(40))  # asked only half an hour before
    other = a_case(level=3, level_since=FEB)
    a_decision(other, 3, FEB + hours(70))
    found = figures(EVERYTHING, period)
    assert found[DIRECTOR].value == pytest.approx(40)
    assert found[EXECUTIVE].value == pytest.approx(70)
    assert found[rules.DECISIONS].cases == 2


def test_a_level_that_decided_before_gets_it_again_when_asked_again(
    a_case: Make, a_decision: Make, period: Period
) -> None:
    case = a_case(level=2, level_since=FEB)
    a_decision(case, 2, FEB + hours(40))
    a_decision(case, 2, FEB + hours(400), asked_since=FEB + hours(390))
    assert values(DIRECTOR, period) == [pytest.approx(40), pytest.approx(10)]


def test_a_case_since_raised_counts_from_the_hand_off_to_the_level_that_decided(
    cast: Cast, a_case: Make, a_decision: Make, period: Period
) -> None:
    case = a_case(level=3, level_since=FEB + hours(100))
    HandOff.objects.create(
        case=case, number=1, to_user=cast.director, level=2, kind="hierarchical", sent_at=FEB, duty=CasePerson.AUTHORITY
    )
    refresh([case.pk])
    a_decision(case, 2, FEB + hours(20))
    assert values(DIRECTOR, period) == [pytest.approx(20)]


def ended_clock(case: Escalation, started: datetime, stopped: datetime) -> None:
    """The decision clock of a case, met."""
    times = {"started_at": started, "resumed_at": started, "stopped_at": stopped}
    number = case.clocks.count()
    Clock.objects.create(
        case=case, kind=states.DECISION, generation=number, state=Clock.MET, target_seconds=60, **times
    )


def test_a_decision_without_a_request_counts_from_when_the_level_got_the_case(
    build: Builder, a_case: Make, period: Period
) -> None:
    case = a_case(level=2, level_since=FEB)
    build.posted(case, "director", FEB + hours(12))
    found = figures(EVERYTHING, period)
    assert (found[DIRECTOR].cases, found[DIRECTOR].value) == (1, pytest.approx(12))
    assert found[rules.DECISIONS].cases == 1
    [row] = listed(DIRECTOR, period)
    assert (row.case, row.what) == (case, "Director: decision without a request")


def test_a_level_that_decided_before_counts_from_the_clock_that_its_next_decision_ended(
    build: Builder, a_case: Make, a_decision: Make, period: Period
) -> None:
    case = a_case(level=2, level_since=FEB)
    a_decision(case, 2, FEB + hours(40))
    ended_clock(case, FEB + hours(50), FEB + hours(53))
    build.posted(case, "director", FEB + hours(53))
    build.posted(case, "director", FEB + hours(90))  # nobody waited for it
    a_decision(case, 2, FEB + hours(400), asked_since=FEB + hours(390))
    assert values(DIRECTOR, period) == [pytest.approx(40), pytest.approx(10), pytest.approx(3)]


def test_a_decision_without_a_request_is_no_override_and_does_not_lower_their_share(
    build: Builder, a_case: Make, a_decision: Make, period: Period
) -> None:
    case = a_case(level=2, level_since=FEB)
    build.posted(case, "director", FEB + hours(12))
    a_decision(a_case(level=2, level_since=FEB), 2, FEB + hours(9))
    found = dashboard(EVERYTHING, period).overrides
    assert (found.decided, found.overridden) == (1, 0)


def test_what_a_rule_granted_is_nobodys_decision(a_case: Make, a_decision: Make, period: Period) -> None:
    case = a_case(level=3, level_since=FEB, resolved_at=FEB + hours(9))
    a_decision(case, 0, FEB, by_rule=True)
    found = figures(EVERYTHING, period)
    assert found[rules.DECISIONS].cases == 0
    assert found[rules.WITHOUT].value == 100


def test_an_open_or_recalled_request_is_no_decision(a_case: Make, a_decision: Make, period: Period) -> None:
    case = a_case(level=2)
    a_decision(case, 2, FEB, state=ApprovalRequest.OPEN)
    a_decision(case, 2, FEB, state=ApprovalRequest.RECALLED)
    assert figures(EVERYTHING, period)[DIRECTOR].cases == 0


def test_what_the_team_decides_is_reported_without_a_target(a_case: Make, a_decision: Make, period: Period) -> None:
    for level in (0, 1, 1, 1, 1):
        a_decision(a_case(level_since=FEB), level, FEB + hours(4), asked_since=FEB)
    figure = figures(EVERYTHING, period)[TEAM]
    assert (figure.value, figure.cases, figure.state) == (pytest.approx(4), 5, "")


def test_resolved_without_executive_looks_at_every_decision_of_the_case(
    a_case: Make, a_decision: Make, period: Period
) -> None:
    plain = [a_case(resolved_at=FEB, state=states.RESOLVED) for _ in range(3)]
    assert plain
    by_director = a_case(resolved_at=FEB, state=states.RESOLVED, level=2)
    a_decision(by_director, 2, FEB)
    both = a_case(resolved_at=FEB, state=states.RESOLVED, level=2, decided_level="director")
    a_decision(both, 3, FEB - hours(3))
    a_decision(both, 2, FEB)
    brought = a_case(resolved_at=FEB, state=states.CLOSED, level=3, decided_level="executive")
    figure = figures(EVERYTHING, period)[rules.WITHOUT]
    assert (figure.cases, figure.value) == (6, pytest.approx(100 * 4 / 6))
    assert figure.note == "50% at team level"
    rows = listed(rules.WITHOUT, period)
    assert {row.case.pk for row in rows if row.late} == {both.pk, brought.pk}
    assert len(rows) == 6


def test_recurrence_counts_causes_that_come_back_within_a_month(a_case: Make, period: Period) -> None:
    march = datetime(2026, 3, 3, tzinfo=UTC)
    repeated = [
        a_case(resolved_at=FEB, root_cause=cause) for cause in ("Liability cap", " liability CAP", "liability cap")
    ]
    a_case(resolved_at=march, root_cause="Liability cap")  # another month: no repeat
    a_case(resolved_at=FEB, root_cause="Discount over limit")
    a_case(resolved_at=FEB, root_cause="")
    for _ in range(5):
        a_case(resolved_at=DEC, root_cause="Data residency")
    found = figures(EVERYTHING, period)[rules.RECURRENCE]
    assert (found.value, found.cases, found.state) == (pytest.approx(-50), 5, "met")  # 2 repeats, 4 before
    assert found.note == "2 repeats, 4 before"
    rows = listed(rules.RECURRENCE, period)
    assert {row.case.pk for row in rows} == {case.pk for case in repeated}
    assert {row.text for row in rows} == {"3 in Feb 2026"}


def test_everybody_counts_only_the_cases_they_may_see(
    cast: Cast, a_case: Make, a_decision: Make, period: Period
) -> None:
    mine = a_case(took=5, level=2, level_since=FEB, resolved_at=FEB, root_cause="x")
    a_decision(mine, 2, FEB + hours(2))
    secret = a_case(
        took=7, account=cast.elsewhere, confidential=True, level=2, level_since=FEB, resolved_at=FEB, root_cause="x"
    )
    a_decision(secret, 2, FEB + hours(3))
    for user, seen in ((cast.csm, 1), (cast.outsider, 0), (cast.sponsor, 1), (cast.admin, 2), (None, 2)):
        found = figures(Scope(user), period)
        counted = [found[slug].cases for slug in (rules.ESCALATE, DIRECTOR, rules.WITHOUT, rules.RECURRENCE)]
        assert counted == [seen] * 4, user
        assert all(len(values(slug, period, Scope(user))) == seen for slug in (rules.ESCALATE, DIRECTOR))


def test_a_region_narrows_every_figure(cast: Cast, a_case: Make, a_decision: Make, period: Period) -> None:
    cast.northwind.region = "EMEA"
    cast.northwind.save()
    a_decision(a_case(level=2, level_since=FEB, resolved_at=FEB), 2, FEB + hours(2))
    a_decision(a_case(account=cast.elsewhere, level=2, level_since=FEB, resolved_at=FEB), 2, FEB + hours(3))
    found = figures(Scope(cast.admin, "EMEA"), period)
    assert [found[slug].cases for slug in (rules.ESCALATE, DIRECTOR, rules.WITHOUT)] == [1, 1, 1]
    assert dashboard(Scope(cast.admin), period).regions == ["EMEA"]


def test_the_dashboard_takes_the_same_queries_for_one_case_and_for_ten(
    cast: Cast, a_case: Make, a_decision: Make, period: Period
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            dashboard(Scope(cast.ops), period)
        return len(queries)

    a_decision(a_case(level=2, level_since=FEB, resolved_at=FEB, root_cause="a"), 2, FEB + hours(2))
    assert cast.ops.roles
    one = count()
    for n in range(9):
        a_decision(a_case(level=2, level_since=FEB, resolved_at=FEB, root_cause=f"c{n % 3}"), 2, FEB + hours(n))
    assert count() == one <= 14


def test_a_new_figure_needs_a_definition_and_a_class(
    a_case: Make, period: Period, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = rules.Definition("on-hold", "Time on hold", rules.HOURS, 12, "Escalation owner")
    monkeypatch.setitem(rules.FIXED, new.slug, new)
    monkeypatch.setitem(kpis.KPIS, new.slug, TimeToEscalate(new))
    for took in (2, 4, 10, 30, 50):
        a_case(took=took)
    assert dashboard(EVERYTHING, period).five[-1].state == "met"
    assert [row.late for row in listed("on-hold", period)] == [True, True, False, False, False]


def test_every_figure_is_defined_and_counted() -> None:
    assert list(kpis.KPIS) == list(rules.FIXED)
    assert all(each.definition.slug == slug for slug, each in kpis.KPIS.items())
