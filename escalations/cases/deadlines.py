"""Change the customer's deadline: the case keeps the new date, and its clock starts again."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from escalations import states
from escalations.cases.access import check
from escalations.cases.log import Entry, lock, record
from escalations.cases.thread import first_act
from escalations.clocks import verbs as clocks
from escalations.clocks.book import together
from escalations.models import Clock, Escalation
from escalations.triage import routing
from ledger import chain
from ledger.errors import Invalid, Stale
from ledger.format import recorded
from ledger.now import now
from ledger.reading import has_words


@transaction.atomic
def set_deadline(
    *, case_id: int, by: User, deadline: datetime | None, reason: str, version: int | None = None
) -> Escalation:
    """Change the date by which the customer needs an answer, or remove it, with who said so and why. Restarts the clock
    of that date: the resolution of a deal, the customer's deadline of other cases. Raises Invalid without a reason, for
    a date in the past and for a case that has ended; Stale if the case changed since `version`.
    """
    at, case = now(), lock(case_id)
    check(case, by, "status")
    _need(case, deadline, reason, at)
    if version is not None and version != case.version:
        raise Stale(
            "Another user changed the case while you typed. Check it, then enter the date again.", field="deadline"
        )
    with together(case):
        before, case.deadline, case.version = case.deadline, deadline, case.version + 1
        chain.save(case, ["deadline", "version"])
        data = {"before": before.isoformat() if before else None, "after": deadline.isoformat() if deadline else None}
        summary = f"Customer deadline: {recorded(before)} → {recorded(deadline)}. {reason}"
        record(case, [Entry(kind="deadline", summary=summary, actor=by, data=data)], at=at)
        first_act(case, by, at)
        clocks.stop(case, states.CUSTOMER_DEADLINE, at=at, outcome=Clock.STOPPED)
        routing.start_deadline(case, at)
    return case


def _need(case: Escalation, deadline: datetime | None, reason: str, at: datetime) -> None:
    if not case.is_open:
        raise Invalid(f"{case.key} is {states.in_a_sentence(case.state)}. Reopen it before you change the deadline.")
    if deadline is not None and deadline <= at:
        raise Invalid("The customer's deadline must be in the future. Enter a later date and time.", field="deadline")
    if deadline == case.deadline:
        raise Invalid("This is already the deadline. Enter another date and time.", field="deadline")
    if not has_words(reason):
        raise Invalid("Enter who changed the deadline and why.", field="reason")
