"""The people and the account of the tests."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from accounts.models import Account, AccountDomain, AccountWords, Contact, Role, RoleHolding, User
from approvals.matrix import defaults as authority
from approvals.models import ChainRule, Committee
from escalations.policy import defaults as policy
from ledger.now import now
from ledger.search import index

PASSWORD = "correct horse battery"


# Before every day that a test uses as today.
LONG_AGO = datetime(2015, 1, 1, tzinfo=UTC)


@dataclass
class Cast:
    """The people of a test. `csm` represents `northwind`; `lead`, `director` and `sponsor` are the managers above."""

    csm: User
    ae: User
    lead: User
    director: User
    sponsor: User
    committee: User
    legal: User
    finance: User
    ops: User
    outsider: User
    admin: User
    northwind: Account
    contact: Contact
    elsewhere: Account

    def renew_soon(self) -> None:
        """Northwind renews in 34 days, for any day the test uses as today."""
        self.northwind.renewal_date = (now() + timedelta(days=34)).date()
        self.northwind.save(update_fields=["renewal_date"])


def person(email: str, name: str, role: str, manager: User | None = None, **extra: object) -> User:
    """A user who holds one role and signs in with PASSWORD."""
    user = User.objects.create_user(email, PASSWORD, name=name, manager=manager, **extra)
    RoleHolding.objects.create(user=user, role=Role.objects.get(slug=role), starts=LONG_AGO)
    return user


def make_cast() -> Cast:
    """Shipped policy and authority, a chain of people, an account in trouble and one of other people."""
    policy.ensure_defaults()
    authority.ensure_defaults()
    sponsor = person("dana@desk.example", "Dana Whitfield", "executive-sponsor")
    director = person("lena@desk.example", "Lena Ortiz", "director", sponsor)
    lead = person("tom@desk.example", "Tom Becker", "team-lead", director)
    csm = person("priya@desk.example", "Priya Raman", "csm", lead)
    ae = person("marcus@desk.example", "Marcus Lee", "ae", lead)
    outsider = person("olga@desk.example", "Olga Novak", "csm")
    northwind = Account.objects.create(
        external_id="NW-1",
        name="Northwind Logistics",
        arr=Decimal(180_000),
        health=62,
        renewal_date=(now() + timedelta(days=34)).date(),
        csm=csm,
        ae=ae,
    )
    AccountDomain.objects.create(account=northwind, domain="northwind.example")
    cast = Cast(
        csm=csm,
        ae=ae,
        lead=lead,
        director=director,
        sponsor=sponsor,
        committee=person("gene@desk.example", "Gene Park", "steering-committee"),
        legal=person("aisha@desk.example", "Aisha Okafor", "legal"),
        finance=person("ravi@desk.example", "Ravi Menon", "finance-lead"),
        ops=person("sana@desk.example", "Sana Khan", "pmo"),
        outsider=outsider,
        admin=person("root@desk.example", "Rita Root", "administrator", is_staff=True, is_superuser=True),
        northwind=northwind,
        contact=Contact.objects.create(account=northwind, name="Jonas Thiel", email="jonas@northwind.example"),
        elsewhere=Account.objects.create(external_id="HH-1", name="Harbor Health", arr=Decimal(40_000), csm=outsider),
    )
    index.write(AccountWords, [cast.northwind.pk, cast.elsewhere.pk])
    return cast


def make_deciders() -> Cast:
    """The cast on a desk where the authority decides alone, because no function has a holder.

    Northwind is worth 500,000 USD and has no renewal date.
    """
    cast = make_cast()
    ChainRule.objects.all().delete()
    Committee.objects.all().delete()
    RoleHolding.objects.filter(user__in=(cast.legal, cast.finance)).delete()
    cast.northwind.arr, cast.northwind.segment, cast.northwind.renewal_date = Decimal(500_000), "enterprise", None
    cast.northwind.save()
    cast.ops.is_staff = cast.ops.is_superuser = True
    cast.ops.save()
    return cast
