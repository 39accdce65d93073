"""Is a waiting message still wanted? The apps above register a check for each prefix they use in `wanted_while`."""

import logging
from collections.abc import Callable, Collection, Iterable

Check = Callable[[str], bool]
CheckMany = Callable[[Collection[str]], Collection[str]]
Verdict = bool | Exception
log = logging.getLogger(__name__)
_checks: dict[str, Check] = {}
_checks_of_many: dict[str, CheckMany] = {}


def register(prefix: str, check: Check, many: CheckMany | None = None) -> None:
    """Ask `check` with the part after the colon before a message marked `prefix:…` is sent. The last one registered counts.

    `many`, if there is one, gets all such parts of a batch and returns those that still hold, so that a batch costs one query.
    """
    _checks[prefix] = check
    _checks_of_many.pop(prefix, None)
    if many:
        _checks_of_many[prefix] = many


def is_wanted(wanted_while: str) -> bool:
    """Whether the reason for a message still holds. Without a mark, or with one nobody knows, it does: word is not lost."""
    prefix, _, rest = wanted_while.partition(":")
    check = _checks.get(prefix)
    return check(rest) if check else True


def verdicts(marks: Iterable[str]) -> dict[str, Verdict]:
    """`is_wanted` for a batch, each mark asked once; the error instead, for a mark whose check fails."""
    found: dict[str, Verdict] = {}
    by_prefix: dict[str, list[str]] = {}
    for mark in dict.fromkeys(marks):
        by_prefix.setdefault(mark.partition(":")[0], []).append(mark)
    for prefix, group in by_prefix.items():
        found |= _together(prefix, group) or {mark: _alone(mark) for mark in group}
    return found


def _together(prefix: str, marks: list[str]) -> dict[str, Verdict]:
    many = _checks_of_many.get(prefix)
    if many is None:
        return {}
    rests = {mark: mark.partition(":")[2] for mark in marks}
    try:
        held = set(many(list(rests.values())))
    except Exception:  # one bad mark must not decide for the others: each is asked by itself
        log.exception("The check of many %s messages failed", prefix)
        return {}
    return {mark: rest in held for mark, rest in rests.items()}


def _alone(mark: str) -> Verdict:
    try:
        return is_wanted(mark)
    except Exception as error:
        log.exception("The check of %s failed", mark)
        return error
