"""What happens around a decision: questions, comments, reminders, passing it up."""

from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import User
from approvals.mail import links
from approvals.mail import messages as mail
from approvals.matrix import authority
from approvals.models import ApprovalRequest, ApprovalStep, DecisionEntry
from approvals.requests import log
from approvals.requests import reassign as reassigning
from approvals.requests import seats as seating
from approvals.requests.permissions import chain_and_weight, standing
from approvals.requests.rules import seats as rules
from approvals.requests.rules.verdicts import check_words
from approvals.requests.stages import authority_of, chain_of
from ledger.errors import Invalid, NotAllowed, NotThere, Stale
from ledger.now import now

REMIND_EVERY = timedelta(minutes=10)
COMMENTED = "commented"


@transaction.atomic
def question(*, request_id: int, by: User, text: str, channel: str = DecisionEntry.WEB) -> ApprovalRequest:
    """Ask the requester something. Pauses nothing. Raises NotAllowed unless asked or able to decide, Invalid without words."""
    at = now()
    request = seating.locked_open(request_id, by, at)
    if not _is_asked(request, by) and not standing(request, by, at).may_decline:
        raise NotAllowed("Only people who may decide this ask a question on the record.")
    entry = _said(request, DecisionEntry.QUESTION, by, text, channel, at)
    mail.word(request, entry, [request.requester], subject="Question", lead=f"{by} asks before deciding:")
    return request


@transaction.atomic
def answer(*, request_id: int, by: User, text: str, channel: str = DecisionEntry.WEB) -> ApprovalRequest:
    """Answer a question; everybody asked is told. Raises NotAllowed for those who are asked, Invalid without words."""
    at = now()
    request = seating.locked_open(request_id, by, at)
    if _is_asked(request, by):
        raise NotAllowed("The answer comes from the people who ask for the decision.")
    entry = _said(request, DecisionEntry.ANSWER, by, text, channel, at)
    mail.word(request, entry, _asked(request, by), subject="Answer", lead=f"{by} answers:")
    return request


@transaction.atomic
def comment(*, request_id: int, by: User, text: str, channel: str = DecisionEntry.WEB) -> ApprovalRequest:
    """Say something on the record; decides nothing, blocks nothing. It is what consulted people are asked for.

    The requester and everybody asked are told. Raises NotThere for people who may not see the request, Invalid without words.
    """
    at = now()
    request = seating.locked(request_id)
    if not ApprovalRequest.objects.visible_to(by).filter(pk=request.pk).exists():
        raise NotThere("There is no such request.")
    entry = _said(request, DecisionEntry.COMMENT, by, text, channel, at)
    consulted = request.steps.filter(approver=by, part=ApprovalStep.CONSULT, state=ApprovalStep.WAITING)
    if orders := list(consulted.values_list("order", flat=True)):
        words = {"verdict": COMMENTED, "said_by": by, "reason": text.strip()}
        consulted.update(state=ApprovalStep.DECIDED, ended_at=at, **words)
        links.end(request, orders, at)
    told = [request.requester, *_asked(request, by)] if request.is_open else [request.requester]
    told = [user for user in told if user.pk != by.pk]
    mail.word(request, entry, told, subject="Comment", lead=f"{by} comments:")
    return request


def _is_asked(request: ApprovalRequest, by: User) -> bool:
    return request.steps.filter(approver=by, state=ApprovalStep.WAITING).exists()


def _asked(request: ApprovalRequest, by: User) -> list[User]:
    people = {seat.approver_id: seat.approver for seat in seating.waiting(request)}
    return [user for pk, user in people.items() if pk not in (by.pk, request.requester_id)]


def _said(request: ApprovalRequest, kind: str, by: User, text: str, channel: str, at: datetime) -> DecisionEntry:
    check_words(text, "text", "Enter the text.")
    return log.write(request, kind, at, actor=by, channel=channel, rationale=text.strip())


@transaction.atomic
def remind(*, request_id: int, by: User | None = None, channel: str = DecisionEntry.WEB) -> ApprovalRequest:
    """Mail the question again, with new links, to everybody whose decision is waited for. Without `by` it is the clock.

    Who cannot decide any more is not reminded: the next holder of their role is asked (services.reassigning).

    Raises AlreadyDone when it is over, Stale when a person reminds again within 10 minutes, NotAllowed when people remind
    themselves.
    """
    at = now()
    request = seating.locked_open(request_id, by, at)
    seats = _deciding(request)
    if by and any(seat.approver_id == by.pk for seat in seats):
        raise NotAllowed("This waits for you. Decide it, or ask a question.")
    last = request.log.filter(kind=DecisionEntry.REMINDED).last()
    if by and last and at < last.at + REMIND_EVERY:
        names = " and ".join(str(seat.approver) for seat in seats)
        raise Stale(f"{names} {'was' if len(seats) == 1 else 'were'} reminded less than 10 minutes ago.")
    channel = channel if by else DecisionEntry.CLOCK
    if stay := reassigning.reassign(request, seats, at):
        facts = {"seats": [seat.order for seat in stay]} if len(seats) > 1 else {}
        log.write(request, DecisionEntry.REMINDED, at, actor=by, channel=channel, facts=facts)
        _ask_again(request, stay, at)
    return request


def _deciding(request: ApprovalRequest) -> list[ApprovalStep]:
    return [seat for seat in seating.waiting(request) if seat.part == ApprovalStep.DECIDE]


def _ask_again(request: ApprovalRequest, seats: list[ApprovalStep], at: datetime) -> None:
    for seat in seats:
        seat.reminded += 1
        seat.save(update_fields=["reminded"])
        seating.ask(request, seat, at, nth=seat.reminded)


@transaction.atomic
def pass_up(*, request_id: int, reason: str, at: datetime | None = None) -> ApprovalRequest:
    """Put the authority's part of an undecided request to the next higher authority that covers it; those passed over are told.

    The requester, those excluded and everybody asked before are skipped. Required functions stay required: where one of them
    is still waited for, it is reminded, and the higher authority is asked after it. Who cannot decide any more is replaced by
    the next holder of their role, also where nobody is above. Raises AlreadyDone when it is over, Invalid
    when there is no higher authority, nobody holds it, or the authority has agreed already.
    """
    at = at or now()
    request = seating.locked_open(request_id, None, at)
    chain = chain_of(request)
    stage, group = rules.authority_stage(chain), rules.authority_group(chain)
    if request.stage > stage:
        if _reassigned(request, at):
            return request
        names = " and ".join(str(seat.approver) for seat in seating.waiting(request))
        raise Invalid(f"The authority has agreed. This waits for {names}.")
    spent = reassigning.spent(request, at)
    try:
        old, found = request.approver, _higher(request, spent, at)
    except Invalid:
        if _reassigned(request, at):
            return request
        raise
    passed = _pass_over(request, group, at)
    before = request.step
    # Those who hear of the entry find the request with its new approver.
    _move(request, chain, found, spent, at)
    log.write(
        request,
        DecisionEntry.PASSED_UP,
        at,
        on_behalf_of=old,
        channel=DecisionEntry.CLOCK,
        role=found.role.name,
        limit=found.limit_text,
        rationale=reason,
        step=before,
    )
    if request.stage == stage:
        beside = _deciding(request)
        seating.open_groups(request, [group], at)
        reassigning.reassign(request, beside, at)
    else:
        _ask_again(request, reassigning.reassign(request, _deciding(request), at), at)
    for seat in passed:
        mail.passed_over(request, seat, found.person, at, reason)
    return request


def _reassigned(request: ApprovalRequest, at: datetime) -> bool:
    """Where nobody above can be asked: whether somebody beside can, in the place of one who cannot decide any more."""
    waiting = _deciding(request)
    return len(reassigning.reassign(request, waiting, at)) < len(waiting)


def _higher(request: ApprovalRequest, spent: set[int], at: datetime) -> authority.Answer:
    covering, weighed = chain_and_weight(request, at)
    role = request.approver_role.slug if request.approver_role else ""
    asked = next((limit for limit in (*covering.covering, *covering.below) if limit.role == role), None)
    return authority.answer(
        request.authority,
        covering,
        weighed,
        request.account,
        exclude=spent,
        above=asked,
        near=request.approver,
    )


def _pass_over(request: ApprovalRequest, group: rules.Group, at: datetime) -> list[ApprovalStep]:
    """The seats of the authority end, those that have spoken too: the new authority's word counts."""
    orders = rules.orders([group])
    passed = seating.close(request, ApprovalStep.PASSED_UP, at, orders)
    request.steps.filter(order__in=orders, state=ApprovalStep.DECIDED).update(state=ApprovalStep.PASSED_UP)
    return passed


def _move(
    request: ApprovalRequest, chain: list[rules.Stage], found: authority.Answer, spent: set[int], at: datetime
) -> None:
    group = rules.authority_group(chain)
    wanted = authority_of(request.authority, found, request.account, spent)
    first = seating.next_order(request)
    made = rules.stages_for([wanted], first=first)[0]["groups"][0]
    group.clear()
    group.update(made)
    stage = chain[rules.authority_stage(chain) - 1]
    stage["name"] = rules.stage_name(stage["groups"])
    request.chain, request.step, request.version, request.step_since = chain, first, request.version + 1, at
    request.approver, request.approver_role = found.person, found.role
    request.rule = {**found.rule, "exclude": request.rule.get("exclude") or []}
    changed = ["chain", "step", "version", "step_since", "approver", "approver_role", "rule"]
    request.save(update_fields=changed)
    links.carry(request)
