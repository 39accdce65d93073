"""The commands of the demo on databases that are empty, in production, or measured."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from demo import figures as bench
from demo.benchmarks import engines
from demo.fill import fill
from escalations.cases import handoffs, intake
from escalations.clocks import engine
from escalations.models import Event
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
def test_the_engine_is_measured_on_clocks_that_fall_due_beside_bare_updates_of_them(monkeypatch):
    monkeypatch.setattr(engines, "LEAD", timedelta())
    cast = make_cast()
    form = intake.Intake(account=cast.northwind, issue_type="renewal-at-risk", issue="They do not answer any more.")
    case = intake.open_case(form, by=cast.csm)
    handoff = case.handoffs.get(duty="owner")
    handoffs.accept(case_id=case.pk, handoff_id=handoff.pk, by=handoff.to_user)
    clocks = engines.fill(4)
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
def test_without_the_demo_there_is_nothing_to_copy():
    with pytest.raises(Invalid, match="no demo cases"):
        fill(10, 1, lambda progress: None)
