"""The engine's loops, its command, what watches it, and the worker's schedules."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.db import DatabaseError
from django.test import Client
from django.urls import get_resolver
from django_q import scheduler
from django_q.models import OrmQ, Schedule
from pytest_django import DjangoAssertNumQueries, Settings

from config import engine, health, schedules, tasks, watch, worker
from escalations.models import Clock
from ledger import heartbeats
from ledger.models import Heartbeat
from ledger.now import now
from messaging.kinds import Content
from messaging.models import Message, Notice, Outage
from messaging.outbox import messages
from messaging.outbox import messages as outbox
from reports.rules.vitals import Vitals, problems, sentence
from tests.escalations.cases.builders import opened
from tests.support.cast import Cast
from tests.support.databases import Templates
from tests.support.server import ROOT, environment_for

pytestmark = pytest.mark.both_databases

SECOND = timedelta(seconds=1)
WELL = Vitals(
    engine=SECOND, sender=SECOND, worker=SECOND, lag=timedelta(0), overdue=0, parked_clocks=0, parked_messages=0
)


@pytest.fixture(autouse=True)
def _connection_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's own transaction lives on the connection that a loop would renew."""
    monkeypatch.setattr(engine, "close_old_connections", lambda: None)


def a_loop(work: Callable[[], int], **more: Any) -> engine.Loop:
    return engine.Loop("engine", work, lambda: 0.2, threading.Event(), **more)


def test_a_loop_works_on_without_rest_while_there_is_something_to_do(db: None) -> None:
    left = [3, 0]
    loop = a_loop(lambda: left.pop(0))
    assert loop.turn() == 0.0
    assert loop.turn() == 0.2


def test_an_error_never_ends_a_loop(
    db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(engine.connections, "close_all", lambda: None)  # the test's own transaction lives on it

    def work() -> int:
        raise DatabaseError("gone")

    assert a_loop(work).turn() == engine.AFTER_AN_ERROR
    assert "continues" in caplog.text


def test_a_sign_of_life_is_written_every_five_seconds_only(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    beaten: list[str] = []
    monkeypatch.setattr(engine.heartbeats, "beat", beaten.append)
    seconds = iter([0.0, 1.0, 4.9, 5.0, 6.0])
    loop = a_loop(lambda: 0, clock=lambda: next(seconds))
    for _ in range(5):
        loop.turn()
    assert beaten == ["engine", "engine"]


def test_the_engine_sleeps_until_the_next_clock_but_never_long(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    at = now()
    monkeypatch.setattr(engine, "now", lambda: at)
    for due, rest in ((None, 0.25), (9.0, 0.25), (0.1, 0.1), (-5.0, 0.02)):
        monkeypatch.setattr(engine.clocks, "next_due", lambda due=due: None if due is None else at + due * SECOND)
        assert engine.seconds_to_next_clock() == pytest.approx(rest)


def test_once_fires_and_sends_what_is_due_and_says_how_much(
    db: None, mailoutbox: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    outbox.post(key="a", kind="note", to="dana@desk.example", content=Content("One", "x", ""))
    call_command("run_engine", "--once")
    assert capsys.readouterr().out == "Fired 0, sent 1.\n"
    assert Message.objects.get().state == Message.SENT
    assert set(Heartbeat.objects.values_list("name", flat=True)) == {"engine", "sender"}


def test_the_sweep_does_both_and_proves_the_worker_alive(db: None, mailoutbox: list[Any]) -> None:
    outbox.post(key="a", kind="note", to="dana@desk.example", content=Content("One", "x", ""))
    done = tasks.sweep()
    assert (done["fired"], done["sent"]) == (0, 1)
    assert heartbeats.age("worker") is not None


def test_the_engine_stops_when_it_is_asked(database_templates: Templates, tmp_path: Path) -> None:
    with database_templates.copy() as url:
        environment = {**environment_for(url, tmp_path, port=8000), "CLOCK_MAY_MOVE": "0"}
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run_engine"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "Engine runs.\n"
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(60) == 0
        assert "Engine stopped." in process.stdout.read()


@pytest.mark.parametrize(
    ("change", "code", "kind"),
    [
        ({}, [], "good"),
        ({"engine": None}, ["engine"], "bad"),
        ({"engine": timedelta(seconds=61)}, ["engine"], "bad"),
        ({"lag": timedelta(seconds=61)}, ["lag"], "bad"),
        ({"sender": timedelta(seconds=61)}, ["sender"], "warn"),
        ({"worker": timedelta(seconds=179)}, [], "good"),
        ({"engine": timedelta(seconds=-61)}, ["engine"], "bad"),
        ({"engine": timedelta(seconds=-5)}, [], "good"),
        ({"drift": timedelta(seconds=-3)}, ["drift"], "warn"),
        ({"outside": timedelta(seconds=299)}, [], "good"),
        ({"outside": timedelta(seconds=301)}, ["outside"], "warn"),
        ({"stuck_messages": 2}, ["stuck_messages"], "warn"),
        ({"unwatched": 1, "lost_steps": 1}, ["unwatched", "lost_steps"], "warn"),
        ({"parked_clocks": 1, "parked_messages": 2}, ["parked_clocks", "parked_messages"], "warn"),
    ],
)
def test_what_is_wrong_is_told_by_name(change: dict[str, Any], code: list[str], kind: str) -> None:
    vitals = Vitals(**{**WELL.__dict__, **change})
    assert [each.code for each in problems(vitals)] == code
    assert sentence(vitals)[0] == kind


def test_check_engine_ends_with_1_until_all_is_well(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        call_command("check_engine")
    assert end.value.code == 1
    assert "the engine has not started yet" in capsys.readouterr().err
    for name in ("engine", "sender", "worker"):
        heartbeats.beat(name)
    call_command("check_engine")
    assert "All clocks are being watched." in capsys.readouterr().out


def test_healthz_is_open_to_all_and_says_why_in_counts(client: Client, db: None) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["the engine has not started yet"])
    heartbeats.beat("engine")
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["ok"], answer.json()["reasons"]) == (200, True, [])
    assert answer.json()["warnings"] == ["the sender has not started yet", "the worker has not started yet"]
    assert "no-cache" in answer["Cache-Control"]
    Heartbeat.objects.update(at=now() - timedelta(seconds=90))
    assert client.get("/healthz").status_code == 503
    assert client.get("/healthz?part=web").status_code == 200
    assert client.post("/healthz").status_code == 405


def test_healthz_says_so_when_the_database_does_not_answer(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise DatabaseError("secret host is down")

    monkeypatch.setattr(health.engine, "vitals", fail)
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["the database does not answer"])


@pytest.fixture
def run_schedules(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """What the cluster does every half minute; it would close the connection that the test's transaction lives on."""
    monkeypatch.setattr(scheduler, "close_old_django_connections", lambda: None)
    return scheduler.scheduler


def test_clocks_that_were_set_aside_are_tried_again_on_demand(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    case = opened(cast)
    broken = Clock.objects.filter(case=case, kind="decision")
    broken.update(parked=True, tries=3, error="ValueError: odd")
    call_command("run_engine", "--retry")
    assert capsys.readouterr().out == "1 clock to be retried.\n"
    assert list(broken.values_list("parked", "tries", "error")) == [(False, 0, "")]


def the_sweep() -> Schedule:
    return Schedule.objects.get(name="sweep")


def test_schedules_are_corrected_once_however_often_they_are_ensured(db: None) -> None:
    schedules.ensure()
    schedules.ensure()
    row = the_sweep()
    assert (row.func, row.minutes, row.repeats) == ("config.tasks.sweep", 1, -1)
    run = row.next_run
    Schedule.objects.create(name="sweep", func="os.abort", schedule_type=Schedule.ONCE)
    Schedule.objects.filter(pk=row.pk).update(minutes=50)
    schedules.ensure()
    assert the_sweep().minutes == 1
    schedules.ensure()
    assert the_sweep().next_run >= run


@pytest.mark.parametrize(
    "mistake",
    [
        {"args": "no such ("},
        {"kwargs": "{'q_options': 7}"},
        {"repeats": 0},
        {"next_run": None},
        {"next_run": datetime(2099, 1, 1, tzinfo=UTC)},
        {"cluster": "elsewhere"},
        {"func": "config.tasks.gone"},
    ],
)
def test_a_mistake_in_the_sweep_is_mended_and_it_runs_next(
    db: None, mistake: dict[str, Any], run_schedules: Callable[[], None]
) -> None:
    schedules.ensure()
    Schedule.objects.filter(name="sweep").update(**mistake)
    schedules.ensure()
    run_schedules()
    assert [task["func"] for task in queued()] == [
        "accounts.tasks.roll_renewals",
        "approvals.tasks.read_calendars",
        "config.tasks.forget_keys",
        "config.tasks.renew_statistics",
        "config.tasks.sweep",
        "config.tasks.tidy_files",
        "escalations.tasks.list_unopened",
        "escalations.tasks.scan_files",
        "escalations.tasks.take_attachments",
    ]


def test_a_schedule_that_is_not_ours_goes_and_a_right_one_keeps_its_turn(db: None) -> None:
    schedules.ensure()
    before = sorted(Schedule.objects.values_list("pk", "name", "next_run"))
    Schedule.objects.create(name="sweep", func="config.tasks.sweep", schedule_type=Schedule.ONCE)
    Schedule.objects.create(name="theirs", func="os.abort", schedule_type=Schedule.DAILY, next_run=now())
    schedules.ensure()
    assert sorted(Schedule.objects.values_list("pk", "name", "next_run")) == before


def test_nobody_edits_the_background_jobs_in_the_admin() -> None:
    get_resolver().url_patterns  # noqa: B018 - loading the addresses is what takes them out
    assert "escalations" in {model._meta.app_label for model in admin.site._registry}
    assert "django_q" not in {model._meta.app_label for model in admin.site._registry}


def queued() -> list[Any]:
    return sorted((row.task for row in OrmQ.objects.all()), key=lambda task: task["func"])


def test_one_malformed_schedule_stops_all_until_the_schedules_are_corrected(
    db: None, run_schedules: Callable[[], None]
) -> None:
    schedules.ensure()
    past = now() - timedelta(minutes=1)
    Schedule.objects.create(name=None, func="os.abort", args="no such (", schedule_type=Schedule.ONCE, next_run=past)
    run_schedules()
    assert not queued()
    worker.look_after()
    run_schedules()
    assert [task["func"] for task in queued()] == [
        "accounts.tasks.roll_renewals",
        "approvals.tasks.read_calendars",
        "config.tasks.forget_keys",
        "config.tasks.renew_statistics",
        "config.tasks.sweep",
        "config.tasks.tidy_files",
        "config.worker.prove_life",
        "escalations.tasks.list_unopened",
        "escalations.tasks.scan_files",
        "escalations.tasks.take_attachments",
    ]


def test_the_banner_is_looked_up_a_few_times_a_minute_at_most(
    db: None,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(watch, "_kept", None)
    settings.BANNER_SECONDS = 15.0
    for name in ("engine", "sender", "worker"):
        heartbeats.beat(name)
    with django_assert_max_num_queries(2):
        assert watch.alarm() is None
    Heartbeat.objects.all().delete()
    with django_assert_max_num_queries(0):
        assert watch.alarm() is None
    settings.BANNER_SECONDS = 0.0
    with django_assert_max_num_queries(2):
        found = watch.alarm()
    assert found is not None
    assert (found.kind, found.title) == ("bad", "Clocks are not being watched:")
    assert found.text.startswith("the engine has not started yet")


def test_the_sender_stands_aside_for_a_backlog_of_clocks_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 100.0
    monkeypatch.setattr(engine.time, "monotonic", lambda: moment)
    backlog = engine.Backlog()
    backlog.note(engine.CASES_AT_ONCE - 1)
    assert not backlog.goes_first()
    backlog.note(engine.CASES_AT_ONCE)
    assert backlog.goes_first()
    moment += engine.STANDS_ASIDE_SECONDS - 0.1
    backlog.note(engine.CASES_AT_ONCE)
    assert backlog.goes_first()
    moment += 0.2
    assert not backlog.goes_first()
    backlog.note(0)
    assert not backlog.goes_first()


def test_word_in_the_desk_does_not_wait_for_a_mail_server_that_is_down(cast: Cast) -> None:
    draft = messages.Draft(
        "breach:1", "breach", cast.csm.pk, cast.csm.email, "Past SLA", "", "ESC-1042", "Acme", "", notice_url="/x/"
    )
    messages.post_many([draft], at=now())
    Outage.objects.create(channel=Message.EMAIL, since=now(), retry_at=now() + timedelta(hours=1))
    assert engine.send() == 1
    assert Notice.objects.get().user == cast.csm
    assert Message.objects.get().state == Message.PENDING
