"""Is a waiting message still wanted? The apps above register a check for each prefix they use in `wanted_while`."""

from collections.abc import Callable

Check = Callable[[str], bool]
_checks: dict[str, Check] = {}


def register(prefix: str, check: Check) -> None:
    """Ask `check` with the part after the colon before a message marked `prefix:…` is sent. The last one registered counts."""
    _checks[prefix] = check


def is_wanted(wanted_while: str) -> bool:
    """Whether the reason for a message still holds. Without a mark, or with one nobody knows, it does: word is not lost."""
    prefix, _, rest = wanted_while.partition(":")
    check = _checks.get(prefix)
    return check(rest) if check else True
