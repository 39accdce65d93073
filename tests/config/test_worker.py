"""The watch over the background jobs."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError
from django_q.brokers import get_broker
from django_q.models import OrmQ, Task
from django_q.signing import SignedPackage
from django_q.tasks import async_task

from config import worker
from ledger import heartbeats
from ledger.now import now


class Seen:
    """The worker as the watch sees it: a clock, signs of life, and questions asked."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.signs: worker.Signs = (None, None)
        self.questions = 0

    def ask(self) -> None:
        self.questions += 1

    def watch(self) -> worker.Watch:
        return worker.Watch(read=lambda: self.signs, ask=self.ask, clock=lambda: self.seconds)


def test_a_silent_worker_is_stale_after_three_minutes():
    seen = Seen()
    watch = seen.watch()
    assert not watch.is_stale()
    seen.seconds = 179
    assert not watch.is_stale()
    seen.seconds = 180
    assert watch.is_stale()


def test_a_worker_that_never_showed_a_sign_has_three_minutes_too():
    seen = Seen()
    seen.seconds, seen.signs = 5_000, ()
    watch = seen.watch()
    assert not watch.is_stale()
    seen.seconds = 5_179
    assert not watch.is_stale()
    seen.seconds = 5_180
    assert watch.is_stale()


def test_any_sign_of_life_gives_another_three_minutes():
    seen = Seen()
    watch = seen.watch()
    watch.is_stale()
    seen.seconds, seen.signs = 170, ("beat", None)
    assert not watch.is_stale()
    seen.seconds = 349
    assert not watch.is_stale()
    seen.seconds = 350
    assert watch.is_stale()


def test_an_unanswered_question_is_not_asked_again():
    seen = Seen()
    watch = seen.watch()
    for seen.seconds in range(0, 170, 2):
        watch.is_stale()
    assert seen.questions == 1


def test_an_answered_question_is_asked_again_half_a_minute_later():
    seen = Seen()
    watch = seen.watch()
    watch.is_stale()
    seen.seconds, seen.signs = 2, ("beat", None)
    watch.is_stale()
    seen.seconds = 29
    watch.is_stale()
    assert seen.questions == 1
    seen.seconds = 30
    watch.is_stale()
    assert seen.questions == 2


@pytest.mark.django_db
def test_the_proof_of_life_is_a_heartbeat_that_the_watch_sees():
    before = worker.signs_of_life()
    worker.prove_life()
    assert worker.signs_of_life() != before
    assert heartbeats.age(worker.NAME) is not None


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def eventually(wanted) -> bool:
    deadline = time.monotonic() + 60
    while not wanted() and time.monotonic() < deadline:
        time.sleep(0.02)
    return wanted()


def sleeps(deadline: worker.Deadline) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    time.sleep(300)


def is_late(deadline: worker.Deadline) -> None:
    deadline.show(0)
    time.sleep(300)


def leaves_an_orphan(path: Path):
    def do(deadline: worker.Deadline) -> None:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
        path.write_text(str(child.pid))
        os._exit(3)

    return do


@pytest.fixture
def crew():
    """Starts processes that sleep; none is left at the end."""
    made = worker.Crew(start=lambda: worker.start_hand(sleeps))
    yield made
    made.end([*made.hands], gently=False)


def test_ending_a_process_ends_its_orphans(tmp_path):
    noted = tmp_path / "child"
    hand = worker.start_hand(leaves_an_orphan(noted))
    hand.process.join(60)
    child = int(noted.read_text())
    assert alive(child)
    worker.end_hand(hand, gently=False)
    assert eventually(lambda: not alive(child))


def test_a_process_lives_in_a_process_group_of_its_own(crew):
    crew.keep(1)
    [pid] = [hand.process.pid for hand in crew.hands]
    assert eventually(lambda: os.getpgid(pid) == pid != os.getpgid(0))


def test_a_killed_process_is_replaced_and_the_other_stays(crew):
    crew.keep(2)
    first, second = crew.hands
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.join(60)
    crew.keep(2)
    assert crew.hands[0] is second
    assert [hand.process.is_alive() for hand in crew.hands] == [True, True]


def test_a_process_that_does_not_come_back_in_time_is_killed_and_replaced(crew):
    late = worker.start_hand(is_late)
    crew.hands.append(late)
    assert eventually(lambda: late.deadline.is_over)
    crew.keep(1)
    assert late not in crew.hands
    assert not late.process.is_alive()
    assert len(crew.hands) == 1


def test_processes_that_are_asked_to_end_do(crew):
    crew.keep(2)
    hands = [*crew.hands]
    crew.end(hands, gently=True)
    assert crew.hands == []
    assert not any(hand.process.is_alive() for hand in hands)


def test_a_job_gives_a_process_the_time_of_the_job_and_an_end_the_usual_time():
    deadline = worker.Deadline()
    deadline.value = 0.01 - worker.GRACE_SECONDS
    assert not deadline.is_over  # below nothing: no job
    deadline.show(0)
    assert deadline.is_over
    deadline.value = 150
    assert not deadline.is_over
    deadline.value = -1
    assert (deadline.value, deadline.is_over) == (-1, False)


# `sync` keeps the connection of the test, which django-q2 would close when a job is done.
@pytest.fixture
def jobs() -> worker.Jobs:
    return worker.Jobs(get_broker(), worker.Deadline())


def ended(jobs: worker.Jobs) -> bool:
    """Ask for the next job of an empty queue; whether that is the end."""
    jobs.stopped = True
    return jobs.get() == worker.STOP


@pytest.mark.django_db
def test_a_job_is_taken_once_and_what_came_of_it_is_kept(jobs):
    async_task("math.sqrt", 4)
    job = jobs.get()
    assert OrmQ.objects.get().lock > now()
    jobs.put({**job, "sync": True, "result": 2.0, "success": True, "stopped": now()})
    assert Task.objects.get().result == 2.0
    assert not OrmQ.objects.exists()
    assert ended(jobs)


@pytest.mark.django_db
def test_a_job_of_a_killed_process_is_taken_again_when_its_time_has_passed(jobs):
    async_task("math.sqrt", 4)
    first = jobs.get()
    OrmQ.objects.update(lock=now() - timedelta(seconds=1))
    assert jobs.get()["id"] == first["id"]


@pytest.mark.django_db
def test_a_job_that_fails_is_kept_with_its_reason_and_not_tried_for_ever(jobs):
    async_task("math.sqrt", -1, ack_failure=True)
    jobs.put({**jobs.get(), "sync": True, "result": "math domain error", "success": False, "stopped": now()})
    assert Task.objects.get().result == "math domain error"
    assert not OrmQ.objects.exists()


@pytest.mark.django_db
def test_a_job_that_cannot_be_read_is_removed_and_the_next_one_is_taken(jobs):
    OrmQ.objects.create(key="escalation-desk", payload="not signed by us", lock=now() - timedelta(seconds=1))
    async_task("math.sqrt", 4)
    assert jobs.get()["func"] == "math.sqrt"
    assert OrmQ.objects.count() == 1


@pytest.mark.django_db
def test_a_database_that_does_not_answer_is_asked_again(jobs, monkeypatch):
    monkeypatch.setattr(worker, "AFTER_AN_ERROR", 0.0)
    monkeypatch.setattr(worker.connections, "close_all", lambda: None)
    answers = iter([DatabaseError("gone"), [(1, SignedPackage.dumps({"func": "math.sqrt"}))]])

    def dequeue():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(jobs._broker, "dequeue", dequeue)
    assert jobs.get()["func"] == "math.sqrt"
