"""Engines killed while they fire and send: nothing is lost, nothing happens twice. `make chaos` runs the long form."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import chaos
from tests.support.databases import DEMO, Templates
from tests.support.processes import eventually
from tests.support.smtp import Mailbox


def leases(seconds: str) -> dict[str, str]:
    """How long a killed sender's mail stays away from the others; no mail is held back for a digest."""
    return {
        "OUTBOX_LEASE_SECONDS": seconds,
        "OUTBOX_HAND_OVER_SECONDS": seconds,
        "MAIL_CAP_PER_TARGET_PER_DAY": "100000",
    }


@pytest.fixture
def engines(
    database_templates: Templates, mailbox: Mailbox, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[chaos.Nursery]:
    short = leases("2" if request.node.get_closest_marker("chaos") else "1")
    with (
        database_templates.copy(DEMO) as url,
        chaos.nursery(url, tmp_path, EMAIL_URL=mailbox.url, DIE_AT=chaos.POINTS, **short) as made,
    ):
        yield made


def prove(
    engines: chaos.Nursery, mailbox: Mailbox, *, clocks: int, over: float, number: int, seconds: float, each: int = 2
) -> None:
    """Let the clocks fall due, torment the engines, let them finish, and look at what became of everything."""
    engines.ask("build", clocks)
    since = engines.ask("last_event")
    due = engines.ask("fall_due", clocks, over, 0.5, each)
    # The last clock is due a little after `over`, when the engines have had time to begin.
    chaos.torment(engines, number=number, at_least=over + 2, at_most=over + seconds, seed=clocks)
    left = chaos.finish(engines, number=number, seconds=60)
    found = engines.ask("account", due, since)
    arrived = chaos.mails(mailbox.messages)
    report = (
        f"{found['database']}: {engines.deaths} deaths, {found['told']}, {sum(arrived.values())} mails, left {left}"
    )
    print(report)
    assert chaos.is_done(left), report
    kinds = ("lost", "doubled", "broken_moves", "doubled_levels", "log", "parked")
    wrong = {name: (len(found[name]), found[name][:5]) for name in kinds if found[name]}
    assert not wrong, (report, wrong)
    check_mail(arrived, found, engines.deaths)


def check_mail(arrived: dict[str, int], found: dict[str, Any], deaths: int) -> None:
    """What counts as sent has arrived; a mail arrives again only because a sender died, and then under the same Message-ID."""
    assert arrived, found
    assert set(found["sent"]) <= set(arrived)
    assert set(arrived) <= {*found["sent"], *found["dropped"]}
    assert sum(arrived.values()) - len(arrived) <= deaths


@pytest.mark.timeout(300)
def test_killed_engines_lose_nothing_and_do_nothing_twice(engines: chaos.Nursery, mailbox: Mailbox) -> None:
    prove(engines, mailbox, clocks=40, over=1, number=3, seconds=2)


@pytest.mark.chaos
@pytest.mark.timeout(3600)
def test_ten_thousand_clocks_survive_four_engines_killed_all_the_time(engines: chaos.Nursery, mailbox: Mailbox) -> None:
    prove(engines, mailbox, clocks=10_000, over=120, number=4, seconds=300, each=4)


@pytest.mark.timeout(300)
def test_a_clock_set_on_and_back_two_hours_fires_nothing_twice_and_loses_nothing(
    database_templates: Templates, mailbox: Mailbox, tmp_path: Path
) -> None:
    hours = 7200
    moving = {"CLOCK_MAY_MOVE": "1", "EMAIL_URL": mailbox.url}
    with database_templates.copy(DEMO) as url, chaos.nursery(url, tmp_path, **moving, **leases("2")) as engines:
        engines.ask("build", 30)
        since = engines.ask("last_event")
        due = engines.ask("fall_due", 30, hours - 60.0)
        engines.keep(1)
        engines.ask("move_clock", hours)
        assert eventually(lambda: not engines.ask("left")["clocks"], 60)
        told = engines.ask("account", due, since)
        assert told["lost"] == []
        engines.ask("move_clock", -hours)
        time.sleep(1)
        engines.ask("move_clock", hours)
        left = chaos.finish(engines, number=1, seconds=60)
        again = engines.ask("account", due, since)
    assert chaos.is_done(left), left
    assert (again["lost"], again["doubled"], again["log"]) == ([], [], [])
    assert again["told"]["clock.warn"] == told["told"]["clock.warn"]
    assert max(chaos.mails(mailbox.messages).values()) == 1
