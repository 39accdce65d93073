"""What the clients of the load ask for, in a small database: prepared there, before they begin."""

import json
from dataclasses import asdict
from urllib.parse import urlencode

from django.db.models import QuerySet

from accounts.models import Account, User
from approvals.models import ApprovalRequest
from approvals.requests.permissions import for_user
from demo.benchmarks import pages, preparing, subjects
from demo.benchmarks.client import Request
from demo.benchmarks.subjects import CSM, DIRECTOR, EXECUTIVE, Subjects, Visitor
from demo.fill import FILLED, fill
from escalations.models import Escalation
from ledger.now import now

# More creates than the clients can send: one that is sent again is answered from the first.
CASES, CREATES, WRITERS = 50, 2000, range(2, 10)
# Cases that are added to have enough open requests to decide.
ASKING = 300
QUEUE, CASE, CREATE, POST, DECIDE = "queue", "case", "create", "post", "decide"


def add_requests() -> None:
    """Cases with open requests; a filled database has only a few."""
    fill(ASKING, 9, lambda progress: None, open_share=1.0)
    preparing.analyze()


def requests() -> str:
    """The requests by kind, as JSON."""
    of = subjects.find()
    shown = Escalation.objects.open().filter(account__source=FILLED).order_by("pk")[:CASES]
    found = {
        QUEUE: [_get(of.visitors[who], "/escalations/") for who in (EXECUTIVE, DIRECTOR, CSM)],
        CASE: [_get(of.visitors[EXECUTIVE], f"/escalations/{case.key}/") for case in shown],
        CREATE: _creates(of),
        POST: [_post(of.visitors[EXECUTIVE], case, number) for number, case in enumerate(shown)],
        DECIDE: _decisions(),
    }
    return json.dumps({kind: [asdict(each) for each in listed] for kind, listed in found.items()})


def _cookies(visitor: Visitor) -> dict[str, str]:
    return {"Cookie": f"sessionid={visitor.session}; csrftoken={pages.CSRF}", "Accept-Encoding": "gzip"}


def _get(visitor: Visitor, path: str) -> Request:
    return Request("GET", path, _cookies(visitor))


def _form(visitor: Visitor, path: str, given: dict[str, str]) -> Request:
    headers = {**_cookies(visitor), "Content-Type": pages.FORM}
    return Request("POST", path, headers, urlencode({**given, "csrfmiddlewaretoken": pages.CSRF}))


def _creates(of: Subjects) -> list[Request]:
    """New cases on the page, by several CSMs, each on accounts of their own."""
    writers = []
    for number in WRITERS:
        user = User.objects.filter(email=f"csm-{number}@filled.example").first()
        if user is not None:
            owned = list(Account.objects.filter(csm=user).order_by("pk").values_list("pk", flat=True))
            writers.append((subjects.visitor(user), owned))
    return [
        _form(visitor, "/escalations/new/", pages.case_to_open(of, owned, number // len(writers)))
        for number in range(CREATES)
        for visitor, owned in [writers[number % len(writers)]]
    ]


def _post(visitor: Visitor, case: Escalation, number: int) -> Request:
    text = f"The carrier answered for the {number}th time; the papers are complete."
    return _form(visitor, f"/escalations/{case.key}/post/", {"mode": "internal", "text": text})


def _decisions() -> list[Request]:
    """A decision for every open request that the person who is asked may grant alone; one request of each account, because a
    grant counts for the next request of the same account."""
    at, taken, found = now(), set[int](), []
    visitors: dict[int, Visitor] = {}
    waiting: QuerySet[ApprovalRequest] = ApprovalRequest.objects.open().with_seats().order_by("pk")
    for request in waiting:
        seats = [seat for seat in request.all_seats() if seat.waits and seat.part == seat.DECIDE]
        if len(seats) != 1 or request.account_id in taken:
            continue
        [seat] = seats
        if not for_user(request, seat.person, at).may_decide:
            continue
        taken.add(request.account_id)
        visitor = visitors.setdefault(seat.person_id, subjects.visitor(seat.person))
        headers = {"Authorization": f"Token {visitor.token}", "Content-Type": pages.JSON}
        given = {"verdict": "approved", "version": request.version, "reason": "The renewal depends on it."}
        found.append(Request("POST", f"/api/v1/approvals/{request.pk}/decide/", headers, json.dumps(given)))
    return found
