"""Repeatable randomness: one generator per run, so that the same seed makes the same data."""

import random
from collections.abc import Sequence
from typing import TypeVar

Thing = TypeVar("Thing")


class Chance:
    """Draws from a seeded generator."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 invented data, not secrets
        self.unit = self._random.random

    def happens(self, probability: float) -> bool:
        """True with this probability."""
        return self.unit() < probability

    def of(self, things: Sequence[Thing]) -> Thing:
        """Any of them."""
        return things[int(self.unit() * len(things))]

    def between(self, low: float, high: float) -> float:
        """A number between two numbers."""
        return low + (high - low) * self.unit()

    def whole(self, low: int, high: int, step: int = 1) -> int:
        """A whole number from low to high, in steps."""
        return low + step * int(self.unit() * ((high - low) // step + 1))

    def long_tail(self, middle: float, spread: float) -> float:
        """Mostly near the middle, sometimes far above (lognormal)."""
        return middle * self._random.lognormvariate(0.0, spread)

    def weighted(self, weights: dict[str, int]) -> str:
        """A key with the probability of its weight."""
        return self._random.choices(list(weights), weights=list(weights.values()))[0]
