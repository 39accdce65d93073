"""Reads the cells of real-world tables: money, dates, currencies, yes and no. Errors say how to fix the cell."""

import re
from datetime import date
from decimal import Decimal

BLANKS = frozenset(("", "-", "–", "—", "?", "n/a", "na", "null", "none", "nil", "#n/a", "unknown", "tbd"))
CURRENCIES = frozenset(
    "AED ARS AUD BGN BHD BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP GHS HKD HUF IDR ILS INR ISK JOD JPY "
    "KES KRW KWD MAD MXN MYR NGN NOK NZD OMR PEN PHP PKR PLN QAR RON RSD RUB SAR SEK SGD THB TND TRY TWD "
    "UAH USD UYU VND ZAR".split()
)
CURRENCY_SIGNS = {"$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "₹": "INR", "A$": "AUD", "C$": "CAD", "R$": "BRL"}
YES = frozenset(("true", "t", "yes", "y", "1", "on", "x"))
NO = frozenset(("false", "f", "no", "n", "0", "off"))
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MOST_DIGITS = 15

SPACES = re.compile(r"[\s\u00a0\u202f]+")
SIGN_AROUND = re.compile(r"^(?:[A-Z]{1,3}?\s?[$€£¥₹]|[$€£¥₹]|[A-Z]{3}(?=[\s\d(.,-]))\s?|\s?(?:[$€£¥₹]|[A-Z]{3})$", re.I)
# "9.000,-" is a whole amount; Swiss amounts have a raised comma of any kind.
WHOLE_SIGN = re.compile(r"[.,](?:-{1,2}|[–—])(?=\s?(?:[A-Z]{3}|[$€£¥₹])?$)", re.I)
RAISED_COMMAS = str.maketrans("’ʼ´`′", "'" * 5)
PLAIN_FIGURE = re.compile(r"[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+")
GROUPED_FIGURE = re.compile(r"[0-9]{1,3}(?:([,.' ])[0-9]{3})(?:\1[0-9]{3})*(?:(?!\1)[.,][0-9]+)?")
# Indian figures group by two after the thousands: 12,34,567.00
INDIAN_FIGURE = re.compile(r"[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}(?:\.[0-9]+)?")
TIME_AFTER = re.compile(r"(?:[T ,]+[0-9]{1,2}:[0-9]{2}\S*(?: ?[AP]M)?(?: ?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))?)$", re.I)
YEAR_FIRST = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})|([0-9]{4})([0-9]{2})([0-9]{2})")
YEAR_LAST = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})")
DAY_MONTH_NAME = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th)?[-\s.]*([a-z]{3,9})\.?[-\s,]*([0-9]{4}|[0-9]{2})", re.I)
MONTH_NAME_DAY = re.compile(r"([a-z]{3,9})\.?[-\s]*([0-9]{1,2})(?:st|nd|rd|th)?[-\s,]+([0-9]{4}|[0-9]{2})", re.I)


def is_blank(text: str | None) -> bool:
    """Whether a cell has no value: empty, a dash, a question mark, n/a …"""
    return text is None or (len(text) < 1000 and text.strip().lower() in BLANKS)


def parse_money(text: str | None, mark: str = "") -> Decimal | None:
    """The amount in a cell, None when blank. Currency signs are ignored; (12.50) and 12.50- are negative.

    Both 1,234.50 and 1.234,50 are read. `mark`, the one before decimals in this file (see `readings`), says what "12.345"
    and "12,345" are; without it the first is refused. Raises ValueError with a hint for anything that is no amount.
    """
    if text is None or is_blank(text):
        return None
    figure = bare_amount(text).lstrip("'")
    negative, figure = _unsigned(figure)
    figure = SIGN_AROUND.sub("", figure).strip()
    if not negative:  # the sign may also be after the currency: $-5
        negative, figure = _unsigned(figure)
    if len(text) > 80 or sum(char.isdigit() for char in figure) > MOST_DIGITS:
        raise ValueError(f"{_short(text)} is too long for an amount: use at most {MOST_DIGITS} digits.")
    amount = _figure(figure, text, mark)
    return -amount if negative and amount else amount


def bare_amount(text: str) -> str:
    """The cell with plain blanks and raised commas, without the sign of a whole amount."""
    return WHOLE_SIGN.sub("", SPACES.sub(" ", text[:80]).translate(RAISED_COMMAS).strip())


def parse_date(text: str | None, day_first: bool = False) -> date | None:
    """The date in a cell, None when blank; a time of day after it is ignored. `day_first` decides only if both readings
    are dates (03/04/2025); take it from the whole file, see `readings`. With points (03.04.2025) the day is first.
    Raises ValueError with a hint if it is not a date.
    """
    if text is None or is_blank(text):
        return None
    cell = TIME_AFTER.sub("", SPACES.sub(" ", text[:60]).strip().lstrip("'")).strip()
    parts = _date_parts(cell, day_first) if len(text) <= 60 else None
    if parts is None:
        raise ValueError(f"{_short(text)} is not a date: write it as 2025-12-31.")
    year, month, day = parts
    if year < 100:
        year += 2000 if year < 70 else 1900
    if not 1900 <= year <= 2200:
        raise ValueError(f"{_short(text)} has the year {year}: use one between 1900 and 2200.")
    try:
        return date(year, month, day)
    except ValueError:
        raise ValueError(f"{_short(text)} is not a day of the calendar: write it as 2025-12-31.") from None


def parse_currency(text: str | None) -> str | None:
    """The ISO 4217 code in a cell, None when blank. Raises ValueError for an unknown one."""
    if text is None or is_blank(text):
        return None
    code = text.strip().upper()
    code = CURRENCY_SIGNS.get(code, code)
    if code not in CURRENCIES:
        raise ValueError(f"Unknown currency {_short(text)}: use a three-letter code such as USD or EUR.")
    return code


def parse_bool(text: str | None) -> bool | None:
    """Yes or no, None when blank. Raises ValueError for anything else."""
    if text is None or is_blank(text):
        return None
    word = text.strip().lower()
    word = re.sub(r"^([01])[.,]0+$", r"\1", word)
    if word in YES or word in NO:
        return word in YES
    raise ValueError(f"{_short(text)} is neither yes nor no: use true or false.")


def _unsigned(figure: str) -> tuple[bool, str]:
    if figure.startswith("(") and figure.endswith(")"):
        return True, figure[1:-1].strip()
    if figure[:1] in "-−+" and figure:
        return figure[0] != "+", figure[1:].strip()
    if figure.endswith("-"):
        return True, figure[:-1].strip()
    return False, figure


def _figure(figure: str, text: str, mark: str) -> Decimal:
    marks = [char for char in figure if char in ",.' "]
    if PLAIN_FIGURE.fullmatch(figure) and not (len(marks) == 1 and GROUPED_FIGURE.fullmatch(figure)):
        return Decimal(figure.replace(",", "."))
    if INDIAN_FIGURE.fullmatch(figure):
        return Decimal(figure.replace(",", ""))
    if not GROUPED_FIGURE.fullmatch(figure):
        raise ValueError(f"{_short(text)} is not an amount: write it as 1234.50, without other words.")
    if mark and marks in (["."], [","]) and not figure.startswith("0"):
        return Decimal(figure.replace(mark, ".") if marks == [mark] else figure.replace(marks[0], ""))
    if marks == ["."] and not figure.startswith("0"):
        whole, decimals = figure.split(".")
        raise ValueError(
            f"{_short(text)} could be {whole}{decimals} or {whole}.{decimals}: write {whole}{decimals}.00."
        )
    if figure.startswith("0"):
        return Decimal(figure.replace(",", "."))
    if len(set(marks)) == 1:
        return Decimal(re.sub(r"[,.' ]", "", figure))
    whole, decimals = figure.rsplit(marks[-1], 1)
    return Decimal(f"{re.sub(r'[^0-9]', '', whole)}.{decimals}")


def _date_parts(cell: str, day_first: bool) -> tuple[int, int, int] | None:
    if match := YEAR_FIRST.fullmatch(cell):
        year, month, day = (int(part) for part in match.groups() if part is not None)
        return year, month, day
    if match := YEAR_LAST.fullmatch(cell):
        first, mark, second, year = int(match[1]), match[2], int(match[3]), int(match[4])
        day_is_first = first > 12 or (second <= 12 and (day_first or mark == "."))
        return (year, second, first) if day_is_first else (year, first, second)
    if match := DAY_MONTH_NAME.fullmatch(cell):
        return _named(match[3], match[2], match[1])
    if match := MONTH_NAME_DAY.fullmatch(cell):
        return _named(match[3], match[1], match[2])
    return None


def _named(year: str, month: str, day: str) -> tuple[int, int, int] | None:
    name = month.lower()[:3]
    return (int(year), MONTHS.index(name) + 1, int(day)) if name in MONTHS else None


def _short(text: str) -> str:
    text = text.strip()
    return f'"{text}"' if len(text) <= 40 else f'"{text[:37]}…"'
