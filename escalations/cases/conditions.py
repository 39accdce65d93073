"""The conditions of an approval: each is a commitment with an owner and a day until it is kept or the decision is gone.

Callers hold the case's lock and write its clocks together.
"""

from datetime import date, datetime

from accounts.models import User
from approvals.models import ApprovalRequest
from escalations import states
from escalations.cases.log import Entry, record
from escalations.cases.rules.named_dates import named_date, passed_date
from escalations.clocks import verbs as clocks
from escalations.clocks.book import written_together
from escalations.clocks.targets import business_day, end_of_business
from escalations.models import Clock, Commitment, Escalation
from ledger.format import day, listed
from ledger.json_types import JsonObject

LONGEST = 300


@written_together
def carry(case: Escalation, made: ApprovalRequest, owner: User, *, at: datetime, otherwise: datetime) -> None:
    """Make a commitment of each condition of a granted request. It is due on the day that it names, else by the customer's
    deadline, else at `otherwise`. Days are those of the business calendar. A condition too long for a commitment ends with
    "…"; the decision keeps all of it."""
    usual = business_day(case.deadline if case.deadline and case.deadline > at else otherwise)
    today = business_day(at)
    for line in filter(None, (each.strip() for each in made.conditions.splitlines())):
        passed = passed_date(line, today)
        kept = Commitment.objects.create(
            account=case.account,
            case=case,
            request=made,
            by=Commitment.CONDITION,
            text=line if len(line) <= LONGEST else f"{line[: LONGEST - 2].rstrip()} …",
            owner=owner,
            due_on=named_date(line, today) or usual,
            made_at=at,
        )
        start(case, kept, by=None, at=at, note=f". It names {day(passed)}, which has passed." if passed else "")


@written_together
def start(case: Escalation, made: Commitment, *, by: User | None, at: datetime, note: str = "") -> None:
    """Record a new commitment of a locked case, with a note after it, and start its clock, to the end of business on its
    day."""
    summary = f"{made.get_by_display()}: {made.text} (by {day(made.due_on)}){note}"
    record(case, [Entry(kind="commitment", summary=summary, actor=by, data={"commitment": made.pk})], at=at)
    _start_clock(case, made, at)


@written_together
def move_day(case: Escalation, made: Commitment, due_on: date, *, by: User, reason: str, at: datetime) -> None:
    """Give an open condition of a locked case another day, on the record. Its clock starts again; one that is past due is
    missed."""
    before, made.due_on = made.due_on, due_on
    made.save(update_fields=["due_on"])
    summary = f"Another day for the condition “{made.text}”: {day(before)} → {day(due_on)}. {reason}"
    data: JsonObject = {"commitment": made.pk, "before": before.isoformat(), "after": due_on.isoformat()}
    record(case, [Entry(kind="commitment", summary=summary, actor=by, data=data)], at=at)
    late = end_of_business(before) <= at
    clocks.stop(case, states.COMMITMENT, at=at, outcome="" if late else Clock.STOPPED, about=made.pk)
    _start_clock(case, made, at)


def _start_clock(case: Escalation, made: Commitment, at: datetime) -> None:
    why = f"{made.get_by_display()}, by the end of business on {day(made.due_on)}"
    clocks.start(case, states.COMMITMENT, at=at, due_at=end_of_business(made.due_on), why=why, commitment=made)


@written_together
def lapse(case: Escalation, made: ApprovalRequest, *, at: datetime) -> None:
    """The approval was undone or replaced: its open conditions do not apply any more."""
    for kept in Commitment.objects.filter(request=made, state=Commitment.OPEN):
        kept.state, kept.kept_at = Commitment.LAPSED, at
        kept.save(update_fields=["state", "kept_at"])
        entry = Entry(
            kind="commitment", summary=f"{kept.get_state_display()}: {kept.text}", data={"commitment": kept.pk}
        )
        record(case, [entry], at=at)
        clocks.stop(case, states.COMMITMENT, at=at, outcome=Clock.STOPPED, about=kept.pk)


def still_open(case: Escalation) -> list[Commitment]:
    """The conditions of its approvals that are neither kept nor broken, soonest due first."""
    found = case.commitments.filter(by=Commitment.CONDITION, state=Commitment.OPEN)
    return list(found.select_related("owner"))


def in_words(open_ones: list[Commitment]) -> str:
    """The open conditions with owner and day; empty if there are none."""
    if not open_ones:
        return ""
    named = [f"{each.text} ({each.owner.name}, by {day(each.due_on)})" for each in open_ones]
    count = "1 condition is" if len(named) == 1 else f"{len(named)} conditions are"
    return f"{count} still open: {listed(named)}"
