"""Reads the tone of a customer's text: a general sentiment, and the risk phrases with their exact position in the text.

The sentiment comes from VADER, sentence by sentence; the phrases are our own explicit list, so that a person can see
the reason for a result. Nothing here decides anything: triggers and triage use the result.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Literal, NamedTuple

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from accounts.signals.rules.money_asks import asks_money_back, money_asked
from accounts.signals.rules.risk_phrases import PHRASE_RULES

__all__ = ["Phrase", "Tone", "asks_money_back", "money_asked", "read_tone"]

Label = Literal["negative", "neutral", "positive"]

READ_LIMIT = 20_000  # characters; in a pasted log of ten megabytes the first pages are enough
LONGEST_SENTENCE = 600  # the analyser compares every word with every other, so its input is short
LONGEST_WORD = 100
PHRASE_PULL = 0.6  # the most by which the heaviest phrases lower the sentiment
NEGATIVE_EDGE = -0.15  # questions that only contain "still" or "late" stay neutral
POSITIVE_EDGE = 0.05

# In customers' letters "help", "please" and "support" are requests, not praise, and the words below are complaints.
SERVICE_WORDS = {
    **dict.fromkeys(("help", "helped", "please", "pls", "plz", "support", "supported", "care", "like", "share"), 0.0),
    **dict.fromkeys(("resolve", "resolved", "credit", "solution", "solutions", "interest", "security", "assets"), 0.0),
    **dict.fromkeys(("unacceptable", "unresponsive", "inexcusable", "incompetent", "unprofessional"), -2.8),
    **dict.fromkeys(("outage", "broken", "breach", "overdue", "overcharged", "crashing", "crashes", "misled"), -2.0),
    **dict.fromkeys(("delayed", "delays", "unresolved", "downtime", "blocked", "stuck", "stranded", "hung"), -1.6),
    **dict.fromkeys(("waiting", "late", "missing", "incorrect", "hold", "cancelled", "hours", "hrs", "rebook"), -0.9),
    **dict.fromkeys(("still", "nobody", "nothing", "never", "cannot"), -0.4),
    "number": 0.0,
}
STRAIGHT = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "′": "'", "\u00a0": " ", "\x00": " "})

_HEADER = r"[> \t]{0,40}(?:from|to|cc|bcc|sent|date|subject|reply-to|von|an|gesendet|betreff)[ \t]{0,4}:[^\n]{0,1000}"
HEADER_BLOCK = re.compile(rf"^{_HEADER}(?:\n{_HEADER})+$|^[ \t]{{0,8}}>{_HEADER}$", re.IGNORECASE | re.MULTILINE)
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
NEGATED_BEFORE = re.compile(
    r"(?:\b(?:not(?!\s+only)|no|never|without|cannot|neither|nor|avoid|avoiding|instead of|rather than|withdraw|"
    r"withdrew)"
    r"|n't)(?:\s+(?:yet|going to|planning to|intending to|plan to|intend to|want to|wish to|need to|have to|currently|"
    r"any|a|an|the|to|be|been|about|of|for|considering|talking|threatening|seeking|asking|plans?|intention|reason|need|"
    r"case|sign|signs|evidence|question|risk|further|such|us|you|you to|longer|in|or|making|taking|take|make|"
    r"having|have|had)){0,4}\s+$",
    re.IGNORECASE,
)
NEGATED_AFTER = re.compile(
    r"^\s{1,4}(?:(?:is|are|was|were|will be|has been)\s(?:\w+\s)?)?(?:off the table|(?:not|n't)\s(?:planned|needed|"
    r"necessary|"
    r"required|on the table|an option|our intention|our plan|a concern|an issue|the issue|involved)|(?:(?:has|"
    r"have)\s)?(?:now\s|already\s)?(?:approved|signed|cleared|agreed|confirmed|is fine|is happy|are happy))\b",
    re.IGNORECASE,
)


class Phrase(NamedTuple):
    """A risk phrase found in the text: `text == original[start:end]`; weight from 0 to 1."""

    kind: str
    text: str
    start: int
    end: int
    weight: float


class Tone(NamedTuple):
    """The tone of a text: compound from -1 (hostile) to 1 (delighted), its label, the risk phrases in order."""

    compound: float
    label: Label
    phrases: tuple[Phrase, ...]

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of risk that were found."""
        return frozenset(phrase.kind for phrase in self.phrases)


def read_tone(text: str) -> Tone:
    """The tone of the first 20,000 characters of `text`. Never raises; an empty text is neutral."""
    original = text[:READ_LIMIT]
    plain = HEADER_BLOCK.sub(lambda block: re.sub(r"[^\n]", " ", block[0]), original.translate(STRAIGHT))
    phrases = _without_overlaps(_find_phrases(plain, original))
    pull = PHRASE_PULL * _risk(phrases)
    compound = round(_sentiment(plain) * (1 - pull) - pull, 4)
    return Tone(compound, _label(compound), phrases)


def _label(compound: float) -> Label:
    if compound <= NEGATIVE_EDGE:
        return "negative"
    return "positive" if compound >= POSITIVE_EDGE else "neutral"


def _risk(phrases: Iterable[Phrase]) -> float:
    """From 0 to 1: each kind counts once, with its heaviest phrase."""
    heaviest: dict[str, float] = {}
    for phrase in phrases:
        heaviest[phrase.kind] = max(phrase.weight, heaviest.get(phrase.kind, 0.0))
    return min(1.0, sum(heaviest.values()))


def _find_phrases(plain: str, original: str) -> list[Phrase]:
    return [
        Phrase(rule.kind, original[match.start() : match.end()], match.start(), match.end(), rule.weight)
        for rule in PHRASE_RULES
        for match in rule.pattern.finditer(plain)
        if not _negated(plain, match.start(), match.end())
    ]


def _negated(plain: str, start: int, end: int) -> bool:
    before = re.split(r"[.!?;:,\n]\s", plain[max(0, start - 60) : start])[-1]
    return bool(NEGATED_BEFORE.search(before) or NEGATED_AFTER.match(plain[end : end + 50]))


def _without_overlaps(phrases: list[Phrase]) -> tuple[Phrase, ...]:
    """Of overlapping phrases of one kind only the longest stays; kinds may share words ("GDPR breach")."""
    last: dict[str, Phrase] = {}
    kept: set[Phrase] = set()
    for phrase in sorted(phrases, key=lambda p: (p.start, p.end)):
        rival = last.get(phrase.kind)
        if rival and phrase.start < rival.end:
            if phrase.end - phrase.start <= rival.end - rival.start:
                continue
            kept.discard(rival)
        last[phrase.kind] = phrase
        kept.add(phrase)
    return tuple(sorted(kept, key=lambda p: (p.start, p.end)))


def _sentiment(plain: str) -> float:
    """Half the mean of the sentences with a sentiment, half the worst of them, because one bad line affects the whole
    letter."""
    sentences = (part[:LONGEST_SENTENCE] for part in SENTENCE.split(plain) if part.strip())
    scores = [score for sentence in sentences if (score := _score(sentence))]
    return (sum(scores) / len(scores) + min(scores)) / 2 if scores else 0.0


def _score(sentence: str) -> float:
    words = (word for word in sentence.split() if len(word) <= LONGEST_WORD)
    return float(_analyzer().polarity_scores(" ".join(words))["compound"])


@cache
def _analyzer() -> SentimentIntensityAnalyzer:
    analyzer = SentimentIntensityAnalyzer()
    analyzer.lexicon.update(SERVICE_WORDS)
    return analyzer
