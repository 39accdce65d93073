"""The fingerprint of what an approval binds: the same terms give the same hash, however they were typed."""

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any


def terms_hash(terms: dict[str, Any]) -> str:
    """SHA-256 of the terms in one canonical spelling."""
    return hashlib.sha256(canonical(terms).encode()).hexdigest()


def canonical(terms: dict[str, Any]) -> str:
    """Sorted, compact JSON. 24, 24.0 and "24.00" stay apart from other numbers, not from each other."""
    return json.dumps(_plain(terms), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def storable(terms: dict[str, Any]) -> dict[str, Any]:
    """The terms as plain JSON values, for the snapshot kept with the request."""
    plain: dict[str, Any] = _plain(terms)
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if isinstance(value, bool) or value is None else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, int | float | Decimal):
        return _number(Decimal(str(value)))
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return _number_text(" ".join(unicodedata.normalize("NFC", str(value)).split()))


def _number_text(text: str) -> str:
    digits = text.replace(".", "", 1)
    return _number(Decimal(text)) if digits.isascii() and digits.isdigit() and not text.startswith(".") else text


def _number(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


BASIS = ("account", "concession", "amount", "currency", "unit")
GIVE_GETS = "give_gets"
BETTER, SAME, WORSE = "better", "same", "worse"
NUMBERS = re.compile(r"\d[\d.,]*")


@dataclass(frozen=True)
class Offer:
    """What would be agreed to: how much (money in USD), the question, and the text terms."""

    amount: Decimal | None
    ask: str = ""
    terms: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """New terms against those that were approved, from the approver's side; a reason per term that differs."""

    worse: tuple[str, ...] = ()
    better: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """One term for the worse makes the whole worse."""
        return WORSE if self.worse else BETTER if self.better else SAME

    @property
    def reasons(self) -> list[str]:
        """All of them, the worse first."""
        return [*self.worse, *self.better]


def compare(before: Offer, after: Offer) -> Comparison:
    """Better only where that is certain: a smaller amount, something more that is given to us. All else that differs is worse:
    a larger amount, a give-get that is gone, another text term, another question (its numbers aside)."""
    worse, better = _amounts(before.amount, after.amount)
    if _wording(before.ask) != _wording(after.ask):
        worse.append("The question is worded differently.")
    old, new = (_texts(offer.terms) for offer in (before, after))
    for key in sorted(old.keys() | new.keys()):
        if key == GIVE_GETS or _plain(old.get(key)) == _plain(new.get(key)):
            continue
        word = "is new" if key not in old else "is gone" if key not in new else "is different"
        worse.append(f"{key.replace('_', ' ').capitalize()} {word}.")
    gone, more = _give_gets(before.terms, after.terms)
    worse += [f"No longer in return: {each}." for each in gone]
    better += [f"In return: {each}." for each in more]
    return Comparison(tuple(worse), tuple(better))


def _amounts(before: Decimal | None, after: Decimal | None) -> tuple[list[str], list[str]]:
    if before == after:
        return [], []
    if before is None or after is None or after > before:
        return ["The amount is larger."], []
    return [], ["The amount is smaller."]


def _wording(ask: str) -> str:
    return NUMBERS.sub("#", _text(ask)).casefold()


def _texts(terms: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in terms.items() if key not in BASIS and value not in ("", None, [])}


def _give_gets(before: dict[str, Any], after: dict[str, Any]) -> tuple[list[str], list[str]]:
    old, new = _listed(before.get(GIVE_GETS)), _listed(after.get(GIVE_GETS))
    return [each for each in old if each not in new], [each for each in new if each not in old]


def _listed(value: Any) -> list[str]:
    lines = value if isinstance(value, list) else str(value or "").splitlines()
    return [text for text in (_text(line) for line in lines) if text]
