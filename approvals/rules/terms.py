"""The fingerprint of what an approval binds: the same terms give the same hash, however they were typed."""

import hashlib
import json
import unicodedata
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
