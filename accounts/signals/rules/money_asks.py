"""Finds the amount a customer asks back: "refund of $12,400", "EUR 9.500,00 credit", "£3k refund"."""

import re
from decimal import Decimal

READ_LIMIT = 20_000
SYMBOLS = {"$": "USD", "us$": "USD", "a$": "AUD", "au$": "AUD", "c$": "CAD", "ca$": "CAD", "€": "EUR", "£": "GBP"}
SYMBOLS |= {"₹": "INR", "r$": "BRL", "nz$": "NZD", "s$": "SGD", "hk$": "HKD", "dollars": "USD", "euros": "EUR"}
SYMBOLS |= {"euro": "EUR", "pounds": "GBP"}
CODES = [
    "USD",
    "EUR",
    "GBP",
    "CHF",
    "CAD",
    "AUD",
    "NZD",
    "SGD",
    "HKD",
    "INR",
    "BRL",
    "JPY",
    "SEK",
    "NOK",
    "DKK",
    "PLN",
    "CZK",
    "MXN",
    "ZAR",
]
DOT_FOR_THOUSANDS = {"EUR", "BRL", "DKK", "NOK", "PLN", "CZK", "CHF"}
FACTORS = {"k": 1_000, "thousand": 1_000, "m": 1_000_000, "mn": 1_000_000, "million": 1_000_000}

_SIGN = r"(?:us|au|ca|nz|hk|a|c|s|r)?\$|[€£₹]"
_CODE = "|".join(CODES)
_FIGURE = r"\d{1,3}(?:[,.' \u00a0\u202f]\d{3}){1,4}(?:[.,]\d{1,2})?|\d{1,12}(?:[.,]\d{1,3})?"
_SCALE = r"(?:\s?(?:k|thousand|mn?|million))?"
_AMOUNT = (
    rf"(?:(?<!\w)(?P<before>{_SIGN}|(?:{_CODE})\b)\s?(?P<figure>{_FIGURE})(?P<scale>{_SCALE})(?![\w%]|[.,]\d)"
    rf"|(?<![\w.,])(?P<figure2>{_FIGURE})(?P<scale2>{_SCALE})\s?(?P<after>€|£|(?:{_CODE}|dollars|euros?|pounds)\b))"
)
_ASK = (
    r"(?:refund(?:s|ed|ing)?|credit(?!\s(?:cards?|limit|score|line|rating|check))(?:s|ed)?|re-?imburse(?:ment|d)?|"
    r"compensat(?:e|ed|ion)|rebate|money back|pay\s(?:us|me)\sback|repay(?:ment)?|give\s(?:us|me)\sback|waive)"
)
# Words that begin another statement: "a refund and we paid $50,000" asks for no amount.
_WORD = (
    r"(?:\s(?!(?:and|but|because|since|which|paid|pay|paying|pays|cost|costs|worth|if|when|until|after|before|than|"
    r"from|on|"
    r"under|over|against|last|spend|spent|spending)\b)[a-z][a-z'-]{0,20})"
)
ASK_THEN_AMOUNT = re.compile(rf"\b(?P<ask>{_ASK}){_WORD}{{0,6}}:?\s{_AMOUNT}", re.IGNORECASE)
AMOUNT_THEN_ASK = re.compile(
    rf"{_AMOUNT}(?:\s(?:in|as|of|a|an|the|full|partial|service|goodwill|account|sla|be|to|is|back|should|must)){{0,4}}"
    rf"\s(?P<ask>{_ASK}|back)\b",
    re.IGNORECASE,
)
NOT_ASKED = re.compile(
    r"(?:\b(?:not|no|never|already|without|received|got|thanks for|thank you for)|n't)\b[^.!?;]{0,25}$", re.IGNORECASE
)


# Money that others ask for, or that the writer gives back to others, is not asked of us.
OTHERS = re.compile(
    r"\b(?:our|their|another|other|some|many|several|two|three)\s(?:\w+\s)?(?:customers?|clients?|guests?|users?|shoppers?|"
    r"passengers?|patients?|members?|competitors?|suppliers?|vendors?|compan(?:y|ies))\b"
    r"|\bcompetitors?\b|\byour\sother\s"
    r"|\b(?:we|i)(?:'ve|'ll)?(?:\s(?:have|had|must|will|would|to|are|were|already|fully|just)){0,4}\s"
    r"(?=(?:refund(?:ed|ing)?|credited|compensat(?:e|ed|ing)|re-?imburs(?:e|ed|ing)|repaid)\b)",
    re.IGNORECASE,
)
ASKED = re.compile(rf"\b(?:{_ASK}|charge-?\s?backs?)\b(?!\s(?:polic|process|status))", re.IGNORECASE)
CLAUSE = re.compile(r"[.!?;,:]\s|\s(?:and|but|so|because|therefore)\s", re.IGNORECASE)


def asks_money_back(text: str) -> bool:
    """Whether the writer asks us for a refund, a credit or another way of paying back. A denial, thanks for money received,
    and money that others get or ask for are no ask. Only the first 20,000 characters are read."""
    plain = re.sub(r"[\s\u00a0\u202f]+", " ", text[:READ_LIMIT])
    return any(_is_ask(plain, match.start()) for match in ASKED.finditer(plain))


def _is_ask(plain: str, start: int) -> bool:
    """Whether the words that begin there are asked of us: what stands before them in their clause decides."""
    if NOT_ASKED.search(plain[max(0, start - 40) : start]):
        return False
    clause = CLAUSE.split(plain[max(0, start - 120) : start])[-1]
    return not OTHERS.search(clause + plain[start : start + 20])


def money_asked(text: str) -> tuple[Decimal, str] | None:
    """The amount and ISO currency a text asks to be refunded, credited or paid back.

    None when it is uncertain: no currency, two amounts, an ambiguous figure, or an ask that is denied or done.
    Only the first 20,000 characters are read.
    """
    plain = re.sub(r"[\s\u00a0\u202f]+", " ", text[:READ_LIMIT])
    found: set[tuple[Decimal, str] | None] = set()
    for pattern in (ASK_THEN_AMOUNT, AMOUNT_THEN_ASK):
        for match in pattern.finditer(plain):
            if _is_ask(plain, match.start()):
                found.add(_read(match))
    return found.pop() if len(found) == 1 else None


def _read(match: re.Match[str]) -> tuple[Decimal, str] | None:
    sign = (match["before"] or match["after"]).lower()
    currency = SYMBOLS.get(sign, sign.upper())
    figure = _figure(match["figure"] or match["figure2"], currency)
    scale = (match["scale"] or match["scale2"] or "").strip().lower()
    if not figure:
        return None
    return figure * FACTORS.get(scale, 1), currency


def _figure(text: str, currency: str) -> Decimal | None:
    """The figure that a person wrote; None if a single point before three digits is ambiguous."""
    text = re.sub(r"[ '\u00a0\u202f]", "", text)
    last = max(text.rfind(","), text.rfind("."))
    if last < 0:
        return Decimal(text)
    mark, decimals = text[last], len(text) - last - 1
    if decimals == 3 and (mark == "," or text.count(".") > 1 or currency in DOT_FOR_THOUSANDS):
        return Decimal(re.sub(r"[.,]", "", text))
    if decimals == 3:
        return None
    return Decimal(f"{re.sub(r'[.,]', '', text[:last])}.{text[last + 1 :]}")
