"""Requests of a case as the Approvals tab shows them."""

from datetime import datetime
from typing import Any

from accounts.models import User
from approvals.models import ApprovalRequest, ApprovalStep
from approvals.requests import page as decision
from escalations.models import Escalation

STEP_WORDS = {
    ApprovalStep.WAITING: ("wait", "Waiting"),
    ApprovalStep.PASSED_UP: ("pau", "Passed up"),
    ApprovalStep.RECALLED: ("none", "Recalled"),
    ApprovalStep.DELEGATED: ("none", "Delegated"),
    ApprovalStep.VOIDED: ("none", "Void: the terms changed"),
    ApprovalStep.SETTLED: ("none", "Settled without it"),
    ApprovalStep.REASSIGNED: ("none", "Reassigned"),
}
VERDICTS = {
    "approved": ("grn", "Approved"),
    "conditions": ("grn", "Approved with conditions"),
    "declined": ("red", "Declined"),
    "commented": ("none", "Commented"),
}
STATE_MARKS = {
    ApprovalRequest.OPEN: "wait",
    ApprovalRequest.APPROVED: "grn",
    ApprovalRequest.CONDITIONS: "grn",
    ApprovalRequest.DECLINED: "red",
    ApprovalRequest.RECALLED: "none",
    ApprovalRequest.REPLACED: "none",
}


def cards(case: Escalation, user: User, at: datetime) -> dict[str, Any]:
    """Open requests (or else the last one) in full, the earlier ones as lines. `opens`: ids whose page opens for the viewer."""
    people = ("approver", "approver_role", "requester", "decided_by", "account")
    found = list(
        case.requests.select_related(*people)
        .prefetch_related("steps__approver", "steps__role", "steps__said_by")
        .order_by("-pk")
    )
    full = [each for each in found if each.is_open] or found[:1]
    numbers = {each.pk: number for number, each in enumerate(reversed(found), 1)}
    mine = ApprovalRequest.objects.visible_to(user).filter(pk__in=numbers).values_list("pk", flat=True)
    return {
        "cards": [{**card(each, user, at), "number": numbers[each.pk]} for each in full],
        "earlier": [
            {"request": each, "number": numbers[each.pk], "mark": STATE_MARKS[each.state]}
            for each in found
            if each not in full
        ],
        "opens": set(mine),
    }


def card(request: ApprovalRequest, user: User, at: datetime) -> dict[str, Any]:
    """One request: chip, chain, terms, checks, limits."""
    return {
        "request": request,
        "mark": STATE_MARKS[request.state],
        "due_state": decision.due_state(request, at) if request.is_open else "",
        "warn_at": decision.warn_at(request),
        "flow": [_step(request, step, at) for step in request.steps.all()],
        "terms": decision.terms(request, user, None),
        "checks": checks(request),
        "limits": _limits(request),
    }


def _step(request: ApprovalRequest, step: ApprovalStep, at: datetime) -> dict[str, Any]:
    mark, words = STEP_WORDS.get(step.state, ("grn", request.get_state_display()))
    if step.state == ApprovalStep.DECIDED:
        ended = "red" if request.state == ApprovalRequest.DECLINED else mark
        mark, words = VERDICTS.get(step.verdict, (ended, words))
    now = step.state == ApprovalStep.WAITING
    late = now and at > request.deadline
    person = {
        "user": _who(request, step),
        "role": f"{step.role}, limit {step.limit}" if step.limit else str(step.role),
        "state": "red" if late else mark,
        "status": f"{words}, past the deadline" if late else words,
        "note": f"Reminded {step.reminded} times" if step.reminded > 1 else "Reminded once" if step.reminded else "",
    }
    return {
        "kind": "now" if late else "" if now else "done",
        "name": f"{step.order} · {'Consult' if step.part == ApprovalStep.CONSULT else 'Decide'}",
        "meta": "",
        "people": [person],
    }


def _who(request: ApprovalRequest, step: ApprovalStep) -> User:
    """Who spoke, else who is asked. Steps from before seats kept their own word show who decided the request."""
    if step.state != ApprovalStep.DECIDED:
        return step.approver
    return step.said_by or (request.decided_by if not step.verdict else None) or step.approver


def checks(request: ApprovalRequest) -> list[dict[str, str]]:
    """The guards that held when the request was made."""
    if request.by_rule:
        return [{"mark": "grn", "name": "Inside an exception band", "text": "Approved by rule, no person decides."}]
    rule = request.rule
    granted, days = str(rule.get("granted") or "0"), rule.get("window_days", 90)
    added = f"Nothing was granted to this account in {days} days."
    if granted.strip("0."):
        added = f"{granted} granted in {days} days, together {rule.get('total')}."
    asked = (
        f"{request.requester} asked, {request.approver} decides." if request.approver else f"{request.requester} asked."
    )
    return [
        {"mark": "grn", "name": "The requester does not approve", "text": asked},
        {
            "mark": "grn",
            "name": "Within the approver's limit",
            "text": f"Limit {rule.get('limit') or 'as in the matrix'}.",
        },
        {"mark": "grn", "name": "Split requests added up", "text": added},
        {"mark": "none", "name": "Outside every exception band", "text": "So a person decides."},
    ]


def _limits(request: ApprovalRequest) -> list[dict[str, Any]]:
    below = [{"role": each["role"], "limit": each["limit"], "this": False} for each in request.rule.get("below") or []]
    if not request.rule.get("role_name"):
        return below
    return [*below, {"role": request.rule["role_name"], "limit": request.rule.get("limit"), "this": True}]
