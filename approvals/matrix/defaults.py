"""The first authority matrix of every installation. An administrator changes it in a draft."""

from decimal import Decimal
from typing import NamedTuple

from django.db import transaction

from accounts.models import Role
from approvals.matrix.rules import units
from approvals.models import AuthorityLimit, AuthorityVersion, ChainRule, Committee, ConcessionType, ExceptionBand
from ledger.now import now

ANY = None
Limits = dict[str, int | None]


class Shipped(NamedTuple):
    """A concession with the limits of the roles that may grant it."""

    slug: str
    name: str
    unit: str
    limits: Limits
    needs_function: str = ""
    reply_up_to: int | None = None
    money_back: str = ""
    accepts_risk: bool = False


MONEY_LIMITS: Limits = {
    "csm": 500,
    "team-lead": 2_000,
    "director": 10_000,
    "executive-sponsor": 100_000,
    "steering-committee": ANY,
}
CONCESSIONS = (
    Shipped(
        "discount",
        "Discount",
        units.PERCENT,
        {"csm": 5, "team-lead": 10, "director": 20, "executive-sponsor": 35, "steering-committee": ANY},
        reply_up_to=20,
    ),
    Shipped("refund", "Refund", units.MONEY, MONEY_LIMITS, reply_up_to=10_000, money_back="refund"),
    Shipped("credit", "Credit", units.MONEY, MONEY_LIMITS, reply_up_to=10_000, money_back="credit"),
    Shipped(
        "payment-terms",
        "Payment terms",
        units.DAYS,
        {"director": 60, "executive-sponsor": 90},
        reply_up_to=60,
    ),
    Shipped(
        "liability-cap",
        "Liability cap",
        units.MONTHS,
        {"director": 12, "executive-sponsor": 24, "steering-committee": ANY},
        reply_up_to=12,
    ),
    Shipped("indemnity", "Indemnity", units.YES, {"executive-sponsor": ANY}, "legal"),
    Shipped("roadmap-commitment", "Roadmap commitment", units.YES, {"executive-sponsor": ANY}, "product"),
    Shipped("risk-acceptance", "Risk acceptance", units.YES, {"executive-sponsor": ANY}, "legal", accepts_risk=True),
    Shipped("contract-term", "Contract term", units.YES, {"director": ANY, "executive-sponsor": ANY}, "legal"),
)
BANDS = (("discount", "green", 5), ("credit", "green", 500))
# Concession, function, its part, its place in the stages. Such asks can be made only if somebody holds the function.
FUNCTIONS = (
    ("indemnity", "legal", ChainRule.APPROVE, ChainRule.BEFORE),
    ("risk-acceptance", "legal", ChainRule.APPROVE, ChainRule.BEFORE),
    ("contract-term", "legal", ChainRule.APPROVE, ChainRule.BEFORE),
    ("roadmap-commitment", "product", ChainRule.APPROVE, ChainRule.BEFORE),
    ("payment-terms", "finance-lead", ChainRule.APPROVE, ChainRule.BESIDE),
    ("liability-cap", "legal", ChainRule.CONSULT, ChainRule.BEFORE),
)
# Roles whose holders vote: half of them must agree.
COMMITTEES = ("steering-committee", "executive-committee")
COMMITTEE_SHARE = 50


@transaction.atomic
def ensure_defaults() -> None:
    """Publishes version 1 with the shipped limits and bands when there is no version at all. Needs the shipped roles."""
    if AuthorityVersion.objects.exists():
        return
    at = now()
    version = AuthorityVersion.objects.create(
        number=1,
        state=AuthorityVersion.PUBLISHED,
        note="Shipped limits",
        created_at=at,
        published_at=at,
        # Long ago, so that a version is in force for imported or seeded history.
        effective_from=at.replace(year=2015, month=1, day=1),
    )
    roles = {role.slug: role for role in Role.objects.all()}
    made = {}
    for place, row in enumerate(CONCESSIONS, start=1):
        made[row.slug] = ConcessionType.objects.create(
            version=version,
            slug=row.slug,
            name=row.name,
            unit=row.unit,
            sort=place * 10,
            reply_up_to=None if row.reply_up_to is None else Decimal(row.reply_up_to),
            money_back=row.money_back,
            accepts_risk=row.accepts_risk,
        )
        AuthorityLimit.objects.bulk_create(
            AuthorityLimit(
                version=version,
                role=roles[role],
                concession=made[row.slug],
                up_to=None if up_to is None else Decimal(up_to),
                needs_function=row.needs_function,
            )
            for role, up_to in row.limits.items()
        )
    ExceptionBand.objects.bulk_create(
        ExceptionBand(version=version, concession=made[slug], tier=tier, up_to=Decimal(up_to))
        for slug, tier, up_to in BANDS
    )
    _taking_part(version, roles, made)


def _taking_part(version: AuthorityVersion, roles: dict[str, Role], made: dict[str, ConcessionType]) -> None:
    """Functions beside the authority, each with the quorum "any one", and the committees."""
    ChainRule.objects.bulk_create(
        ChainRule(
            version=version,
            concession=made[slug],
            role=roles[function],
            part=part,
            place=place,
            quorum=ChainRule.ANY,
        )
        for slug, function, part, place in FUNCTIONS
    )
    Committee.objects.bulk_create(
        Committee(version=version, role=roles[role], quorum=Committee.PERCENT, quorum_of=COMMITTEE_SHARE)
        for role in COMMITTEES
    )
