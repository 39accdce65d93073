"""Reads what people and programs typed: numbers in addresses, and whether a text says anything. Pure."""

import unicodedata

MOST = 2**31 - 1
# Letters by their category, but they show nothing.
BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
# They turn the direction of the text after them, so that a name reads as another.
TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Separators, marks without a letter, and everything that is not a character to see.
SHOWS_NOTHING = frozenset(("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs", "Mn", "Me"))


def number(text: str | None, most: int = MOST) -> int | None:
    """The whole number that is typed, from 0 to `most`; None for anything else, such as "²" or five thousand digits."""
    text = (text or "").strip()
    if not (text.isascii() and text.isdecimal()) or len(text) > len(str(most)):
        return None
    value = int(text)
    return value if value <= most else None


def has_words(text: str) -> bool:
    """Whether a person who reads the text sees something: a letter, a digit or a sign. Invisible characters are not words."""
    return any(char not in BLANK_LETTERS and unicodedata.category(char) not in SHOWS_NOTHING for char in text)


def visible(text: str) -> str:
    """The text without invisible characters and without blanks around it: two ids that look alike are one."""
    return "".join(char for char in text if unicodedata.category(char) not in ("Cf", "Cc")).strip()


def one_line(text: str) -> str:
    """The text as one line without control characters, and without marks that turn the direction of what follows."""
    kept = "".join(char for char in " ".join(text.split()) if unicodedata.category(char) != "Cc" and char not in TURNS)
    return kept.strip()


def words_of(text: str) -> str:
    """The text without blanks around it, or "" if it says nothing."""
    return text.strip() if has_words(text) else ""
