"""Who is told what about a case: mail through the outbox and in-app notices, written in the caller's transaction."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from accounts.models import Contact, User
from approvals.rules.words import money_words, zone_words
from escalations import states
from escalations.models import Action, CasePerson, Clock, Escalation, Event, HandOff
from messaging.mail import render
from messaging.services import notices, outbox


def case_url(case: Escalation, tail: str = "") -> str:
    """Path of the case's page."""
    return f"/escalations/{case.key}/{tail}"


def thread_id(case: Escalation) -> str:
    """Message-ID that all mails of the case refer to."""
    return f"<case-{case.pk}@{settings.MAIL_DOMAIN}>"


def local(moment: datetime | None, user: User) -> str:
    """A moment in the reader's zone: Fri Jan 23, 5:00 PM ET."""
    if moment is None:
        return "no date"
    here = moment.astimezone(ZoneInfo(user.zone or "UTC"))
    return f"{here:%a %b %-d, %-I:%M %p} {zone_words(here)}"


def _mail(
    case: Escalation,
    user: User,
    *,
    key: str,
    kind: str,
    subject: str,
    head: str,
    lead: str,
    button: str,
    path: str,
    why: str,
    facts: list[tuple[str, str]] | None = None,
    after: str = "",
    word: str = "",
    tone: str = "neutral",
    wanted_while: str = "",
) -> None:
    context = {
        "subject": subject,
        "preview": lead,
        "ref": case.key,
        "word": word,
        "tone": tone,
        "head": head,
        "lead": lead,
        "facts": facts or _facts(case, user),
        "button": button,
        "url": path,
        "after": after,
        "why": why,
    }
    text, html = render("case_note", context, zone=user.zone)
    outbox.post(
        key=f"{key}:{user.pk}",
        kind=kind,
        to=user,
        subject=subject,
        text=text,
        html=html,
        case_key=case.key,
        account_name=case.account.name,
        thread_id=thread_id(case),
        reply_to=f"case+{case.pk}@{settings.MAIL_DOMAIN}",
        wanted_while=wanted_while,
    )


def _facts(case: Escalation, user: User) -> list[tuple[str, str]]:
    renewal = f"{case.account.renewal_date:%b %-d, %Y}" if case.account.renewal_date else "no date"
    return [
        ("Account", case.account.name),
        ("ARR at risk", money_words(case.arr_at_risk, case.arr_currency)),
        ("Renewal", renewal),
        ("Customer deadline", local(case.deadline, user)),
    ]


def _notice(
    case: Escalation, users: Iterable[User], *, key: str, kind: str, text: str, tail: str = "", urgent: bool = False
) -> None:
    notices.tell(
        users=list(users),
        key=key,
        kind=kind,
        text=text[:300],
        url=case_url(case, tail),
        case_key=case.key,
        urgent=urgent,
    )


def people_of(case: Escalation, *duties: str) -> list[User]:
    """People on the case with one of the duties (all named people without any)."""
    rows = case.people.select_related("user")
    found = [row.user for row in rows if not duties or row.duty in duties]
    return list({user.pk: user for user in found if user.is_active}.values())


def opened(case: Escalation) -> None:
    """The named people learn that the case is open; owner and authority get their own word."""
    told = [user for user in people_of(case) if user.pk != case.opened_by_id]
    _notice(case, told, key=f"opened:{case.pk}", kind="opened", text=f"{case.key} is open: {case.title}")


def handed_off(case: Escalation, handoff: HandOff) -> None:
    """The addressee is asked to accept, by mail and in-app."""
    user, sender = handoff.to_user, handoff.from_user.name if handoff.from_user else "Escalation Desk"
    due = f" Accept by {local(handoff.due_at, user)}." if handoff.due_at else ""
    duty = handoff.get_duty_display().lower()
    tail = f"handoffs/{handoff.number}/"
    _mail(
        case,
        user,
        key=f"handoff:{handoff.pk}",
        kind="handoff",
        subject=f"{case.key} is handed to you: {case.account.name}. Accept or refuse",
        head=f"{sender} hands you the {duty} duty",
        lead=f"{case.title}.{due} {handoff.why}".rstrip(" .") + ".",
        facts=[
            *_facts(case, user),
            ("What was tried", handoff.tried or "See the thread"),
            ("What is open", handoff.open_points or case.issue[:200]),
            ("What is asked", handoff.ask or "Take the case and decide the next step"),
        ],
        button="Review and accept",
        path=case_url(case, tail),
        after="Nothing changes hands until you accept on the page. Without an answer it moves to the next person.",
        why=f"You get this because the escalation matrix names you for {case.issue_type.name.lower()} cases.",
        wanted_while=f"handoff:{handoff.pk}",
    )
    _notice(
        case,
        [user],
        key=f"handoff:{handoff.pk}",
        kind="handoff",
        text=f"Accept {case.key}: {case.title}",
        tail=tail,
        urgent=True,
    )


def accepted(case: Escalation, handoff: HandOff) -> None:
    """The sender and the communication lead learn who owns it now."""
    told = [handoff.from_user, *people_of(case, CasePerson.COMMUNICATION)]
    users = [user for user in told if user and user.pk != handoff.to_user_id]
    text = f"{handoff.to_user.name} accepted {case.key} as {handoff.get_duty_display().lower()}"
    _notice(case, users, key=f"accepted:{handoff.pk}", kind="handoff", text=text)


def refused(case: Escalation, handoff: HandOff) -> None:
    """The sender learns the reason."""
    users = [user for user in [handoff.from_user, *people_of(case, CasePerson.COMMUNICATION)] if user]
    text = f"{handoff.to_user.name} refused {case.key}: {handoff.reason}"
    _notice(case, users, key=f"refused:{handoff.pk}", kind="handoff", text=text, urgent=True)


def posted(case: Escalation, event: Event) -> None:
    """Named people see that something new stands in the thread."""
    users = [user for user in people_of(case) if user.pk != event.actor_id]
    _notice(case, users, key=f"event:{event.pk}", kind="update", text=f"{event.actor_name} posted on {case.key}")


def customer_update(case: Escalation, event: Event, contacts: list[Contact]) -> None:
    """Mail to the customer's people. Only the words of the update leave; nothing internal does."""
    words = event.text.body if event.text else ""
    number = case.events.filter(kind=Event.CUSTOMER_UPDATE, seq__lte=event.seq).count()
    for contact in contacts:
        outbox.post(
            key=f"customer-update:{event.pk}:{contact.pk}",
            kind="customer_update",
            to=contact.email,
            subject=f"Update {number} on {case.key}: {case.account.name}",
            text=f"{words}\n\n{event.actor_name}\nReference {case.key}",
            html="",
            case_key=case.key,
            account_name=case.account.name,
            thread_id=thread_id(case),
            reply_to=f"case+{case.pk}@{settings.MAIL_DOMAIN}",
        )


def action_given(case: Escalation, action: Action, by: User | None) -> None:
    """The owner of an action learns of it, unless they made it themselves."""
    if by is None or by.pk != action.owner_id:
        text = f"{case.key}: {action.title}, due {local(action.due_at, action.owner)}"
        _notice(case, [action.owner], key=f"action:{action.pk}", kind="action", text=text, tail="tracker/")


def concerned(case: Escalation, clock: Clock) -> list[User]:
    """Whom a clock is about: the addressee of a hand-off, the decider, or owner and communication lead."""
    if clock.kind == states.ACCEPTANCE:
        return [row.to_user for row in case.handoffs.filter(state=HandOff.WAITING).select_related("to_user")]
    duties = {
        states.DECISION: (CasePerson.AUTHORITY, CasePerson.OWNER),
        states.CUSTOMER_UPDATE: (CasePerson.COMMUNICATION, CasePerson.OWNER),
        states.RESPONSE: (CasePerson.COMMUNICATION, CasePerson.OWNER),
    }.get(clock.kind, (CasePerson.OWNER, CasePerson.COMMUNICATION))
    return people_of(case, *duties)


def warned(case: Escalation, clock: Clock) -> None:
    """Most of the time is used: those who can still keep the promise are told."""
    for user in concerned(case, clock):
        _mail(
            case,
            user,
            key=f"warn:{clock.pk}",
            kind="warning",
            subject=f"Due {local(clock.due_at, user)}: {clock.label.lower()} of {case.key}, {case.account.name}",
            head=f"{clock.label} is due {local(clock.due_at, user)}",
            lead=f"{clock.warn_percent}% of the time is used on {case.key}: {case.title}.",
            button="Open the case",
            path=case_url(case),
            after="When it passes, the escalation matrix says who is next.",
            why="You get this because you can still keep this promise.",
            word="YELLOW: time is running out",
            tone="yellow",
            wanted_while=f"clock:{clock.pk}",
        )
    _notice(
        case,
        concerned(case, clock),
        key=f"warn:{clock.pk}",
        kind="warning",
        text=f"{case.key}: {clock.label.lower()} is due soon",
        urgent=True,
    )


def breached(case: Escalation, clock: Clock) -> None:
    """Past SLA: owner, authority and communication lead are told; this cannot be switched off."""
    everyone = {
        user.pk: user for user in [*concerned(case, clock), *people_of(case, CasePerson.OWNER, CasePerson.AUTHORITY)]
    }
    for user in everyone.values():
        _mail(
            case,
            user,
            key=f"breach:{clock.pk}",
            kind="breach",
            subject=f"Past SLA: {clock.label.lower()} of {case.key}, {case.account.name}",
            head=f"{clock.label} was due {local(clock.due_at, user)}",
            lead=f"{case.key}: {case.title}.",
            button="Open the case",
            path=case_url(case),
            after="The escalation matrix moves the case on where it names a next level.",
            why="You get this because you are named on the case.",
            word="RED: past SLA",
            tone="red",
        )
    text = f"{case.key} is past SLA: {clock.label.lower()}"
    _notice(case, everyone.values(), key=f"breach:{clock.pk}", kind="breach", text=text, urgent=True)


def escalated(case: Escalation, why: str) -> None:
    """Named people learn that the case went up."""
    text = f"{case.key} is now at {case.get_level_display()}: {why}"
    _notice(case, people_of(case), key=f"level:{case.pk}:{case.version}", kind="level", text=text, urgent=True)


def nobody(case: Escalation, role: str) -> None:
    """Operations must fill a role nobody holds."""
    users = User.objects.holding(["pmo", "administrator"])
    text = f"Nobody holds the role {role}, which {case.key} needs"
    _notice(case, users, key=f"nobody:{case.pk}:{case.version}", kind="operations", text=text, urgent=True)


def resolved(case: Escalation, by: User) -> None:
    """Named people learn that it is resolved and a review follows."""
    users = [user for user in people_of(case) if user.pk != by.pk]
    text = f"{case.key} is resolved: {case.get_outcome_display()}. The review is next."
    _notice(case, users, key=f"resolved:{case.pk}:{case.version}", kind="resolved", text=text, tail="review/")


def reopened(case: Escalation, by: User, reason: str) -> None:
    """Named people learn that it is back."""
    users = [user for user in people_of(case) if user.pk != by.pk]
    text = f"{case.key} is open again: {reason}"
    _notice(case, users, key=f"reopened:{case.pk}:{case.version}", kind="reopened", text=text, urgent=True)
