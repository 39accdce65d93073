"""A tone as people say it."""

import pytest

from accounts.signals.rules.tone_words import in_words


@pytest.mark.parametrize(
    ("tone", "of", "words"),
    [
        (-0.54, "", "hostile (-0.54)"),
        (-0.5, "", "hostile (-0.50)"),
        (-0.2, "3 signals", "negative (-0.20 over 3 signals)"),
        (0.0, "", "neutral (0.00)"),
        (0.6, "", "friendly (+0.60)"),
    ],
)
def test_words(tone: float, of: str, words: str) -> None:
    assert in_words(tone, of) == words
