"""Links mailed to approvers: they find the page and decide nothing. Only a hash of the token is kept."""

import base64
import hashlib
import secrets
from datetime import datetime, timedelta

from approvals.models import ApprovalRequest, ApprovalStep, DecisionLink

LIFE_AFTER_DEADLINE = timedelta(days=7)


def issue(request: ApprovalRequest, step: ApprovalStep) -> str:
    """A new token for the approver of this step and version; it ends seven days after the deadline."""
    # Lower-case letters and digits only: it also stands in reply addresses, which mail systems write as they like.
    token = base64.b32encode(secrets.token_bytes(32)).decode().rstrip("=").lower()
    DecisionLink.objects.create(
        request=request,
        approver=step.approver,
        step=step.order,
        version=request.version,
        token_hash=_hashed(token),
        expires_at=max(request.deadline, step.asked_at) + LIFE_AFTER_DEADLINE,
    )
    return token


def find(token: str) -> DecisionLink | None:
    """The link of a token, alive or dead; None for a token nobody was given."""
    found = DecisionLink.objects.filter(token_hash=_hashed(token))
    return found.select_related("request__approver", "request__decided_by", "request__account", "approver").first()


def is_alive(link: DecisionLink, at: datetime) -> bool:
    """Whether it still leads to something to decide: not used, not passed on, not expired."""
    request = link.request
    same = (request.step, request.version) == (link.step, link.version) and request.is_open
    return same and link.dead_since is None and at < link.expires_at


def end_all(request: ApprovalRequest, at: datetime) -> None:
    """After a decision, a recall or passing up, every link of the request is dead."""
    DecisionLink.objects.filter(request=request, dead_since__isnull=True).update(dead_since=at)


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
