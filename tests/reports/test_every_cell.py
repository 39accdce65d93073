"""Every figure, chart and list that is counted from facts is what plain Python finds in the rows themselves."""

from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from accounts.models import User
from escalations.clocks.rules.kinds import CHOICES
from ledger.now import now
from reports.facts import follow
from reports.queries import lines
from reports.queries.dashboard import dashboard
from reports.queries.kpis import Counting
from reports.queries.scope import Scope
from reports.queries.trends import step_days
from reports.rules import periods
from reports.rules.periods import Period
from tests.reports.slow import Rows, Slow
from tests.reports.stories import Stories
from tests.support.cast import Cast

NAMES = {str(name): kind for kind, name in CHOICES}


def spans(at: datetime) -> list[Period]:
    """A short, a long and a very long period, one whose comparison leaves a gap, and one long ago."""
    today = at.date()
    given: list[dict[str, str]] = [
        {"period": "30"},
        {"period": "quarter"},
        {"from": str(today - timedelta(days=400)), "to": str(today)},
        {"from": str(today - timedelta(days=250)), "to": str(today - timedelta(days=163))},
    ]
    return [periods.read(each, at) for each in given]


def compare(rows: Rows, user: User | None, region: str, period: Period) -> None:
    """Raise AssertionError for the first cell that differs."""
    slow, shown = Slow(rows, user, region, period), dashboard(Scope(user, region), period)
    step = step_days(period)
    for slug, expected in slow.figures().items():
        figure = shown.figures[slug]
        assert (figure.value, figure.cases, figure.previous) == pytest.approx(expected), slug
    team = slow.at_team_level()
    assert shown.figures["without-executive"].note == ("" if team is None else f"{team:.0f}% at team level")
    assert shown.figures["recurrence"].note.replace(" repeats", "").replace(" repeat", "") == slow.recurrence()[2]
    assert [each.points for each in shown.trends] == slow.trends(step)
    assert [astuple(each) for each in shown.promises] == slow.promises(step)
    assert {NAMES[each.name]: (each.met, each.missed) for each in shown.attainment} == slow.attainment()
    assert [astuple(each) for each in shown.causes] == slow.root_causes()
    assert astuple(shown.handoffs) == slow.handed_off()
    assert astuple(shown.overrides) == slow.overrides()
    assert astuple(shown.reopened) == slow.reopened()
    assert [astuple(each) for each in shown.money] == slow.money()
    expected_lists = slow.lists()
    assert [(row.case.key, row.value, row.start) for row in shown.slowest] == expected_lists["decisions"][:5]
    compare_lists(Counting(Scope(user, region), period), expected_lists)


def compare_lists(counting: Counting, expected: dict[str, list[tuple[object, ...]]]) -> None:
    """Every drill-down: its cases, their order and their values."""
    for slug, rows in expected.items():
        listing = counting.kpi(slug).cases(counting)
        found = listing.made(listing.rows)
        assert listing.rows.count() == len(rows)
        if slug.startswith("decision"):
            assert [(row.case.key, row.value, row.start) for row in found] == rows, slug
        elif slug == "without-executive":
            assert [(row.case.key, row.late) for row in found] == rows
        else:
            assert [(row.case.key, row.value) for row in found] == rows, slug


@pytest.mark.prove
@pytest.mark.both_databases
@pytest.mark.parametrize("seed", [1, 2])
def test_random_stories_give_the_same_in_every_cell(cast: Cast, frozen: datetime, seed: int, proving: bool) -> None:
    for account, region in ((cast.northwind, "EMEA"), (cast.elsewhere, "Americas")):
        account.region = region
        account.save()
    Stories(cast, seed, frozen).tell(200 if proving else 25)
    follow.rebuild()
    assert follow.check() == []
    rows = Rows()
    people = (None, cast.admin, cast.sponsor, cast.director, cast.csm, cast.legal, cast.outsider)
    for number, (user, period) in enumerate(product(people, spans(frozen))):
        if proving or number % 2 == seed % 2:
            compare(rows, user, "EMEA" if number % 3 == seed % 3 else "", period)


@pytest.mark.both_databases
def test_regions_are_those_of_cases_with_anything_in_either_period(cast: Cast, frozen: datetime) -> None:
    cast.northwind.region = "EMEA"
    cast.northwind.save()
    Stories(cast, 4, frozen).tell(10)
    follow.rebuild()
    long_ago = periods.read({"from": "2001-01-01", "to": "2001-12-31"}, frozen)
    year = periods.read({"from": str(frozen.date() - timedelta(days=500)), "to": str(frozen.date())}, frozen)

    def regions(user: User | None, period: Period, chosen: str = "") -> list[str]:
        return dashboard(Scope(user, chosen), period).regions

    assert regions(None, year) == regions(cast.csm, year) == ["EMEA"]
    assert regions(cast.outsider, long_ago) == regions(None, long_ago) == []
    assert regions(None, long_ago, "APAC") == ["APAC"]


def test_a_read_of_one_kind_gives_only_that_kind(cast: Cast, frozen: datetime) -> None:
    Stories(cast, 5, frozen).tell(5)
    follow.rebuild()
    period = spans(frozen)[2]
    found = lines.read(Scope().within(period), lines.OPENED)
    assert list(found) == [lines.OPENED]
    assert all(line.day >= datetime(2024, 1, 1, tzinfo=UTC).date() for line in found[lines.OPENED])


def test_the_demo_gives_the_same_in_every_cell(demo: None) -> None:
    assert follow.check() == []
    at, rows = now(), Rows()
    for name in ("Dana Whitfield", "Lena Ortiz", "Priya Raman"):
        user = User.objects.get(name=name)
        for period in (periods.read({}, at), periods.read({"period": "last-quarter"}, at)):
            compare(rows, user, "EMEA" if name == "Dana Whitfield" else "", period)
