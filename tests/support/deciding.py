"""The people and the account of a decision."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from accounts.models import Account, Role, User
from approvals.matrix.totals import Ask, concession_of, earlier, version_at
from approvals.models import ChainRule, Committee
from ledger.now import now

PEOPLE = (
    ("dana", "Dana Whitfield", "executive-sponsor", ""),
    ("ruth", "Ruth Cole", "steering-committee", ""),
    ("lena", "Lena Ortiz", "director", "dana"),
    ("tina", "Tina Brandt", "team-lead", "lena"),
    ("marcus", "Marcus Lee", "csm", "tina"),
    ("priya", "Priya Raman", "ae", "tina"),
    ("omar", "Omar Haddad", "csm", ""),
    ("sana", "Sana Khan", "pmo", ""),
    ("aisha", "Aisha Okafor", "administrator", ""),
)


@dataclass
class World:
    """Marcus (CSM) and Priya (AE) represent `northwind`; Tina, Lena and Dana are the managers above them."""

    dana: User
    ruth: User
    lena: User
    tina: User
    marcus: User
    priya: User
    omar: User
    sana: User
    aisha: User
    northwind: Account
    brightline: Account


def make_world(*, functions: bool = False) -> World:
    """For a database with the shipped defaults. The authority decides alone, unless `functions` take part."""
    if not functions:
        ChainRule.objects.all().delete()
        Committee.objects.all().delete()
    people: dict[str, User] = {}
    for key, name, role, manager in PEOPLE:
        people[key] = User.objects.create_user(f"{key}@desk.example", None, name=name, manager=people.get(manager))
        people[key].holdings.create(role=Role.objects.get(slug=role))
    for key in ("sana", "aisha"):
        people[key].is_staff = people[key].is_superuser = True
        people[key].save()
    northwind = Account.objects.create(
        external_id="NW-1",
        name="Northwind",
        arr=Decimal(500_000),
        segment="enterprise",
        csm=people["marcus"],
        ae=people["priya"],
    )
    other = Account.objects.create(external_id="BE-1", name="Brightline", arr=Decimal(90_000), csm=people["omar"])
    return World(northwind=northwind, brightline=other, **people)


def granted(
    account: Account, concession: str = "refund", at: datetime | None = None, without: Collection[int] = ()
) -> Decimal:
    """The grants to the account's family in the window (USD for money)."""
    at = at or now()
    version = version_at(at)
    ask = Ask(concession, None, "USD", account)
    return earlier(ask, version, concession_of(version, concession).unit, at, without=without).total
