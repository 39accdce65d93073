"""The effect of one seat's vote: it is recorded, and the next stage is asked or the request ends."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.models import User
from approvals.mail import links
from approvals.mail import messages as mail
from approvals.matrix.totals import AskTotal, lock_totals, total_of
from approvals.models import ApprovalRequest, DecisionEntry, Seat
from approvals.requests import log, plan
from approvals.requests import seats as seating
from approvals.requests import suggest as suggesting
from approvals.requests.permissions import STATE_WORDS, Permission, not_covered
from approvals.requests.rules import seats as rules
from approvals.requests.rules.verdicts import CONDITIONS, DECLINED
from ledger.errors import AlreadyDone, NotAllowed


@dataclass(frozen=True)
class Said:
    """One verdict with its texts."""

    by: User
    verdict: str
    right: Permission
    reason: str
    conditions: str
    channel: str
    against: bool
    carried_from: int | None = None

    @property
    def override(self) -> bool:
        """Against the recommendation, or in place of the approver."""
        return self.right.override or self.against


def take_seat(request: ApprovalRequest, said: Said, at: datetime) -> Seat:
    """The conditional UPDATE of the seat: of several at the same time, only one succeeds; the others get AlreadyDone.
    `settle` saves the request and ends the links.
    """
    number = said.right.seat or 0
    words = {"verdict": said.verdict, "said_by": said.by, "reason": said.reason, "conditions": said.conditions}
    words |= {"state": Seat.DECIDED, "ended_at": at, "override": said.right.override}
    if not request.seats.asked().filter(number=number).update(**words):
        raise AlreadyDone("This part of the request was decided a moment ago.")
    taken = next(each for each in request.all_seats() if each.number == number)
    for name, value in words.items():
        setattr(taken, name, value)
    if said.right.override:
        _settle_group(request, taken, at)
    counts = said.verdict in rules.YES or "decided_role" not in request.rule
    if counts and not said.right.function and said.right.role:
        request.rule = {**request.rule, "decided_role": said.right.role.slug}
    return taken


def _settle_group(request: ApprovalRequest, taken: Seat, at: datetime) -> None:
    """A higher authority decides for the whole group of the authority, also for a committee."""
    group = rules.authority_group(plan.stages_of(request))
    for seat in seating.close(request, Seat.SETTLED, at, [seat.number for seat in group.seats]):
        mail.settled(request, seat, f"{taken.said_by} decided in place of the {group.name}.", at)


def settle(request: ApprovalRequest, seat: Seat, said: Said, total: AskTotal) -> None:
    """Log the vote of a seat, work out the outcome from all votes, and save the request."""
    at, stages = total.at, plan.stages_of(request)
    stage = next(stage for stage in stages if stage.number == seat.stage)
    verdicts = {each.number: each.verdict for each in request.all_seats() if each.state == Seat.DECIDED}
    outcome = rules.stage_outcome(stage, verdicts)
    last = stage == stages[-1] or outcome == DECLINED
    several = sum(len(group.seats) for each in stages for group in each.groups if group.decides) > 1
    if several or said.carried_from:
        _log(request, DecisionEntry.VOTE, said, at, seat=seat.number, facts=_vote(seat, said))
    if outcome and last:
        finish(request, seat, said, outcome, at)
        return
    links.end([seat], at)
    if seat.person_id != said.by.pk and not said.right.override:
        _tell_principal(request, seat, said)
    if outcome:
        advance(request, total)
    else:
        request.save(update_fields=["rule"])


def _tell_principal(request: ApprovalRequest, seat: Seat, said: Said) -> None:
    """A stand-in decided: notify the person of the seat."""
    lead = f"{said.by} decided your part in your place: {STATE_WORDS[said.verdict]}."
    entry = request.log.filter(kind=DecisionEntry.VOTE).latest("seq")
    mail.word(request, entry, [seat.person], subject="Decided in your place", lead=lead)


def advance(request: ApprovalRequest, total: AskTotal) -> None:
    """The stage is decided: ask the next one. Consulted people may still comment."""
    at = total.at
    seating.close(request, Seat.SETTLED, at, [seat.number for seat in seating.deciding(request)])
    request.asked_since = at
    request.save(update_fields=["asked_since", "rule"])
    seating.fill_stage(request, at)
    seating.open_stage(request, total)


def _vote(seat: Seat, said: Said) -> dict[str, Any]:
    facts = {"verdict": said.verdict, "stage": seat.stage, "seat": seat.number, "role": seat.role.slug}
    return {**facts, "carried_from": said.carried_from} if said.carried_from else facts


def finish(request: ApprovalRequest, seat: Seat, said: Said, outcome: str, at: datetime) -> None:
    """The request has its outcome. Close seats that are still asked, and notify everybody concerned."""
    seats = [each for each in request.all_seats() if each.state == Seat.DECIDED and each.part == Seat.DECIDE]
    counted = [each for each in seats if each.verdict != DECLINED]
    request.state = rules.with_conditions(outcome, [each.verdict for each in counted])
    request.decided_by, request.decided_at, request.version = said.by, at, request.version + 1
    request.decided_level = _level(request, said)
    request.reason = said.reason
    request.conditions = _joined(counted) if request.state == CONDITIONS else ""
    suggesting.answer(request, at)
    settled = seating.close(request, Seat.SETTLED, at)
    links.end_all(request, at)
    facts: dict[str, Any] = {"seats": [_seat(each) for each in seats]} if len(seats) > 1 else {}
    if said.carried_from:
        facts["carried_from"] = said.carried_from
    changed = ["state", "decided_by", "decided_at", "version", "decided_level", "reason", "conditions", "rule"]
    more = {"conditions": request.conditions, "seat": seat.number, "facts": facts, "changed": changed}
    entry = _log(request, request.state, said, at, **more)
    mail.decided(request, entry, at, others=_others(request, seats, settled))


def _level(request: ApprovalRequest, said: Said) -> str:
    """The level of the authority: a function that decides last does not lower it."""
    if said.right.function and request.approver_role:
        return request.approver_role.level
    return said.right.role.level if said.right.role else ""


def _joined(seats: list[Seat]) -> str:
    lines = [line for seat in seats if seat.verdict == CONDITIONS for line in seat.conditions.splitlines()]
    return "\n".join(dict.fromkeys(line.strip() for line in lines if line.strip()))


def _seat(seat: Seat) -> dict[str, Any]:
    return {"seat": seat.number, "person": seat.said_by_id, "verdict": seat.verdict, "of": seat.person_id}


def _others(request: ApprovalRequest, seats: list[Seat], settled: list[Seat]) -> list[User]:
    """People to notify besides the requester: everybody who was asked and did not decide, or for whom somebody else
    did."""
    silent = [seat.person for seat in settled]
    spoken_for = [seat.person for seat in seats if seat.said_by_id != seat.person_id]
    delegators = [seat.stands_for for seat in seats if seat.stands_for]
    told = {user.pk: user for user in (*silent, *spoken_for, *delegators)}
    return [user for pk, user in told.items() if pk not in (request.requester_id, request.decided_by_id)]


def _log(request: ApprovalRequest, kind: str, said: Said, at: datetime, **values: Any) -> DecisionEntry:
    words = {"rationale": said.reason, "conditions": said.conditions, "override": said.override}
    return log.write(
        request,
        kind,
        at,
        actor=said.by,
        on_behalf_of=said.right.on_behalf_of,
        channel=said.channel,
        role=said.right.role.name if said.right.role else "",
        limit=said.right.limit,
        options=request.options,
        **{**words, **values},
    )


def weigh_again(request: ApprovalRequest, before: AskTotal) -> None:
    """Compute the total of a granted request again with the totals locked, so that two halves granted at the same time
    are added up. Raises NotAllowed if the authority that agreed no longer covers it; the transaction is then rolled
    back.
    """
    request.account = lock_totals(request.account, request.concession, request.renewal)
    total = total_of(request, before.at, rows=before.rows)
    if words := not_covered(request, request.rule.get("decided_role", ""), total):
        raise NotAllowed(words)
