"""Messages about a request. Each is written once per reason, in the transaction of the change it reports."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.urls import reverse

from accounts.models import User
from accounts.people import leaving
from approvals.mail import limits as by_mail
from approvals.mail.kinds import WITH_BRIEF, ApprovalAsked, ApprovalDecided
from approvals.mail.rules import address_of
from approvals.matrix.rules.units import amount_words
from approvals.matrix.totals import AskTotal, sum_words
from approvals.models import ApprovalRequest, DecisionEntry, Delegation, Seat
from approvals.requests.permissions import STATE_WORDS
from approvals.requests.rules.verdicts import recommended_conditions
from ledger.format import day, moment, money, money_short
from messaging.kinds import Content
from messaging.outbox import layout as mail
from messaging.outbox import messages as outbox
from messaging.outbox import notices

OUTCOME = {
    ApprovalRequest.APPROVED: ("Approved", "green"),
    ApprovalRequest.CONDITIONS: ("Approved with conditions", "green"),
    ApprovalRequest.DECLINED: ("Declined", "red"),
}

OPENING = "Opening the link changes nothing."


def url_of(request: ApprovalRequest) -> str:
    """The page of a request, as a path."""
    return reverse("approvals:detail", args=[request.pk])


def topic(request: ApprovalRequest) -> str:
    """`Northwind liability cap, $500k ARR`."""
    arr = f", {money_short(request.account.arr, request.account.currency)} ARR" if request.account.arr else ""
    return f"{request.account.name} {request.concession_name.lower()}{arr}"


def ask(
    request: ApprovalRequest,
    seat: Seat,
    token: str,
    total: AskTotal,
    *,
    nth: int = 0,
    again: str = "",
    to: User | None = None,
) -> None:
    """The question, to the person it waits for, with one link. `nth` counts reminders; `again` marks a question that is
    asked again; `to` is that person's stand-in."""
    at, person = total.at, to or seat.person
    paused = request.paused_at is not None
    by = "the due time" if paused else moment(request.deadline, person.zone, at)
    late = not paused and request.deadline <= at
    due = "needed, its clock is paused" if paused else f"was due {by}" if late else f"needed by {by}"
    until = "" if paused else f" by {by}"
    start = f"Reminder {nth}: decision" if nth else "Decision"
    subject = f"{start} {due}: {topic(request)}"
    text = f"{request.requester} asks for your decision{until}: {request.ask}"
    key = (
        f"approval:{request.pk}:{seat.number}{again}{f':reminder:{nth}' if nth else ''}{f':for:{to.pk}' if to else ''}"
    )
    _post(
        request,
        key=key,
        kind="approval",
        to=person,
        subject=subject,
        values={
            "word": "Past due" if late else f"Reminder {nth}" if nth else "Your decision",
            "tone": "red" if late else "yellow" if nth else "neutral",
            "head": request.ask,
            "lead": f"{person.name}, {_needed(request, seat, to)}{until}. {request.why_now}",
            "facts": facts(request, seat, total),
            "quote": _advice(request),
            "button": "Review and decide" if seat.part == Seat.DECIDE else "Read and comment",
            "url": reverse("approvals:link", args=[token]),
            "after": " ".join(
                filter(None, [how_to_answer(request, seat, total), OPENING, WITH_BRIEF if request.brief else ""])
            ),
            "why": f"{_why_you(seat, to)} {_or_else(seat, by, total)}".strip(),
            "preview": request.recommendation[:140],
        },
        ties=Ties(
            reply_to=address_of(token, settings.MAIL_DOMAIN) if by_mail.replies_are_read() else "",
            source=ApprovalAsked.source(request.pk, seat.number),
        ),
    )
    notices.tell(
        users=[person], key=key, kind="approval", text=text, url=url_of(request), case_key=request.case_key, urgent=True
    )


def _advice(request: ApprovalRequest) -> list[tuple[str, str]]:
    """The recommendation, and the conditions that go with it."""
    lines = recommended_conditions(request.options)
    conditions = [("Conditions of the recommendation", "\n".join(lines))] if lines else []
    return [("Recommendation", request.recommendation), *conditions]


def how_to_answer(request: ApprovalRequest, seat: Seat, total: AskTotal) -> str:
    """The sentence about replies to this mail."""
    if not by_mail.replies_are_read():
        return "Nothing is decided until you submit on the page."
    if seat.part == Seat.CONSULT:
        return "You can also reply to this mail: your text becomes your comment."
    if by_mail.may_reply(request, total):
        return (
            "You can also reply to this mail: write approve or decline alone on the first line, and your reason below it. "
            "To decline, give a reason. Any other text becomes a comment."
        )
    return "This request cannot be decided by reply. Decide on the page. A reply becomes a comment."


def _needed(request: ApprovalRequest, seat: Seat, to: User | None) -> str:
    """Who must do what: `Marcus Lee needs your decision as Director`."""
    what = "decision" if seat.part == Seat.DECIDE else "comment"
    whose = f"your {what} as {seat.role}" if to is None else f"a {what} as {seat.role} in place of {seat.person}"
    return f"{request.requester} needs {whose}"


def _why_you(seat: Seat, to: User | None) -> str:
    if to:
        return f"You get this because you stand in for {seat.person}. {seat.person} may also decide it."
    if seat.stands_for_id:
        return f"You get this because {seat.stands_for} delegated it to you."
    if seat.part == Seat.CONSULT:
        return "You get this because your role is consulted. Your comment goes on the record and does not block the decision."
    return "You get this because the authority matrix names your role."


def facts(request: ApprovalRequest, seat: Seat, total: AskTotal) -> list[tuple[str, str]]:
    """The ask, what is added up, the limit of the role below, your limit, ARR with renewal."""
    below = request.rule.get("below") or []
    rows = [("Requested", amount_words(request.unit, request.amount, request.currency or "USD"))]
    if words := sum_words(request, total.granted, total.at):
        rows.append(("Added up", words))
    rows += [(f"{below[-1]['role']} has a limit of", below[-1]["limit"])] if below else []
    rows += [("Your limit" if not seat.stands_for_id else "Limit", seat.limit)] if seat.limit else []
    account = request.account
    if account.arr is not None:
        renewal = f", renews {day(account.renewal_date)}" if account.renewal_date else ""
        rows.append(("ARR", money(account.arr, account.currency) + renewal))
    return rows


def _or_else(seat: Seat, by: str, total: AskTotal) -> str:
    """What happens without an answer: the authority's seat is escalated, a function is waited for, a consulted person
    is not."""
    if seat.part == Seat.CONSULT:
        return ""
    if not seat.authority:
        return "The decision waits for you."
    return if_nothing_is_done(seat, by, total)


def if_nothing_is_done(seat: Seat, by: str, total: AskTotal) -> str:
    """The sentence about what happens without a decision."""
    asked = next((each for each in total.coverage.covering if each.role == seat.role.slug), None)
    higher = total.coverage.above(asked.role, asked.rank) if asked else []
    if higher:
        return f"If there is no decision by {by}, it goes to the {higher[0].role_name}."
    return "There is no higher authority, so it stays with you until you decide."


def decided(request: ApprovalRequest, entry: DecisionEntry, at: datetime, others: Iterable[User] = ()) -> None:
    """The outcome, to the requester, and to the others who were asked and did not decide it themselves."""
    word, tone = OUTCOME[request.state]
    who = "a pre-approved band" if request.by_rule else str(request.decided_by)
    key = f"approval-decided:{request.pk}:{entry.seq}"
    quote = [("Conditions", request.conditions), ("Reason", request.reason)]
    others = list(others)
    for person in [request.requester, *others]:
        _post(
            request,
            key=f"{key}:{person.pk}",
            kind="approval_decided",
            to=person,
            subject=f"{word}: {topic(request)}",
            ties=Ties(source=ApprovalDecided.source(request.pk, entry.seq)),
            values={
                "word": word,
                "tone": tone,
                "head": request.ask,
                "lead": f"{word} by {who} at {moment(at, person.zone, at)}.",
                "quote": [pair for pair in quote if pair[1]],
                "button": "Open the decision",
                "url": url_of(request),
                "why": "You get this because you asked for it."
                if person.pk == request.requester_id
                else "You get this because it was addressed to you. There is nothing left for you to do.",
            },
        )
    text = f"{word} by {who}: {request.ask}"
    _tell(request, [request.requester, *others], key, "approval_decided", text)


def settled(request: ApprovalRequest, seat: Seat, why: str, at: datetime) -> None:
    """To a person whose part is not needed any more, while the request continues."""
    key = f"approval-settled:{request.pk}:{seat.number}:{request.log_count}"
    _post(
        request,
        key=key,
        kind="approval_settled",
        to=seat.person,
        subject=f"Nothing left to do: {topic(request)}",
        values={
            "word": "Settled",
            "head": request.ask,
            "lead": f"{why} There is nothing left for you to do.",
            "button": "Open the request",
            "url": url_of(request),
            "why": "You get this because the decision was addressed to you too.",
        },
    )
    _tell(request, [seat.person], key, "approval_settled", f"{why} {request.ask}")


def passed_over(request: ApprovalRequest, seat: Seat, to: User, at: datetime, reason: str) -> None:
    """To the person whose seat ended, and to the person who had delegated it: nothing is left to do."""
    key = f"approval-passed:{request.pk}:{seat.number}"
    people = [seat.person, *([seat.stands_for] if seat.stands_for else [])]
    for person in people:
        _post(
            request,
            key=key if person == seat.person else f"{key}:{person.pk}",
            kind="approval_passed_up",
            to=person,
            subject=f"Nothing left to do: {topic(request)}",
            values={
                "word": "Escalated",
                "head": request.ask,
                "lead": f"This was escalated to {to} at {moment(at, person.zone, at)}. There is nothing left for you to do.",
                "quote": [("Why", reason)] if reason else [],
                "button": "Open the request",
                "url": url_of(request),
                "why": "You get this because the decision was addressed to you.",
            },
        )
    _tell(request, [*people, request.requester], key, "approval_passed_up", f"Escalated to {to}: {request.ask}")


def word(request: ApprovalRequest, entry: DecisionEntry, to: list[User], *, subject: str, lead: str) -> None:
    """A question, an answer, a recall or an undo, to the people it concerns; for one who left, to the next manager who sees the
    request."""
    to = list(dict.fromkeys(found for person in to if (found := _reachable(request, person))))
    key = f"approval-{entry.kind}:{request.pk}:{entry.seq}"
    for person in to:
        _post(
            request,
            key=f"{key}:{person.pk}",
            kind=f"approval_{entry.kind}",
            to=person,
            subject=f"{subject}: {topic(request)}",
            values={
                "head": request.ask,
                "lead": lead,
                "quote": [("", entry.rationale)] if entry.rationale else [],
                "button": "Open the request",
                "url": url_of(request),
                "why": "You get this because you take part in this decision.",
            },
        )
    _tell(request, to, key, f"approval_{entry.kind}", f"{lead} {request.ask}")


def _reachable(request: ApprovalRequest, person: User) -> User | None:
    if person.is_active:
        return person
    above = leaving.heir(person)
    sees = above is not None and ApprovalRequest.objects.visible_to(above).filter(pk=request.pk).exists()
    return above if sees else None


def outcome_words(request: ApprovalRequest) -> str:
    """`approved with conditions`."""
    return STATE_WORDS.get(request.state, request.get_state_display().lower())


def _tell(request: ApprovalRequest, users: Iterable[User | None], key: str, kind: str, text: str) -> None:
    notices.tell(users=users, key=key, kind=kind, text=text, url=url_of(request), case_key=request.case_key)


@dataclass(frozen=True)
class Ties:
    """The reply address of a mail, and the entry that must still be valid when it is sent."""

    reply_to: str = ""
    source: str = ""


def _post(
    request: ApprovalRequest,
    *,
    key: str,
    kind: str,
    to: User,
    subject: str,
    values: Mapping[str, object],
    ties: Ties = Ties(),
) -> None:
    if not to.is_active or to.kind == User.SERVICE:
        return
    context = {"ref": request.case_key, "subject": subject, **values}
    text, html = mail.render("approval", context, zone=to.zone)
    regarding = outbox.Regarding(
        case_key=request.case_key,
        account_name=request.account.name,
        reply_to=ties.reply_to or ("" if to.pk == request.requester_id else request.requester.email),
    )
    outbox.post(
        key=key, kind=kind, to=to, content=Content(subject, text, html), regarding=regarding, source=ties.source
    )


def stands_in(given: Delegation, at: datetime, *, ended: bool = False) -> None:
    """Notify both people of a delegation, and of its early end."""
    for person in (given.user, given.to):
        start, end = (moment(edge, person.zone, at) for edge in (given.starts_at, given.ends_at))
        span = f"from {start} until {end}"
        text = f"{given.to} stands in for {given.user} in decisions {span}."
        text = f"{given.to} no longer stands in for {given.user} in decisions." if ended else text
        key = f"delegation:{given.pk}:{'ended' if ended else 'made'}"
        url = reverse("approvals:delegations")
        notices.tell(users=[person], key=key, kind="delegation", text=text, url=url)
