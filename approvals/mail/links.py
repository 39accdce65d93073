"""Links mailed to approvers: they lead to the page and decide nothing. Only a hash of the token is kept.

A link belongs to one seat and to the person it was mailed to: the approver, or the approver's stand-in.
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
    """A new token for a seat and the current version; it expires seven days after the deadline. `to`: a stand-in."""
    # Lower-case letters and digits only, because it is also part of reply addresses and mail systems may change their
    # case.
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
    """The link of a token, valid or not; None for an unknown token."""
    found = DecisionLink.objects.filter(token_hash=_hashed(token))
    request = ("request__decided_by", "request__account", "request__authority", "request__requester")
    return found.select_related(*request, "approver", "seat").first()


def requests_of(tokens: Collection[str]) -> dict[str, ApprovalRequest]:
    """The requests of the links of these tokens, valid or not, by token; at most one query."""
    hashes = {_hashed(token): token for token in tokens}
    found = DecisionLink.objects.filter(token_hash__in=hashes).select_related("request") if hashes else []
    return {hashes[link.token_hash]: link.request for link in found}


def is_alive(link: DecisionLink, at: datetime) -> bool:
    """Whether it can still be used: its seat waits, the terms are the same, it is not used and not expired. It does not
    expire while the clock of the case is paused."""
    request = link.request
    same = request.version == link.version and request.is_open
    if not same or link.dead_since is not None or (request.paused_at is None and at >= link.expires_at):
        return False
    return Seat.objects.asked().filter(pk=link.seat_id).exists()


def end(seats: Collection[Seat], at: datetime) -> None:
    """End the links of some seats: they have decided, or are not waited for any more."""
    DecisionLink.objects.filter(seat__in=seats, dead_since__isnull=True).update(dead_since=at)


def end_all(request: ApprovalRequest, at: datetime) -> None:
    """End every link of the request: after a decision, a recall or new terms."""
    DecisionLink.objects.filter(request=request, dead_since__isnull=True).update(dead_since=at)


def carry(request: ApprovalRequest) -> None:
    """The version rose, but not because of new terms: keep the links of the other seats valid."""
    DecisionLink.objects.filter(request=request, dead_since__isnull=True).update(version=request.version)


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
