"""Links mailed to approvers: they find the page and decide nothing. Only a hash of the token is kept.

A link belongs to one seat and to the person it was mailed to: the approver, or who stands in for them.
"""

import base64
import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from accounts.models import User
from approvals.models import ApprovalRequest, DecisionLink, Seat

LIFE_AFTER_DEADLINE = timedelta(days=7)
DECIDE = "decide"


def issue(request: ApprovalRequest, seat: Seat, purpose: str = DECIDE, *, to: User | None = None) -> str:
    """A new token for a seat and the present version; it ends seven days after the deadline. `to`: a stand-in."""
    # Lower-case letters and digits only: it also stands in reply addresses, which mail systems write as they like.
    token = base64.b32encode(secrets.token_bytes(32)).decode().rstrip("=").lower()
    DecisionLink.objects.create(
        request=request,
        approver=to or seat.person,
        seat=seat,
        version=request.version,
        purpose=purpose,
        token_hash=_hashed(token),
        expires_at=max(request.deadline, seat.asked_at or request.opened_at) + LIFE_AFTER_DEADLINE,
    )
    return token


def find(token: str) -> DecisionLink | None:
    """The link of a token, alive or dead; None for a token nobody was given."""
    found = DecisionLink.objects.filter(token_hash=_hashed(token))
    request = ("request__decided_by", "request__account", "request__authority", "request__requester")
    return found.select_related(*request, "approver", "seat").first()


def is_alive(link: DecisionLink, at: datetime) -> bool:
    """Whether it still leads to something to say: its seat waits, the terms are the same, not used, not expired."""
    request = link.request
    same = request.version == link.version and request.is_open
    if not same or link.dead_since is not None or at >= link.expires_at:
        return False
    return Seat.objects.asked().filter(pk=link.seat_id).exists()


def end(seats: Collection[Seat], at: datetime) -> None:
    """The links of some seats are dead: they have spoken, or nobody waits for them."""
    DecisionLink.objects.filter(seat__in=seats, dead_since__isnull=True).update(dead_since=at)


def end_all(request: ApprovalRequest, at: datetime) -> None:
    """After a decision, a recall or new terms, every link of the request is dead."""
    DecisionLink.objects.filter(request=request, dead_since__isnull=True).update(dead_since=at)


def carry(request: ApprovalRequest) -> None:
    """The version rose for a reason that is not the terms: the links of the other seats stay good."""
    DecisionLink.objects.filter(request=request, dead_since__isnull=True).update(version=request.version)


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
