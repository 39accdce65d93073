"""Is word about a request still wanted when it is about to leave, what goes with it, and mail that answers to it."""

from typing import Any

from django.dispatch import receiver

from approvals.mail import attachments as enclosing
from approvals.mail import replies as replying
from approvals.mail.messages import BRIEF
from approvals.models import ApprovalRequest, DecisionEntry, Seat
from messaging.events import mail_received
from messaging.models import InboundMail
from messaging.outbox import composing, relevance


@receiver(mail_received, dispatch_uid="approvals.mail.messages")
def hear_mail(mail: InboundMail, **_: Any) -> None:
    """Mail to a reply address is a decision, a comment, or goes into quarantine."""
    replying.take(mail=mail)


def _still_asked(rest: str) -> bool:
    """`<request>:<seat>`: the request is open and that seat is still asked."""
    request, _, number = rest.partition(":")
    seats = Seat.objects.asked().filter(request=int(request), number=int(number))
    return seats.filter(request__state=ApprovalRequest.OPEN).exists()


def _still_decided(rest: str) -> bool:
    """`<request>:<entry>`: nobody took the decision back since."""
    request, _, seq = rest.partition(":")
    return not DecisionEntry.objects.filter(
        request_id=int(request), seq__gt=int(seq), kind=DecisionEntry.UNDONE
    ).exists()


relevance.register("approval", _still_asked)
relevance.register("approval-decided", _still_decided)
composing.register_enclosures(BRIEF, enclosing.brief)
