"""Reads one row of an import into values of a record. An unclear cell becomes a problem with column, value and remedy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple, TypeVar

from accounts.imports.rules import is_blank, parse_bool, parse_currency, parse_date, parse_money
from accounts.models import Account
from ledger.format import too_precise
from ledger.reading import visible

LARGEST = Decimal(10) ** 12
IDS = frozenset(("external_id", "account_external_id", "parent"))
KIND_WORDS = {
    **dict.fromkeys(("customer", "client", "prospect"), Account.CUSTOMER),
    **dict.fromkeys(("supplier", "vendor"), Account.SUPPLIER),
    "partner": Account.PARTNER,
}
STATUS_WORDS = {
    **dict.fromkeys(("active", "customer", "live", "current", "open"), Account.ACTIVE),
    **dict.fromkeys(("churned", "inactive", "cancelled", "canceled", "lost", "former", "closed"), Account.CHURNED),
}
T = TypeVar("T")


class Problem(NamedTuple):
    """The fault of one cell (or of a whole row, without a column)."""

    row: int
    ref: str
    column: str
    value: str
    reason: str


@dataclass(frozen=True)
class Reading:
    """How the cells of a file are read: the order of day and month, and the mark before decimals ("" = as each cell shows)."""

    dates: str = ""
    decimals: str = ""


@dataclass
class Cells:
    """The cells of one row by field. Reading a bad one notes a problem and gives None."""

    line: int
    values: Mapping[str, str]
    columns: Mapping[str, str]
    known_currencies: frozenset[str] = frozenset({"USD"})
    reading: Reading = field(default_factory=Reading)
    problems: list[Problem] = field(default_factory=list)
    amounts: dict[str, Decimal] = field(default_factory=dict)

    def raw(self, name: str) -> str:
        """The unchanged cell, "" when the field has no column; an id without characters that nobody sees."""
        text = self.values.get(self.columns.get(name, ""), "") or ""
        return visible(text) if name in IDS else text

    @property
    def ref(self) -> str:
        """The id of the row, so that a person can find it."""
        return self.raw("external_id").strip()[:120]

    def refuse(self, name: str, reason: str) -> None:
        """Note a problem with the cell of this field."""
        column = self.columns.get(name, name)
        self.problems.append(Problem(self.line, self.ref, column[:120], self.raw(name)[:200], reason[:300]))

    def text(self, name: str, most: int, *, required: str = "") -> str | None:
        """Trimmed text of at most so many characters; None when blank. `required` is the message if it is missing."""
        value = self.raw(name).strip()
        if is_blank(value) and required:
            self.refuse(name, required)
        if len(value) > most:
            self.refuse(name, f"Shorten it to {most} characters.")
        return None if is_blank(value) or len(value) > most else value

    def parsed(self, name: str, parse: Callable[[str], T | None]) -> T | None:
        """The cell read by a rule; its ValueError becomes the problem."""
        try:
            return parse(self.raw(name))
        except ValueError as error:
            self.refuse(name, str(error))
            return None

    def flag(self, name: str) -> bool | None:
        """Yes or no."""
        return self.parsed(name, parse_bool)

    def day(self, name: str) -> date | None:
        """A date; the order of day and month is that of the whole column."""
        return self.parsed(name, lambda text: parse_date(text, self.reading.dates == "dmy"))

    def money(self, name: str) -> Decimal | None:
        """An amount from 0 to below 10^12. Its decimals are checked once the currency is known; see `check_decimals`."""
        amount = self.parsed(name, lambda text: parse_money(text, self.reading.decimals))
        if amount is not None and not 0 <= amount < LARGEST:
            self.refuse(name, "Use an amount from 0 to below 1,000,000,000,000.")
            return None
        if amount is None:
            return None
        self.amounts[name] = amount
        return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)

    def check_decimals(self, currency: str) -> None:
        """Amounts that were read have no more decimals than their currency."""
        for name, amount in self.amounts.items():
            if problem := too_precise(amount, currency):
                self.refuse(name, problem)

    def yearly(self) -> Decimal | None:
        """ARR: from its own column, else twelve times the monthly one."""
        arr, monthly = self.money("arr"), self.money("mrr")
        return monthly * 12 if arr is None and monthly is not None else arr

    def currency(self) -> str | None:
        """The code in the currency column; None when blank."""
        code = self.parsed("currency", parse_currency)
        if code and code not in self.known_currencies:
            self.refuse("currency", f"There is no exchange rate for {code}: add one in the admin, or convert.")
            return None
        return code

    def word(self, name: str, words: Mapping[str, str]) -> str | None:
        """One of a list of known words."""
        value = self.raw(name).strip().lower()
        if is_blank(value):
            return None
        if value not in words:
            self.refuse(name, f"Use one of: {', '.join(words)}.")
            return None
        return words[value]


def account_values(cells: Cells) -> dict[str, object]:
    """Attributes of an account in the row. Blank cells are left out, so an update keeps the old values."""
    values: dict[str, object] = {
        "external_id": cells.text("external_id", 120, required="Enter the account's id."),
        "name": cells.text("name", 200, required="Enter the account's name."),
        "kind": cells.word("kind", KIND_WORDS),
        "segment": cells.text("segment", 60),
        "industry": cells.text("industry", 80),
        "country": cells.text("country", 60),
        "region": cells.text("region", 40),
        "currency": cells.currency(),
        "arr": cells.yearly(),
        "renewal_date": cells.day("renewal_date"),
        "health_outside": _health(cells),
        "strategic": cells.flag("strategic"),
        "status": _status(cells),
    }
    return {name: value for name, value in values.items() if value is not None}


def subscription_values(cells: Cells) -> dict[str, object]:
    """Attributes of a subscription, complete: a blank end date means that it continues, a blank ARR is 0."""
    starts, ends = cells.day("start_date"), cells.day("end_date")
    if starts and ends and ends < starts:
        cells.refuse("end_date", f"It ends before it starts on {starts}: correct one of the two.")
    values: dict[str, object] = {
        "external_id": cells.text("external_id", 120, required="Enter the subscription's id."),
        "plan": cells.text("plan", 80) or "",
        "start_date": starts,
        "end_date": ends,
        "arr": cells.yearly() or Decimal("0.00"),
        "auto_renew": bool(cells.flag("auto_renew")),
    }
    return values | ({"currency": code} if (code := cells.currency()) else {})


def contact_values(cells: Cells) -> dict[str, object]:
    """Attributes of a contact; its e-mail address is its id. A blank title is left out."""
    parts = (cells.raw("first_name").strip(), cells.raw("last_name").strip())
    joined = " ".join(part for part in parts if not is_blank(part))
    name = cells.text("name", 120) or joined[:120]
    if not name:
        cells.refuse("name" if "name" in cells.columns else "last_name", "Enter the person's name.")
    email = cells.text("email", 254, required="Enter an e-mail address.")
    values: dict[str, object] = {"name": name, "email": (email or "").lower()}
    return values | ({"title": title} if (title := cells.text("role", 120)) else {})


def website_domain(text: str) -> str:
    """`https://www.example.com/about` and `example.com` both give `example.com`."""
    bare = text.strip().lower().removeprefix("https://").removeprefix("http://").removeprefix("www.")
    return bare.rpartition("@")[2].partition("/")[0].partition(":")[0].strip(".")


def _health(cells: Cells) -> int | None:
    score = cells.parsed("health", parse_money)
    if score is not None and not 0 <= score <= 100:
        cells.refuse("health", "Use a score from 0 to 100.")
        return None
    return None if score is None else int(score.to_integral_value(ROUND_HALF_UP))


def _status(cells: Cells) -> str | None:
    gone = cells.flag("churned")
    if gone is not None:
        return Account.CHURNED if gone else Account.ACTIVE
    return cells.word("status", STATUS_WORDS)
