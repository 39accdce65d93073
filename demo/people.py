"""The people of the demo: at least one for every shipped role, two regions, a chain of managers."""

from datetime import timedelta
from typing import NamedTuple

from django.contrib.auth.hashers import make_password

from accounts.models import Role, RoleHolding, User, UserWords
from ledger.now import now
from ledger.search import index

PASSWORD = "show-me-the-desk"  # noqa: S105 it is printed on the console and opens invented data only
DOMAIN = "desk.example"
NEW_YORK, CHICAGO, BERLIN, LONDON = "America/New_York", "America/Chicago", "Europe/Berlin", "Europe/London"
AMERICAS, EMEA = "Americas", "EMEA"


class Person(NamedTuple):
    """A person of the demo: sign-in name, roles (the first is shown), manager's sign-in name, place, and what to try."""

    slug: str
    name: str
    roles: tuple[str, ...]
    manager: str
    region: str
    zone: str
    team: str
    tries: str


PEOPLE = (
    Person("dana", "Dana Whitfield", ("cro", "executive-sponsor"), "", AMERICAS, NEW_YORK, "Executive",
           "Decide what only an executive may grant; see the figures"),
    Person("noor", "Noor Haddad", ("executive-sponsor",), "dana", EMEA, LONDON, "Executive",
           "Decide for EMEA accounts"),
    Person("lena", "Lena Ortiz", ("director",), "dana", AMERICAS, NEW_YORK, "Revenue Americas",
           "Decide up to 20% discount; cases of the whole tree"),
    Person("henrik", "Henrik Sand", ("director",), "noor", EMEA, BERLIN, "Revenue EMEA", "Decide for EMEA teams"),
    Person("tom", "Tom Becker", ("team-lead",), "lena", AMERICAS, CHICAGO, "Enterprise Americas",
           "Accept hand-offs; decide up to 10%"),
    Person("grace", "Grace Liu", ("team-lead",), "lena", AMERICAS, NEW_YORK, "Mid-market Americas",
           "Accept hand-offs of the mid-market team"),
    Person("ines", "Inès Moreau", ("team-lead",), "henrik", EMEA, BERLIN, "Enterprise EMEA", "Lead the EMEA team"),
    Person("priya", "Priya Raman", ("csm",), "tom", AMERICAS, NEW_YORK, "Enterprise Americas",
           "Raise an escalation; keep the customer informed"),
    Person("diego", "Diego Santos", ("csm",), "grace", AMERICAS, CHICAGO, "Mid-market Americas", "See another CSM's desk"),
    Person("amelie", "Amelie Vogt", ("csm",), "ines", EMEA, BERLIN, "Enterprise EMEA", "Work in another time zone"),
    Person("marcus", "Marcus Lee", ("ae",), "tom", AMERICAS, NEW_YORK, "Enterprise Americas",
           "Ask for a discount beyond the limit"),
    Person("chloe", "Chloe Bennett", ("ae",), "grace", AMERICAS, CHICAGO, "Mid-market Americas", "A stuck negotiation"),
    Person("oskar", "Oskar Lind", ("ae",), "ines", EMEA, BERLIN, "Enterprise EMEA", "A supplier's counterproposals"),
    Person("aisha", "Aisha Okafor", ("legal",), "viktor", AMERICAS, NEW_YORK, "Legal", "Advise on clauses"),
    Person("viktor", "Viktor Hale", ("legal-sponsor", "steering-committee"), "dana", AMERICAS, NEW_YORK, "Legal",
           "Own compliance exceptions"),
    Person("ravi", "Ravi Menon", ("finance-lead",), "yuki", AMERICAS, NEW_YORK, "Finance",
           "Take payment-terms and billing cases"),
    Person("yuki", "Yuki Tanaka", ("finance-director",), "dana", AMERICAS, NEW_YORK, "Finance", "Next after the finance lead"),
    Person("paula", "Paula Reyes", ("procurement-director",), "dana", AMERICAS, CHICAGO, "Procurement",
           "Decide scope and cost variances"),
    Person("stefan", "Stefan Kral", ("vendor-lead",), "paula", EMEA, BERLIN, "Vendor management", "Own supplier cases"),
    Person("nadia", "Nadia Farouk", ("functional-lead",), "lena", AMERICAS, NEW_YORK, "Delivery", "Own outages and overruns"),
    Person("ben", "Ben Adeyemi", ("deal-desk",), "lena", AMERICAS, NEW_YORK, "Deal desk", "Pricing hand-offs"),
    Person("sofia", "Sofia Rossi", ("support",), "nadia", EMEA, BERLIN, "Support", "Take hand-offs from support"),
    Person("kenji", "Kenji Mori", ("engineering",), "nadia", AMERICAS, CHICAGO, "Engineering", "Take incident hand-offs"),
    Person("hannah", "Hannah Cole", ("billing",), "ravi", AMERICAS, NEW_YORK, "Billing", "Own small billing disputes"),
    Person("maya", "Maya Fischer", ("product",), "noor", EMEA, LONDON, "Product", "Comment on roadmap asks"),
    Person("gene", "Gene Park", ("steering-committee",), "", AMERICAS, NEW_YORK, "Steering committee",
           "Decide beyond 35%"),
    Person("rosa", "Rosa Delgado", ("executive-committee", "steering-committee"), "", AMERICAS, NEW_YORK, "Executive committee",
           "Decide supplier cases last"),
    Person("sana", "Sana Khan", ("pmo",), "dana", AMERICAS, NEW_YORK, "Operations",
           "Edit policy drafts; see received mail, messages, imports, figures"),
    Person("rita", "Rita Quist", ("administrator",), "", AMERICAS, NEW_YORK, "Operations", "The admin"),
    Person("felix", "Felix Brandt", ("external",), "", EMEA, BERLIN, "Outside counsel", "See only what is shared"),
)  # fmt: skip
ADMIN = "rita"


def ensure_people() -> dict[str, User]:
    """The demo people by sign-in name, created if missing. Roles must exist."""
    roles = {role.slug: role for role in Role.objects.all()}
    secret = make_password(PASSWORD)
    people = {person.slug: _ensure(person, roles, secret) for person in _managers_first()}
    index.write(UserWords, [user.pk for user in people.values()])
    return people


def _managers_first() -> list[Person]:
    by_slug = {person.slug: person for person in PEOPLE}

    def depth(person: Person) -> int:
        return 1 + depth(by_slug[person.manager]) if person.manager else 0

    return sorted(PEOPLE, key=depth)


def address(slug: str) -> str:
    """The sign-in address of a demo person."""
    return f"{slug}@{DOMAIN}"


def _ensure(person: Person, roles: dict[str, Role], secret: str) -> User:
    admin = person.slug == ADMIN
    user, new = User.objects.get_or_create(
        email=address(person.slug),
        defaults={
            "name": person.name,
            "password": secret,
            "zone": person.zone,
            "region": person.region,
            "team": person.team,
            "manager": User.objects.filter(email=address(person.manager)).first() if person.manager else None,
            "is_staff": admin or "pmo" in person.roles,
            "is_superuser": admin,
            "date_joined": now() - timedelta(days=1500),
        },
    )
    if new:
        since = now() - timedelta(days=1400)
        RoleHolding.objects.bulk_create(RoleHolding(user=user, role=roles[slug], starts=since) for slug in person.roles)
    return user


def demo_people() -> list[tuple[Person, User]]:
    """The demo people that exist, in the order of the table."""
    users = {user.email: user for user in User.objects.filter(email__endswith=f"@{DOMAIN}")}
    return [(person, users[address(person.slug)]) for person in PEOPLE if address(person.slug) in users]
