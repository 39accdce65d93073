"""Questions, answers, comments and reminders of a request."""

from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import User
from approvals.mail import links
from approvals.mail import messages as mail
from approvals.matrix.totals import total_of
from approvals.models import ApprovalRequest, DecisionEntry, Seat
from approvals.requests import log
from approvals.requests import seats as seating
from approvals.requests.permissions import for_user
from approvals.requests.rules.verdicts import check_words
from ledger.errors import NotAllowed, NotThere, Stale
from ledger.now import now
from ledger.reading import words_of

REMIND_EVERY = timedelta(minutes=10)
COMMENTED = "commented"


@transaction.atomic
def question(*, request_id: int, by: User, text: str, channel: str = DecisionEntry.WEB) -> ApprovalRequest:
    """Ask the requester a question. No clock is paused. Raises NotAllowed unless `by` is asked or may decide, Invalid
    without a text."""
    at = now()
    request = seating.locked_open(request_id, by, at)
    if not _is_asked(request, by) and not for_user(request, by, at).may_decline:
        raise NotAllowed("Only people who may decide this can ask a question on the record.")
    entry = _said(request, DecisionEntry.QUESTION, by, text, channel, at)
    mail.word(request, entry, [request.requester], subject="Question", lead=f"{by} asks before deciding:")
    return request


@transaction.atomic
def answer(*, request_id: int, by: User, text: str, channel: str = DecisionEntry.WEB) -> ApprovalRequest:
    """Answer a question; all people who are asked are notified. Raises NotAllowed for people who are asked, Invalid
    without a text."""
    at = now()
    request = seating.locked_open(request_id, by, at)
    if _is_asked(request, by):
        raise NotAllowed("Only the people who request the decision can answer.")
    entry = _said(request, DecisionEntry.ANSWER, by, text, channel, at)
    mail.word(request, entry, _asked(request, by), subject="Answer", lead=f"{by} answers:")
    return request


@transaction.atomic
def comment(*, request_id: int, by: User, text: str, channel: str = DecisionEntry.WEB) -> ApprovalRequest:
    """Add a comment to the record. It decides and blocks nothing. Consulted people are asked for a comment. The
    requester and all people who are asked are notified. Raises NotThere for people who may not see the request, Invalid
    without a text.
    """
    at = now()
    request = seating.locked(request_id)
    if not ApprovalRequest.objects.visible_to(by).filter(pk=request.pk).exists():
        raise NotThere("There is no such request.")
    entry = _said(request, DecisionEntry.COMMENT, by, text, channel, at)
    mine = [seat for seat in seating.asked(request) if seat.part == Seat.CONSULT and seat.person_id == by.pk]
    if mine:
        words = {"verdict": COMMENTED, "said_by": by, "reason": words_of(text)}
        rows = request.seats.asked().filter(pk__in=[seat.pk for seat in mine])
        rows.update(state=Seat.DECIDED, ended_at=at, **words)
        links.end(mine, at)
        request.forget_seats()
    told = [request.requester, *_asked(request, by)] if request.is_open else [request.requester]
    told = [user for user in told if user.pk != by.pk]
    mail.word(request, entry, told, subject="Comment", lead=f"{by} comments:")
    return request


def _is_asked(request: ApprovalRequest, by: User) -> bool:
    return any(seat.person_id == by.pk for seat in seating.asked(request))


def _asked(request: ApprovalRequest, by: User) -> list[User]:
    people = {seat.person_id: seat.person for seat in seating.asked(request)}
    return [user for pk, user in people.items() if pk not in (by.pk, request.requester_id)]


def _said(request: ApprovalRequest, kind: str, by: User, text: str, channel: str, at: datetime) -> DecisionEntry:
    check_words(text, "text", "Enter the text.")
    return log.write(request, kind, at, actor=by, channel=channel, rationale=words_of(text))


@transaction.atomic
def remind(*, request_id: int, by: User | None = None, channel: str = DecisionEntry.WEB) -> ApprovalRequest:
    """Mail the question again, with new links, to all people whose decision is waited for. Without `by` the clock
    reminds. A person who cannot decide any more is not reminded: the next holder of the role is asked (seats.reassign).
    Raises AlreadyDone if it has ended, Stale if a person reminds again within 10 minutes, NotAllowed if people remind
    themselves.
    """
    at = now()
    request = seating.locked_open(request_id, by, at)
    seats = seating.deciding(request)
    if by and any(seat.person_id == by.pk for seat in seats):
        raise NotAllowed("This waits for you. Decide it, or ask a question.")
    last = request.log.filter(kind=DecisionEntry.REMINDED).last()
    if by and last and at < last.at + REMIND_EVERY:
        names = " and ".join(str(seat.person) for seat in seats)
        raise Stale(f"{names} {'was' if len(seats) == 1 else 'were'} reminded less than 10 minutes ago.")
    channel = channel if by else DecisionEntry.CLOCK
    total = total_of(request, at)
    if stay := seating.reassign(request, seats, total):
        facts = {"seats": [seat.number for seat in stay]} if len(seats) > 1 else {}
        log.write(request, DecisionEntry.REMINDED, at, actor=by, channel=channel, facts=facts)
        seating.remind(request, stay, total)
    return request
