"""The bench: what it asks for, how it judges, and that nothing it starts is left behind."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client, override_settings

from demo.benchmarks import (
    floors,
    inside,
    keeping,
    load,
    load_clients,
    load_plan,
    measure,
    pages,
    preparing,
    run,
    servers,
    subjects,
    table,
)
from demo.benchmarks.client import Request
from demo.benchmarks.load_clients import Kind, Part, Phase, Plan
from demo.benchmarks.measure import Result
from demo.benchmarks.pages import Bar, Row
from demo.fill import fill
from escalations.models import Escalation
from tests.support import databases

GOOD = Result("queue", rounds=15, milliseconds=30, processor=20, plain=20_480, sent=4_096, floor=10.0, queries=8)


# The database


@pytest.fixture(scope="module")
def small(django_db_setup, django_db_blocker):
    """The demo with some copies, prepared as the bench prepares a database."""
    with django_db_blocker.unblock():
        django_db_setup.use(databases.DEMO)
        with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
            patch.setattr(preparing, "POSTS", 2)
            patch.setattr(preparing, "POSTS_AT_ONCE", 2)
            patch.setattr(preparing, "analyze", lambda: None)
            fill(60, 5, lambda progress: None)
            preparing.prepare()
            yield
            transaction.set_rollback(True)


@pytest.mark.both_databases
def test_every_request_of_the_table_is_answered_by_the_product_and_by_its_floor(small, db):
    of = subjects.find()
    assert subjects.Subjects.read(str(of)) == of
    rows = pages.rows(of)
    assert len({row.name for row in rows}) == len(rows)
    asked = [(row.name, inside.ask(row, of, 0)) for row in rows]
    wrong = [each for each in asked if each[1] >= 400]
    assert wrong == []
    with override_settings(ROOT_URLCONF="demo.benchmarks.floors"):
        client = Client(HTTP_HOST="localhost")
        for row in rows:
            # The index of words is not there yet.
            if row.floor and not row.floor.startswith("/search"):
                wanted = pages.floor_request(row, of)
                client.cookies["sessionid"] = of.visitors[row.who].session
                assert client.generic(wanted.method, wanted.path).status_code == 200, row.name
    assert Escalation.objects.filter(title=floors.TITLE).exists()
    subjects.tidy()
    assert not Escalation.objects.filter(title=floors.TITLE).exists()


@pytest.mark.django_db
def test_a_decision_is_prepared_for_every_request_that_one_person_may_grant(demo):
    found = load_plan._decisions()
    assert found
    assert {each.method for each in found} == {"POST"}
    assert len({each.path for each in found}) == len(found)


@pytest.mark.django_db
def test_the_navigation_is_measured_with_its_queries(demo):
    found = inside._navigation(subjects.EXECUTIVE)
    assert found.queries > 0
    assert found.milliseconds > 0


# The table


def line(bar: Bar, smaller: Result | None = None, **changed: object) -> table.Line:
    return table.Line(Row("queue", "executive", "/escalations/", "/queue", bar), replace(GOOD, **changed), smaller)


@pytest.mark.parametrize(
    ("bar", "missed"),
    [
        (Bar(), []),
        (Bar(times=3, queries=8, milliseconds=30, processor=20, bytes=20_480), []),
        (Bar(times=2.9), ["times"]),
        (Bar(queries=7), ["queries"]),
        (Bar(milliseconds=29), ["ms"]),
        (Bar(processor=19), ["processor"]),
        (Bar(bytes=20_000), ["kB"]),
        (Bar(queries=7, milliseconds=29), ["queries", "ms"]),
    ],
)
def test_a_row_is_short_in_what_it_does_not_reach(bar, missed):
    assert line(bar).missed() == missed


def test_growth_compares_with_the_smaller_database():
    smaller = replace(GOOD, milliseconds=20.0)
    assert line(Bar(growth=1.5), smaller).missed() == []
    assert line(Bar(growth=1.4), smaller).missed() == ["growth"]
    assert line(Bar(growth=1.4)).missed() == []


def test_a_row_that_was_not_answered_is_short_whatever_its_bar():
    found = line(Bar(), problem="status 500")
    assert found.missed() == ["status 500"]
    assert found.cells()[-1] == "short: status 500"


def test_the_table_has_a_line_for_every_row_and_its_bar_in_words():
    rows = [Row("queue", "executive", "/escalations/", "/queue", Bar(times=3.5, bytes=30 * 1024), helpdesk=1_776)]
    text = table.text("SQLite", table.lines(rows, [GOOD], [replace(GOOD, milliseconds=25)]))
    assert text.startswith("SQLite\n")
    for word in ("queue", "3.0", "1.2", "1,776", "≤ 3.5 × floor, 30 kB", "ok"):
        assert word in text
    assert table.told(Bar()) == "–"


@pytest.mark.parametrize(("value", "at_least", "word"), [(5, False, "ok"), (6, False, "short"), (4, True, "short")])
def test_a_single_figure_is_judged(value, at_least, word):
    assert run.judged("Navigation, ms", value, 5, at_least=at_least).endswith(word)


# The kept databases


@pytest.fixture
def store(tmp_path: Path) -> keeping.Store:
    return keeping.Store(tmp_path, "", lambda line: None)


def test_another_schema_has_another_name(monkeypatch):
    before = keeping.schema_key()
    assert keeping.schema_key() == before
    monkeypatch.setattr(keeping, "FILLERS", ())
    assert keeping.schema_key() != before


def test_what_was_filled_for_another_schema_is_deleted_and_nothing_else(store):
    store.delete_others()
    for name, kept in (("0123456789", True), ("9876543210", False), ("postgres", True)):
        (store.base / name).mkdir()
        if kept:
            (store.base / name / "kept").touch()
    store.delete_others()
    assert {each.name for each in store.base.iterdir()} == {store.key, "desk", "9876543210", "postgres"}


def test_a_database_is_filled_once_and_then_kept_with_its_rate(store, monkeypatch):
    ran: list[tuple[str, ...]] = []

    def manage(given, *arguments, **_):
        ran.append(arguments)
        Path(given["DATABASE_URL"].removeprefix("sqlite:///")).touch()
        return ""

    monkeypatch.setattr(keeping, "manage", manage)
    monkeypatch.setattr(
        keeping, "shown", lambda given, say, *arguments: (say("  5 of 5 cases, 9 a second"), manage(given, *arguments))
    )
    first = store.filled(keeping.SQLITE, 5)
    assert [each[0] for each in ran] == ["migrate", "seed_demo", "seed_demo", "bench"]
    assert first.rate > 0
    assert store.filled(keeping.SQLITE, 5) == first
    assert len(ran) == 4
    copy = store.copy(first, "load")
    assert copy.path.exists()
    store.drop(copy)
    assert not copy.path.exists()


def test_a_database_is_not_filled_where_there_is_no_room(store, monkeypatch):
    monkeypatch.setattr(keeping, "SPACE", 10**12)
    with pytest.raises(RuntimeError, match="are free"):
        store.filled(keeping.SQLITE, 5)


# Processes and clients


def test_what_a_measurement_starts_is_measured_and_ended_with_its_children(tmp_path):
    sleeps = "import time; time.sleep(99)"
    code = f"import subprocess; subprocess.Popen([{sys.executable!r}, '-c', {sleeps!r}]); {sleeps}"
    with servers.running(("-c", code), {}, tmp_path / "log") as process:
        while len(family := servers.family(process.pid)) < 2 or servers.processor_seconds(process.pid) == 0:
            assert process.poll() is None, (tmp_path / "log").read_text()
        found = servers.memory(process.pid)
        assert found.processes == 2
        assert found.private > 0
        assert found.share > 0
    assert [servers.parent_of(pid) for pid in family] == [0, 0]
    assert servers.memory(process.pid) == servers.Memory()
    assert servers.processor_seconds(process.pid) == 0


class Answers(BaseHTTPRequestHandler):
    """Answers with the status that the path names."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(int(self.path[1:4]))
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_many_clients_count_every_answer_and_send_a_single_request_once(port):
    requests = {
        "read": [Request("GET", "/200", {}), Request("GET", "/503", {})],
        "decide": [Request("GET", f"/201?{number}", {}) for number in range(3)],
    }
    plan = Plan(port, 4, [Part("mixed", 0.2, {"read": 0.5, "decide": 0.5})], requests, ["decide"], "read")
    done = subprocess.run(
        [sys.executable, "-m", "demo.benchmarks.load_clients"],
        input=json.dumps(load.asdict(plan)),
        capture_output=True,
        text=True,
        check=True,
        cwd=servers.ROOT,
    )
    phase = Phase.read(done.stdout)
    assert phase.name == "mixed"
    assert phase.kinds["decide"].statuses == {201: 3}
    assert {*phase.kinds["read"].statuses} == {200, 503}
    assert phase.kinds["read"].p99 >= phase.kinds["read"].p50 > 0


def test_a_client_without_an_answer_notes_it(port):
    plan = Plan(servers.free_port(), 1, [Part("read", 0.05, {"read": 1.0})], {"read": [Request("GET", "/200", {})]})
    [kind] = load_clients.Clients(plan).run(plan.parts[0]).kinds.values()
    assert {*kind.statuses} == {load_clients.BROKEN}


@pytest.mark.parametrize(
    ("statuses", "bar", "said"),
    [
        ({200: 100}, 25.0, "ok"),
        ({200: 100}, 26.0, "short: rate"),
        ({302: 99, 503: 1}, None, "ok"),
        ({302: 98, 503: 2}, None, "short: errors"),
        ({302: 999, 500: 1}, None, "short: not honest"),
    ],
)
def test_a_kind_of_request_is_short_in_rate_in_errors_or_in_honesty(statuses, bar, said):
    assert load.verdict(Kind(sum(statuses.values()), 25.0, 1.0, 2.0, statuses), bar) == said


def test_the_figures_of_the_load_are_told_beside_their_bars():
    kind = load_clients.summary([(200, 0.01), (200, 0.03), (503, 0.02)], 3.0)
    assert (kind.count, kind.rate, kind.p50) == (3, 1.0, 20.0)
    [told] = load.lines(Phase("queue", 3.0, {"queue": kind}))
    for word in ("1.0 a second", "1 × 503", "≥ 25 a second", "short: rate, errors"):
        assert word in told
    assert load.late_line(load.Lateness(9, 20.0, 999.0, 1_200.0)).endswith("ok")
    assert load.late_line(load.Lateness(9, 20.0, 1_001.0, 1_200.0)).endswith("short")
    assert load_clients.percentiles([]) == (0.0, 0.0)


def test_a_row_is_asked_in_turn_with_its_floor(port, monkeypatch):
    of = subjects.Subjects({"executive": subjects.Visitor("s", "t")}, *["x"] * 2, 1, [1], 1, *["x"] * 6)
    here = servers.Server(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE), port)
    try:
        found = measure.row(Row("queue", "executive", "/200", "/200"), of, here, here)
        assert (found.rounds, found.plain, found.sent, found.problem) == (measure.ROUNDS, 2, 2, "")
        assert found.times
        assert run.short(found).startswith("queue: ")
        assert measure.row(Row("queue", "executive", "/404", "/200"), of, here, here).problem == "status 404"
        assert measure.row(Row("queue", "executive", "/200", "/500"), of, here, here).problem == "floor: status 500"
    finally:
        here.process.kill()
        here.process.wait()


def test_the_command_says_in_one_line_why_it_stops(tmp_path, settings, monkeypatch):
    settings.VAR_DIR = tmp_path
    monkeypatch.setenv("DATABASE_URL", "sqlite:///")
    monkeypatch.setattr(run, "whole", lambda *_: (_ for _ in ()).throw(RuntimeError("no room")))
    with pytest.raises(CommandError, match="no room"):
        call_command("bench")
