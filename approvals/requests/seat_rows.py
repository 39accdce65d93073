"""Seats of a request for people: who said what, who is waited for, what comes next, and what the viewer may do about it."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, prefetch_related_objects

from accounts.models import User
from approvals.models import ApprovalRequest, ApprovalStep
from approvals.requests.permissions import STATE_WORDS, Standing
from approvals.requests.rules import seats as rules
from approvals.requests.rules.verdicts import DECLINED
from approvals.requests.stages import chain_of
from ledger.format import listed

GRANTED = (ApprovalRequest.APPROVED, ApprovalRequest.CONDITIONS)
MARKS = {
    ApprovalStep.WAITING: ("wait", "is asked"),
    ApprovalStep.PASSED_UP: ("none", "did not decide, passed up"),
    ApprovalStep.RECALLED: ("none", "was asked, recalled"),
    ApprovalStep.DELEGATED: ("none", "delegated it"),
    ApprovalStep.VOIDED: ("none", "was asked on terms that changed"),
    ApprovalStep.SETTLED: ("none", "was asked, settled without"),
    ApprovalStep.REASSIGNED: ("none", "was asked, could not decide any more"),
}


def seats_of(request: ApprovalRequest, at: datetime) -> list[dict[str, Any]]:
    """Stages for components/chain.html: past and present seats in order, then those that come later."""
    rows = list(request.steps.select_related("approver", "role", "said_by", "delegated_from"))
    chain = chain_of(request) if not request.by_rule else []
    planned = _planned(chain)
    opened = {step.order for step in rows}
    ended = not request.is_open
    stages = []
    for number, stage in enumerate(chain, 1):
        mine = [step for step in rows if planned.get(step.order, step.stage) == number]
        later = [] if ended else [_later(seat, group) for group in stage["groups"] for seat in group["seats"]
                                  if seat["order"] not in opened]  # fmt: skip
        lines = [_line(step, request) for step in mine] + later
        words = listed([text for text in map(_words, stage["groups"]) if text])
        if lines:
            stages.append({"number": number, "name": stage["name"], "words": words, "chain": lines})
    for stage in stages:
        stage["alone"] = len(stages) == 1
        stage["now"] = not ended and stage["number"] == request.stage
    return stages


def _planned(chain: Iterable[rules.Stage]) -> dict[int, int]:
    return {order: number for number, stage in enumerate(chain, 1) for order in rules.orders(stage["groups"])}


def _words(group: rules.Group) -> str:
    words = rules.quorum_words(group)
    return f"{group['name']}: {words}" if words and group["part"] == rules.DECIDE else ""


def _later(seat: dict[str, Any], group: rules.Group) -> dict[str, Any]:
    says = "is asked then" if group["part"] == rules.DECIDE else "is consulted then"
    return {"state": "none", "who": seat["name"], "says": says, "meta": group["name"]}


def _line(step: ApprovalStep, request: ApprovalRequest) -> dict[str, Any]:
    mark, says = MARKS.get(step.state, ("", ""))
    who = str(step.approver)
    if step.part == ApprovalStep.CONSULT and step.state == ApprovalStep.WAITING:
        says = "is consulted"
    if step.state == ApprovalStep.DECIDED:
        verdict = step.verdict or request.state
        mark = "red" if verdict == DECLINED else "green"
        says = STATE_WORDS.get(verdict, verdict)
        sayer = step.said_by or (request.decided_by if not step.verdict else None)
        if sayer and sayer.pk != step.approver_id:
            who, says = str(sayer), f"{says} in place of {step.approver}"
    if step.delegated_from:
        says = f"{says}, for {step.delegated_from}"
    limit = f", limit {step.limit}" if step.limit else ""
    return {"state": mark, "who": who, "says": says, "meta": f"{step.role}{limit}", "text": _said(step)}


def _said(step: ApprovalStep) -> str:
    given = f"Conditions: {'; '.join(step.conditions.splitlines())}" if step.conditions else ""
    return ". ".join(text.rstrip(".") for text in (given, step.reason) if text)


def waits_on(request: ApprovalRequest, user: User) -> bool:
    """Whether the person, or somebody they stand in for, is asked now."""
    return ApprovalRequest.objects.waiting_on(user).filter(pk=request.pk).exists()


def note_who_is_asked(requests: Collection[ApprovalRequest]) -> None:
    """Read who decides each of these open requests now, for `asked_now`, in one query; none without requests."""
    asked = ApprovalStep.objects.filter(state=ApprovalStep.WAITING, part=ApprovalStep.DECIDE).order_by("order")
    seats = Prefetch("steps", queryset=asked.select_related("approver"), to_attr="asked_seats")
    prefetch_related_objects(list(requests), seats)


def asked_now(request: ApprovalRequest) -> list[User]:
    """Everybody whose decision is waited for; the request has gone through `note_who_is_asked`."""
    return [seat.approver for seat in request.asked_seats]  # type: ignore[attr-defined]


def waits_for(request: ApprovalRequest) -> str:
    """Everybody whose decision is waited for, in words."""
    seats = request.steps.filter(state=ApprovalStep.WAITING, part=ApprovalStep.DECIDE).select_related("approver")
    return listed([str(seat.approver) for seat in seats]) or "nobody"


def still_needed(request: ApprovalRequest, right: Standing, verdict: str) -> str:
    """Who is needed after this word; empty when it may end the request."""
    chain = chain_of(request)
    said = dict(request.steps.filter(state=ApprovalStep.DECIDED).values_list("order", "verdict"))
    stage = chain[request.stage - 1]
    if right.override:
        group = {**rules.authority_group(chain), "override": right.seat}
        stage = {**stage, "groups": [group if rules.is_authority(each) else each for each in stage["groups"]]}
    outcome = rules.stage_outcome(stage, {**said, right.seat or 0: verdict})
    if outcome == rules.WAITING:
        seats = request.steps.filter(state=ApprovalStep.WAITING, part=ApprovalStep.DECIDE).exclude(
            order=right.seat or 0
        )
        return listed([str(seat.approver) for seat in seats.select_related("approver")])
    last = request.stage == len(chain) or outcome == DECLINED
    return "" if last else str(chain[request.stage]["name"])


def acts(request: ApprovalRequest, user: User, *, may_lead: bool) -> dict[str, Any]:
    """What the page offers besides deciding."""
    own = {"approver": user, "state": ApprovalStep.WAITING}
    seat = (
        request.steps.filter(**own, part=ApprovalStep.DECIDE, delegated_from=None).first() if request.is_open else None
    )
    asked = request.steps.filter(approver=user, part=ApprovalStep.DECIDE, state__in=("waiting", "decided")).exists()
    recalled = request.state == ApprovalRequest.RECALLED
    return {
        "may_recall": may_lead,
        "may_change": may_lead and (request.state in GRANTED or (request.is_open and not asked)),
        "may_ask_again": may_lead and recalled and not request.replaced_by.exists(),
        "may_delegate": seat is not None,
        "is_consulted": request.steps.filter(**own, part=ApprovalStep.CONSULT).exists(),
        "waits_for": waits_for(request) if request.is_open else "",
        "newer": request.replaced_by.order_by("-pk").first() if not request.is_open else None,
    }
