"""Notifications about a case: mail through the outbox and in-app notices, written in the caller's transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from accounts.models import Contact, Departure, MovedOn, Role, Signal, User
from accounts.people import leaving
from approvals.models import ApprovalRequest, DecisionEntry, Seat
from escalations import states
from escalations.cases.notifications.common import case_url, moment_for, notice, people_of, regarding
from escalations.cases.notifications.kinds import CustomerUpdate, HandOffAsked, page_of, subject_of
from escalations.models import (
    Action,
    CasePerson,
    Commitment,
    CustomerMessage,
    Escalation,
    Event,
    HandOff,
    Review,
    SharedPost,
    SharedThread,
)
from ledger.now import now
from messaging.kinds import Content
from messaging.outbox import messages as outbox
from messaging.outbox import notices


def opened(case: Escalation, named: Iterable[User]) -> None:
    """Notify the named people that the case is open; the owner and the authority get their own messages."""
    told = [user for user in named if user.pk != case.opened_by_id]
    notice(case, told, key=f"opened:{case.pk}", kind="opened", text=f"{case.key} is open: {case.title}")


def due_moved(
    case: Escalation, requests: Iterable[ApprovalRequest], before: datetime, after: datetime, reason: str
) -> None:
    """Notify the people who are asked in other open requests of the case that their decision has another due time."""
    for request in requests:
        for user in {seat.person_id: seat.person for seat in request.all_seats() if seat.waits}.values():
            times = f"{moment_for(user, before)} → {moment_for(user, after)}"
            text = f"{case.key}: your decision on “{request.ask}” has another due time: {times}{reason}"
            # Also when it moves back to an earlier due time.
            key = f"due:{request.pk}:{now().isoformat()}"
            notice(case, [user], key=key, kind="approval", text=text, tail="approvals/")


def handed_off(case: Escalation, handoff: HandOff) -> None:
    """The addressee is asked to accept, by mail and in-app."""
    user, about = handoff.to_user, regarding(case)
    mail = outbox.Draft(
        key=f"handoff:{handoff.pk}:{user.pk}",
        kind="handoff",
        user_id=user.pk,
        address=user.email,
        subject=subject_of(handoff),
        source=HandOffAsked.source(handoff.pk),
        case_key=about.case_key,
        account_name=about.account_name,
        thread_id=about.thread_id,
        reply_to=about.reply_to,
    )
    outbox.post_many([mail], at=handoff.sent_at)
    notice(
        case,
        [user],
        key=f"handoff:{handoff.pk}",
        kind="handoff",
        text=f"Accept {case.key}: {case.title}",
        tail=page_of(handoff),
        urgent=True,
    )
    _duty_asked_of_another(case, handoff)


def _duty_asked_of_another(case: Escalation, handoff: HandOff) -> None:
    """Notify the person who accepted the duty that somebody else is asked to take it."""
    if handoff.number == 1:
        # Nobody had the duty before.
        return
    sender = handoff.from_user.name if handoff.from_user else "Escalation Desk"
    duty = handoff.get_duty_display().lower()
    text = f"{case.key}: {sender} asks {handoff.to_user.name} to take over as {duty}. You keep the duty until then."
    known = (handoff.from_user_id, handoff.to_user_id)
    holders = [row for row in case.people.all() if row.duty == handoff.duty and row.accepted_at]
    told = [row.user for row in holders if row.user_id not in known]
    if told:
        notice(case, told, key=f"handoff-from:{handoff.pk}", kind="handoff", text=text, tail="roles/")


def accepted(case: Escalation, handoff: HandOff, before: User | None) -> None:
    """Notify the sender, the communication lead and the person who had the duty before who has it now."""
    told = [handoff.from_user, before, *people_of(case, CasePerson.COMMUNICATION)]
    users = [user for user in told if user and user.pk != handoff.to_user_id]
    text = f"{handoff.to_user.name} accepted {case.key} as {handoff.get_duty_display().lower()}"
    notice(case, users, key=f"accepted:{handoff.pk}", kind="handoff", text=text)


def request_made(case: Escalation, made: ApprovalRequest) -> None:
    """Notify the communication lead that a decision was requested, unless that person requested or decides it."""
    text = f"{case.key}: {made.requester} requests a decision: {made.ask}"
    _of_request(case, made, Told(f"requested:{made.pk}", "approval_decided", text, (CasePerson.COMMUNICATION,)))


def request_decided(case: Escalation, made: ApprovalRequest, entry: DecisionEntry) -> None:
    """Notify the communication lead of the outcome, and the owner who gets no action for it."""
    duties = (
        (CasePerson.COMMUNICATION,) if case.state == states.EXECUTING else (CasePerson.COMMUNICATION, CasePerson.OWNER)
    )
    text = f"{case.key}: {entry.get_kind_display()}: {made.ask}"
    _of_request(case, made, Told(f"case-decided:{made.pk}:{entry.seq}", "approval_decided", text, duties))


def request_undone(case: Escalation, made: ApprovalRequest, entry: DecisionEntry, cancelled: Iterable[Action]) -> None:
    """Notify the owner, the communication lead and the owners of the cancelled actions that a decision was undone; what they
    were asked to do does not wait for them any more."""
    actions = list(cancelled)
    owners = [action.owner for action in actions]
    starts = [f"action:{action.pk}:" for action in actions]
    notices.over(users={user.pk for user in owners}, case_key=case.key, starts=starts)
    text = f"{case.key}: {entry.actor} undid the decision. Nothing is to be carried out: {made.ask}"
    duties = (CasePerson.COMMUNICATION, CasePerson.OWNER)
    _of_request(case, made, Told(f"case-undone:{made.pk}:{entry.seq}", "approval_undone", text, duties), *owners)


@dataclass(frozen=True)
class Told:
    """A notice about a request to the people with these duties on its case."""

    key: str
    kind: str
    text: str
    duties: tuple[str, ...]


def _of_request(case: Escalation, made: ApprovalRequest, told: Told, *more: User) -> None:
    """Tell those who keep the case, and who is asked to own it. The requester and the people who are asked get messages of the
    request."""
    known = {
        made.requester_id,
        made.decided_by_id,
        *(seat.person_id for seat in made.all_seats() if seat.state != Seat.PLANNED),
    }
    asked = HandOff.objects.none()
    if case.state == states.HANDED_OFF:
        asked = case.handoffs.filter(state=HandOff.WAITING, duty=CasePerson.OWNER).select_related("to_user")
    people = [*people_of(case, *told.duties), *(row.to_user for row in asked), *more]
    if users := [user for user in people if user.pk not in known]:
        notice(case, users, key=told.key, kind=told.kind, text=told.text, tail="approvals/")


def refused(case: Escalation, handoff: HandOff) -> None:
    """Notify the sender of the reason."""
    users = [user for user in [handoff.from_user, *people_of(case, CasePerson.COMMUNICATION)] if user]
    text = f"{handoff.to_user.name} refused {case.key}: {handoff.reason}"
    notice(case, users, key=f"refused:{handoff.pk}", kind="handoff", text=text, urgent=True)


def posted(case: Escalation, event: Event) -> None:
    """Notify named people of a new entry in the thread."""
    users = [user for user in people_of(case) if user.pk != event.actor_id]
    notice(case, users, key=f"event:{event.pk}", kind="update", text=f"{event.actor_name} posted on {case.key}")


def decided_here(case: Escalation, event: Event) -> None:
    """Notify named people that the decision authority decided without a request."""
    users = [user for user in people_of(case) if user.pk != event.actor_id]
    notice(case, users, key=f"event:{event.pk}", kind="update", text=f"{event.actor_name} decided on {case.key}")


def customer_wrote(case: Escalation, message: CustomerMessage, *, who: str, by: User | None) -> None:
    """Notify the owner, the communication lead and the reviewer of a customer's message or a signal; the account's team if the
    case has none of them, else operations. `by`: the person who logged or moved it."""
    told = [*_keepers(case), *_reviewers(case)] or _team(case.account.csm, case.account.ae)
    what = {
        "": "is on the case",
        "back": "came back after the end of the case",
        "wait": "ended the wait on the customer",
    }
    how = "back" if message.came_back else "wait" if message.ended_wait else ""
    text = f"{case.key}: {who} wrote. The message {what[how]}." if who else f"{case.key}: a new signal is on the case."
    if who and message.is_guess:
        text += " Placed by guess: check that it belongs there."
    users = [user for user in told if by is None or user.pk != by.pk]
    key, urgent = f"said:{message.event_id}", message.came_back or message.ended_wait
    notice(case, users, key=key, kind="customer", text=text, tail=f"#e{message.event.seq}", urgent=urgent)


def wrote_without_case(signal: Signal) -> None:
    """Notify the CSM of a customer's message, or of a signal, for which no case is open; the account executive if there is no
    CSM, else operations."""
    account = signal.account
    users = [user for user in _team(account.csm, account.ae) if user.pk != signal.logged_by_id]
    who = signal.contact.name if signal.contact else signal.sender_name or signal.sender
    text = (
        f"{account.name}: {who} wrote. No case is open." if who else f"{account.name}: a new signal. No case is open."
    )
    notices.tell(users=users, key=f"signal:{signal.pk}", kind="customer", text=text, url=f"/accounts/{account.pk}/")


def _keepers(case: Escalation) -> list[User]:
    """The owner and the communication lead, as far as they are active."""
    people = [case.owner, *people_of(case, CasePerson.OWNER, CasePerson.COMMUNICATION)]
    return list({user.pk: user for user in people if user and user.is_active}.values())


def _reviewers(case: Escalation) -> list[User]:
    """The reviewer of a case that is resolved: the owner may have left since."""
    if case.is_open:
        return []
    rows = Review.objects.filter(case=case, state=Review.OPEN).select_related("reviewer")
    return [row.reviewer for row in rows if row.reviewer and row.reviewer.is_active]


def _team(*team: User | None) -> list[User]:
    """The first active one of the account's team; operations without one."""
    found = next((user for user in team if user and user.is_colleague), None)
    return [found] if found else list(_operations())


def _operations() -> Iterable[User]:
    return User.objects.holding(Role.objects.filter(operations=True).values_list("slug", flat=True))


def customer_update(case: Escalation, event: Event, contacts: list[Contact]) -> None:
    """Mail the customer's people. It contains only the text of the update, nothing internal."""
    words = event.text.body if event.text else ""
    number = case.events.filter(kind=Event.CUSTOMER_UPDATE, seq__lte=event.seq).count()
    for contact in contacts:
        outbox.post(
            key=f"customer-update:{event.pk}:{contact.pk}",
            kind="customer_update",
            to=contact.email,
            content=Content(
                subject=f"Update {number} on {case.key}: {case.account.name}",
                text=f"{words}\n\n{event.actor_name}\nReference {case.key}",
                html="",
            ),
            regarding=regarding(case),
            source=CustomerUpdate.source(event.pk, contact.pk),
        )


def action_given(case: Escalation, action: Action, by: User | None) -> None:
    """Notify the owner of an action, unless they made it themselves."""
    if by is None or by.pk != action.owner_id:
        text = f"{case.key}: {action.title}, due {moment_for(action.owner, action.due_at)}"
        notice(case, [action.owner], key=f"action:{action.pk}", kind="action", text=text, tail="tracker/")


def escalated(case: Escalation, why: str) -> None:
    """Notify named people that the case was escalated."""
    text = f"{case.key} is now at {case.get_level_display()}: {why}"
    notice(case, people_of(case), key=f"level:{case.pk}:{case.version}", kind="level", text=text, urgent=True)


def nobody(case: Escalation, role: str) -> None:
    """Ask operations to fill a role that nobody holds."""
    users = _operations()
    text = f"Nobody holds the role {role}, which {case.key} needs"
    notice(case, users, key=f"nobody:{case.pk}:{case.version}:{role}", kind="operations", text=text, urgent=True)


def resolved(case: Escalation, by: User, still_open: str = "") -> None:
    """Notify named people that it is resolved and a review follows. `still_open`: the conditions that are not kept yet."""
    users = [user for user in people_of(case) if user.pk != by.pk]
    text = f"{case.key} is resolved: {case.get_outcome_display()}. The review is next."
    text = f"{text} {still_open}." if still_open else text
    notice(case, users, key=f"resolved:{case.pk}:{case.version}", kind="resolved", text=text, tail="review/")


def reopened(case: Escalation, by: User, reason: str) -> None:
    """Notify named people that it was reopened."""
    users = [user for user in people_of(case) if user.pk != by.pk]
    text = f"{case.key} is open again: {reason}"
    notice(case, users, key=f"reopened:{case.pk}:{case.version}", kind="reopened", text=text, urgent=True)


def withdrawn(case: Escalation, by: User, reason: str) -> None:
    """Notify named people that it was withdrawn."""
    users = [user for user in people_of(case) if user.pk != by.pk]
    text = f"{case.key} is withdrawn: {reason}"
    notice(case, users, key=f"withdrawn:{case.pk}:{case.version}", kind="resolved", text=text)


def ended(case: Escalation) -> None:
    """Nothing of a case that was withdrawn or merged waits for its people any more."""
    starts = [f"opened:{case.pk}:", "handoff:", "handoff-from:", "action:"]
    notices.over(users={user.pk for user in people_of(case)}, case_key=case.key, starts=starts)


def taken_off(case: Escalation, users: Iterable[User], by: User) -> None:
    """Notify people who were taken off the case. They may not see it any more, so the notice leads to the queue."""
    notices.tell(
        users=users,
        key=f"off:{case.pk}:{case.version}",
        kind="handoff",
        text=f"{by.name} took you off {case.key}",
        url="/escalations/",
        case_key=case.key,
    )


def left(case: Escalation, departure_id: int, summary: str) -> None:
    """Notify the person who raised the case and its communication lead where the work of a person who left went."""
    users = people_of(case, CasePerson.COMMUNICATION)
    if case.opened_by and not case.confidential:
        users.append(case.opened_by)
    text = f"{case.key}: {summary}"
    notice(case, users, key=f"left:{departure_id}:{case.pk}", kind="handoff", text=text)


def named(case: Escalation, user: User, by: User) -> None:
    """Notify a person who was added to the case."""
    text = f"{by.name} added you to {case.key}: {case.title}"
    notice(case, [user], key=f"named:{case.pk}:{case.version}", kind="handoff", text=text, tail="roles/")


def merged(case: Escalation, of: Escalation, people: list[User], by: User) -> None:
    """Notify the people of both cases that one carries the other on."""
    users = {user.pk: user for user in [*people, *people_of(of)] if user.pk != by.pk}
    text = f"{case.key} is a duplicate of {of.key}, which carries it on"
    notice(of, users.values(), key=f"merged:{case.pk}", kind="update", text=text)


def party_wrote(case: Escalation, thread: SharedThread, people: list[User], made: SharedPost, *, answers: bool) -> None:
    """Notify our people that an external party has written; `answers`: an open question."""
    text = f"{thread.party}, external party, {'answered' if answers else 'wrote'} on {case.key}: {thread.subject}"
    notice(case, people, key=f"shared:{made.pk}", kind="handoff", text=text, tail=f"shared/{thread.pk}/")


def commitment_given(made: Commitment) -> None:
    """Notify the new owner of a commitment."""
    notices.tell(
        users=[made.owner],
        key=f"commitment:{made.pk}:{made.owner_id}",
        kind="handoff",
        text=f"You take over a commitment: {made.text}",
        url=case_url(made.case, "tracker/") if made.case else f"/accounts/{made.account_id}/",
        case_key=made.case.key if made.case else "",
    )


def review_given(case: Escalation, review: Review) -> None:
    """Notify the new reviewer of a case."""
    key, text = f"review:{review.pk}:{review.reviewer_id}", f"You take over the review of {case.key}"
    if review.reviewer:
        notice(case, [review.reviewer], key=key, kind="handoff", text=text, tail="review/")


def departed(departure: Departure) -> None:
    """One summary for operations and for the manager: where the work of a person who left went."""
    roles = Role.objects.filter(operations=True).values_list("slug", flat=True)
    moved = departure.moved.filter(state=MovedOn.MOVED).count()
    needs = departure.moved.filter(state__in=[MovedOn.NEEDS_SOMEBODY, MovedOn.FAILED]).count()
    text = f"{departure.words}: {moved} moved on, {needs} need somebody"
    notices.tell(
        users=[*User.objects.holding(roles), leaving.heir(departure.user)],
        key=f"departure:{departure.pk}",
        kind="operations",
        text=text,
        url=leaving.page_of(departure.user),
        urgent=bool(needs),
    )
