"""Figures beside the five: hand-offs, overrides, reopened cases, money saved and lost."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal

from escalations.models import HandOff
from reports.queries import lines
from reports.queries.kpis import Counting
from reports.rules import kpis as rules

LOST = "lost"
SAVED = ("renewed", "signed", "saved", "fixed", "credited", "declined")


@dataclass(frozen=True)
class HandOffs:
    """Hand-offs sent in the period: how fast they are accepted and acted on, and how many are refused or expire."""

    sent: int
    accept_hours: float | None
    act_hours: float | None
    refused: float | None
    expired: float | None


def handoffs(counting: Counting) -> HandOffs:
    """Times are those of the accepted ones."""
    states: Counter[str] = Counter()
    answered: list[int] = []
    acted: list[int] = []
    for line in counting.lines[lines.HANDED_OFF]:
        states[line.first] += line.number
        if line.first == HandOff.ACCEPTED:
            answered += line.values
            acted += line.more
    sent = states.total()
    return HandOffs(
        sent=sent,
        accept_hours=rules.median_hours(answered),
        act_hours=rules.median_hours(acted),
        refused=rules.share(states[HandOff.REFUSED], sent),
        expired=rules.share(states[HandOff.EXPIRED], sent),
    )


@dataclass(frozen=True)
class Overrides:
    """Decisions of people on requests in the period, and how many went against the recommendation or replaced the approver's
    decision. A decision without a request has no recommendation."""

    decided: int
    overridden: int

    @property
    def rate(self) -> float | None:
        """Percent."""
        return rules.share(self.overridden, self.decided)


def overrides(counting: Counting) -> Overrides:
    """From the decisions of the period."""
    present = [line for line in counting.lines[lines.DECIDED] if counting.is_present(line.day)]
    counted = [(line.more[0], line.more[1]) for line in present]
    return Overrides(sum(each for _, each in counted), sum(each for each, _ in counted))


@dataclass(frozen=True)
class Reopened:
    """Cases reopened in the period, and how many of them within 72 hours of being resolved."""

    cases: int
    soon: int


def reopened(counting: Counting) -> Reopened:
    """From the log: a move out of resolved, in review or closed, and the last move into resolved before it."""
    found = counting.lines[lines.REOPENED]
    return Reopened(sum(line.number for line in found), sum(sum(line.values) for line in found))


@dataclass(frozen=True)
class Money:
    """ARR at risk of the cases resolved with an outcome, one currency."""

    currency: str
    saved: Decimal
    lost: Decimal


def money(counting: Counting) -> list[Money]:
    """Saved and lost, never added up over currencies."""
    sums: defaultdict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for line in counting.lines[lines.MONEY]:
        amount = Decimal(sum(line.values)) / 100
        sums[line.first][0] += amount if line.second in SAVED else 0
        sums[line.first][1] += amount if line.second == LOST else 0
    found = [Money(currency, saved, lost) for currency, (saved, lost) in sorted(sums.items())]
    return [each for each in found if each.saved or each.lost]
