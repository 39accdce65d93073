"""Who may grant what: the lowest role whose authority covers an ask, bands, running totals."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts.customers.rates import usd
from accounts.models import Account, Role, User
from accounts.people.queries import best_holder, person_of, personal_role
from approvals.matrix.rules import limits as rules
from approvals.matrix.rules.units import MONEY, amount_words
from approvals.matrix.running_totals import Without
from approvals.matrix.weighing import Weighed, chain_of, rate_words, rates_of, rule_facts, weigh
from approvals.models import AuthorityVersion, ConcessionType, ExceptionBand
from ledger.errors import Invalid
from ledger.now import now


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
    cap: str = ""

    @property
    def running(self) -> str:
        """What earlier grants make of it: "$4,000 granted in 90 days, together $6,000"; empty when there are none."""
        if not self.granted:
            return ""
        words = f"{amount_words(self.unit, self.granted)} granted in {self.rule['window_days']} days"
        return f"{words}, together {amount_words(self.unit, self.total)}"


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


def who_approves(
    *,
    concession: str,
    amount: Decimal | None,
    currency: str,
    account: Account | None,
    at: datetime | None = None,
    exclude: Collection[int] = (),
    renewal: str = "",
    without: Without = None,
) -> Answer:
    """The lowest role whose authority covers the ask, and the person. Raises Invalid when nobody may (fail closed)."""
    at = at or now()
    version = version_at(at)
    asked: dict[str, Any] = {"amount": amount, "currency": currency, "account": account}
    more: dict[str, Any] = {"renewal": renewal, "without": without}
    weighed = weigh(concession=concession_of(version, concession), at=at, **asked, **more)
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
    if top.stopped:
        return f"Nobody may approve {asked}: {top.role_name} {top.stops}. Ask for less, or wait for the next quarter."
    return f"Nobody may approve {asked}: {top.role_name} has the highest limit, {top.words}. Ask for less."


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
    personal = personal_role(role)
    if personal is None:
        return best_holder(role, account=account, near=near, exclude=exclude)
    # Only the account's own CSM or AE decides for it, never a colleague of another account.
    own = person_of(personal, account)
    return own if own and own.is_active and own.has_role(role) and own.pk not in exclude else None


def _answer(
    version: AuthorityVersion, chain: rules.Chain, weighed: Weighed, limit: rules.Limit, person: User
) -> Answer:
    passed = chain.passed(limit)
    roles = {role.slug: role for role in Role.objects.filter(slug__in=[limit.role, *(each.role for each in passed)])}
    role, rule = roles[limit.role], _rule(version, weighed, limit, passed)
    return Answer(
        role=role,
        level=role.rank,
        person=person,
        limit_text=limit.words,
        sentence=f"{role.name}: {person.name}. {rule['sentence']}",
        version=version,
        needs_function=limit.needs_function,
        rule=rule,
        unit=weighed.concession.unit,
        over=[roles[each.role] for each in passed],
        amount_usd=weighed.amount_usd,
        total=weighed.total,
        granted=weighed.granted,
        cap=rule["cap"],
    )


def _rule(version: AuthorityVersion, weighed: Weighed, limit: rules.Limit, passed: list[rules.Limit]) -> dict[str, Any]:
    """What a request keeps: the limit that applied, those that did not cover, and all that was weighed."""
    rates = [rate_words(rate) for rate in rates_of(weighed, limit)]
    more: dict[str, Any] = {"window_days": weighed.window_days, "others": weighed.others, "rates": rates}
    return {
        "role": limit.role,
        "role_name": limit.role_name,
        "up_to": None if limit.up_to is None else str(limit.up_to),
        "limit": limit.words,
        "below": [_below(each) for each in passed],
        "needs_function": limit.needs_function,
        "version": version.number,
        "sentence": rules.explain(limit, passed, weighed.total, weighed.granted, **more),
        "cap": limit.cap.words if limit.cap else "",
        **rule_facts(weighed, limit),
    }


def _below(limit: rules.Limit) -> dict[str, str]:
    return {"role": limit.role_name, "limit": limit.words, "up_to": str(limit.up_to), "why": limit.stops}


def band_for(
    *,
    concession: str,
    amount: Decimal | None,
    currency: str,
    tier: str,
    at: datetime | None = None,
    account: Account | None = None,
    renewal: str = "",
    without: Without = None,
) -> ExceptionBand | None:
    """The pre-approved range that takes the ask in, earlier grants to family and renewal added up; None without one."""
    at = at or now()
    version = AuthorityVersion.objects.current(at)
    if version is None or not tier or amount is None or amount <= 0:
        return None
    bands = version.bands.select_related("concession__version")
    band = bands.filter(concession__slug=concession, tier=tier).first()
    if band is None:
        return None
    asked: dict[str, Any] = {"amount": amount, "currency": currency, "account": account}
    weighed = weigh(concession=band.concession, at=at, renewal=renewal, without=without, **asked)
    most = usd(band.up_to, band.currency, at.date()) if band.concession.unit == MONEY else band.up_to
    return band if weighed.total is not None and weighed.total <= most else None
