"""Delegating one request, or all decisions for a time to a stand-in. One step only, never above the delegator's own
limit."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.models import User
from approvals.absence.rules.delegation import Span, why_not
from approvals.mail import links
from approvals.mail import messages as mail
from approvals.matrix.totals import total_of
from approvals.models import ApprovalRequest, AuthorityVersion, DecisionEntry, Delegation, Seat
from approvals.requests import log
from approvals.requests import seats as seating
from approvals.requests.conflicts import conflict
from approvals.requests.permissions import for_user
from approvals.requests.rules.verdicts import check_words
from ledger.errors import Invalid, NotAllowed, NotThere, Stale
from ledger.now import now
from ledger.reading import words_of


@transaction.atomic
def delegate(
    *, request_id: int, by: User, to: User, reason: str, version: int | None = None, channel: str = DecisionEntry.WEB
) -> ApprovalRequest:
    """Delegate one request: the delegate gets the seat with the delegator's authority, and cannot delegate it further.

    Raises NotAllowed unless `by` has a waiting seat and may decide it, or if the seat was delegated to `by`; Invalid if
    `to` is inactive, a service, would approve for themselves, was excluded, or decides another seat; Stale if the
    request changed meanwhile, AlreadyDone if it has ended.
    """
    at = now()
    request = seating.locked_open(request_id, by, at)
    if version is not None and version != request.version:
        raise Stale("The request has changed in the meantime. Read it again before you delegate it.")
    seat = _own_seat(request, by)
    if seat.stands_for_id:
        raise NotAllowed(
            f"{seat.stands_for} delegated this to you, so you cannot delegate it further. Decide it, or ask a question."
        )
    total = total_of(request, at)
    right = for_user(request, by, at, seat.number, total=total)
    if not right.may_decide:
        raise NotAllowed(right.words)
    check_words(reason, "reason", "Enter a reason for delegating.")
    _check_person(request, by, to, at)
    made = seating.hand_over(request, seat, to, Seat.DELEGATED, at, stands_for=seat.person)
    entry = log.write(
        request,
        DecisionEntry.DELEGATED,
        at,
        actor=by,
        on_behalf_of=by,
        channel=channel,
        role=seat.role.name,
        limit=seat.limit,
        rationale=words_of(reason),
        seat=seat.number,
        facts={"to": to.pk, "to_name": str(to), "seat": made.number},
    )
    seating.ask(request, made, total)
    lead = f"{by} delegated the decision as {seat.role} to {to}."
    mail.word(request, entry, [request.requester], subject="Delegated", lead=lead)
    return request


def _own_seat(request: ApprovalRequest, by: User) -> Seat:
    seat = next((each for each in seating.deciding(request) if each.person_id == by.pk), None)
    if seat is None:
        raise NotAllowed("Only a person whose own decision is pending can delegate it.")
    return seat


def _check_person(request: ApprovalRequest, by: User, to: User, at: datetime) -> None:
    if to.pk == by.pk:
        raise Invalid("Choose someone else: this request already waits for you.", field="to")
    if not to.is_colleague or to.kind == User.SERVICE:
        raise Invalid(f"{to} cannot decide: choose an active person.", field="to")
    if conflict(request, to, at):
        raise Invalid(
            f"{to} would approve for themselves or for someone they report to. Choose someone else.", field="to"
        )
    if to.pk in (request.rule.get("exclude") or []):
        raise Invalid(f"{to} was excluded from this decision when it was requested.", field="to")
    others = [seat for seat in request.all_seats() if seat.part == Seat.DECIDE and seat.state in Seat.CURRENT]
    seated = [seat for seat in others if seat.state in (Seat.ASKED, Seat.DECIDED)]
    if any(to.pk in (seat.person_id, seat.said_by_id) for seat in seated):
        raise Invalid(f"{to} already decides another part of this. Choose someone else.", field="to")
    if any(seat.person_id == to.pk for seat in others):
        raise Invalid(f"{to} decides another part of this later. Choose someone else.", field="to")


@dataclass(frozen=True)
class StandIn:
    """The stand-in, the time (half-open, dates as moments) and the concessions; no concession named means all."""

    to: User
    starts_at: datetime
    ends_at: datetime
    concessions: Collection[str] = ()
    up_to_usd: Decimal | None = None
    note: str = ""


@transaction.atomic
def make(wanted: StandIn, *, user: User, by: User, source: str = Delegation.HAND, uid: str = "") -> Delegation:
    """For a time, `wanted.to` may decide requests addressed to `user`; `user` still may. Raises NotAllowed unless `by`
    is the delegator or operations; Invalid for the past, oneself, services and inactive people, an unknown concession,
    two stand-ins for the same concession and time, or a circle of people who stand in for one another.
    """
    at = now()
    if by.pk != user.pk and not by.is_ops:
        raise NotAllowed("Only the person or Operations can choose the person's stand-in.")
    # New stand-ins are saved one after the other, so that two at the same time cannot both be accepted as the only one.
    list(User.objects.select_for_update(no_key=True).filter(pk__in=[user.pk, wanted.to.pk]).order_by("pk"))
    # A circle may include people other than these two, so all new stand-ins wait for one lock.
    first = AuthorityVersion.objects.order_by("pk").values_list("pk", flat=True)[:1]
    list(AuthorityVersion.objects.select_for_update(no_key=True).filter(pk__in=list(first)))
    _check_people(user, wanted.to)
    _check_scope(wanted.concessions, wanted.up_to_usd, at)
    span = Span(user.pk, wanted.to.pk, wanted.starts_at, wanted.ends_at, frozenset(wanted.concessions))
    if why := why_not(span, _spans(at), at):
        raise Invalid(why.words, field=why.field)
    given = Delegation.objects.create(
        user=user,
        to=wanted.to,
        starts_at=wanted.starts_at,
        ends_at=wanted.ends_at,
        concessions=sorted(set(wanted.concessions)),
        up_to_usd=wanted.up_to_usd,
        note=wanted.note.strip()[:200],
        source=source,
        uid=uid,
        created_by=by,
    )
    mail.stands_in(given, at)
    if wanted.starts_at <= at:
        _ask_stand_in(given, at)
    return given


def _check_people(user: User, to: User) -> None:
    for each in (user, to):
        if each.kind == User.SERVICE:
            raise Invalid(f"{each} is a service. Services cannot delegate or be stand-ins.", field="to")
    if to.is_external or user.is_external:
        raise Invalid(f"{to if to.is_external else user} is an external party. Choose a colleague.", field="to")
    if not to.is_active:
        raise Invalid(f"{to} is not active. Choose someone else.", field="to")


def _check_scope(concessions: Collection[str], up_to_usd: Decimal | None, at: datetime) -> None:
    version = AuthorityVersion.objects.current(at)
    known = set(version.concessions.values_list("slug", flat=True)) if version else set()
    if strange := sorted(set(concessions) - known):
        raise Invalid(f"The authority matrix does not list {', '.join(strange)}.", field="concessions")
    if up_to_usd is not None and up_to_usd <= 0:
        raise Invalid("Enter an amount above 0, or leave it empty.", field="up_to_usd")


def _spans(at: datetime) -> list[Span]:
    rows = Delegation.objects.filter(ends_at__gt=at, ended_at__isnull=True)
    return [Span(row.user_id, row.to_id, row.starts_at, row.ends_at, frozenset(row.concessions)) for row in rows]


def _ask_stand_in(given: Delegation, at: datetime) -> None:
    """Mail the stand-in the requests that already wait for the delegator."""
    waiting = Seat.objects.asked().deciding().filter(person=given.user, request__state=ApprovalRequest.OPEN)
    for seat in waiting.select_related(
        "request__account", "request__authority", "request__requester", "person", "role"
    ):
        if given.to in seating.stand_ins(seat.request, seat, at):
            token = links.issue(seat.request, seat, to=given.to)
            mail.ask(seat.request, seat, token, total_of(seat.request, at), again=f":d{given.pk}", to=given.to)


@transaction.atomic
def end(*, delegation_id: int, by: User | None) -> Delegation:
    """End a delegation early; decisions made under it stay. Without `by` the calendar ends it. Ending it twice has no
    further effect.

    Raises NotThere for a delegation of other people (unless `by` is operations).
    """
    at = now()
    rows = Delegation.objects.select_for_update(of=("self",)).select_related("user", "to")
    given = rows.filter(pk=delegation_id).first()
    if given is None or (by is not None and by.pk != given.user_id and not by.is_ops):
        raise NotThere("There is no such delegation.")
    if given.ended_at is None and given.ends_at > at:
        given.ended_at, given.ended_by = at, by
        given.save(update_fields=["ended_at", "ended_by"])
        mail.stands_in(given, at, ended=True)
    return given
