"""The hash of the approved terms: the same terms give the same hash, independent of their spelling."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeAlias

from ledger.errors import Invalid
from ledger.format import number
from ledger.json_types import Json, JsonObject

# The value of a term; kept as JSON.
Term: TypeAlias = "str | int | float | Decimal | date | Sequence[Term] | Mapping[str, Term] | None"
Terms = dict[str, Term]


def terms_hash(terms: Terms) -> str:
    """SHA-256 of the terms in one canonical spelling."""
    return hashlib.sha256(canonical(terms).encode()).hexdigest()


def canonical(terms: Terms) -> str:
    """Sorted, compact JSON. 24, 24.0 and "24.00" are equal to each other."""
    return json.dumps(_plain(terms), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def storable(terms: Terms) -> JsonObject:
    """The terms as plain JSON values, for the snapshot kept with the request."""
    return {str(key): _plain(each) for key, each in terms.items()}


def _plain(value: Term) -> Json:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if isinstance(value, bool) or value is None else _text(value)


def _text(value: object) -> str:
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
SMALLER = "The amount is smaller."
BETTER, SAME, WORSE = "better", "same", "worse"
NUMBERS = re.compile(r"\d(?:[\d.,]*\d)?")
AMOUNT = re.compile(r"(\d+|\d{1,3}(,\d{3})+)(\.\d+)?")
# Neither database stores these in text.
NOT_KEPT = re.compile("[\0\ud800-\udfff]")
DEEPEST, LONGEST, MOST = 3, 8_000, 100


def check(terms: Terms) -> None:
    """Raises Invalid for terms that repeat fields of the request (account, amount …), or that cannot be stored. Allowed
    are texts, numbers, dates and yes or no, in lists or groups of at most three levels, 100 of them, 8,000 characters
    in all."""
    if said := sorted(set(terms) & set(BASIS)):
        raise Invalid(f"Leave {said[0]} out of the terms: it is already part of the request.", field="terms")
    given = terms.get(GIVE_GETS)
    lines = given if isinstance(given, list) else [given]
    if not all(each is None or isinstance(each, str) for each in lines):
        raise Invalid("What we get in return must be text, or a list of texts.", field="terms")
    leaves = list(_leaves(terms, 0))
    if len(leaves) > MOST or sum(len(str(leaf)) for leaf in leaves) > LONGEST:
        raise Invalid(f"Keep the terms to {MOST} entries and {number(LONGEST)} characters.", field="terms")


def _leaves(value: Term, depth: int) -> Iterator[Term]:
    if isinstance(value, dict | list | tuple):
        if depth >= DEEPEST:
            raise Invalid("Terms are nested too deep: three levels at most.", field="terms")
        inner = [*value.keys(), *value.values()] if isinstance(value, dict) else value
        for each in inner:
            yield from _leaves(each, depth + 1)
        return
    if NOT_KEPT.search(str(value)):
        raise Invalid("The terms contain a character that cannot be stored. Type that text again.", field="terms")
    if isinstance(value, int | float | Decimal) and not Decimal(value).is_finite():
        raise Invalid("A number in the terms is not valid. Enter it again.", field="terms")
    yield value


@dataclass(frozen=True)
class Offer:
    """The terms to agree to: the amount (money in USD), the question, and the text terms. `shown`: the amount as
    written in the question."""

    amount: Decimal | None
    ask: str = ""
    terms: Terms = field(default_factory=dict)
    shown: Decimal | None = None


@dataclass(frozen=True)
class Comparison:
    """New terms against those that were approved, from the approver's side; a reason per term that differs."""

    worse: tuple[str, ...] = ()
    better: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """One worse term makes the whole worse."""
        return WORSE if self.worse else BETTER if self.better else SAME

    @property
    def reasons(self) -> list[str]:
        """All reasons, the worse first."""
        return [*self.worse, *self.better]


def compare(before: Offer, after: Offer) -> Comparison:
    """Better only if that is certain: a smaller amount, or something more in return. Every other difference is worse: a
    larger amount, less in return, another text term, another question (apart from the amount in it)."""
    worse, better = _amounts(before.amount, after.amount)
    if not _same_question(before, after):
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
    return [], [SMALLER]


def _same_question(before: Offer, after: Offer) -> bool:
    """Whether words and numbers are the same; in one place the old amount may be replaced by the new one."""
    old, new = _text(before.ask).casefold(), _text(after.ask).casefold()
    if NUMBERS.sub("#", old) != NUMBERS.sub("#", new):
        return False
    changed = [pair for pair in zip(NUMBERS.findall(old), NUMBERS.findall(new), strict=True) if pair[0] != pair[1]]
    if not changed or None in (before.shown, after.shown):
        return not changed
    return len(changed) == 1 and tuple(_value(text) for text in changed[0]) == (before.shown, after.shown)


def _value(text: str) -> Decimal | None:
    """1,500.50 and 24, as people write amounts; None for anything else."""
    return Decimal(text.replace(",", "")) if AMOUNT.fullmatch(text) else None


def _texts(terms: Terms) -> Terms:
    return {key: value for key, value in terms.items() if key not in BASIS and value not in ("", None, [])}


def _give_gets(before: Terms, after: Terms) -> tuple[list[str], list[str]]:
    old, new = _listed(before.get(GIVE_GETS)), _listed(after.get(GIVE_GETS))
    return [each for each in old if each not in new], [each for each in new if each not in old]


def _listed(value: Term) -> list[str]:
    lines = value if isinstance(value, list) else str(value or "").splitlines()
    return [text for text in (_text(line) for line in lines) if text]
