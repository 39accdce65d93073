"""The encoding of a text that is not Unicode and names no encoding, or a wrong one.

The child process has the standard library alone. Western letters stand one by one between ASCII letters; text of another
script has long runs of high bytes, and the letters of its language only in its own encoding.
"""

import re
from collections.abc import Callable

SAMPLE = 4_000
LEAST = 6  # high bytes; fewer prove nothing
_RUN = re.compile(rb"[\x80-\xff]{3,}|[\x80-\xff][\x20-\x7f](?=[\x80-\xff])")
_HIGH = re.compile(rb"[\x80-\xff]")


def _share(test: Callable[[str], bool]) -> Callable[[str], float]:
    def share(text: str) -> float:
        letters = [letter for letter in text if not letter.isascii()]
        return sum(map(test, letters)) / max(len(letters), 1)

    return share


def _is_kana(letter: str) -> bool:
    return "\u3041" <= letter <= "\u30fe"


def _is_common_hangul(letter: str) -> bool:
    return "\uac00" <= letter <= "\ud7a3" and _lead(letter, "euc_kr", 0xB0, 0xC8)


def _is_common_simplified(letter: str) -> bool:
    return _lead(letter, "gb2312", 0xB0, 0xD7)


def _is_common_traditional(letter: str) -> bool:
    return _lead(letter, "big5", 0xA4, 0xC6)


def _is_small_cyrillic(letter: str) -> bool:
    return "\u0430" <= letter <= "\u0457"


def _lead(letter: str, codec: str, first: int, last: int) -> bool:
    """Whether the letter is in the rows of the frequent ones, which are first in the order of the standard."""
    raw = letter.encode(codec, "ignore")
    return len(raw) == 2 and first <= raw[0] <= last


KANA = _share(_is_kana)
# Codec, the share of the text that is in frequent letters of its language, and the least share that counts. Kana come first:
# only Japanese has them, but its characters are frequent in other encodings too. Of the others the largest share counts.
SCRIPTS: tuple[tuple[str, Callable[[str], float], float], ...] = (
    ("cp932", KANA, 0.3),
    ("euc_jp", KANA, 0.3),
    ("cp949", _share(_is_common_hangul), 0.7),
    ("cp1251", _share(_is_small_cyrillic), 0.6),
    ("koi8_r", _share(_is_small_cyrillic), 0.6),
    ("gb18030", _share(_is_common_simplified), 0.6),
    ("cp950", _share(_is_common_traditional), 0.6),
)


def likely_encoding(raw: bytes) -> str:
    """The codec that reads it: Windows-1252 unless its letters make no words and another encoding's do."""
    sample = _sample(raw)
    high = len(_HIGH.findall(sample))
    if high < LEAST or sum(len(_HIGH.findall(run)) for run in _RUN.findall(sample)) * 2 < high:
        return "cp1252"
    best, most = "cp1252", 0.0
    for codec, share, least in SCRIPTS:
        try:
            found = share(sample.decode(codec))
        except UnicodeError:
            continue
        if found >= least and share is KANA:
            return codec
        if found >= least and found > most:
            best, most = codec, found
    return best


def _sample(raw: bytes) -> bytes:
    """Whole lines with high bytes, so that no character is cut in two."""
    lines, size = [], 0
    for line in raw.splitlines():
        if not line.isascii() and len(line) <= SAMPLE:
            lines.append(line)
            size += len(line)
        if size > SAMPLE:
            break
    return b"\n".join(lines)
