"""Text folded to plain words, what a person typed as a query, and the places where a text matches it.

Both databases get nothing but these words. So they cut and compare text alike, and no sign that a person types reaches their
query languages.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property

LONGEST_TYPED = 200
MOST_TERMS = 8
# PostgreSQL refuses words beyond 2 kB and texts beyond 1 MB.
LONGEST_WORD = 60
MOST_WORDS = 2000
KEPT_CHARACTERS = 10_000
# Letters that Unicode does not take apart.
WRITTEN_AS = {
    "ø": "o",
    "ł": "l",
    "đ": "d",
    "ð": "d",
    "þ": "th",
    "æ": "ae",
    "œ": "oe",
    "ħ": "h",
    "ŧ": "t",
    "ŋ": "n",
    "ı": "i",
}
# Scripts without spaces between words: each character is a word. Thai and Lao, Myanmar, Khmer, kana, Han.
UNSPACED = ((0xE00, 0xEFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x3400, 0x9FFF), (0x20000, 0x3FFFF))
# Between two fields, so that no phrase reaches from one into the next. Folding leaves no ß, so nobody can search for it.
BORDER = "ß"


class _Folded(dict[int, str]):
    """What each character is folded to, by its code, as `str.translate` asks for it."""

    def __missing__(self, code: int) -> str:
        found = _fold_character(chr(code))
        if len(self) < KEPT_CHARACTERS:
            self[code] = found
        return found


def _fold_character(character: str) -> str:
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    return "".join(_plain(each) for each in plain)


def _plain(character: str) -> str:
    """A letter or digit, nothing for a mark or an invisible character, a space for anything else."""
    if character.isalnum():
        if any(first <= ord(character) <= last for first, last in UNSPACED):
            return f" {character} "
        return WRITTEN_AS.get(character, character)
    kind = unicodedata.category(character)
    # Spacing marks are vowels of Indian scripts.
    return character if kind == "Mc" else "" if kind in ("Mn", "Me", "Cf") else " "


_FOLDED = _Folded()


def fold(text: str) -> str:
    """The text in small letters without accents; everything that is no letter or digit is a space."""
    return text.translate(_FOLDED)


def words(text: str) -> list[str]:
    """The words of a text as they are indexed: folded, each cut to 60 characters, at most 2,000."""
    return [word[:LONGEST_WORD] for word in fold(text).split()[:MOST_WORDS]]


def joined(*fields: str) -> str:
    """The words of several fields as one text for the index."""
    found = (" ".join(words(field)) for field in fields)
    return f" {BORDER} ".join(filter(None, found))


@dataclass(frozen=True)
class Term:
    """Words that stand side by side. With `prefix`, the last one may be the beginning of a word."""

    words: tuple[str, ...]
    prefix: bool


@dataclass(frozen=True)
class Query:
    """All of these terms must be found, each in any field."""

    terms: tuple[Term, ...]

    @classmethod
    def read(cls, text: str) -> "Query":
        """From what a person typed: the beginnings of words, and exact words in quotation marks. At most 8 terms; signs
        without letters or digits ask for nothing."""
        pieces = re.findall(r'"([^"]+)"|“([^”]+)”|(\S+)', text[:LONGEST_TYPED])
        terms = [Term(tuple(words(exact or curly or plain)), prefix=bool(plain)) for exact, curly, plain in pieces]
        return cls(tuple(term for term in terms if term.words)[:MOST_TERMS])

    def __bool__(self) -> bool:
        return bool(self.terms)

    @property
    def fts5(self) -> str:
        """For MATCH of SQLite. Words hold no quotation marks."""
        return " AND ".join(f'"{" ".join(term.words)}"' + " *" * term.prefix for term in self.terms)

    @property
    def tsquery(self) -> str:
        """For `to_tsquery` of PostgreSQL. Words hold no apostrophes."""
        phrases = (" <-> ".join(f"'{word}'" for word in term.words) + ":*" * term.prefix for term in self.terms)
        return " & ".join(f"({phrase})" for phrase in phrases)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        found = (" +".join(map(re.escape, term.words)) + r"(?!\S)" * (not term.prefix) for term in self.terms)
        return re.compile(r"(?<!\S)(?:" + "|".join(sorted(found, key=len, reverse=True)) + ")")

    def places(self, text: str) -> list[tuple[int, int]]:
        """Where the terms stand in a text as it was written: the start and the end of each, in order."""
        if not self:
            return []
        folded = [character.translate(_FOLDED) for character in text]
        origins = [place for place, piece in enumerate(folded) for _ in piece]
        found = []
        for match in self._pattern.finditer("".join(folded)):
            start, end = origins[match.start()], origins[match.end() - 1] + 1
            while end < len(text) and not folded[end]:
                # The accents of the last letter belong to it.
                end += 1
            found.append((start, end))
        return found

    def pieces(self, text: str) -> list[tuple[str, bool]]:
        """The text in pieces, each with whether it was found. Joined they are the text."""
        cut, last = [], 0
        for start, end in self.places(text):
            cut += [(text[last:start], False), (text[max(start, last) : end], True)]
            last = end
        return [(piece, found) for piece, found in [*cut, (text[last:], False)] if piece]

    def around(self, text: str, width: int) -> str:
        """About `width` characters of a long text on one line, around the first place."""
        flat = " ".join(text.split())
        places = self.places(flat)
        start = max(0, places[0][0] - width // 3) if places else 0
        return ("… " if start else "") + flat[start : start + width] + (" …" if len(flat) > start + width else "")
