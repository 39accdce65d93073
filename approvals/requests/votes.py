"""What one seat's word does to the request: recorded, the next stage opened, or the request ended."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.models import User
from approvals.mail import links
from approvals.mail import messages as mail
from approvals.models import ApprovalRequest, ApprovalStep, DecisionEntry
from approvals.requests import log
from approvals.requests import reassign as reassigning
from approvals.requests import seats as seating
from approvals.requests import suggest as suggesting
from approvals.requests.locks import hold
from approvals.requests.permissions import STATE_WORDS, Standing, not_covered
from approvals.requests.rules import seats as rules
from approvals.requests.rules.verdicts import CONDITIONS, DECLINED
from approvals.requests.stages import chain_of
from ledger.errors import AlreadyDone, NotAllowed


@dataclass(frozen=True)
class Said:
    """One verdict with its words."""

    by: User
    verdict: str
    right: Standing
    reason: str
    conditions: str
    channel: str
    against: bool
    carried_from: int | None = None

    @property
    def override(self) -> bool:
        """Against the recommendation, or in place of the approver."""
        return self.right.override or self.against


def take_seat(request: ApprovalRequest, said: Said, at: datetime) -> ApprovalStep:
    """The conditional UPDATE of the seat: of many at once, one finds it waiting. Raises AlreadyDone for the others."""
    seat = request.steps.filter(order=said.right.seat or 0, state=ApprovalStep.WAITING)
    words = {"verdict": said.verdict, "said_by": said.by, "reason": said.reason, "conditions": said.conditions}
    if not seat.update(state=ApprovalStep.DECIDED, ended_at=at, **words):
        raise AlreadyDone("This part of the request was decided a moment ago.")
    step = request.steps.select_related("approver", "role", "delegated_from").get(order=said.right.seat or 0)
    links.end(request, [step.order], at)
    if said.right.override:
        _take_group(request, step, at)
    counts = said.verdict in rules.YES or "decided_role" not in request.rule
    if counts and not said.right.function and said.right.role:
        request.rule = {**request.rule, "decided_role": said.right.role.slug}
        request.save(update_fields=["rule"])
    return step


def _take_group(request: ApprovalRequest, step: ApprovalStep, at: datetime) -> None:
    """A higher authority speaks for the whole group of the authority, a committee too."""
    chain = chain_of(request)
    group = rules.authority_group(chain)
    group["override"] = step.order
    request.chain = chain
    request.save(update_fields=["chain"])
    for seat in seating.close(request, ApprovalStep.SETTLED, at, rules.orders([group])):
        mail.settled(request, seat, f"{step.said_by} decided in place of the {group['name']}.", at)


def settle(request: ApprovalRequest, step: ApprovalStep, said: Said, at: datetime) -> None:
    """Log the word of a seat and draw the conclusion from all of them."""
    chain = chain_of(request)
    verdicts = dict(request.steps.filter(state=ApprovalStep.DECIDED).values_list("order", "verdict"))
    outcome = rules.stage_outcome(chain[request.stage - 1], verdicts)
    last = request.stage == len(chain) or outcome == DECLINED
    if _seats(chain) > 1 or said.carried_from:
        _log(request, DecisionEntry.VOTE, said, at, step=step.order, facts=_vote(request, step, said))
    if outcome and last:
        finish(request, step, said, outcome, at)
        return
    if step.approver_id != said.by.pk and not said.right.override:
        _tell_principal(request, step, said)
    if outcome:
        advance(request, at)


def _tell_principal(request: ApprovalRequest, step: ApprovalStep, said: Said) -> None:
    """Somebody stood in: the approver hears what was said in their name."""
    lead = f"{said.by} decided your part in your place: {STATE_WORDS[said.verdict]}."
    entry = request.log.filter(kind=DecisionEntry.VOTE).latest("seq")
    mail.word(request, entry, [step.approver], subject="Decided in your place", lead=lead)


def advance(request: ApprovalRequest, at: datetime) -> None:
    """The stage is settled: the next one is asked. Who was only consulted may still comment."""
    seating.close(request, ApprovalStep.SETTLED, at, _deciding(request))
    request.stage, request.step_since = request.stage + 1, at
    request.save(update_fields=["stage", "step_since"])
    reassigning.fill_stage(request, at)
    seating.open_stage(request, at)


def _deciding(request: ApprovalRequest) -> list[int]:
    seats = request.steps.filter(state=ApprovalStep.WAITING, part=ApprovalStep.DECIDE)
    return list(seats.values_list("order", flat=True))


def _seats(chain: list[rules.Stage]) -> int:
    return len(rules.orders(group for stage in chain for group in stage["groups"] if group["part"] == rules.DECIDE))


def _vote(request: ApprovalRequest, step: ApprovalStep, said: Said) -> dict[str, Any]:
    facts = {"verdict": said.verdict, "stage": request.stage, "seat": step.order, "role": step.role.slug}
    return {**facts, "carried_from": said.carried_from} if said.carried_from else facts


def finish(request: ApprovalRequest, step: ApprovalStep, said: Said, outcome: str, at: datetime) -> None:
    """The request has its outcome. Seats that still wait are settled, and everybody concerned is told."""
    seats = list(request.steps.filter(state=ApprovalStep.DECIDED, part=ApprovalStep.DECIDE).select_related("approver"))
    counted = [seat for seat in seats if seat.verdict != DECLINED]
    request.state = rules.with_conditions(outcome, [seat.verdict for seat in counted])
    request.decided_by, request.decided_at, request.version = said.by, at, request.version + 1
    request.decided_level = _level(request, said)
    request.reason = said.reason
    request.conditions = _joined(counted) if request.state == CONDITIONS else ""
    changed = ["state", "decided_by", "decided_at", "version", "decided_level", "reason", "conditions"]
    request.save(update_fields=changed)
    suggesting.answer(request, at)
    settled = seating.close(request, ApprovalStep.SETTLED, at)
    links.end_all(request, at)
    facts: dict[str, Any] = {"seats": [_seat(seat) for seat in seats]} if len(seats) > 1 else {}
    if said.carried_from:
        facts["carried_from"] = said.carried_from
    more = {"conditions": request.conditions, "step": step.order, "facts": facts}
    entry = _log(request, request.state, said, at, **more)
    mail.decided(request, entry, at, others=_others(request, seats, settled))


def _level(request: ApprovalRequest, said: Said) -> str:
    """The level of the authority: a function that speaks last does not lower it."""
    if said.right.function and request.approver_role:
        return request.approver_role.level
    return said.right.role.level if said.right.role else ""


def _joined(seats: list[ApprovalStep]) -> str:
    lines = [line for seat in seats if seat.verdict == CONDITIONS for line in seat.conditions.splitlines()]
    return "\n".join(dict.fromkeys(line.strip() for line in lines if line.strip()))


def _seat(seat: ApprovalStep) -> dict[str, Any]:
    return {"seat": seat.order, "person": seat.said_by_id, "verdict": seat.verdict, "of": seat.approver_id}


def _others(request: ApprovalRequest, seats: list[ApprovalStep], settled: list[ApprovalStep]) -> list[User]:
    """Who hears besides the requester: everybody who was asked and did not speak, or for whom somebody else did."""
    silent = [seat.approver for seat in settled]
    spoken_for = [seat.approver for seat in seats if seat.said_by_id != seat.approver_id]
    delegators = [seat.delegated_from for seat in seats if seat.delegated_from]
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


def weigh_again(request: ApprovalRequest, at: datetime) -> None:
    """Grants of one family, of one renewal and of a role with a quarter cap are weighed one after the other, so that two
    halves at once are added up too (services.holding names the order of locks).

    Raises NotAllowed when the authority that agreed does not cover it any more; refusing undoes all of it.
    """
    hold(account=request.account, concession=request.concession, renewal=request.renewal)
    if words := not_covered(request, request.rule.get("decided_role", ""), at):
        raise NotAllowed(words)
