"""The units in which concessions are measured. A new unit is one row of UNITS; all other code uses this module."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from ledger.format import counted, money, number, percent, too_precise

PERCENT, MONEY, DAYS, MONTHS, YES = "percent", "money", "days", "months", "yes"
Words = Callable[[Decimal, str], str]


@dataclass(frozen=True)
class Unit:
    """How a concession is measured, read and checked. `reads` and `quantity` take an amount and its currency."""

    slug: str
    label: str  # the label for the administrator
    hint: str  # the name in help texts
    reads: Words  # an amount of the concession: net 60
    quantity: Words  # a sum, a difference or a share of a cap: 60 days
    takes_amount: bool = True
    in_currency: bool = False
    adds_up: bool = False  # earlier grants count towards a limit
    most: Decimal | None = None

    def words(self, amount: Decimal | None, currency: str = "USD") -> str:
        """An amount of a concession; "any amount" without a number."""
        if not self.takes_amount:
            return "yes, with the text"
        return "any amount" if amount is None else self.reads(amount, currency)

    def problem(self, amount: Decimal | None, currency: str = "USD") -> str:
        """The error text for an amount that cannot be requested; empty if it is valid."""
        if not self.takes_amount:
            return ""
        if amount is None or not amount.is_finite() or amount <= 0:
            return f"Enter an amount above 0 ({self.label.lower()})."
        if self.most is not None and amount > self.most:
            return f"Enter at most {self.reads(self.most, currency)}."
        return too_precise(amount, currency) if self.in_currency else ""


UNITS = (
    Unit(
        PERCENT,
        label="Percent",
        hint="percent",
        reads=lambda amount, _: percent(amount),
        quantity=lambda amount, _: percent(amount),
        adds_up=True,
        most=Decimal(100),
    ),
    Unit(MONEY, label="Money", hint="money", reads=money, quantity=money, in_currency=True, adds_up=True),
    Unit(
        DAYS,
        label="Days (net)",
        hint="net days",
        reads=lambda amount, _: f"net {number(amount)}",
        quantity=lambda amount, _: counted(amount, "day"),
    ),
    Unit(
        MONTHS,
        label="Months of fees",
        hint="months of fees",
        reads=lambda amount, _: counted(amount, "month of fees", "months of fees"),
        quantity=lambda amount, _: counted(amount, "month of fees", "months of fees"),
    ),
    Unit(
        YES,
        label="Yes or no, with text",
        hint="",
        reads=lambda amount, _: number(amount),
        quantity=lambda amount, _: number(amount),
        takes_amount=False,
    ),
)
BY_SLUG = {unit.slug: unit for unit in UNITS}
CHOICES = [(unit.slug, unit.label) for unit in UNITS]


def unit_of(slug: str) -> Unit:
    """The unit with this slug. Raises KeyError for another one, because a wrong unit is worse than an error."""
    return BY_SLUG[slug]


def amount_words(unit: str, amount: Decimal | None, currency: str = "USD") -> str:
    """An amount as a decision shows it: `$12,400`, `24 months of fees`."""
    return unit_of(unit).words(amount, currency)


def quantity_words(unit: str, amount: Decimal, currency: str = "USD") -> str:
    """A sum or a difference of amounts: `15 days`, `$2,400`; for a yes-or-no concession the number of grants."""
    return unit_of(unit).quantity(amount, currency)


def help_text() -> str:
    """The units of an amount: `Percent, money, net days or months of fees.`"""
    hints = [unit.hint for unit in UNITS if unit.takes_amount]
    return f"{', '.join(hints[:-1])} or {hints[-1]}.".capitalize()
