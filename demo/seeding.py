"""The demo desk: people, accounts, six months of ended cases, and current cases in every state."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from simple_history.signals import pre_create_historical_record

from accounts.models import Account, User
from approvals.matrix import defaults as authority
from demo import around
from demo.chance import Chance
from demo.companies import COMPANIES, KNOWN_DAYS, make_accounts
from demo.lives import Life
from demo.people import ensure_people
from demo.scenes import ENDED_DAYS, TODAY, Scene, ended
from demo.signals import background
from demo.stage import Stage
from demo.telling import opening_hour, tell
from escalations.models import Escalation
from escalations.policy import defaults as policy
from escalations.triage import health
from ledger.now import moved_to, now

SEED = 1042


def seed_demo(say: Callable[[str], None] = lambda line: None) -> int:
    """Create all demo data in one transaction; returns the number of cases. `say` gets the progress."""
    with transaction.atomic(), history_as_of_now():
        at, chance = now().replace(microsecond=0), Chance(SEED)
        policy.ensure_defaults()
        authority.ensure_defaults()
        people = ensure_people()
        with moved_to(at - timedelta(days=KNOWN_DAYS)):
            accounts = make_accounts(people, at)
        stage = Stage(at, say)
        moods = {company.name: company.health for company in COMPANIES}
        background(stage, accounts, moods, people, chance)
        say("Demo data: playing six months of cases …")
        for scene in (*history(list(accounts.values()), chance), *TODAY):
            _enter(stage, scene, accounts[scene.account], people, chance)
        stage.play()
        for account in accounts.values():
            account.refresh_from_db()
            health.recompute(account, at=at)
        say("Demo data: mail, drafts and events of the last minute …")
        around.add(people, accounts, at)
    return Escalation.objects.count()


def history(accounts: list[Account], chance: Chance) -> Iterator[Scene]:
    """The scenes of the cases that ended, each on a different account from the one before."""
    names = [account.name for account in accounts if account.kind == Account.CUSTOMER]
    for place, days in enumerate(ENDED_DAYS):
        plot, script = ended(place)
        yield Scene(names[place * 7 % len(names)], days * 24, plot, script)


def _enter(stage: Stage, scene: Scene, account: Account, people: dict[str, User], chance: Chance) -> None:
    opened_at: datetime = stage.end - timedelta(hours=scene.age)
    if scene not in TODAY:
        opened_at = opening_hour(opened_at, chance)
    by = people[scene.raised] if scene.raised else account.csm or people["stefan"]
    # Each case has its own generator, so that a change in one case does not change the others.
    own = Chance(chance.whole(1, 1_000_000))
    told = tell(account, scene.plot, opened_at, by, own)
    stage.enter(told.opened_at, Life(stage, told, scene.script, own, people).live())


@contextmanager
def history_as_of_now() -> Iterator[None]:
    """Make the history of accounts and people use `now()`, not the clock of the machine."""

    def date(history_instance: Any, **_: Any) -> None:
        history_instance.history_date = now()

    pre_create_historical_record.connect(date, weak=False, dispatch_uid="demo")
    try:
        yield
    finally:
        pre_create_historical_record.disconnect(dispatch_uid="demo")
