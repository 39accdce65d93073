"""The ask total: the ask in its unit plus earlier grants to the same customer, compared with the limits of a version.

The same customer is the account, its parent, its children and theirs (the whole family), and every account asked for
under the same renewal reference. Requests that were replaced by new terms are not counted; the new ones are. A grant
that was carried out before it was replaced counts until its replacement is granted.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property, reduce
from operator import or_

from django.db import connection
from django.db.models import Aggregate, Count, Exists, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Upper

from accounts.customers.rates import rate_of, usd
from accounts.models import Account, Role
from accounts.people.queries import Managers
from approvals.matrix.rules import limits as rules
from approvals.matrix.rules.sums import added_up
from approvals.matrix.rules.units import amount_words, quantity_words, unit_of
from approvals.models import ApprovalRequest, AuthorityLimit, AuthorityVersion, ConcessionType, QuarterCap
from ledger.errors import Invalid, Stale
from ledger.format import day, money

Converted = dict[str, str]
# USD, days or months: the range of the column on a request.
TOO_MUCH = Decimal(10) ** 12
# After more replacements than this, the grant that was carried out first counts in addition, which only sends an ask
# higher.
LINEAGE = 4
TRIES = 5
NONE = Decimal(0)


@dataclass(frozen=True)
class Ask:
    """What is requested. `concession` is its slug, `amount` in its unit, money in `currency`.

    `renewal` is a reference under which asks are added up; `replaces` is the request that this ask replaces.
    """

    concession: str
    amount: Decimal | None
    currency: str
    account: Account | None
    renewal: str = ""
    replaces: ApprovalRequest | None = None


@dataclass(frozen=True)
class Earlier:
    """Earlier grants: the total, and how much of it went to other accounts of the family or renewal."""

    total: Decimal = NONE
    others: Decimal = NONE


@dataclass(frozen=True)
class MatrixRows:
    """The limits and caps of one concession in a version of the matrix, each read once."""

    version: AuthorityVersion
    concession: str

    @cached_property
    def limits(self) -> list[AuthorityLimit]:
        """The limits of the roles."""
        rows = self.version.limits.filter(concession__slug=self.concession)
        return list(rows.select_related("role", "concession"))

    @cached_property
    def caps(self) -> list[QuarterCap]:
        """The quarterly caps of the roles."""
        return list(self.version.caps.filter(concession__slug=self.concession).select_related("role"))


@dataclass(frozen=True)
class AskTotal:
    """An ask at a moment: in USD if it is money, with earlier grants to the family or renewal in the window.

    Limits, caps and grants are those of `at`; amounts are converted at the rates of `rates_at`.
    """

    rows: MatrixRows
    concession: ConcessionType
    account: Account | None
    at: datetime
    rates_at: datetime
    amount: Decimal | None
    amount_usd: Decimal | None = None
    earlier: Earlier = Earlier()
    asked_in: str = ""
    rates: tuple[Converted, ...] = ()
    lineage: tuple[int, ...] = ()

    @property
    def version(self) -> AuthorityVersion:
        """The version of the matrix that applies."""
        return self.rows.version

    @property
    def granted(self) -> Decimal:
        """The total of earlier grants."""
        return self.earlier.total

    @property
    def total(self) -> Decimal | None:
        """The amount that the limit must cover."""
        return None if self.amount is None else self.amount + self.granted

    @property
    def window_days(self) -> int:
        """Days back in which grants are added up."""
        return self.version.window_days

    @cached_property
    def managers(self) -> Managers:
        """The managers above the people of the account, read once for all roles of the ask."""
        return Managers()

    @cached_property
    def coverage(self) -> rules.Coverage:
        """Roles that cover the ask and roles that do not, read once."""
        account = self.account
        return rules.coverage_for(
            [limit_of(row, self.rates_at) for row in self.rows.limits],
            concession=self.concession.slug,
            amount=self.total,
            facts=rules.Facts(
                segment=account.segment if account else "",
                region=account.region if account else "",
                asked_in=self.asked_in,
                arr=arr_usd(account, self.rates_at),
                on=self.at.astimezone(UTC).date(),
            ),
            caps=caps_of(self),
            own=self.amount,
        )

    def role(self, slug: str) -> Role:
        """A role that has a limit for this concession."""
        return next(row.role for row in self.rows.limits if row.role.slug == slug)

    def rates_with(self, limit: rules.Limit) -> list[Converted]:
        """Every rate that was used: of the ask and of the limit."""
        return [*self.rates, *([dict(limit.converted)] if limit.converted else [])]


def version_at(at: datetime) -> AuthorityVersion:
    """The authority matrix in force. Raises Invalid if there is none, because then nobody may approve anything."""
    version = AuthorityVersion.objects.current(at)
    if version is None:
        raise Invalid("No authority matrix is in force, so nobody may approve this. Ask operations to publish one.")
    return version


def concession_of(version: AuthorityVersion, slug: str) -> ConcessionType:
    """The concession in that version. Raises Invalid when the version does not know it."""
    found = version.concessions.filter(slug=slug).first()
    if found is None:
        raise Invalid("Choose a concession that the authority matrix lists.", field="concession")
    return found


def concession_in_force(slug: str, at: datetime) -> ConcessionType:
    """The concession in the authority matrix in force, with that version. Raises Invalid without a matrix or the concession."""
    in_force = AuthorityVersion.objects.in_force(at)
    found = ConcessionType.objects.select_related("version").filter(version=in_force, slug=slug).first()
    return found or concession_of(version_at(at), slug)


def ask_total(ask: Ask, at: datetime, *, version: AuthorityVersion | None = None) -> AskTotal:
    """Compute the total of an ask with a version, by default the one in force.

    Raises Invalid without a positive amount where one is needed, for an unknown concession or currency, or without a
    matrix.
    """
    concession = concession_of(version, ask.concession) if version else concession_in_force(ask.concession, at)
    version = concession.version
    rows = MatrixRows(version, concession.slug)
    replaced = tuple(lineage(ask.replaces)) if ask.replaces else ()
    amount, account = ask.amount, ask.account
    unit = unit_of(concession.unit)
    if not unit.takes_amount:
        return AskTotal(rows, concession, account, at, at, None, lineage=replaced)
    amount = checked_amount(unit.slug, amount, ask.currency)
    in_usd = usd(amount, ask.currency, at.date()) if unit.in_currency else None
    before = earlier(ask, version, unit.slug, at, without=replaced)
    _check_size((in_usd or amount) + before.total)
    return AskTotal(
        rows=rows,
        concession=concession,
        account=account,
        at=at,
        rates_at=at,
        amount=amount if in_usd is None else in_usd,
        amount_usd=in_usd,
        earlier=before,
        asked_in=ask.currency if unit.in_currency else "",
        rates=tuple(converted("ask", amount, ask.currency, at)) if unit.in_currency else (),
        lineage=replaced,
    )


def total_of(request: ApprovalRequest, at: datetime, *, rows: MatrixRows | None = None) -> AskTotal:
    """The current total of a request by its own version, including grants made since.

    Amounts stay at the rates of the day it was made on; limits, caps and grants are those of `at`. `rows`: rows that the same
    verb has already read, because published rows never change.
    """
    counted = tuple(lineage(request))
    ask = Ask(request.concession, request.amount, request.currency, request.account, request.renewal)
    return AskTotal(
        rows=rows or MatrixRows(request.authority, request.concession),
        concession=ConcessionType(slug=request.concession, name=request.concession_name, unit=request.unit),
        account=request.account,
        at=at,
        rates_at=request.opened_at,
        amount=request.amount_usd if unit_of(request.unit).in_currency else request.amount,
        amount_usd=request.amount_usd,
        earlier=earlier(ask, request.authority, request.unit, at, without=counted),
        asked_in=request.currency if unit_of(request.unit).in_currency else "",
        rates=tuple(rate for rate in request.rule.get("rates") or [] if rate["of"] == "ask"),
        lineage=counted,
    )


def checked_amount(unit: str, amount: Decimal | None, currency: str) -> Decimal:
    """The amount, if it is valid in its unit and currency. Raises Invalid with what to enter instead."""
    if unit_of(unit).in_currency and amount is not None and amount.is_finite():
        # Checked before its decimals are counted, because a number of 300 digits cannot be rounded.
        _check_size(amount)
    if problem := unit_of(unit).problem(amount, currency):
        raise Invalid(problem, field="amount")
    found = amount or Decimal(0)
    _check_size(found)
    return found


def _check_size(total: Decimal) -> None:
    """The sum must fit into a database column."""
    if total >= TOO_MUCH:
        raise Invalid("This amount is too large. Enter less.", field="amount")


def converted(of: str, amount: Decimal | None, currency: str, at: datetime) -> list[Converted]:
    """The rate by which an amount in another currency was compared, with its day and both amounts; empty for USD."""
    if amount is None or currency == "USD":
        return []
    rate = rate_of(currency, at.date())
    in_usd = str(usd(amount, currency, at.date()))
    facts = {"of": of, "currency": currency, "amount": str(amount), "rate": f"{rate.usd.normalize():f}"}
    return [{**facts, "on": str(rate.on), "in_usd": in_usd}]


def rate_words(rate: Converted) -> str:
    """`€10,000 counts as $10,800, by the rate 1.08 of Jan 1, 2015.`"""
    words, on = money(Decimal(rate["amount"]), rate["currency"]), day(date.fromisoformat(rate["on"]))
    return f"{words} counts as {money(Decimal(rate['in_usd']))}, by the rate {rate['rate']} of {on}."


def limit_of(row: AuthorityLimit, at: datetime) -> rules.Limit:
    """One row of the matrix in the form of the rules, money in USD at the rate of that day."""
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
    """ARR in USD; None if it is not known, or in a currency without a rate. Then the smallest possible limit applies."""
    if account is None or account.arr is None:
        return None
    try:
        return usd(account.arr, account.currency, at.date())
    except Invalid:
        return None


# Running totals


def root_id(account: Account) -> int:
    """The account at the head of the family. In a circle of parents: the lowest id of it."""
    path, parent = [account.pk], account.parent_id
    while parent and parent not in path:
        path.append(parent)
        parent = Account.objects.filter(pk=parent).values_list("parent_id", flat=True).first()
    return min(path[path.index(parent) :]) if parent else path[-1]


def family_ids(account: Account) -> set[int]:
    """The account and everybody above, below and beside it under the same head."""
    with connection.cursor() as cursor:
        # UNION ends a circle of parents.
        cursor.execute(
            "WITH RECURSIVE family(id, parent_id) AS ("
            "SELECT id, parent_id FROM accounts_account WHERE id = %s UNION "
            "SELECT other.id, other.parent_id FROM accounts_account other "
            "JOIN family ON other.parent_id = family.id OR other.id = family.parent_id) SELECT id FROM family",
            [account.pk],
        )
        return {account.pk, *(pk for (pk,) in cursor.fetchall())}


def asks_added_up(account: Account, renewal: str) -> Q:
    """Requests that are added up with an ask: those of the account's family, and those on the same renewal."""
    ours = ApprovalRequest.objects.filter(account__in=family_ids(account)).order_by().values("pk")
    if not renewal:
        return Q(pk__in=ours)
    # Two look-ups by index; with OR a database reads all grants.
    same = ApprovalRequest.objects.alias(key=Upper("renewal")).filter(key=Upper(Value(renewal)))
    return Q(pk__in=ours.union(same.order_by().values("pk"), all=True))


def earlier(ask: Ask, version: AuthorityVersion, unit: str, at: datetime, *, without: Collection[int] = ()) -> Earlier:
    """Grants of the concession to the account's family or on the renewal in the version's window (USD for money).

    Units that do not add up count nothing.
    """
    account = ask.account
    if account is None or not unit_of(unit).adds_up:
        return Earlier()
    rows = _earlier_rows(ask.concession, unit, without, asks_added_up(account, ask.renewal))
    column = "amount_usd" if unit_of(unit).in_currency else "amount"
    sums = rows.filter(decided_at__gt=at - timedelta(days=version.window_days)).aggregate(
        total=Sum(column), others=Sum(column, filter=~Q(account=account.pk))
    )
    return Earlier(sums["total"] or NONE, sums["others"] or NONE)


def _earlier_rows(concession: str, unit: str, without: Collection[int], which: Q) -> QuerySet[ApprovalRequest]:
    return _grants(concession, unit, without).filter(which)


def sum_words(request: ApprovalRequest, granted: Decimal, at: datetime) -> str:
    """What is added up for a request, with the cases of the earlier grants; confidential ones are counted and not named.
    Empty without earlier grants."""
    if not granted or not unit_of(request.unit).adds_up:
        return ""
    days = request.authority.window_days
    rows = _earlier_rows(
        request.concession, request.unit, tuple(lineage(request)), asks_added_up(request.account, request.renewal)
    )
    rows = rows.filter(decided_at__gt=at - timedelta(days=days), decided_at__lte=at, confidential=False)
    rows = rows.exclude(case_key="")
    cases = dict.fromkeys(rows.order_by("-decided_at").values_list("case_key", flat=True))
    asked = (request.amount_usd if unit_of(request.unit).in_currency else request.amount) or NONE
    return added_up(request.unit, asked=asked, granted=granted, cases=list(cases), days=days)


def _grants(concession: str, unit: str, without: Collection[int]) -> QuerySet[ApprovalRequest]:
    rows = ApprovalRequest.objects.filter(_given(), concession=concession, unit=unit)
    return rows.exclude(pk__in=without) if without else rows


def _given() -> Q:
    granted = Q(state__in=ApprovalRequest.GRANTED)
    carried_out = Q(state=ApprovalRequest.REPLACED, sealed_at__isnull=False)
    parents = [Q(**{"__".join(["replaces"] * depth): OuterRef("pk")}) for depth in range(1, LINEAGE + 1)]
    newer = ApprovalRequest.objects.filter(reduce(or_, parents), granted | carried_out)
    return granted | Q(carried_out, ~Exists(newer))


def lineage(request: ApprovalRequest) -> list[int]:
    """The request and those it replaces, one after the other: they are not added to it."""
    found, older = [request.pk], request.replaces_id
    while older and older not in found:
        found.append(older)
        older = ApprovalRequest.objects.filter(pk=older).values_list("replaces", flat=True).first()
    return [pk for pk in found if pk]


def quarter(at: datetime) -> tuple[datetime, datetime]:
    """The calendar quarter (UTC) of a moment, half-open."""
    day = at.astimezone(UTC)
    month = (day.month - 1) // 3 * 3 + 1
    after = (day.year + 1, 1) if month == 10 else (day.year, month + 3)
    return datetime(day.year, month, 1, tzinfo=UTC), datetime(*after, 1, tzinfo=UTC)


def caps_of(total: AskTotal) -> dict[str, rules.Cap]:
    """The quarterly caps of the ask's concession by role, with the amount used; money at the rate of that day."""
    slug, unit, at = total.concession.slug, total.concession.unit, total.at
    rows = total.rows.caps
    used = _used(slug, unit, at, total.lineage) if rows else {}
    return {
        row.role.slug: rules.Cap(
            role=row.role.slug,
            unit=unit,
            up_to=usd(row.up_to, row.currency, at.date()) if unit_of(unit).in_currency else row.up_to,
            used=used.get(row.role.slug, NONE),
            shown=quantity_words(unit, row.up_to, row.currency),
        )
        for row in rows
    }


def _used(concession: str, unit: str, at: datetime, without: Collection[int]) -> dict[str, Decimal]:
    """Granted in the quarter by the role that decided."""
    start, end = quarter(at)
    rows = _grants(concession, unit, without).filter(by_rule=False, decided_at__gte=start, decided_at__lt=end)
    summed = Sum("amount_usd" if unit_of(unit).in_currency else "amount")
    much: Aggregate = summed if unit_of(unit).takes_amount else Count("pk")
    by_role = rows.annotate(as_role=KeyTextTransform("decided_role", "rule")).values("as_role")
    return {row["as_role"] or "": Decimal(row["much"] or 0) for row in by_role.annotate(much=much).order_by()}


def lock_totals(account: Account, concession: str, renewal: str = "") -> Account:
    """Lock all asks that are added up with this one until the transaction ends. Returns the account, read again.

    Order of locks, everywhere: the request, its case (receivers of the log lock it), the head of the account's family,
    and last the oldest authority version, for everything that counts over all accounts (a renewal, the quarterly caps).
    Raises Stale if the account is moved to another family several times meanwhile.
    """
    fresh = _lock_family(account)
    oldest = AuthorityVersion.objects.order_by("pk").values("pk")[:1]
    line = AuthorityVersion.objects.select_for_update(no_key=True).filter(pk=oldest)
    capped = QuarterCap.objects.filter(concession__slug=concession)
    list(line if renewal else line.filter(Exists(capped)))
    return fresh


def _lock_family(account: Account) -> Account:
    """The head may change until it is locked, so it is read again after locking."""
    rows = Account.objects.select_related("csm", "ae")
    fresh, held = account, None
    for _ in range(TRIES):
        head = root_id(fresh)
        if head == held:
            return fresh
        locked = rows.select_for_update(of=("self",), no_key=True).get(pk=head)
        held = head
        fresh = locked if head == account.pk else rows.get(pk=account.pk)
    raise Stale("The account is being moved between groups. Send it again in a moment.")
