"""How the dates and amounts of a whole file are to be read. Pure.

A cell such as 03/04/2025 or 12.345 has two readings. The other cells, the separator and the currency of the file decide;
if they do not, a person is asked.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from accounts.imports.rules.cells import SIGN_AROUND, TIME_AFTER, YEAR_LAST, bare_amount

Order = Literal["dmy", "mdy", ""]
Mark = Literal[".", ",", ""]
# Countries that pay in these write the month first, and a point before the decimals.
MONTH_FIRST_MONEY = frozenset(("USD",))
DAY_FIRST_MONEY = frozenset(
    "EUR GBP CHF DKK SEK NOK PLN CZK RON BGN TRY BRL ARS CLP COP AUD NZD INR IDR VND UAH RUB ISK RSD MXN ZAR ILS".split()
)
POINT_MONEY = frozenset("USD GBP AUD CAD NZD JPY CNY INR HKD SGD MXN ILS THB KRW TWD MYR PHP".split())
COMMA_MONEY = frozenset("EUR DKK SEK NOK PLN CZK HUF RON BGN TRY BRL ARS CLP COP IDR VND UAH RUB ISK RSD".split())
UNCLEAR = re.compile(r"[1-9][0-9]{0,2}([.,])[0-9]{3}")
# One mark before one, two or more than three decimals; or groups of three, which the other mark ends.
SHOWS_DECIMALS = re.compile(r"[0-9]*([.,])(?:[0-9]{1,2}|[0-9]{4,})")
SHOWS_GROUPS = re.compile(r"[0-9]{1,3}([.,])[0-9]{3}(?:\1[0-9]{3})+")
SHOWS_BOTH = re.compile(r"[0-9]{1,3}(?:[.,' ][0-9]{3})+([.,])[0-9]+")
OTHER: dict[str, Mark] = {".": ",", ",": "."}


@dataclass
class Evidence:
    """What the cells of a file say, collected cell by cell."""

    delimiter: str = ","
    currencies: set[str] = field(default_factory=set)
    day_first: int = 0
    month_first: int = 0
    points: int = 0
    unclear_dates: list[str] = field(default_factory=list)
    marks: dict[str, int] = field(default_factory=lambda: {".": 0, ",": 0})
    unclear_amounts: list[str] = field(default_factory=list)

    def see_date(self, text: str) -> None:
        """A cell of a column of dates."""
        match = YEAR_LAST.fullmatch(TIME_AFTER.sub("", text[:60].strip()).strip())
        if match is None:
            return
        first, mark, second = int(match[1]), match[2], int(match[3])
        self.points += mark == "."
        self.day_first += first > 12 >= second
        self.month_first += second > 12 >= first
        if first <= 12 and second <= 12 and first != second and mark != ".":
            self.unclear_dates.append(text.strip())

    def see_amount(self, text: str) -> None:
        """A cell of a column of amounts."""
        figure = SIGN_AROUND.sub("", bare_amount(text).strip(" '()-+")).strip()
        if match := SHOWS_GROUPS.fullmatch(figure):
            self.marks[OTHER[match[1]]] += 1
        elif match := SHOWS_BOTH.fullmatch(figure):
            self.marks[match[1]] += match[1] not in figure[: match.start(1)]
        elif UNCLEAR.fullmatch(figure):
            self.unclear_amounts.append(text.strip())
        elif match := SHOWS_DECIMALS.fullmatch(figure):
            self.marks[match[1]] += 1

    def order(self) -> Order:
        """The order of day and month in the file; "" if nothing tells."""
        if self.day_first != self.month_first:
            return "dmy" if self.day_first > self.month_first else "mdy"
        if self.day_first:  # as many of each: the file contradicts itself
            return ""
        if self.points or self.delimiter == ";":
            return "dmy"
        if self.currencies:
            votes = (
                "mdy" if each in MONTH_FIRST_MONEY else "dmy" if each in DAY_FIRST_MONEY else ""
                for each in self.currencies
            )
            return _agreed(votes)  # type: ignore[return-value]
        return ""

    def mark(self) -> Mark:
        """The mark before the decimals; "" if nothing tells."""
        if bool(self.marks["."]) != bool(self.marks[","]):
            return "." if self.marks["."] else ","
        if self.marks["."]:
            return ""
        votes = ("." if each in POINT_MONEY else "," if each in COMMA_MONEY else "" for each in self.currencies)
        usual: Mark = "," if self.delimiter == ";" else _agreed(votes)  # type: ignore[assignment]
        # What is usual is no proof against a cell that would have three decimals: "1,000" in a file in EUR is asked.
        marked = (UNCLEAR.fullmatch(SIGN_AROUND.sub("", bare_amount(each)).strip()) for each in self.unclear_amounts)
        return "" if any(found and found[1] == usual for found in marked) else usual

    @property
    def asks_order(self) -> str:
        """A date that can be read in two ways, if nothing tells which."""
        return self.unclear_dates[0] if self.unclear_dates and not self.order() else ""

    @property
    def asks_mark(self) -> str:
        """An amount that can be read in two ways, if nothing tells which."""
        return self.unclear_amounts[0] if self.unclear_amounts and not self.mark() else ""


def _agreed(votes: Iterable[str]) -> str:
    found = set(votes)
    return found.pop() if len(found) == 1 else ""
