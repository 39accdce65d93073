"""Requests of a case for the Approvals tab."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from accounts.models import User
from approvals.matrix.totals import sum_words
from approvals.models import ApprovalRequest, Seat
from approvals.requests import page as decision
from escalations.models import Escalation
from ledger.format import listed

SEAT_WORDS = {
    Seat.ASKED: ("wait", "Waiting"),
    Seat.PASSED_UP: ("pau", "Escalated"),
    Seat.RECALLED: ("none", "Recalled"),
    Seat.DELEGATED: ("none", "Delegated"),
    Seat.VOIDED: ("none", "Void: the terms changed"),
    Seat.SETTLED: ("none", "Decided without it"),
    Seat.REASSIGNED: ("none", "Reassigned"),
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


@dataclass(frozen=True)
class Asked:
    """The person asked for a seat, and the result."""

    user: User
    role: str
    state: str
    status: str
    note: str


@dataclass(frozen=True)
class Step:
    """A seat in the flow of a request."""

    kind: str
    name: str
    people: list[Asked]
    meta: str = ""


@dataclass(frozen=True)
class Check:
    """A check that passed when the request was made."""

    mark: str
    name: str
    text: str


@dataclass(frozen=True)
class LimitRow:
    """The limit of a role; `this` is the one that applied."""

    role: str
    limit: str | None
    this: bool


@dataclass(frozen=True)
class Card:
    """One request: chip, whom it waits for, seats, terms, checks, limits. `is_mine`: it waits for the viewer."""

    request: ApprovalRequest
    number: int
    mark: str
    due_state: str
    warn_at: datetime
    waits_for: str
    is_mine: bool
    flow: list[Step]
    terms: Sequence[object]
    checks: list[Check]
    limits: list[LimitRow]


@dataclass(frozen=True)
class Earlier:
    """An earlier request as a line."""

    request: ApprovalRequest
    number: int
    mark: str


def cards(case: Escalation, user: User, at: datetime) -> dict[str, object]:
    """Open requests (or else the last one) in full, the earlier ones as lines. `opens`: ids of the requests that the
    viewer may open."""
    found = list(ApprovalRequest.objects.filter(case_link__case=case).with_seats().order_by("-pk"))
    full = [each for each in found if each.is_open] or found[:1]
    numbers = {each.pk: number for number, each in enumerate(reversed(found), 1)}
    mine = ApprovalRequest.objects.visible_to(user).filter(pk__in=numbers).values_list("pk", flat=True)
    return {
        "cards": [card(each, numbers[each.pk], user, at) for each in full],
        "earlier": [Earlier(each, numbers[each.pk], STATE_MARKS[each.state]) for each in found if each not in full],
        "opens": set(mine),
    }


def card(request: ApprovalRequest, number: int, user: User, at: datetime) -> Card:
    """One request in full."""
    return Card(
        request=request,
        number=number,
        mark=STATE_MARKS[request.state],
        due_state=decision.due_state(request, at) if request.is_open else "",
        warn_at=request.warn_at,
        waits_for=decision.waits_for_as(request),
        is_mine=user in decision.asked_now(request),
        flow=[_seat(request, seat, at) for seat in request.all_seats() if seat.state != Seat.PLANNED],
        terms=decision.terms(request, user, None, at),
        checks=checks(request, at),
        limits=_limits(request),
    )


def _seat(request: ApprovalRequest, seat: Seat, at: datetime) -> Step:
    mark, words = VERDICTS[seat.verdict] if seat.state == Seat.DECIDED else SEAT_WORDS[seat.state]
    now = seat.state == Seat.ASKED
    late = now and at > request.deadline
    person = Asked(
        user=seat.said_by or seat.person,
        role=f"{seat.role}, limit {seat.limit}" if seat.limit else str(seat.role),
        state="red" if late else mark,
        status=f"{words}, past the deadline" if late else words,
        note=f"Reminded {seat.reminded} times" if seat.reminded > 1 else "Reminded once" if seat.reminded else "",
    )
    return Step(
        kind="now" if late else "" if now else "done",
        name=f"{seat.number} · {'Consult' if seat.part == Seat.CONSULT else 'Decide'}",
        people=[person],
    )


def checks(request: ApprovalRequest, at: datetime) -> list[Check]:
    """The checks that passed when the request was made."""
    if request.by_rule:
        return [Check("grn", "Inside an exception band", "Approved by rule, no person decides.")]
    rule = request.rule
    granted, days = Decimal(rule.get("granted") or 0), rule.get("window_days", 90)
    added = sum_words(request, granted, at if request.is_open else request.opened_at)
    added = (
        f"{added}." if added else f"No {request.concession_name.lower()} was granted to this account in {days} days."
    )
    deciders = dict.fromkeys(str(seat.person) for seat in request.all_seats() if seat.decides_now_or_later)
    decide = f", {listed(list(deciders))} {'decide' if len(deciders) > 1 else 'decides'}" if deciders else ""
    asked = f"{request.requester} asked{decide}."
    return [
        Check("grn", "The requester does not approve", asked),
        Check("grn", "Within the approver's limit", f"Limit {rule.get('limit') or 'as in the matrix'}."),
        Check("grn", "Split requests added up", added),
        Check("none", "Outside every exception band", "So a person decides."),
    ]


def _limits(request: ApprovalRequest) -> list[LimitRow]:
    below = [LimitRow(each["role"], each["limit"], this=False) for each in request.rule.get("below") or []]
    if not request.rule.get("role_name"):
        return below
    return [*below, LimitRow(request.rule["role_name"], request.rule.get("limit"), this=True)]
