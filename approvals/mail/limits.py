"""Which requests may be decided by a reply, and which from the mailed link without signing in. Both are off until an
administrator sets an amount for the concession."""

from datetime import datetime
from decimal import Decimal

from allauth.account.models import EmailAddress
from django.conf import settings

from accounts.models import User
from approvals.matrix.totals import AskTotal, total_of
from approvals.models import ApprovalRequest, ConcessionType, DecisionLink
from approvals.requests.permissions import Permission, for_user


def replies_are_read() -> bool:
    """Whether a reply can be proven: not without the name of our own mail server."""
    return bool(settings.AUTHSERV_ID)


def reply_up_to(request: ApprovalRequest) -> Decimal | None:
    """The largest amount of this concession that a reply may decide; None: no reply decides."""
    concession = _concession(request)
    return concession.reply_up_to if concession else None


def may_reply(request: ApprovalRequest, total: AskTotal) -> bool:
    """Whether the ask total is small enough for a reply. An ask without an amount is not."""
    return replies_are_read() and _within(reply_up_to(request), total)


def open_permission(link: DecisionLink, at: datetime) -> Permission | None:
    """What the holder of a valid link may do without signing in: the same as its person, if the amount is small enough
    and the person still has the permission; else None. Never for a confidential request."""
    concession = _concession(link.request)
    if concession is None or link.request.confidential or not link.approver.is_colleague:
        return None
    total = total_of(link.request, at)
    if not _within(concession.link_up_to, total):
        return None
    right = for_user(link.request, link.approver, at, link.seat.number, total=total)
    return right if right.may_decline and not right.override else None


def shows_outcome(link: DecisionLink, at: datetime) -> bool:
    """Whether the holder of a used link sees the outcome of the request without signing in: until the link would have
    expired, if its person is an active user. Never for a confidential request."""
    if at >= link.expires_at or not link.approver.is_colleague or link.request.confidential:
        return False
    concession = _concession(link.request)
    up_to = concession.link_up_to if concession else None
    total = link.request.total_usd if link.request.total_usd is not None else link.request.amount
    return up_to is not None and total is not None and total <= up_to


def addresses_of(user: User) -> frozenset[str]:
    """The known addresses of a person, in lower case."""
    verified = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    return frozenset(address.lower() for address in (user.email, *verified))


def _concession(request: ApprovalRequest) -> ConcessionType | None:
    """The concession in the version of the matrix that the request was made on."""
    return request.authority.concessions.filter(slug=request.concession).first()


def _within(up_to: Decimal | None, total: AskTotal) -> bool:
    return up_to is not None and total.total is not None and total.total <= up_to
