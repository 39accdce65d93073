"""The commands of the demo on databases that are empty, in production, or measured."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from demo import figures as bench
from demo.benchmarks import scratch
from escalations.models import Escalation, Event

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
def test_the_benchmark_prints_every_figure_and_changes_nothing(monkeypatch):
    for name, value in (("SHORT", 0.0), ("WARM_UP", 1), ("SEEDED", 20)):
        monkeypatch.setattr(bench, name, value)
    call_command("seed_demo", cases=10, stdout=StringIO())
    before = Escalation.objects.count(), Event.objects.count()
    said = StringIO()
    call_command("bench", cases=0, stdout=said)
    for word in ("bare HMAC", "bare segment look-up", "count(*)", "cases/s"):
        assert word in said.getvalue()
    assert (Escalation.objects.count(), Event.objects.count()) == before


@pytest.mark.django_db(transaction=True)
def test_the_engine_is_measured_on_a_database_of_its_own():
    said = StringIO()
    environment = {"DJANGO_SETTINGS_MODULE": "config.settings.test"}
    with scratch.database() as own:
        scratch.manage({**own, **environment}, "seed_demo")
        told = scratch.manage({**own, **environment}, "bench_clocks", "--cases", "400", "--seconds", "1")
    for figure in bench.engine(json.loads(told.splitlines()[-1])):
        said.write(f"{figure}\n")
    for word in ("Fire 100 of", "of the raw claim", "99th percentile", "due at one instant"):
        assert word in said.getvalue()


@pytest.mark.django_db
def test_the_benchmark_needs_something_to_measure():
    with pytest.raises(CommandError, match="seed_demo"):
        call_command("bench")
