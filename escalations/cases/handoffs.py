"""Hand-offs: sent, accepted, refused, expired. Ownership changes only when somebody accepts."""

from dataclasses import dataclass, replace
from datetime import datetime
from textwrap import shorten

from django.db import transaction
from django.db.models import Case, Exists, Max, OuterRef, Value, When, prefetch_related_objects

from accounts.models import Role, User
from escalations import states
from escalations.cases import access_rows, carrying_out, duties, notifications
from escalations.cases import brief as briefing
from escalations.cases.access import check, decides
from escalations.cases.lifecycle import move
from escalations.cases.log import Entry, lock, locking, record
from escalations.clocks import verbs as clocks
from escalations.clocks.book import together, written_together
from escalations.models import CasePerson, CaseRequest, Escalation, HandOff
from ledger import chain
from ledger.errors import AlreadyDone, Invalid, NotAllowed
from ledger.json_types import JsonObject
from ledger.now import now
from ledger.reading import has_words

NO_OWNER = "Nobody owns the case until it is accepted."


@dataclass(frozen=True)
class Notes:
    """The notes for the addressee of a hand-off. `why` is its reason; `both`: why one person owns the case and decides."""

    why: str = ""
    tried: str = ""
    open_points: str = ""
    ask: str = ""
    both: str = ""

    @property
    def reason(self) -> str:
        """The reason with the note about both duties."""
        return f"{self.why}; owns and decides: {self.both}" if self.both else self.why

    def check(self, missing: str) -> None:
        """Raises Invalid with the sentence `missing` for the first empty note."""
        for field, value in (("tried", self.tried), ("open_points", self.open_points), ("ask", self.ask)):
            if not has_words(value):
                raise Invalid(missing, field=field)


@written_together
def send(
    case: Escalation,
    *,
    to: User,
    at: datetime,
    by: User | None,
    notes: Notes,
    role: Role | None = None,
    duty: str = CasePerson.OWNER,
) -> HandOff:
    """Ask somebody to take a duty of a locked case; freezes the brief, starts the acceptance clock, notifies the
    person. A waiting hand-off of the same duty is replaced. An owner hand-off moves the case to handed_off.
    """
    number = 1
    if not case.is_new:
        case.handoffs.filter(state=HandOff.WAITING, duty=duty).update(state=HandOff.REPLACED, answered_at=at)
        number = (case.handoffs.aggregate(last=Max("number"))["last"] or 0) + 1
    handoff = HandOff(
        case=case,
        number=number,
        from_user=by,
        to_user=to,
        to_role=role,
        duty=duty,
        level=case.level,
        kind=case.kind,
        why=shorten(notes.reason, 300, placeholder=" …"),
        tried=notes.tried,
        open_points=notes.open_points,
        ask=notes.ask or (case.requested_support if duty == CasePerson.OWNER else ""),
        brief=briefing.freeze(case, reason=f"Hand-off {number}", at=at),
        sent_at=at,
    )
    if duty == CasePerson.OWNER:
        _open_owner_change(case, handoff, at, by)
    handoff.save()
    # The first owner is named already.
    if not case.is_new and not any(person.user_id == to.pk for person in case.people.all()):
        # The person is named on the case, so that even a confidential case can be read before it is accepted.
        CasePerson.objects.create(case=case, user=to, letter="I", since=at)
    data: JsonObject = {"handoff": handoff.pk, "to": to.pk, "duty": duty, "level": case.level}
    what = f"Handed to {to.name} as {handoff.get_duty_display().lower()}"
    if notes.both:
        what += f". One person owns and decides: {notes.both}"
    record(case, [Entry(kind="handed_off", summary=what, actor=by, data=data)], at=at)
    access_rows.keep([case.pk], adds=case.is_new)
    notifications.handed_off(case, handoff)
    return handoff


def _open_owner_change(case: Escalation, handoff: HandOff, at: datetime, by: User | None) -> None:
    if case.state != states.HANDED_OFF:
        move(case, "hand_off", at=at, actor=by, reason=shorten(handoff.why, 200, placeholder=" …"))
    clock = clocks.start(case, states.ACCEPTANCE, at=at)
    handoff.due_at = clock.due_at if clock else None


def _waiting(case: Escalation, handoff_id: int, by: User) -> HandOff:
    outside = Exists(User.objects.external().filter(pk=OuterRef("to_user")))
    handoff = case.handoffs.select_related("to_user", "from_user").annotate(outside=outside).get(pk=handoff_id)
    if handoff.to_user_id != by.pk:
        raise NotAllowed(f"Only {handoff.to_user.name} can answer this hand-off.")
    if handoff.outside:
        raise NotAllowed("An external party takes no duty on a case.")
    if handoff.state != HandOff.WAITING:
        raise AlreadyDone(f"This hand-off is {handoff.state_words.lower()}. There is nothing left to answer.")
    return handoff


@transaction.atomic
def accept(*, case_id: int, handoff_id: int, by: User) -> Escalation:
    """Take the duty. The owner's acceptance ends the acceptance clock; the case goes on where its requests stand.

    Raises NotAllowed for anybody but the addressee and AlreadyDone if it is answered or replaced.
    """
    asked = Exists(CaseRequest.objects.filter(case=OuterRef("pk")))
    at, case = now(), locking().annotate(has_requests=asked).get(pk=case_id)
    handoff = _waiting(case, handoff_id, by)
    if handoff.duty == CasePerson.AUTHORITY and not decides(case, by):
        raise NotAllowed(
            f"You hold no role now that decides at {case.policy.ladder.label(case.level)}. Refuse the duty."
        )
    handoff.state, handoff.answered_at = HandOff.ACCEPTED, at
    handoff.save(update_fields=["state", "answered_at"])
    with together(case):
        before = take_duty(case, by, handoff.duty, at)
        summary = f"{by.name} accepted as {handoff.get_duty_display().lower()}"
        record(case, [Entry(kind="accepted", summary=summary, actor=by, data={"handoff": handoff.pk})], at=at)
        if handoff.duty == CasePerson.OWNER:
            case.owner = by
            chain.save(case, ["owner"])
            clocks.stop(case, states.ACCEPTANCE, at=at)
            if case.state == states.HANDED_OFF:
                move(case, "accept", at=at, actor=by)
                if case.has_requests:
                    carrying_out.go_on(case, by, at)
            clocks.start(case, states.FIRST_ACT, at=at)
    access_rows.keep([case.pk])
    notifications.accepted(case, handoff, before)
    return case


def take_duty(case: Escalation, user: User, duty: str, at: datetime) -> User | None:
    """Give a duty to a person without asking; the previous person stays on the case as informed and is returned."""
    letter = "A" if duty == CasePerson.AUTHORITY else "R"
    current = case.people.filter(duty=duty).first()
    if current and current.user_id == user.pk:
        current.accepted_at = at
        current.save(update_fields=["accepted_at"])
        return None
    return replace_duty(case, user, duty, letter, at, accepted=True)


def replace_duty(case: Escalation, user: User, duty: str, letter: str, at: datetime, *, accepted: bool) -> User | None:
    """Give the duty to another person; exactly one Accountable stays. Returns the person who had it."""
    current = case.people.filter(duty=duty).select_related("user").first()
    if current:
        still_named = case.people.filter(user=current.user_id).exclude(pk=current.pk).exists()
        if still_named:
            current.delete()
        else:
            current.duty, current.letter = "", "I"
            current.save(update_fields=["duty", "letter"])
    if letter == "A":
        case.people.filter(letter="A").update(letter="R")
    case.people.filter(user=user, duty="").delete()
    CasePerson.objects.create(
        case=case, user=user, duty=duty, letter=letter, since=at, accepted_at=at if accepted else None
    )
    return current.user if current else None


def until_accepted(case: Escalation, duty: str) -> str:
    """Who has the duty while another person is asked to take it, as a sentence."""
    if duty == CasePerson.OWNER:
        return f"{case.owner.name} stays owner until it is accepted." if case.owner else NO_OWNER
    has = next((each.user.name for each in case.people.all() if each.duty == duty), "")
    return f"{has or 'Nobody'} {'keeps' if has else 'has'} the duty until it is accepted."


def settle(case: Escalation, *, duty: str, by: User | None, at: datetime) -> None:
    """Close the waiting hand-off of a duty: accepted if its addressee acted, else replaced."""
    accepted = When(to_user=by, then=Value(HandOff.ACCEPTED))
    waiting = case.handoffs.filter(state=HandOff.WAITING, duty=duty)
    waiting.update(state=Case(accepted, default=Value(HandOff.REPLACED)), answered_at=at)


@transaction.atomic
def refuse(*, case_id: int, handoff_id: int, by: User, reason: str) -> Escalation:
    """Refuse with a reason; the sender is notified and gets the case back to hand it on.

    Raises Invalid without a reason, NotAllowed, AlreadyDone.
    """
    if not has_words(reason):
        raise Invalid("Enter why you refuse: what is missing, or who should own it.", field="reason")
    at, case = now(), lock(case_id)
    handoff = _waiting(case, handoff_id, by)
    handoff.state, handoff.answered_at, handoff.reason = HandOff.REFUSED, at, reason[:300]
    handoff.save(update_fields=["state", "answered_at", "reason"])
    summary = f"{by.name} refused the hand-off: {reason}"
    with together(case):
        record(case, [Entry(kind="refused", summary=summary, actor=by, data={"handoff": handoff.pk})], at=at)
        notifications.refused(case, handoff)
        if handoff.duty == CasePerson.OWNER:
            clocks.stop(case, states.ACCEPTANCE, at=at, outcome="stopped")
            _back_or_on(case, handoff, at)
    return case


def _back_or_on(case: Escalation, handoff: HandOff, at: datetime) -> None:
    """A refused case returns to its owner, or goes to the next person who can own it. It always has somebody."""
    refusers = tuple(
        case.handoffs.filter(state__in=[HandOff.REFUSED, HandOff.EXPIRED]).values_list("to_user", flat=True)
    )
    target = _next_owner(case, handoff, refusers)
    both = duties.note_of_both(case, target, CasePerson.OWNER)
    move(case, "give_back", at=at, reason=f"{handoff.to_user.name}: {handoff.get_state_display().lower()}")
    send(
        case,
        to=target,
        at=at,
        by=handoff.from_user,
        notes=Notes(f"{handoff.to_user.name} did not take it: {handoff.reason}"[:300], both=both),
    )


def _next_owner(case: Escalation, handoff: HandOff, refusers: tuple[int, ...]) -> User:
    return _someone(case, [handoff.to_user.manager, case.owner], refusers) or handoff.to_user


def _someone(case: Escalation, first: list[User | None], exclude: tuple[int, ...]) -> User | None:
    """The people who can own it next: the given ones first, then the opener, the account's people and their managers."""
    for user in [*first, case.opened_by, case.account.csm]:
        if user is not None and user.is_colleague and user.pk not in exclude:
            return user
    roles = Role.objects.filter(fallback_owner=True, account_person="").values_list("slug", flat=True)
    return User.objects.holding(roles).exclude(pk__in=exclude).first()


@written_together
def decay(case: Escalation, *, at: datetime) -> None:
    """An owner accepted but did not begin in twice the time: hand the case on. The owner stays until another person
    accepts. Does nothing if a hand-off already waits, if the work is over, or if nobody else could own it.
    """
    waiting = case.handoffs.filter(state=HandOff.WAITING, duty=CasePerson.OWNER).exists()
    if waiting or not case.is_open or case.owner is None:
        return
    late = case.owner
    target = _someone(case, [late.manager], (late.pk,))
    if target is None:
        return
    why = f"{late.name} accepted the case but has not started in time"
    record(
        case,
        [Entry(kind="decayed", summary=f"{why}; the case is handed off to the next person", data={"owner": late.pk})],
        at=at,
    )
    both = duties.note_of_both(case, target, CasePerson.OWNER)
    notes = Notes(why, open_points="Nothing has been done since the case was accepted.", both=both)
    send(case, to=target, at=at, by=None, notes=notes)


@written_together
def expire(case: Escalation, *, at: datetime) -> None:
    """The acceptance clock ran out: the hand-off expires and the case goes to the next person."""
    handoff = (
        case.handoffs.select_related("to_user", "from_user")
        .filter(state=HandOff.WAITING, duty=CasePerson.OWNER)
        .first()
    )
    if handoff is None:
        return
    handoff.state, handoff.answered_at, handoff.reason = HandOff.EXPIRED, at, "not accepted in time"
    handoff.save(update_fields=["state", "answered_at", "reason"])
    summary = f"{handoff.to_user.name} did not accept in time; the hand-off goes to the next person"
    record(case, [Entry(kind="expired", summary=summary, data={"handoff": handoff.pk})], at=at)
    _back_or_on(case, handoff, at)


@transaction.atomic
def reassign(*, case_id: int, by: User, to: User, notes: Notes, duty: str = CasePerson.OWNER) -> HandOff:
    """Ask another person to take a duty. The person who has it now keeps it until it is accepted. Raises Invalid with the
    field if a note of the owner duty is missing, or if the person may not take the duty (`duties.check_person`)."""
    if duty == CasePerson.OWNER:
        notes.check("Write what the next owner needs: what was tried, what is open, what you ask for.")
    at, case = now(), lock(case_id)
    # Read once for the permission, the checks and the hand-off.
    prefetch_related_objects([case], "people")
    check(case, by, "hand_off" if duty == CasePerson.OWNER else "roles")
    duties.check_person(case, to, duty, notes.both)
    return send(case, to=to, at=at, by=by, notes=replace(notes, why=f"{by.name} hands it over"), duty=duty)
