"""The commands of the demo on databases that are empty, in production, or measured."""

import json
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from demo import figures as bench
from demo.benchmarks import engines, scratch
from demo.fill import fill
from escalations.cases import handoffs, intake
from escalations.clocks import engine
from escalations.models import Escalation, Event
from ledger.errors import Invalid
from ledger.now import moved_to
from tests.support.cast import make_cast

pytestmark = pytest.mark.both_databases


@pytest.mark.django_db
def test_an_empty_database_has_no_sign_ins():
    said = StringIO()
    call_command("demo_signins", stdout=said)
    assert said.getvalue() == "No demo people in this database.\n"


@pytest.mark.django_db
def test_a_production_desk_refuses_the_demo(monkeypatch):
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "config.settings.prod")
    with pytest.raises(CommandError, match="known password"):
        call_command("seed_demo")
    assert not User.objects.exists()


@pytest.mark.django_db
def test_a_negative_number_of_cases_is_refused():
    with pytest.raises(CommandError, match="above 0"):
        call_command("seed_demo", cases=-1)


@pytest.mark.django_db
def test_the_benchmark_prints_every_figure_and_changes_nothing(demo, monkeypatch):
    for name, value in (("SHORT", 0.0), ("WARM_UP", 1), ("SEEDED", 20)):
        monkeypatch.setattr(bench, name, value)
    call_command("seed_demo", cases=10, stdout=StringIO())
    before = Escalation.objects.count(), Event.objects.count()
    said = StringIO()
    call_command("bench", pages_only=True, stdout=said)
    for word in ("plain HMAC", "plain segment look-up", "count(*)", "cases/s"):
        assert word in said.getvalue()
    assert (Escalation.objects.count(), Event.objects.count()) == before


@pytest.mark.django_db
def test_the_engine_is_measured_on_clocks_that_fall_due_beside_bare_updates_of_them(monkeypatch):
    for name, value in (("CASES", 4), ("LEAD", timedelta())):
        monkeypatch.setattr(engines, name, value)
    cast = make_cast()
    form = intake.Intake(account=cast.northwind, issue_type="renewal-at-risk", issue="They do not answer any more.")
    case = intake.open_case(form, by=cast.csm)
    handoff = case.handoffs.get(duty="owner")
    handoffs.accept(case_id=case.pk, handoff_id=handoff.pk, by=handoff.to_user)
    clocks = engines.fill()
    begun = Event.objects.latest("pk").pk
    due = engines._let_fall_due(clocks, 0.0)
    with moved_to(max(due.values())):
        while engine.fire_due():
            pass
    fired = Event.objects.filter(pk__gt=begun, kind__in=["clock.warn", "clock.breach"]).values_list("clock", flat=True)
    assert set(fired) == set(due) == {clock.pk for clock in clocks}
    assert len(due) == 4 * len(engines.KINDS)
    told = {"p99": 0.5, "latest": 0.7, "backlog": 9.0, "floor": engines.floor(clocks)}
    lines = "\n".join(str(figure) for figure in bench.engine(told))
    for word in ("p99", "the latest of them", "due clocks gone", "plain UPDATE and INSERT"):
        assert word in lines


@pytest.mark.django_db
def test_the_benchmark_makes_a_database_of_its_own_for_the_engine_and_shows_what_was_measured_there(monkeypatch):
    ran = []

    def manage(environment, *arguments, seconds=0.0):
        ran.append((environment["DATABASE_URL"], arguments))
        return json.dumps({"clocks": 20, "p99": 0.5, "latest": 0.7, "backlog": 9.0, "floor": 0.1})

    @contextmanager
    def database():
        yield {"DATABASE_URL": "one of its own"}

    monkeypatch.setattr(scratch, "manage", manage)
    monkeypatch.setattr(scratch, "database", database)
    said = StringIO()
    call_command("bench", engine_only=True, stdout=said)
    assert ran == [("one of its own", ("seed_demo",)), ("one of its own", ("bench", "--fill-and-fire"))]
    assert "p99" in said.getvalue()


@pytest.mark.django_db
def test_the_benchmark_needs_something_to_measure():
    with pytest.raises(CommandError, match="seed_demo"):
        call_command("bench")


@pytest.mark.django_db
def test_without_the_demo_there_is_nothing_to_copy():
    with pytest.raises(Invalid, match="no demo cases"):
        fill(10, 1, lambda progress: None)
