"""An ask on the scales: measured in its unit, with what was granted before, against the limits of one version."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from accounts.customers.rates import rate_of, usd
from accounts.models import Account
from approvals.matrix.rules import limits as rules
from approvals.matrix.rules.units import MONEY, amount_words, unit_of
from approvals.matrix.running_totals import WINDOW_DAYS, Without, caps_of, earlier, lineage
from approvals.models import ApprovalRequest, AuthorityLimit, AuthorityVersion, ConcessionType
from ledger.errors import Invalid
from ledger.format import money

Converted = dict[str, str]
# USD, days or months: what a request can keep.
TOO_MUCH = Decimal(10) ** 12


@dataclass(frozen=True)
class Weighed:
    """An ask measured: in USD when it is money, with what was granted to the family or renewal in the window."""

    concession: ConcessionType
    amount: Decimal | None
    amount_usd: Decimal | None
    granted: Decimal
    others: Decimal = Decimal(0)
    asked_in: str = ""
    window_days: int = WINDOW_DAYS
    rates: list[Converted] = field(default_factory=list)
    without: Without = None

    @property
    def total(self) -> Decimal | None:
        """What the limit must cover."""
        return None if self.amount is None else self.amount + self.granted


def weigh(
    *,
    concession: ConcessionType,
    amount: Decimal | None,
    currency: str,
    account: Account | None,
    at: datetime,
    without: Without = None,
    renewal: str = "",
) -> Weighed:
    """Measure an ask. Raises Invalid without a positive amount where one is needed, or for an unknown currency.

    `without` are requests that these terms replace: they are not counted beside them.
    """
    unit = unit_of(concession.unit)
    if not unit.takes_amount:
        return Weighed(concession, None, None, Decimal(0), without=without)
    amount = checked_amount(unit.slug, amount, currency)
    days = concession.version.window_days
    in_usd = usd(amount, currency, at.date()) if unit.in_currency else None
    same: dict[str, Any] = {"without": without, "renewal": renewal, "window_days": days}
    before = earlier(account, concession.slug, concession.unit, at, **same) if account else None
    _check_size((in_usd or amount) + (before.total if before else 0))
    return Weighed(
        concession=concession,
        amount=amount if in_usd is None else in_usd,
        amount_usd=in_usd,
        granted=before.total if before else Decimal(0),
        others=before.others if before else Decimal(0),
        asked_in=currency if unit.in_currency else "",
        window_days=days,
        rates=converted("ask", amount, currency, at) if unit.in_currency else [],
        without=without,
    )


def checked_amount(unit: str, amount: Decimal | None, currency: str) -> Decimal:
    """The amount, if it can be asked for in its unit and currency. Raises Invalid with what to enter instead."""
    if problem := unit_of(unit).problem(amount, currency):
        raise Invalid(problem, field="amount")
    found = amount or Decimal(0)
    _check_size(found)
    return found


def _check_size(total: Decimal) -> None:
    """A column of the database has to hold the sum."""
    if total >= TOO_MUCH:
        raise Invalid("That is too much to be an amount. Enter less.", field="amount")


def converted(of: str, amount: Decimal | None, currency: str, at: datetime) -> list[Converted]:
    """The rate by which an amount in another currency was compared, with its day and both amounts; empty for USD."""
    if amount is None or currency == "USD":
        return []
    rate = rate_of(currency, at.date())
    in_usd = str(usd(amount, currency, at.date()))
    facts = {"of": of, "currency": currency, "amount": str(amount), "rate": f"{rate.usd.normalize():f}"}
    return [{**facts, "on": str(rate.on), "in_usd": in_usd}]


def rate_words(rate: Converted) -> str:
    """`€10,000 counts as $10,800, by the rate 1.08 of 2015-01-01.`"""
    amount = money(Decimal(rate["amount"]), rate["currency"])
    return f"{amount} counts as {money(Decimal(rate['in_usd']))}, by the rate {rate['rate']} of {rate['on']}."


def limits_of(version: AuthorityVersion, concession: str, at: datetime) -> list[rules.Limit]:
    """The limits of one concession, whatever their dates and conditions, money in USD at the rate of that day."""
    rows = version.limits.filter(concession__slug=concession).select_related("role", "concession")
    return [limit_of(row, at) for row in rows]


def limit_of(row: AuthorityLimit, at: datetime) -> rules.Limit:
    """One row of the matrix as the rules compare it."""
    unit, up_to = row.concession.unit, row.up_to
    rates = converted("limit", up_to, row.currency, at) if unit_of(unit).in_currency else []
    return rules.Limit(
        role=row.role.slug,
        role_name=row.role.name,
        level=row.role.rank,
        concession=row.concession.slug,
        unit=unit,
        up_to=usd(up_to, row.currency, at.date()) if unit_of(unit).in_currency and up_to is not None else up_to,
        shown=amount_words(unit, up_to, row.currency),
        sort=row.role.sort,
        segment=row.segment,
        region=row.region,
        asked_in=row.asked_in,
        arr_from=row.arr_from,
        arr_to=row.arr_to,
        starts=row.effective_from,
        ends=row.effective_to,
        needs_function=row.needs_function,
        converted=tuple(rates[0].items()) if rates else (),
    )


def arr_usd(account: Account | None, at: datetime) -> Decimal | None:
    """ARR in USD; None when not known, or in a currency without a rate: then the smallest limit that could hold counts."""
    if account is None or account.arr is None:
        return None
    try:
        return usd(account.arr, account.currency, at.date())
    except Invalid:
        return None


def chain_of(
    version: AuthorityVersion,
    weighed: Weighed,
    account: Account | None,
    at: datetime,
    *,
    rates_at: datetime | None = None,
) -> rules.Chain:
    """Roles that cover the ask and roles that do not, by the rows and caps of that day; amounts at the rates of `rates_at`."""
    slug, unit = weighed.concession.slug, weighed.concession.unit
    return rules.chain_for(
        limits_of(version, slug, rates_at or at),
        concession=slug,
        amount=weighed.total,
        segment=account.segment if account else "",
        region=account.region if account else "",
        asked_in=weighed.asked_in,
        arr=arr_usd(account, rates_at or at),
        on=at.astimezone(UTC).date(),
        caps=caps_of(version, slug, unit, at, without=weighed.without),
        own=weighed.amount,
    )


def chain_of_request(request: ApprovalRequest, at: datetime) -> tuple[rules.Chain, Weighed]:
    """The request's ask against its own version, with what was granted since it was made.

    Amounts stay at the rates of the day it was made on; limits, caps and grants are those of this moment.
    """
    measured = request.amount_usd if request.unit == MONEY else request.amount
    without = lineage(request)
    days = request.authority.window_days
    same: dict[str, Any] = {"without": without, "renewal": request.renewal, "window_days": days}
    before = earlier(request.account, request.concession, request.unit, at, **same)
    weighed = Weighed(
        concession=ConcessionType(slug=request.concession, name=request.concession_name, unit=request.unit),
        amount=measured,
        amount_usd=request.amount_usd,
        granted=before.total,
        others=before.others,
        asked_in=request.currency if request.unit == MONEY else "",
        window_days=days,
        rates=[rate for rate in request.rule.get("rates") or [] if rate["of"] == "ask"],
        without=without,
    )
    return chain_of(request.authority, weighed, request.account, at, rates_at=request.opened_at), weighed


def rule_facts(weighed: Weighed, limit: rules.Limit) -> dict[str, Any]:
    """What a request keeps of how it was weighed, for the record."""
    return {
        "granted": str(weighed.granted),
        "others": str(weighed.others),
        "total": None if weighed.total is None else str(weighed.total),
        "window_days": weighed.window_days,
        "conditions": limit.conditions,
        "rates": rates_of(weighed, limit),
    }


def rates_of(weighed: Weighed, limit: rules.Limit) -> list[Converted]:
    """Every rate that was used: of the ask and of the limit."""
    return [*weighed.rates, *([dict(limit.converted)] if limit.converted else [])]
