"""A recalled request asked again: what was agreed on terms that are no worse is not asked twice."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.models import User
from approvals.models import ApprovalRequest, ApprovalStep, DecisionEntry
from approvals.requests import log
from approvals.requests import seats as seating
from approvals.requests import terms as changing
from approvals.requests import votes as voting
from approvals.requests.decide import may_recall
from approvals.requests.permissions import standing, waiting_seats, what_happened
from approvals.requests.rules.seats import YES
from approvals.requests.rules.terms import WORSE
from approvals.requests.rules.verdicts import goes_against
from ledger.errors import AlreadyDone, NotAllowed, Stale
from ledger.now import now


@transaction.atomic
def resubmit(
    *,
    request_id: int,
    by: User,
    amount: Decimal | None = None,
    currency: str = "",
    terms: dict[str, Any] | None = None,
    ask: str = "",
    recommendation: str = "",
    deadline: datetime | None = None,
    channel: str = DecisionEntry.WEB,
) -> ApprovalRequest:
    """Ask a recalled request again, with its terms or new ones. Returns the new request, which `replaces` the old one.

    On terms that are no worse, whoever agreed to the old one in their own seat and has the same seat in the new one has agreed
    (logged as carried over); on worse terms everybody is asked. Raises Stale unless it was recalled, AlreadyDone when it was
    asked again before, NotAllowed unless `by` may recall it.
    """
    at = now()
    old = seating.locked(request_id)
    if not may_recall(old, by):
        raise NotAllowed(f"Only {old.requester}, their managers or the account's CSM and AE may ask again.")
    if old.state != ApprovalRequest.RECALLED:
        raise Stale("Only a recalled request is asked again." if old.is_open else f"{what_happened(old, by, at)}.")
    if old.replaced_by.exists():
        raise AlreadyDone("This request was asked again before. Open the newer one.")
    wanted = changing.new_terms(old, amount, currency, terms, ask)
    changing.check_carried_out(old, wanted, at)
    found = changing.comparison(old, **wanted, at=at)
    log.write(old, DecisionEntry.AMENDED, at, actor=by, channel=channel, facts=_facts(found.outcome, found.reasons))
    made = changing.again(old, by, channel, wanted, at, recommendation=recommendation, deadline=deadline)
    log.write(old, DecisionEntry.REPLACED, at, actor=by, channel=channel, facts={"by": made.pk})
    if found.outcome != WORSE and made.is_open:
        _carry_over(old, made, at)
    return made


def _facts(outcome: str, reasons: list[str]) -> dict[str, Any]:
    return {"outcome": outcome, "reasons": reasons, "asked_again": True}


def _carry_over(old: ApprovalRequest, made: ApprovalRequest, at: datetime) -> None:
    """Agreement given in one's own seat counts in the same seat, stage by stage, as far as the person may still give it."""
    given = {
        (vote.approver_id, vote.role_id): vote
        for vote in old.steps.filter(state=ApprovalStep.DECIDED, part=ApprovalStep.DECIDE, verdict__in=YES)
        if vote.said_by_id == vote.approver_id and vote.delegated_from_id is None
    }
    while made.is_open:
        seat = next((each for each in waiting_seats(made) if (each.approver_id, each.role_id) in given), None)
        if seat is None:
            return
        vote = given.pop((seat.approver_id, seat.role_id))
        right = standing(made, seat.approver, at, seat.order)
        if right.may_decide and not right.override:
            against = goes_against(vote.verdict, made.options, vote.conditions)
            words = (vote.reason, vote.conditions)
            said = voting.Said(seat.approver, vote.verdict, right, *words, DecisionEntry.RULE, against, old.pk)
            voting.settle(made, voting.take_seat(made, said, at), said, at)
    if made.state in changing.GRANTED:
        voting.weigh_again(made, at)
