"""The watch over the background jobs."""

import os
import sys
import time
from pathlib import Path

import pytest

from config import worker
from ledger import heartbeats

ORPHAN_MAKER = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
time.sleep(float(sys.argv[2]))
"""


class Cluster:
    """A cluster as the watch sees it: a clock, signs of life, and questions asked."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.signs: worker.Signs = (None, None)
        self.questions = 0

    def ask(self) -> None:
        self.questions += 1

    def watch(self) -> worker.Watch:
        return worker.Watch(read=lambda: self.signs, ask=self.ask, clock=lambda: self.seconds)


def test_a_silent_cluster_is_stale_after_three_minutes():
    cluster = Cluster()
    watch = cluster.watch()
    assert not watch.is_stale()
    cluster.seconds = 179
    assert not watch.is_stale()
    cluster.seconds = 180
    assert watch.is_stale()


def test_a_cluster_that_never_showed_a_sign_has_three_minutes_too():
    cluster = Cluster()
    cluster.seconds, cluster.signs = 5_000, ()
    watch = cluster.watch()
    assert not watch.is_stale()
    cluster.seconds = 5_179
    assert not watch.is_stale()
    cluster.seconds = 5_180
    assert watch.is_stale()


def test_any_sign_of_life_gives_another_three_minutes():
    cluster = Cluster()
    watch = cluster.watch()
    watch.is_stale()
    cluster.seconds, cluster.signs = 170, ("beat", None)
    assert not watch.is_stale()
    cluster.seconds = 349
    assert not watch.is_stale()
    cluster.seconds = 350
    assert watch.is_stale()


def test_an_unanswered_question_is_not_asked_again():
    cluster = Cluster()
    watch = cluster.watch()
    for cluster.seconds in range(0, 170, 2):
        watch.is_stale()
    assert cluster.questions == 1


def test_an_answered_question_is_asked_again_half_a_minute_later():
    cluster = Cluster()
    watch = cluster.watch()
    watch.is_stale()
    cluster.seconds, cluster.signs = 2, ("beat", None)
    watch.is_stale()
    cluster.seconds = 29
    watch.is_stale()
    assert cluster.questions == 1
    cluster.seconds = 30
    watch.is_stale()
    assert cluster.questions == 2


@pytest.mark.django_db
def test_the_proof_of_life_is_a_heartbeat_that_the_watch_sees():
    before = worker.signs_of_life()
    worker.prove_life()
    assert worker.signs_of_life() != before
    assert heartbeats.age(worker.NAME) is not None


def orphan(path: Path) -> bool:
    try:
        return Path(f"/proc/{path.read_text()}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_ending_a_cluster_ends_its_orphans(tmp_path):
    noted = tmp_path / "child"
    cluster = worker.start_cluster((sys.executable, "-c", ORPHAN_MAKER, str(noted), "0"))
    cluster.wait(60)
    assert orphan(noted)
    worker.end_cluster(cluster, gently=False)
    deadline = time.monotonic() + 60
    while orphan(noted) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not orphan(noted)


def test_a_cluster_that_ends_by_itself_is_noticed_with_its_code():
    cluster = worker.start_cluster((sys.executable, "-c", "raise SystemExit(3)"))
    assert worker.guard(cluster, Cluster().watch(), poll_seconds=5) == "it ended with code 3"


def test_a_cluster_lives_in_a_process_group_of_its_own():
    cluster = worker.start_cluster((sys.executable, "-c", "import time; time.sleep(30)"))
    try:
        assert os.getpgid(cluster.pid) == cluster.pid != os.getpgid(0)
    finally:
        worker.end_cluster(cluster, gently=True)
