"""What was recommended, and which decisions need a reason."""

from typing import TypedDict

from ledger.errors import Invalid
from ledger.format import number
from ledger.reading import has_words

APPROVED, CONDITIONS, DECLINED = "approved", "conditions", "declined"
VERDICTS = (APPROVED, CONDITIONS, DECLINED)

LONGEST_WORDS = 4_000


class Option(TypedDict, total=False):
    """One option of the brief; kept with the request as JSON."""

    name: str
    revenue: str
    exposure: str
    trade_off: str
    conditions: str | list[str]
    recommended: bool
    status_quo: bool


def check_words(words: str, field: str, missing: str) -> None:
    """Raises Invalid with the sentence `missing` for an empty text, and for a text that is too long."""
    if not has_words(words):
        raise Invalid(missing, field=field)
    if len(words.strip()) > LONGEST_WORDS:
        raise Invalid(
            f"Keep it to {number(LONGEST_WORDS)} characters: this has {number(len(words.strip()))}.", field=field
        )


def recommended_option(options: list[Option]) -> Option:
    """The option marked as recommended, or an empty one."""
    return next((option for option in options if option.get("recommended")), Option())


def recommended_conditions(options: list[Option]) -> list[str]:
    """Conditions that belong to the recommended option, one each."""
    return conditions_of(recommended_option(options))


def conditions_of(option: Option) -> list[str]:
    """The conditions of an option, one each."""
    given = option.get("conditions") or []
    lines = given.splitlines() if isinstance(given, str) else [str(each) for each in given]
    return [line.strip() for line in lines if line.strip()]


def recommended_verdict(options: list[Option]) -> str:
    """The verdict that follows the recommendation. Recommending the status quo means recommending to decline."""
    if recommended_option(options).get("status_quo"):
        return DECLINED
    return CONDITIONS if recommended_conditions(options) else APPROVED


def goes_against(verdict: str, options: list[Option], conditions: str | None = None) -> bool:
    """Whether it goes against the recommendation. Adding conditions to a recommended grant does not; dropping one does.
    `conditions`: the given ones, one per line; None while they are not known, then those recommended."""
    recommended = recommended_verdict(options)
    if (verdict == DECLINED) != (recommended == DECLINED):
        return True
    if verdict != CONDITIONS or conditions is None:
        return recommended == CONDITIONS and verdict == APPROVED
    given = {line.strip().casefold() for line in conditions.splitlines()}
    return any(line.casefold() not in given for line in recommended_conditions(options))


def as_recommended(verdict: str, options: list[Option], conditions: str = "") -> bool:
    """Whether it is exactly what was recommended: the same verdict with the recommended conditions, in any order, and no
    others. `conditions`: one per line."""
    if verdict != recommended_verdict(options):
        return False
    given = {line.strip().casefold() for line in conditions.splitlines() if line.strip()}
    return verdict != CONDITIONS or given == {line.casefold() for line in recommended_conditions(options)}


def what_is_missing(
    *,
    verdict: str,
    reason: str,
    conditions: str,
    override: bool,
    against: bool,
    suggested: bool = False,
    recommended: bool = False,
) -> tuple[str, str]:
    """(field, sentence) of a missing text; empty if nothing is missing. `suggested`: the suggestion is different.
    `recommended`: the decision is exactly the recommended one, so its conditions have their reasons in the brief."""
    if verdict == CONDITIONS and not conditions.strip():
        return "conditions", "Enter the conditions."
    causes = (
        (verdict == DECLINED, "declining"),
        (override, "deciding in place of the person asked"),
        (against, "going against the recommendation"),
        (suggested, "not following the suggestion"),
        (verdict == CONDITIONS and not recommended, "the conditions"),
    )
    cause = next((words for holds, words in causes if holds), "")
    return ("reason", f"Enter a reason for {cause}.") if cause and not has_words(reason) else ("", "")
