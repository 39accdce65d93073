"""The demo desk: people, accounts, six months of ended cases, and cases of today in every state."""

from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction

from accounts.customers.health import parts_of
from accounts.models import Account, Signal, User
from approvals.matrix import defaults as authority
from demo.beginning import Script
from demo.chance import Chance
from demo.companies import make_demo_accounts
from demo.extras import add_extras
from demo.ids import give_back, reserve
from demo.living import Life
from demo.people import ensure_people
from demo.playing import Player
from demo.rows import MODELS, Batch, write
from demo.scenes import ENDED, ENDED_DAYS, EXECUTIVE, SCENES, Scene
from demo.signals import background_signals, signal_for
from demo.stories import STORIES
from demo.telling import opening_hour, tell
from demo.world import Customer, World
from escalations import states
from escalations.models import Escalation
from escalations.policy import defaults as policy
from escalations.triage import health
from ledger.now import now

SEED = 1042


def seed_demo() -> int:
    """Everything the demo shows, in one transaction; returns how many cases there are."""
    with transaction.atomic():
        policy.ensure_defaults()
        authority.ensure_defaults()
        people = ensure_people()
        at, chance = now().replace(microsecond=0), Chance(SEED)
        customers = make_demo_accounts(people, at)
        background_signals(customers, people, chance, at)
        _cases(people, customers, chance, at)
        for customer in customers.values():
            _keep_health(customer, at)
        add_extras(people, at)
    return Escalation.objects.count()


def _cases(people: dict[str, User], customers: dict[str, Customer], chance: Chance, at: datetime) -> None:
    """Oldest first, so that the numbers follow the calendar."""
    world = World(at)
    planned = [(at - timedelta(hours=scene.age), scene) for scene in SCENES] + _history(customers, chance, at)
    planned.sort(key=lambda each: each[0])
    ids = reserve(MODELS, len(planned))
    batch = Batch(ids)
    newest: dict[str, Life] = {}
    for opened_at, scene in planned:
        life = _one(world, batch, customers[scene.account], scene, opened_at, people, chance)
        if scene.script.until == states.DUPLICATE and scene.account in newest:
            life.case.duplicate_of_id = newest[scene.account].case.id
        newest[scene.account] = life
    write(batch.parameters())
    give_back(MODELS)


def _history(customers: dict[str, Customer], chance: Chance, at: datetime) -> list[tuple[datetime, Scene]]:
    """Ended cases, a little denser in the earlier quarter, so that what was learned shows in the figures."""
    names = [name for name, each in customers.items() if each.account.kind == Account.CUSTOMER]
    slugs = {slug: story.weight for slug, story in STORIES.items() if slug != "supplier-remediation"}
    found = []
    for place in range(ENDED):
        days = ENDED_DAYS - (ENDED_DAYS - 12) * (place / ENDED) ** 1.15
        slug, amount = EXECUTIVE[place // 3 % len(EXECUTIVE)] if place % 3 == 1 else (chance.weighted(slugs), None)
        script = Script(
            until=states.CLOSED,
            rich=place % 3 == 0,
            refused=place % 17 == 5,
            declined=place % 13 == 4,
            conditions=place % 5 == 2,
            slow=place % 19 == 7,
            late_word=place % 11 == 3,
            questioned=place % 7 == 1,
            waits="customer" if place % 15 == 6 else "",
            waived=place % 16 == 9,
            reopened=place % 25 == 12,
        )
        name, variant = names[place * 7 % len(names)], place % len(STORIES[slug].variants)
        scene = Scene(name, slug, variant, 0, script, amount)
        found.append((opening_hour(at - timedelta(days=days), chance), scene))
    return found


def _one(
    world: World,
    batch: Batch,
    customer: Customer,
    scene: Scene,
    opened_at: datetime,
    people: dict[str, User],
    chance: Chance,
) -> Life:
    told = tell(
        world,
        customer,
        chance,
        opened_at,
        issue_type=scene.issue_type,
        variant=scene.variant,
        amount=scene.amount,
        opened_by=people.get(scene.raised),
    )
    told = replace(told, blocker=scene.blocker, confidential=scene.confidential, legal=False)
    if scene.with_signal:
        signal = signal_for(customer, told.words["customer"], Signal.EMAIL, told.impasse_at)
        told = replace(told, signal=signal, tones=(signal.sentiment,))
    life = Life(world, batch, customer, told)
    Player(life, scene.script, chance, world.now).play()
    return life


def _keep_health(customer: Customer, at: datetime) -> None:
    """The explained health with what the cases add; the months before stand in the account's history."""
    account = customer.account
    account.refresh_from_db()
    found = health.recompute(account, at=at)
    if found is not None:
        account.health_parts = parts_of(found)
