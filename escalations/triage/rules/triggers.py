"""Conditions that open a case automatically, one class each. The policy's triggers name a condition and its threshold."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from ledger.format import money, number

RISKY = frozenset({"legal", "cancellation", "churn"})
# Phrases weigh 0 to 1; phrases like "our lawyers" have this weight and count; mere mentions have less and do not.
CLEAR_ENOUGH = 0.6


@dataclass(frozen=True)
class SignalFacts:
    """The facts of a signal and its account. Money in USD (None when unknown or not convertible)."""

    kind: str
    phrases: tuple[tuple[str, str, float], ...] = ()  # kind, words, weight
    amount: Decimal | None = None
    renewal_days: int | None = None
    rounds_without_concession: int = 0
    asks_refund: bool = False


class Condition(ABC):
    """One condition: its label, the unit of its threshold, and when it holds. `kinds`: the kinds of signal it checks,
    by slug; empty: every kind. `asks_money_back`: a case it opens requests the refund of the signal; other cases start
    with a blocker.
    """

    slug: ClassVar[str]
    label: ClassVar[str]
    unit: ClassVar[str]
    example: ClassVar[int]
    kinds: ClassVar[frozenset[str]] = frozenset()
    asks_money_back: ClassVar[bool] = False

    @abstractmethod
    def words(self, threshold: Decimal) -> str:
        """The text for the matrix."""

    @abstractmethod
    def reason(self, facts: SignalFacts, threshold: Decimal) -> str:
        """The reason why it fires for these facts; '' if it does not."""


class RefundOver(Condition):
    """A refund or credit above the amount, for any sentiment."""

    slug, label = "refund_over", "Refund or credit above an amount"
    unit, example = "USD", 10_000
    asks_money_back = True

    def words(self, threshold: Decimal) -> str:
        """A refund or credit of more than $10,000 is asked for."""
        return f"The customer asks for a refund or credit of more than {money(threshold)} (converted to USD)"

    def reason(self, facts: SignalFacts, threshold: Decimal) -> str:
        """Only amounts that could be converted to USD count."""
        if facts.asks_refund and facts.amount is not None and facts.amount > threshold:
            return f"Refund or credit of {money(facts.amount)} is above {money(threshold)}"
        return ""


class RiskLanguageBeforeRenewal(Condition):
    """Legal or cancellation language while the renewal is within the given days."""

    slug, label = "risk_language_renewal", "Legal or cancellation language while the renewal is near"
    unit, example = "days", 60

    def words(self, threshold: Decimal) -> str:
        """Legal or cancellation language, and the renewal is 60 days away or less."""
        return f"Legal or cancellation language, and the renewal is {number(threshold, 0)} days away or less"

    def reason(self, facts: SignalFacts, threshold: Decimal) -> str:
        """A renewal date that has passed does not count."""
        said = [text for kind, text, weight in facts.phrases if kind in RISKY and weight >= CLEAR_ENOUGH]
        if said and facts.renewal_days is not None and 0 <= facts.renewal_days <= threshold:
            quoted = ", ".join(f"“{word}”" for word in said[:3])
            return f"Customer wrote {quoted} and renews in {facts.renewal_days} days (limit {number(threshold, 0)})"
        return ""


class NoConcession(Condition):
    """A number of counterproposals in a row without any concession."""

    slug, label = "no_concession", "Counterproposals without a concession"
    unit, example = "rounds", 3
    kinds = frozenset({"counterproposal"})

    def words(self, threshold: Decimal) -> str:
        """3 counterproposals in a row without a concession."""
        return f"{number(threshold, 0)} counterproposals in a row without a concession"

    def reason(self, facts: SignalFacts, threshold: Decimal) -> str:
        """The rounds at the end of the series."""
        if facts.rounds_without_concession >= threshold:
            return f"{facts.rounds_without_concession} counterproposals without a concession (limit {number(threshold, 0)})"
        return ""


CONDITIONS: dict[str, Condition] = {
    each.slug: each for each in (RefundOver(), RiskLanguageBeforeRenewal(), NoConcession())
}
CHOICES = [(each.slug, each.label) for each in CONDITIONS.values()]


def threshold_help() -> str:
    """The unit of the threshold for each condition."""
    return "Number above 0. " + "; ".join(f"{each.label}: {each.unit}" for each in CONDITIONS.values()) + "."


def in_words(condition: str, threshold: Decimal) -> str:
    """The text of a trigger."""
    found = CONDITIONS.get(condition)
    return found.words(threshold) if found else "Unknown condition: never fires"


def problems(rules: Sequence[tuple[str, str, Decimal]]) -> list[str]:
    """`rules`: (name, condition, threshold). Each names a known condition and has a threshold above 0."""
    found = []
    for name, slug, threshold in rules:
        condition = CONDITIONS.get(slug)
        if condition is None:
            found.append(f"Trigger “{name}” names the condition “{slug}”, which does not exist.")
        elif threshold <= 0:
            found.append(
                f"Trigger “{name}” needs a threshold above 0 in {condition.unit}, such as {condition.example}."
            )
    return found


@dataclass(frozen=True)
class Rule:
    """One trigger of the policy."""

    slug: str
    name: str
    condition: str
    threshold: Decimal
    issue_type: str

    @property
    def asks_money_back(self) -> bool:
        """Whether a case it opens requests the refund of the signal."""
        return CONDITIONS[self.condition].asks_money_back


def first_fired(rules: Sequence[Rule], facts: SignalFacts) -> tuple[Rule, str] | None:
    """The first rule, in policy order, that fires, with its reason. An unknown condition never fires."""
    for rule in rules:
        condition = CONDITIONS.get(rule.condition)
        if condition is None or (condition.kinds and facts.kind not in condition.kinds):
            continue
        if reason := condition.reason(facts, rule.threshold):
            return rule, reason
    return None


def rounds_without_concession(conceded: Sequence[bool]) -> int:
    """Length of the run without a concession at the end of a series of counterproposals, oldest first."""
    rounds = 0
    for with_concession in reversed(conceded):
        if with_concession:
            break
        rounds += 1
    return rounds
