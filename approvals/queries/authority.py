"""Who may grant what: the lowest role whose authority covers an ask, bands, running totals."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from accounts.models import Account, Role, User
from accounts.queries import best_holder, usd
from approvals.models import ApprovalRequest, AuthorityLimit, AuthorityVersion, ConcessionType, ExceptionBand
from approvals.rules import authority as rules
from approvals.rules.words import ADDED_UP, MONEY, YES, amount_words
from ledger.errors import Invalid
from ledger.now import now

WINDOW = timedelta(days=90)
PERSONAL_ROLES = ("csm", "ae")


@dataclass(frozen=True)
class Answer:
    """Who may approve an ask, and why. `over` are the roles whose limit is too small; `total` counts earlier grants."""

    role: Role
    level: int
    person: User
    limit_text: str
    sentence: str
    version: AuthorityVersion
    needs_function: str
    rule: dict[str, Any]
    unit: str
    over: list[Role]
    amount_usd: Decimal | None = None
    total: Decimal | None = None
    granted: Decimal = Decimal(0)


@dataclass(frozen=True)
class Weighed:
    """An ask measured: in USD when it is money, with what was granted to the account in the window."""

    concession: ConcessionType
    amount: Decimal | None
    amount_usd: Decimal | None
    granted: Decimal

    @property
    def total(self) -> Decimal | None:
        """What the limit must cover."""
        return None if self.amount is None else self.amount + self.granted


def version_at(at: datetime | None = None) -> AuthorityVersion:
    """The authority matrix in force. Raises Invalid when none is: then nobody may approve anything."""
    version = AuthorityVersion.objects.current(at or now())
    if version is None:
        raise Invalid("No authority matrix is in force, so nobody may approve this. Ask operations to publish one.")
    return version


def concession_choices(at: datetime | None = None) -> list[tuple[str, str]]:
    """(slug, name) of what can be asked for; empty without a matrix in force."""
    version = AuthorityVersion.objects.current(at or now())
    return list(version.concessions.values_list("slug", "name")) if version else []


def concession_of(version: AuthorityVersion, slug: str) -> ConcessionType:
    """The concession in that version. Raises Invalid when the version does not know it."""
    found = version.concessions.filter(slug=slug).first()
    if found is None:
        raise Invalid("Choose a concession that the authority matrix lists.", field="concession")
    return found


def limits_of(version: AuthorityVersion, concession: str, at: datetime) -> list[rules.Limit]:
    """The limits of one concession, money in USD at the rate of that day."""
    rows = version.limits.filter(concession__slug=concession).select_related("role", "concession")
    return [_limit(row, at) for row in rows]


def _limit(row: AuthorityLimit, at: datetime) -> rules.Limit:
    unit, up_to = row.concession.unit, row.up_to
    return rules.Limit(
        role=row.role.slug,
        role_name=row.role.name,
        level=row.role.level,
        concession=row.concession.slug,
        unit=unit,
        up_to=usd(up_to, row.currency, at.date()) if unit == MONEY and up_to is not None else up_to,
        shown=amount_words(unit, up_to, row.currency),
        sort=row.role.sort,
        segment=row.segment,
        arr_from=row.arr_from,
        arr_to=row.arr_to,
        needs_function=row.needs_function,
    )


def weigh(
    *,
    concession: ConcessionType,
    amount: Decimal | None,
    currency: str,
    account: Account | None,
    at: datetime,
    without: int | None = None,
) -> Weighed:
    """Measure an ask. Raises Invalid without a positive amount where one is needed, or for an unknown currency."""
    if concession.unit == YES:
        return Weighed(concession, None, None, Decimal(0))
    if amount is None or not amount.is_finite() or amount <= 0:
        raise Invalid(f"Enter how much: {concession.get_unit_display().lower()}, above 0.", field="amount")
    in_usd = usd(amount, currency, at.date()) if concession.unit == MONEY else None
    earlier = granted(account, concession.slug, concession.unit, at, without=without) if account else Decimal(0)
    return Weighed(concession, amount if in_usd is None else in_usd, in_usd, earlier)


def granted(account: Account, concession: str, unit: str, at: datetime, *, without: int | None = None) -> Decimal:
    """What was granted of a concession to an account in the last 90 days (USD for money), so that splitting does not help."""
    if unit not in ADDED_UP:
        return Decimal(0)
    rows = ApprovalRequest.objects.filter(
        account=account,
        concession=concession,
        unit=unit,
        state__in=(ApprovalRequest.APPROVED, ApprovalRequest.CONDITIONS),
        decided_at__gt=at - WINDOW,
    )
    if without:
        rows = rows.exclude(pk=without)
    return rows.aggregate(sum=Sum("amount_usd" if unit == MONEY else "amount"))["sum"] or Decimal(0)


def arr_usd(account: Account | None, at: datetime) -> Decimal | None:
    """ARR in USD; None when not known."""
    if account is None or account.arr is None:
        return None
    return usd(account.arr, account.currency, at.date())


def chain_of(version: AuthorityVersion, weighed: Weighed, account: Account | None, at: datetime) -> rules.Chain:
    """Roles that cover the ask and roles that stop below it, for this account."""
    return rules.chain_for(
        limits_of(version, weighed.concession.slug, at),
        concession=weighed.concession.slug,
        amount=weighed.total,
        segment=account.segment if account else "",
        arr=arr_usd(account, at),
    )


def who_approves(
    *,
    concession: str,
    amount: Decimal | None,
    currency: str,
    account: Account | None,
    at: datetime | None = None,
    exclude: Collection[int] = (),
) -> Answer:
    """The lowest role whose authority covers the ask, and the person. Raises Invalid when nobody may (fail closed)."""
    at = at or now()
    version = version_at(at)
    weighed = weigh(
        concession=concession_of(version, concession), amount=amount, currency=currency, account=account, at=at
    )
    return route(version, weighed, account, at, exclude=exclude)


def route(
    version: AuthorityVersion,
    weighed: Weighed,
    account: Account | None,
    at: datetime,
    *,
    exclude: Collection[int] = (),
) -> Answer:
    """The same for an ask that is weighed already."""
    chain = chain_of(version, weighed, account, at)
    if not chain.covering:
        raise Invalid(_nobody_may(chain, weighed), field="amount")
    return answer(version, chain, weighed, account, exclude=exclude)


def _nobody_may(chain: rules.Chain, weighed: Weighed) -> str:
    asked = amount_words(weighed.concession.unit, weighed.total)
    if not chain.below:
        return f"Nobody may approve this: the authority matrix has no limit for {weighed.concession.name.lower()} here."
    top = chain.below[-1]
    return f"Nobody may approve {asked}: {top.role_name} stops highest, at {top.words}. Ask for less."


def answer(
    version: AuthorityVersion,
    chain: rules.Chain,
    weighed: Weighed,
    account: Account | None,
    *,
    exclude: Collection[int] = (),
    above: rules.Limit | None = None,
    near: User | None = None,
) -> Answer:
    """The first covering role (above the given one) that somebody holds. Raises Invalid when nobody does."""
    candidates = chain.covering if above is None else chain.above(above.role, above.rank)
    for limit in candidates:
        person = _holder(limit.role, account, exclude, near)
        if person:
            return _answer(version, chain, weighed, limit, person)
    names = ", ".join(limit.role_name for limit in candidates)
    if not names:
        raise Invalid("There is no higher authority for this.")
    raise Invalid(f"Nobody else holds a role that may approve this ({names}). Ask operations to assign one.")


def _holder(role: str, account: Account | None, exclude: Collection[int], near: User | None) -> User | None:
    if role not in PERSONAL_ROLES:
        return best_holder(role, account=account, near=near, exclude=exclude)
    # Only the account's own CSM or AE decides for it, never a colleague of another account.
    own = None if account is None else (account.csm if role == "csm" else account.ae)
    return own if own and own.is_active and own.has_role(role) and own.pk not in exclude else None


def _answer(
    version: AuthorityVersion, chain: rules.Chain, weighed: Weighed, limit: rules.Limit, person: User
) -> Answer:
    roles = {
        role.slug: role for role in Role.objects.filter(slug__in=[limit.role, *(each.role for each in chain.below)])
    }
    why = rules.explain(limit, chain.below, weighed.total, weighed.granted)
    role = roles[limit.role]
    rule = {
        "role": limit.role,
        "role_name": limit.role_name,
        "up_to": None if limit.up_to is None else str(limit.up_to),
        "limit": limit.words,
        "below": [{"role": each.role_name, "limit": each.words, "up_to": str(each.up_to)} for each in chain.below],
        "granted": str(weighed.granted),
        "total": None if weighed.total is None else str(weighed.total),
        "needs_function": limit.needs_function,
        "version": version.number,
        "sentence": why,
    }
    return Answer(
        role=role,
        level=role.level,
        person=person,
        limit_text=limit.words,
        sentence=f"{role.name}: {person.name}. {why}",
        version=version,
        needs_function=limit.needs_function,
        rule=rule,
        unit=weighed.concession.unit,
        over=[roles[each.role] for each in chain.below],
        amount_usd=weighed.amount_usd,
        total=weighed.total,
        granted=weighed.granted,
    )


def band_for(
    *,
    concession: str,
    amount: Decimal | None,
    currency: str,
    tier: str,
    at: datetime | None = None,
    account: Account | None = None,
) -> ExceptionBand | None:
    """The pre-approved range that takes the ask in, earlier grants to the account added up; None when there is none."""
    at = at or now()
    version = AuthorityVersion.objects.current(at)
    if version is None or not tier or amount is None or amount <= 0:
        return None
    band = version.bands.select_related("concession").filter(concession__slug=concession, tier=tier).first()
    if band is None:
        return None
    weighed = weigh(concession=band.concession, amount=amount, currency=currency, account=account, at=at)
    most = usd(band.up_to, band.currency, at.date()) if band.concession.unit == MONEY else band.up_to
    return band if weighed.total is not None and weighed.total <= most else None
