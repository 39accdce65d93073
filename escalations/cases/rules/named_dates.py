"""The day that a text names, such as "signed by Dec 18". Pure."""

import re
from datetime import date

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# With a capital, so that "may" and "march" in a sentence are not months.
_MONTH = (
    r"(?P<month>Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:t(?:ember)?)?"
    r"|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?\b"
_YEAR = r"(?:,?\s+(?P<year>20\d\d)\b)?"
FORMS = (
    re.compile(r"\b(?P<year>20\d\d)-(?P<number>\d{2})-(?P<day>\d{2})\b"),
    re.compile(rf"\b{_MONTH}\s+{_DAY}{_YEAR}"),
    re.compile(rf"\b{_DAY}\s+{_MONTH}{_YEAR}"),
)


def named_date(text: str, today: date) -> date | None:
    """The latest day from today on that the text names; without a year, the next such day. None if it names none."""
    found = [day for form in FORMS for match in form.finditer(text) if (day := _day(match, today))]
    return max(found, default=None)


def passed_date(text: str, today: date) -> date | None:
    """The latest day that the text names with its year, if all such days are over; else None."""
    return None if named_date(text, today) else named_date(text, date.min)


def _day(match: re.Match[str], today: date) -> date | None:
    given = match.groupdict()
    month = int(given["number"]) if given.get("number") else MONTHS.index(given["month"][:3].lower()) + 1
    years = [int(given["year"])] if given["year"] else [today.year, today.year + 1]
    for year in years:
        try:
            day = date(year, month, int(given["day"]))
        except ValueError:
            continue
        if day >= today:
            return day
    return None
