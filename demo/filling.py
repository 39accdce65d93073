"""Many cases, set-based: accounts and people in proportion, thousands of cases a transaction, memory bounded."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import cycle, islice
from time import monotonic

from django.db import connection, transaction

from accounts.models import Role, RoleHolding, User
from demo.beginning import Script
from demo.chance import Chance
from demo.companies import make_accounts
from demo.ids import Ids, give_back, reserve
from demo.living import Life
from demo.pipeline import ahead, no_collector
from demo.playing import Player
from demo.rows import MODELS, Batch, Parameters, write
from demo.telling import opening_hour, tell
from demo.world import Customer, World
from escalations import states
from escalations.models import Escalation
from ledger.now import now

BATCH = 1000
YEARS = timedelta(days=3 * 365)
OPEN_SHARE = 0.02
MOST_ACCOUNTS = 5000
CASES_PER_ACCOUNT = 20
ACCOUNTS_PER_PERSON = 25
OPEN_STATES = (
    states.HANDED_OFF,
    states.DIAGNOSING,
    states.DIAGNOSING,
    states.APPROVING,
    states.APPROVING,
    states.EXECUTING,
)


@dataclass
class Progress:
    """How far it is, for the line that is printed."""

    done: int
    of: int
    rows: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Cases a second so far."""
        return self.done / self.seconds if self.seconds else 0.0


def fill(cases: int, seed: int, tell_progress: Callable[[Progress], None]) -> Progress:
    """Add so many cases over the last three years; 2 % of them are open, with due times over the next days."""
    chance, at = Chance(seed), now().replace(microsecond=0)
    _give_room()
    number = min(MOST_ACCOUNTS, max(10, cases // CASES_PER_ACCOUNT))
    # Accounts that exist draw nothing, so theirs is another chance: the same seed makes the same cases again.
    customers = _customers(number, Chance(seed + 1), at)
    world, ids = World(at), reserve(MODELS, cases)
    progress = Progress(0, cases)
    begun = monotonic()
    with no_collector():
        for parameters in ahead(lambda: _made(world, ids, customers, chance, cases), worthwhile=cases > 2 * BATCH):
            with transaction.atomic():
                progress.rows += write(parameters)
            progress.done += len(parameters[Escalation._meta.label])
            progress.seconds = monotonic() - begun
            tell_progress(progress)
    give_back(MODELS)
    return progress


def _made(world: World, ids: Ids, customers: list[Customer], chance: Chance, cases: int) -> Iterator[Parameters]:
    """The cases in batches, oldest first."""
    openings = _openings(cases, world.now, chance)
    while some := list(islice(openings, BATCH)):
        batch = Batch(ids)
        for opened in some:
            _one(world, batch, chance.of(customers), chance, opened)
        yield batch.parameters()


def _give_room() -> None:
    """Indexes of large tables stay in memory while SQLite writes."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA cache_size = -200000")


def _openings(cases: int, at: datetime, chance: Chance) -> Iterator[tuple[datetime, bool]]:
    """When each case opens, oldest first, and whether it is still open; the open ones come last."""
    still_open = round(cases * OPEN_SHARE)
    ended = cases - still_open
    for place in range(ended):
        day = at - YEARS + (YEARS - timedelta(days=9)) * ((place + chance.unit()) / ended)
        yield opening_hour(day, chance), False
    for place in range(still_open):
        hours = 30 * (1 - place / still_open) + 0.2
        yield at - timedelta(hours=hours), True


def _one(world: World, batch: Batch, customer: Customer, chance: Chance, opened: tuple[datetime, bool]) -> None:
    opened_at, still_open = opened
    customer.health = min(98, max(8, int(chance.long_tail(72, 0.25))))
    told = tell(world, customer, chance, opened_at)
    script = _open_script(chance) if still_open else _ended_script(chance)
    if script.until == states.DUPLICATE and not world.opened.get(customer.account.pk):
        script = replace(script, until=states.WITHDRAWN)
    life = Life(world, batch, customer, told)
    life.lean = True
    Player(life, script, chance, world.now).play()
    last = world.last_case.get(customer.account.pk)
    if script.until == states.DUPLICATE and last:
        life.case.duplicate_of_id = last
    world.last_case[customer.account.pk] = life.case.id


def _ended_script(chance: Chance) -> Script:
    """Most cases run straight; some are refused, declined, late, paused, waived, reopened, withdrawn or duplicates."""
    draw = chance.unit()
    until = states.WITHDRAWN if draw < 0.03 else states.DUPLICATE if draw < 0.05 else states.CLOSED
    return Script(
        until=until,
        refused=chance.happens(0.04),
        ignored=chance.happens(0.02),
        declined=chance.happens(0.06),
        conditions=chance.happens(0.15),
        slow=chance.happens(0.05),
        late_word=chance.happens(0.08),
        silent=chance.happens(0.1),
        waits="customer" if chance.happens(0.06) else "third_party" if chance.happens(0.02) else "",
        questioned=chance.happens(0.08),
        skipped=chance.happens(0.2),
        waived=chance.happens(0.06),
        reopened=chance.happens(0.03),
    )


def _open_script(chance: Chance) -> Script:
    return Script(until=chance.of(OPEN_STATES), paused_now=False, conditions=chance.happens(0.2))


def _customers(number: int, chance: Chance, at: datetime) -> list[Customer]:
    with transaction.atomic():
        people = _people(max(2, number // ACCOUNTS_PER_PERSON), at)
        return make_accounts(number, people, chance, at)


def _people(number: int, at: datetime) -> list[tuple[User, User]]:
    """Pairs of CSM and AE under the leads there are; those of an earlier filling are used again."""
    roles = {role.slug: role for role in Role.objects.filter(slug__in=("csm", "ae"))}
    leads = cycle(User.objects.holding(["team-lead"], at))
    pairs = []
    for place in range(1, number + 1):
        lead = next(leads)
        pairs.append((_member("csm", place, lead, roles, at), _member("ae", place, lead, roles, at)))
    return pairs


def _member(role: str, place: int, lead: User, roles: dict[str, Role], at: datetime) -> User:
    user, new = User.objects.get_or_create(
        email=f"{role}-{place}@filled.example",
        defaults={
            "name": f"{GIVEN[place % len(GIVEN)]} {FAMILY[(place * 7 + len(role)) % len(FAMILY)]}",
            "manager": lead,
            "zone": lead.zone,
            "region": lead.region,
            "team": lead.team,
            "password": "!",
            "date_joined": at - YEARS,
        },
    )
    if new:
        RoleHolding.objects.create(user=user, role=roles[role], starts=at - YEARS - timedelta(days=60))
    return user


GIVEN = ("Alba", "Boris", "Clara", "Dmitri", "Elif", "Finn", "Gala", "Hugo", "Ida", "Jonas", "Kira", "Luca", "Mina")
FAMILY = (
    "Abel",
    "Brandt",
    "Costa",
    "Dahl",
    "Ekström",
    "Ferri",
    "Grant",
    "Hoang",
    "Ivanov",
    "Jansen",
    "Keller",
    "Lopes",
)
