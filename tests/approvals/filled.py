"""Requests with seats, put straight into the database, for tests about many of them."""

from datetime import timedelta
from random import Random
from typing import Any

from accounts.models import Account, Role, User
from approvals.models import ApprovalRequest, AuthorityVersion, Seat
from ledger.now import now

OPEN, STATES = ApprovalRequest.OPEN, [state for state, _ in ApprovalRequest.STATES]


def request_of(requester: User, account: Account, **values: Any) -> ApprovalRequest:
    """An open request without seats."""
    at = now()
    given = {
        "account": account,
        "requester": requester,
        "concession": "discount",
        "concession_name": "Discount",
        "unit": "percent",
        "ask": "Grant 12%?",
        "recommendation": "Yes.",
        "terms_hash": "0" * 64,
        "deadline": at + timedelta(hours=4),
        "warn_at": at + timedelta(hours=3),
        "authority": AuthorityVersion.objects.get(),
        "opened_at": at,
        "asked_since": at,
    }
    return ApprovalRequest.objects.create(**{**given, **values})


def seat_of(request: ApprovalRequest, person: User, state: str = Seat.ASKED, **values: Any) -> Seat:
    """The next seat of a request."""
    asked_at = None if state == Seat.PLANNED else request.asked_since
    given = {"stage": 1, "group": 1, "authority": True, "role": Role.objects.get(slug="director"), **values}
    number = request.seats.count() + 1
    return Seat.objects.create(request=request, number=number, person=person, state=state, asked_at=asked_at, **given)


def scattered(people: list[User], accounts: list[Account], *, count: int, seed: int) -> list[ApprovalRequest]:
    """Requests in every state, with up to three seats each, of people drawn by chance."""
    chance, made = Random(seed), []
    for number in range(count):
        state = chance.choice([OPEN, OPEN, *STATES])
        at = now() - timedelta(minutes=chance.randint(0, 40))
        request = request_of(
            chance.choice(people),
            chance.choice(accounts),
            ask=f"Request {number}?",
            concession=chance.choice(["discount", "refund"]),
            total_usd=chance.choice([None, 500, 5_000]),
            confidential=chance.random() < 0.3,
            state=state,
            deadline=at + timedelta(hours=4),
            asked_since=at,
            decided_at=at if state in ApprovalRequest.DECIDED else None,
            decided_by=chance.choice(people) if state in ApprovalRequest.DECIDED else None,
        )
        for _ in range(chance.randint(0, 3)):
            seat_of(
                request,
                chance.choice(people),
                chance.choice([Seat.ASKED, Seat.ASKED, Seat.PLANNED, Seat.DECIDED, Seat.VOIDED]),
                authority=chance.random() < 0.7,
                part=chance.choice([Seat.DECIDE, Seat.DECIDE, Seat.CONSULT]),
                said_by=chance.choice([None, None, *people]),
                stands_for=chance.choice([None, None, None, *people]),
            )
        made.append(request)
    return made
