"""What a delegation for a time covers, and which ones are refused. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from approvals.matrix.rules.units import MONEY

FARTHEST = timedelta(days=3653)


@dataclass(frozen=True)
class Span:
    """A delegation: the delegator, the stand-in, the time (half-open) and the concessions (none named: all)."""

    user: int
    to: int
    starts_at: datetime
    ends_at: datetime
    concessions: frozenset[str] = field(default_factory=frozenset)

    def meets(self, other: "Span") -> bool:
        """Whether both are in force at some moment."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def shares_scope(self, other: "Span") -> bool:
        """Whether some concession is in both."""
        return not self.concessions or not other.concessions or bool(self.concessions & other.concessions)


@dataclass(frozen=True)
class Problem:
    """The reason why a delegation is refused, and the wrong field."""

    words: str
    field: str


def covers(
    concessions: Collection[str], up_to_usd: Decimal | None, concession: str, unit: str, total: Decimal | None
) -> bool:
    """Whether a delegation covers an ask. If it has an amount, it covers money only, with earlier grants added up."""
    if concessions and concession not in concessions:
        return False
    return up_to_usd is None or (unit == MONEY and total is not None and total <= up_to_usd)


def why_not(new: Span, others: Iterable[Span], at: datetime) -> Problem | None:
    """The reason why a delegation is refused; None if it is allowed. `others` are all that have not ended."""
    if new.user == new.to:
        return Problem("Choose someone else: you already decide for yourself.", "to")
    if wrong := _wrong_time(new, at):
        return Problem(wrong, "starts_at")
    for other in others:
        if not new.meets(other):
            continue
        if other.user == new.user and new.shares_scope(other):
            words = "You already have a stand-in for that time. End that delegation first, or choose another time."
            return Problem(words, "starts_at")
        if (other.user, other.to) == (new.to, new.user):
            return Problem("You are this person's stand-in during that time. Choose someone who is available.", "to")
    if _comes_round(new, list(others)):
        words = "During that time, delegations from this person lead back to you. Choose someone who is available."
        return Problem(words, "to")
    return None


def _wrong_time(new: Span, at: datetime) -> str:
    if new.ends_at <= new.starts_at:
        return "The end must be after the start."
    if new.ends_at <= at:
        return "The time is in the past. Choose an end in the future."
    far = new.ends_at > at + FARTHEST or new.starts_at < at - FARTHEST
    return "Choose a time within ten years." if far else ""


def _comes_round(new: Span, others: Collection[Span]) -> bool:
    """Whether the delegations during this time would form a circle."""
    reached, fresh = {new.to}, {new.to}
    while fresh:
        fresh = {other.to for other in others if other.user in fresh and new.meets(other)} - reached
        reached |= fresh
    return new.user in reached
