"""The only writer of a case's state."""

from collections.abc import Sequence
from datetime import datetime

from django_fsm import TransitionNotAllowed

from accounts.models import User
from escalations import states
from escalations.cases.log import Entry, record
from escalations.models import Escalation
from ledger import chain
from ledger.errors import AlreadyDone

VERBS = (
    "triage",
    "hand_off",
    "accept",
    "give_back",
    "ask",
    "execute",
    "rework",
    "resolve",
    "review",
    "close",
    "reopen",
    "withdraw",
    "mark_duplicate",
)


def move_many(
    cases: Sequence[Escalation], verb: str, *, at: datetime, actor: User | None = None, reason: str = ""
) -> None:
    """Move locked cases by a verb of the transition table and log each move.

    Raises AlreadyDone with the case and its state if the table does not allow the move; then no case has moved, because
    the caller's transaction rolls back.
    """
    if verb not in VERBS:
        raise ValueError(f"{verb} is not in the transition table")
    for case in cases:
        before = case.state
        try:
            getattr(case, verb)()
        except TransitionNotAllowed as error:
            state = dict(states.STATES)[before].lower()
            raise AlreadyDone(f"{case.key} is {state}, so this cannot be done now. Reload the case.") from error
        case.version += 1
        chain.save(case, ["state", "version"])
        record(case, [_entry(case, verb, before, actor, reason)], at=at)


def _entry(case: Escalation, verb: str, before: str, actor: User | None, reason: str) -> Entry:
    names = dict(states.STATES)
    because = f": {reason}" if reason else ""
    return Entry(
        kind="moved",
        actor=actor,
        summary=f"{names[before]} → {names[case.state]}{because}",
        data={"verb": verb, "from": before, "to": case.state, "reason": reason},
    )


def move(case: Escalation, verb: str, *, at: datetime, actor: User | None = None, reason: str = "") -> None:
    """Move one locked case; see `move_many`."""
    move_many([case], verb, at=at, actor=actor, reason=reason)
