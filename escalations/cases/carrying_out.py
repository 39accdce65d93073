"""Carrying out what was granted: the actions of grants, and where a case goes on after a hand-off."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from accounts.models import User
from approvals.models import ApprovalRequest
from escalations.cases import conditions, notifications
from escalations.cases.lifecycle import move
from escalations.cases.log import Entry, record
from escalations.clocks.book import written_together
from escalations.models import Action, Escalation

EXECUTION_TIME = timedelta(days=2)
# A grant that is not carried out yet, and whether it has an action.
ToDo = tuple[ApprovalRequest, bool]


def what_is_left(case: Escalation, ended: ApprovalRequest | None = None) -> tuple[bool, list[ToDo]]:
    """Whether a request of the case is open, and its grants that are not carried out yet. `ended`: the request that has just
    ended, if any."""
    actions = Action.objects.filter(request=OuterRef("pk"))
    live = case.requests.filter(state__in=[ApprovalRequest.OPEN, *ApprovalRequest.GRANTED]).order_by("pk")
    live = live.exclude(Exists(actions.filter(state=Action.DONE)))
    rows = list(live.annotate(begun=Exists(actions.filter(state=Action.OPEN))))
    grants = [(ended if ended and each.pk == ended.pk else each, each.begun) for each in rows if not each.is_open]
    return any(each.is_open for each in rows), grants


def begin(case: Escalation, to_do: list[ToDo], at: datetime) -> None:
    """Give the owner of a locked case an action for each grant that has none."""
    for made, begun in to_do:
        if not begun:
            _begin(case, made, at)


def _begin(case: Escalation, made: ApprovalRequest, at: datetime) -> None:
    owner = case.owner or made.requester
    action = Action.objects.create(
        case=case,
        title=f"Carry out: {made.subject}"[:200],
        owner=owner,
        due_at=at + EXECUTION_TIME,
        execution=True,
        request=made,
        made_at=at,
    )
    record(
        case,
        [Entry(kind="action", summary=f"Action for {owner.name}: {action.title}", data={"action": action.pk})],
        at=at,
    )
    notifications.action_given(case, action, None)
    if made.state == ApprovalRequest.CONDITIONS:
        conditions.carry(case, made, owner, at=at, otherwise=action.due_at)


@written_together
def go_on(case: Escalation, by: User, at: datetime) -> None:
    """A locked case was accepted: what was decided during the hand-off counts. It waits for the decision if a request is open,
    and goes to Execute if a grant is to be carried out; otherwise it stays in Diagnose."""
    waits, to_do = what_is_left(case)
    if waits:
        move(case, "ask", at=at, actor=by, reason="A request waits for a decision")
    elif to_do:
        move(case, "execute", at=at, actor=by, reason="What was approved is carried out")
        begin(case, to_do, at)
