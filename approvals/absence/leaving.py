"""What a person who left had to decide goes to the next person who can decide it."""

from datetime import datetime

from django.db.models import Q
from django.urls import reverse

from accounts.models import Departure, MovedOn, User
from accounts.people import leaving
from approvals.absence import delegations as delegating
from approvals.mail import messages as mail
from approvals.matrix.totals import AskTotal, total_of
from approvals.models import ApprovalRequest, CalendarFeed, DecisionLink, Delegation, Seat
from approvals.requests import seats as seating
from ledger.errors import Refused
from ledger.now import now
from messaging.outbox import notices

WAITS = Q(state__in=(Seat.PLANNED, Seat.ASKED), request__state=ApprovalRequest.OPEN)


def seats_of(user: User) -> Q:
    """Seats of open requests that wait for this person, now or later, or for a delegate with this person's authority."""
    return WAITS & (Q(person=user) | Q(stands_for=user))


def delegations_of(user: User, at: datetime) -> Q:
    """Delegations to or by this person that are not over."""
    return (Q(user=user) | Q(to=user)) & Q(ends_at__gt=at) & (Q(ended_at=None) | Q(ended_at__gt=at))


def move_on(departure: Departure, most: int) -> int:
    """End the links mailed to a person who left, move at most `most` of the person's requests, and end the person's
    delegations; returns how many moved. Seats go
    to the next holder of their role or, for the authority, to the next higher one; a seat that nobody else can take stays and
    needs somebody."""
    user = departure.user
    DecisionLink.objects.filter(approver=user, dead_since=None).update(dead_since=now())
    seen = set(departure.moved.exclude(state=MovedOn.MOVED).values_list("url", flat=True))
    ids = Seat.objects.filter(seats_of(user)).order_by("request").values_list("request", flat=True).distinct()
    wanted = [pk for pk in ids[: most + len(seen)] if _url(pk) not in seen]
    moved = leaving.each_piece(departure, wanted, _url, lambda pk: _request(departure, pk), most=most)
    return moved + _absences(departure, most)


def _url(request_id: int) -> str:
    return reverse("approvals:detail", args=[request_id])


def _request(departure: Departure, request_id: int) -> None:
    at, user = now(), departure.user
    request = seating.locked(request_id)
    if not request.is_open:
        return
    total = total_of(request, at)
    for seat in [seat for seat in request.all_seats() if user.pk in (seat.person_id, seat.stands_for_id)]:
        if seat.state == Seat.PLANNED:
            seating.plan_another(request, seat, at)
        elif seat.state == Seat.ASKED:
            _seat(departure, request, seat, total)
    still = [seat for seat in request.all_seats() if seat.state in (Seat.PLANNED, Seat.ASKED)]
    for seat in still:
        if user.pk in (seat.person_id, seat.stands_for_id):
            leaving.note(departure, what=_what(request, seat), url=_url(request.pk), to=None)


def _seat(departure: Departure, request: ApprovalRequest, seat: Seat, total: AskTotal) -> None:
    """Hand one asked seat on, and tell the requester who is asked now."""
    if seating.reassign(request, [seat], total) and not seating.leave_to_the_others(request, seat, total.at):
        if not seat.authority:
            return
        try:
            seating.pass_up(request_id=request.pk, reason=f"{departure.words}.", at=total.at)
        except Refused:
            return
        request.refresh_from_db()
        request.forget_seats()
    made = max(request.all_seats(), key=lambda each: each.number)
    to = made.person if made.state == Seat.ASKED and made.number != seat.number else None
    state = MovedOn.MOVED if to else MovedOn.ENDED
    leaving.note(departure, what=_what(request, seat), url=_url(request.pk), to=to, state=state)
    if to:
        lead = f"{departure.words}, so {to} is asked as {made.role}."
        mail.word(request, request.log.latest("seq"), [request.requester], subject="Reassigned", lead=lead)


def _what(request: ApprovalRequest, seat: Seat) -> str:
    case = f"{request.case_key}: " if request.case_key else ""
    return f"{case}decision as {seat.role}"


def _absences(departure: Departure, most: int) -> int:
    """End the delegations by and to the person, and the calendars that would make new ones."""
    user, at = departure.user, now()
    running = Delegation.objects.filter(delegations_of(user, at)).order_by("pk").values_list("pk", flat=True)
    url = reverse("approvals:delegations")

    def end(pk: int) -> None:
        given = delegating.end(delegation_id=pk, by=None)
        what = f"{given.to} stands in for {given.user}"
        leaving.note(departure, what=what, url=url, to=None, state=MovedOn.ENDED)

    def forget(pk: int) -> None:
        feed = CalendarFeed.objects.select_for_update(of=("self",)).select_related("user").get(pk=pk)
        text = f"{departure.words} and stands in for you no more. Enter your calendar again with another stand-in."
        if feed.user_id != user.pk:
            notices.tell(users=[feed.user], key=f"feed:{departure.pk}", kind="delegation", text=text, url=url)
        feed.delete()
        leaving.note(departure, what=f"Calendar of {feed.user}", url=url, to=None, state=MovedOn.ENDED)

    feeds = CalendarFeed.objects.filter(Q(user=user) | Q(stand_in=user)).order_by("pk").values_list("pk", flat=True)
    ended = leaving.each_piece(departure, running, lambda pk: f"{url}#d{pk}", end, most=most)
    return ended + leaving.each_piece(departure, feeds, lambda pk: f"{url}#c{pk}", forget, most=most)
