"""A measured tone as people say it."""

from ledger.format import figure

HOSTILE, NEGATIVE, FRIENDLY = -0.5, -0.15, 0.2


def in_words(tone: float, of: str = "") -> str:
    """A tone from -1 to 1: `hostile (-0.54)`; `of` says what it is the mean of: `hostile (-0.54 over 3 signals)`."""
    word = "hostile" if tone <= HOSTILE else "negative" if tone <= NEGATIVE else "neutral"
    word = "friendly" if tone >= FRIENDLY else word
    return f"{word} ({figure(tone, 2, signed=True)}{of and f' over {of}'})"
