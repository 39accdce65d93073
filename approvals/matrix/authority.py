"""Who may grant an ask: the lowest role whose authority covers it, or a pre-approved band."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import TypedDict

from accounts.customers.rates import usd
from accounts.models import Role, User
from accounts.people.queries import may_decide_as, nearest
from approvals.matrix.rules import limits as rules
from approvals.matrix.rules.units import amount_words, unit_of
from approvals.matrix.totals import Ask, AskTotal, Converted, ask_total, rate_words
from approvals.models import ApprovalRequest, AuthorityVersion, ExceptionBand
from ledger.errors import Invalid
from ledger.now import now

USUAL_DAYS = 180
MOST = 1000


class Weighed(TypedDict):
    """The sums of an ask. Amounts as text, None if there is none or the viewer may not see it."""

    granted: str | None
    others: str | None
    total: str | None
    window_days: int


class Below(TypedDict):
    """A role whose limit did not cover the ask, and why."""

    role: str
    limit: str
    up_to: str
    why: str


class AskRule(Weighed):
    """The limit that applied, as JSON kept on the request."""

    role: str
    role_name: str
    up_to: str | None
    limit: str
    below: list[Below]
    needs_function: str
    version: int
    sentence: str
    cap: str
    conditions: str
    rates: Sequence[Converted]


class BandRule(Weighed):
    """The band that granted it, as JSON kept on the request."""

    band: str
    band_up_to: str
    sentence: str
    rates: Sequence[Converted]
    version: int
    saved_seconds: int
    usual: str


@dataclass(frozen=True)
class Answer:
    """Who may approve an ask, and why. `over` are the roles whose limit is too small; `total` counts earlier grants.
    `holders` are all who may decide in the role, the person among them."""

    role: Role
    level: int
    person: User
    holders: list[User]
    limit_text: str
    sentence: str
    version: AuthorityVersion
    needs_function: str
    rule: AskRule
    unit: str
    over: list[Role]
    amount_usd: Decimal | None = None
    total: Decimal | None = None
    granted: Decimal = Decimal(0)
    cap: str = ""

    @property
    def running(self) -> str:
        """The sum with earlier grants: "$4,000 granted in 90 days, together $6,000"; empty if there are none."""
        if not self.granted:
            return ""
        words = f"{amount_words(self.unit, self.granted)} granted in {self.rule['window_days']} days"
        return f"{words}, together {amount_words(self.unit, self.total)}"


def concession_choices(at: datetime | None = None) -> list[tuple[str, str]]:
    """(slug, name) of the concessions; empty without a matrix in force."""
    version = AuthorityVersion.objects.current(at or now())
    return list(version.concessions.values_list("slug", "name")) if version else []


def who_approves(ask: Ask, *, at: datetime | None = None, exclude: Collection[int] = ()) -> Answer:
    """The lowest role whose limit covers the ask, and the person. Raises Invalid if nobody may approve it."""
    return approver_for(ask_total(ask, at or now()), exclude=exclude)


def approver_for(total: AskTotal, *, exclude: Collection[int] = ()) -> Answer:
    """The same for an ask whose total is known."""
    if not total.coverage.covering:
        raise Invalid(_nobody_may(total), field="amount")
    return _first_held(total, total.coverage.covering, exclude, None)


def approver_above(
    total: AskTotal, asked: rules.Limit | None, *, exclude: Collection[int] = (), near: User | None = None
) -> Answer:
    """The next higher role that covers the ask. Raises Invalid if there is none, or nobody holds it."""
    higher = total.coverage.above(asked.role, asked.rank) if asked else list(total.coverage.covering)
    return _first_held(total, higher, exclude, near)


def _nobody_may(total: AskTotal) -> str:
    asked = amount_words(total.concession.unit, total.total)
    below = total.coverage.below
    if not below:
        return f"Nobody may approve this: the authority matrix has no limit for {total.concession.name.lower()} here."
    top = below[-1]
    if top.stopped:
        return f"Nobody may approve {asked}: {top.role_name} {top.stops}. Ask for less, or wait for the next quarter."
    return f"Nobody may approve {asked}: {top.role_name} has the highest limit, {top.words}. Ask for less."


def _first_held(
    total: AskTotal, candidates: Collection[rules.Limit], exclude: Collection[int], near: User | None
) -> Answer:
    for limit in candidates:
        holders = may_decide_as(total.role(limit.role), total.account)
        person = nearest([user for user in holders if user.pk not in exclude], total.account, near, total.managers)
        if person:
            return _answer(total, limit, person, holders)
    names = ", ".join(limit.role_name for limit in candidates)
    if not names:
        raise Invalid("There is no higher authority for this.")
    raise Invalid(f"Nobody else holds a role that may approve this ({names}). Ask operations to assign one.")


def _answer(total: AskTotal, limit: rules.Limit, person: User, holders: list[User]) -> Answer:
    passed = total.coverage.passed(limit)
    role, rule = total.role(limit.role), _rule(total, limit, passed)
    return Answer(
        role=role,
        level=role.rank,
        person=person,
        holders=holders,
        limit_text=limit.words,
        sentence=f"{role.name}: {person.name}. {rule['sentence']}",
        version=total.version,
        needs_function=limit.needs_function,
        rule=rule,
        unit=total.concession.unit,
        over=[total.role(each.role) for each in passed],
        amount_usd=total.amount_usd,
        total=total.total,
        granted=total.granted,
        cap=rule["cap"],
    )


def _rule(total: AskTotal, limit: rules.Limit, passed: list[rules.Limit]) -> AskRule:
    """The values kept on a request: the limit that applied, those that did not cover the ask, and all sums."""
    rates = total.rates_with(limit)
    sentence = rules.explain(
        limit,
        passed,
        total.total,
        total.granted,
        window_days=total.window_days,
        others=total.earlier.others,
        rates=[rate_words(rate) for rate in rates],
    )
    return {
        "role": limit.role,
        "role_name": limit.role_name,
        "up_to": None if limit.up_to is None else str(limit.up_to),
        "limit": limit.words,
        "below": [
            {"role": each.role_name, "limit": each.words, "up_to": str(each.up_to), "why": each.stops}
            for each in passed
        ],
        "needs_function": limit.needs_function,
        "version": total.version.number,
        "sentence": sentence,
        "cap": limit.cap.words if limit.cap else "",
        "conditions": limit.conditions,
        **_weighed(total),
        "rates": rates,
    }


def _weighed(total: AskTotal) -> Weighed:
    return {
        "granted": str(total.granted),
        "others": str(total.earlier.others),
        "total": None if total.total is None else str(total.total),
        "window_days": total.window_days,
    }


# Pre-approved bands


def band_for(total: AskTotal, tier: str) -> ExceptionBand | None:
    """The pre-approved range of this tier that covers the ask with earlier grants; None if there is none."""
    if not tier or total.total is None:
        return None
    bands = total.version.bands.select_related("concession")
    band = bands.filter(concession__slug=total.concession.slug, tier=tier).first()
    return band if band and total.total <= most_of(band, total.at) else None


def most_of(band: ExceptionBand, at: datetime) -> Decimal:
    """The largest amount of a band, money in USD at the rate of that day."""
    return usd(band.up_to, band.currency, at.date()) if unit_of(band.concession.unit).in_currency else band.up_to


def usual_seconds(concession: str, at: datetime) -> int | None:
    """Median time to decision of the asks of this concession that people decided in the last 180 days; None without any."""
    since = at - timedelta(days=USUAL_DAYS)
    rows = ApprovalRequest.objects.filter(
        concession=concession, by_rule=False, decided_at__gt=since, decided_at__lte=at
    ).order_by("-decided_at")[:MOST]
    times = [(end - start).total_seconds() for start, end in rows.values_list("opened_at", "decided_at") if end]
    return round(median(times)) if times else None


def rule_of_band(band: ExceptionBand, total: AskTotal, deadline: datetime) -> BandRule:
    """The rule of a request that a band grants: the sums, and the time saved compared with a decision by people.
    Without earlier decisions to compare with, the time saved is the time until the deadline.
    """
    limit = amount_words(band.concession.unit, band.up_to, band.currency)
    usual = usual_seconds(total.concession.slug, total.at)
    return {
        "band": limit,
        "band_up_to": str(most_of(band, total.at)),
        "sentence": f"Inside the pre-approved band: {total.concession.name.lower()} up to {limit} for {band.tier} cases.",
        **_weighed(total),
        "rates": list(total.rates),
        "version": total.version.number,
        "saved_seconds": max(0, int((deadline - total.at).total_seconds())) if usual is None else usual,
        "usual": "deadline" if usual is None else "median",
    }
