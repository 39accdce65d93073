"""Amounts and moments in the words a decision is written in: "$12,400", "24 months of fees", "2:05 PM ET"."""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

PERCENT, MONEY, DAYS, MONTHS, YES = "percent", "money", "days", "months", "yes"
UNITS = (PERCENT, MONEY, DAYS, MONTHS, YES)
ADDED_UP = (PERCENT, MONEY)
US_LETTERS = {"E", "C", "M", "P", "AK", "H"}


def amount_words(unit: str, amount: Decimal | None, currency: str = "USD") -> str:
    """An amount of a concession; nothing for a yes-or-no one; "any amount" without a number."""
    if unit == YES:
        return "yes, with the text"
    if amount is None:
        return "any amount"
    if unit == MONEY:
        return money_words(amount, currency)
    number = _trimmed(amount)
    if unit == PERCENT:
        return f"{number}%"
    if unit == DAYS:
        return f"net {number}"
    return f"{number} month{'' if number == '1' else 's'} of fees"


def money_words(amount: Decimal, currency: str = "USD") -> str:
    """Whole amounts without cents, USD with its sign, others with their code."""
    places = 0 if amount == amount.to_integral_value() else 2
    digits = f"{amount:,.{places}f}"
    return f"${digits}" if currency == "USD" else f"{currency} {digits}"


def money_short(amount: Decimal, currency: str = "USD") -> str:
    """For subjects: $500k, $3.1M."""
    sign = "$" if currency == "USD" else f"{currency} "
    for scale, letter in ((Decimal(10**6), "M"), (Decimal(10**3), "k")):
        if amount >= scale:
            return f"{sign}{_trimmed((amount / scale).quantize(Decimal('0.1')))}{letter}"
    return f"{sign}{_trimmed(amount.quantize(Decimal(1)))}"


def _trimmed(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def time_words(moment: datetime, zone: str) -> str:
    """`2:05 PM ET`."""
    local = moment.astimezone(ZoneInfo(zone or "UTC"))
    return f"{local.hour % 12 or 12}:{local:%M %p} {zone_words(local)}"


def moment_words(moment: datetime, zone: str, now: datetime) -> str:
    """`3:00 PM ET`, with the day when it is not today: `Fri Jan 23, 3:00 PM ET`."""
    local, today = moment.astimezone(ZoneInfo(zone or "UTC")), now.astimezone(ZoneInfo(zone or "UTC")).date()
    if local.date() == today:
        return time_words(moment, zone)
    year = f" {local.year}," if local.year != today.year else ""
    return f"{local:%a %b} {local.day},{year} {time_words(moment, zone)}"


def zone_words(local: datetime) -> str:
    """The zone of a local moment in short: `ET`, `CET`, `UTC+3`."""
    name = local.tzname() or "UTC"
    key = getattr(local.tzinfo, "key", "")
    if key.startswith(("America/", "US/", "Pacific/Honolulu")) and name[:-2] in US_LETTERS:
        return f"{name[:-2]}T"
    return f"UTC{name[:3]}" if name[:1] in "+-" else name


def listed(names: list[str]) -> str:
    """`A`, `A and B`, `A, B and C`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""
