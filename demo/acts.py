"""All verbs of the desk that the demo calls. If a verb changes, only this module of `demo` must change."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from django.db.models import QuerySet

from accounts.models import Account, Contact, Signal, User
from accounts.signals.record import Observed
from accounts.signals.record import record as record_signal
from approvals.absence import delegations
from approvals.models import ApprovalRequest, Seat
from approvals.requests import decide as decisions
from approvals.requests import talk
from demo.telling import Option, Told
from escalations.cases import brief, closing, handoffs, intake, requests, thread, tracker
from escalations.clocks import engine
from escalations.models import Action, Clock, Commitment, Escalation, HandOff
from ledger.errors import Invalid
from messaging.kinds import kind_of
from messaging.models import Delivery, Message
from messaging.outbox import notices

# The engine, and mail


def next_due() -> datetime | None:
    """When the next clock fires."""
    return engine.next_due()


def fire_due() -> int:
    """Fire what is due now; returns how many steps were taken."""
    return engine.fire_due()


def deliver_word(*, composed: bool) -> None:
    """Mark waiting mail as sent at the time it was written, so that nobody gets invented mail; show it in the desk.
    `composed`: write the current text of mail that is composed when sent, else only its subject.
    """
    notices.tell_waiting()
    waiting = list(Message.objects.filter(state=Message.PENDING).select_related("user"))
    for message in waiting:
        content = kind_of(message).compose(message) if composed and not message.text else None
        if content is not None:
            message.subject, message.text, message.html = content.subject, content.text, content.html
        message.text = message.text or message.subject
        message.state, message.sent_at, message.attempts = Message.SENT, message.created_at, 1
    Message.objects.bulk_update(waiting, ["state", "sent_at", "attempts", "subject", "text", "html"], batch_size=100)
    Delivery.objects.bulk_create(
        Delivery(message=each, at=each.created_at, ok=True, detail="Demo data: sent to nobody") for each in waiting
    )


# Looking


def case_of(case_id: int) -> Escalation:
    """The current state of the case."""
    return Escalation.objects.select_related("account", "owner").get(pk=case_id)


def due(case_id: int, kinds: Sequence[str]) -> datetime | None:
    """The earliest due time of the running clocks of these kinds."""
    running = Clock.objects.filter(case=case_id, kind__in=kinds, state=Clock.RUNNING, due_at__isnull=False)
    return running.order_by("due_at").values_list("due_at", flat=True).first()


def lead_of(case: Escalation) -> User:
    """The communication lead; else the owner, else the opener of the case."""
    lead = case.people.filter(duty="communication").select_related("user").first()
    found = lead.user if lead else case.owner or case.opened_by
    if found is None:
        raise LookupError(f"Nobody speaks for {case.key}")
    return found


def owner_asked(case: Escalation) -> HandOff | None:
    """The hand-off that waits for an owner's answer."""
    return case.handoffs.filter(state=HandOff.WAITING, duty="owner").select_related("to_user").first()


def open_request(case: Escalation) -> ApprovalRequest | None:
    """The newest request of the case that waits for a decision."""
    return case.requests.filter(state=ApprovalRequest.OPEN).select_related("requester").order_by("-pk").first()


def waiting_seats(request: ApprovalRequest, part: str = Seat.DECIDE) -> "QuerySet[Seat]":
    """The seats that are asked now, in order."""
    return request.seats.asked().filter(part=part).select_related("person")


# Signals and intake


def hear(
    account: Account,
    text: str,
    kind: str = Signal.EMAIL,
    *,
    contact: Contact | None = None,
    by: User | None = None,
    at: datetime | None = None,
) -> Signal:
    """Record what a customer wrote or a colleague noted."""
    source = "email" if kind == Signal.EMAIL else "manual"
    return record_signal(
        Observed(kind=kind, text=text, at=at, contact=contact), account=account, logged_by=by, source=source
    )


def open_case(told: Told) -> int:
    """Open the case. If the customer's text opens one by a trigger, return that one."""
    signal = None
    if told.says:
        signal = hear(told.account, told.says, contact=next(iter(told.contacts), None), at=told.impasse_at)
        if opened := Escalation.objects.filter(signal=signal).first():
            return opened.pk
    form = intake.Intake(
        account=told.account,
        issue_type=told.issue_type,
        title=told.title,
        issue=told.issue,
        impact=told.impact,
        requested_support=told.support,
        deadline=told.deadline,
        impasse_at=told.impasse_at,
        concession=told.concession,
        amount=told.amount,
        currency=told.account.currency,
        blocker=told.blocker,
        security=told.security,
        executive_complaint=told.executive_complaint,
        confidential=told.confidential,
        signal=signal,
    )
    return intake.open_case(form, by=told.opened_by).pk


# Hand-offs, thread, brief


def accept(case: Escalation) -> None:
    """The person who is asked to own the case accepts."""
    if asked := owner_asked(case):
        handoffs.accept(case_id=case.pk, handoff_id=asked.pk, by=asked.to_user)


def refuse(case: Escalation, reason: str) -> None:
    """The person who is asked to own the case refuses."""
    if asked := owner_asked(case):
        handoffs.refuse(case_id=case.pk, handoff_id=asked.pk, by=asked.to_user, reason=reason)


def post(case: Escalation, text: str, next_update_at: datetime | None = None) -> None:
    """The owner posts an internal update."""
    thread.post(case_id=case.pk, by=case.owner or lead_of(case), text=text, next_update_at=next_update_at)


def set_status(case: Escalation, text: str) -> None:
    """The pinned status."""
    thread.set_status(case_id=case.pk, by=case.owner or lead_of(case), text=text, version=case.version)


def tell_customer(case: Escalation, text: str, contacts: Sequence[Contact], next_update_at: datetime) -> None:
    """The communication lead writes to the customer."""
    thread.customer_update(
        case_id=case.pk, by=lead_of(case), text=text, contacts=list(contacts), next_update_at=next_update_at
    )


def wait_on(case: Escalation, whom: str, reason: str) -> None:
    """Pause the clocks, or resume them."""
    thread.wait_on(case_id=case.pk, by=lead_of(case), whom=whom, reason=reason)


def write_brief(case: Escalation, texts: dict[str, str], options: list[Option]) -> None:
    """The owner fills the brief."""
    brief.save_parts(case_id=case.pk, by=case.owner or lead_of(case), texts=texts, options=options, versions={})


# Approvals


def ask(
    case: Escalation, concession: str, amount: Decimal | None, question: str, deadline: datetime | None, why_later: str
) -> ApprovalRequest | None:
    """The communication lead asks for a concession; None if nobody may grant it."""
    try:
        wanted = requests.CaseAsk(concession, amount, case.account.currency, question, deadline, why_later)
        return requests.ask(wanted, case_id=case.pk, by=lead_of(case))
    except Invalid:
        return None


def decide(request: ApprovalRequest, verdict: str, reason: str, conditions: str = "", channel: str = "web") -> None:
    """The next person who is asked decides. If several seats decide, the others still wait."""
    seat = waiting_seats(request)[0]
    decisions.decide(
        request_id=request.pk,
        by=seat.person,
        verdict=verdict,
        version=request.version,
        seat=seat.number,
        channel=channel,
        words=decisions.Words(reason=reason, conditions=conditions),
    )


def question(request: ApprovalRequest, text: str) -> None:
    """The person who is asked asks a question."""
    talk.question(request_id=request.pk, by=waiting_seats(request)[0].person, text=text)


def answer(request: ApprovalRequest, text: str) -> None:
    """The requester answers."""
    talk.answer(request_id=request.pk, by=request.requester, text=text)


def comment(request: ApprovalRequest, text: str) -> None:
    """The consulted people comment."""
    for seat in waiting_seats(request, Seat.CONSULT):
        talk.comment(request_id=request.pk, by=seat.person, text=text)


def delegate(request: ApprovalRequest, candidates: Sequence[User], reason: str) -> None:
    """The person who is asked delegates the request to the first candidate who is another person."""
    asked = waiting_seats(request)[0].person
    to = next(candidate for candidate in candidates if candidate != asked)
    delegations.delegate(request_id=request.pk, by=asked, to=to, reason=reason)


def recall(request: ApprovalRequest, reason: str) -> None:
    """The requester recalls the request."""
    decisions.recall(request_id=request.pk, by=request.requester, reason=reason)


def stand_in(user: User, to: User, starts_at: datetime, ends_at: datetime, note: str) -> None:
    """Name a stand-in for a time."""
    delegations.make(delegations.StandIn(to=to, starts_at=starts_at, ends_at=ends_at, note=note), user=user, by=user)


def skip_approval(case: Escalation, reason: str) -> None:
    """Go on without a decision."""
    closing.skip_to_execute(case_id=case.pk, by=lead_of(case), reason=reason)


# Execute, tracker, ending


def finish_actions(case: Escalation, proof: str) -> None:
    """Every open action is done, with its proof."""
    for action in case.actions.filter(state=Action.OPEN).select_related("owner"):
        tracker.finish_action(action_id=action.pk, by=action.owner, proof=proof)


def add_action(case: Escalation, title: str, owner: User, due_at: datetime) -> None:
    """A new action of the tracker."""
    tracker.add_action(case_id=case.pk, by=lead_of(case), title=title, owner=owner, due_at=due_at)


def promise(case: Escalation, text: str, due_on: date, who: str) -> int:
    """A commitment; returns its id."""
    owner = case.owner or lead_of(case)
    return tracker.promise(case_id=case.pk, by=lead_of(case), text=text, owner=owner, due_on=due_on, who=who).pk


def keep(commitment_id: int) -> None:
    """Its owner kept it."""
    made = Commitment.objects.select_related("owner").get(pk=commitment_id)
    tracker.keep(commitment_id=made.pk, by=made.owner)


def keep_conditions(case: Escalation) -> None:
    """Their owners kept the conditions of the approval."""
    for pk in case.commitments.filter(by=Commitment.CONDITION, state=Commitment.OPEN).values_list("pk", flat=True):
        keep(pk)


def resolve(case: Escalation, outcome: str, root_cause: str, resolution: str) -> None:
    """Resolve the case; the review begins."""
    ending = closing.Ending(outcome, root_cause, resolution, customer_told=True)
    closing.resolve(case_id=case.pk, by=lead_of(case), ending=ending)


def write_review(case: Escalation, answers: dict[str, object]) -> None:
    """The owner answers the review."""
    closing.write_review(case_id=case.pk, by=case.owner or lead_of(case), answers=answers)


def sign_review(case: Escalation) -> None:
    """The owner signs it."""
    closing.sign_review(case_id=case.pk, by=case.owner or lead_of(case))


def waive_review(case: Escalation, by: User, reason: str) -> None:
    """A manager waives the review."""
    closing.waive_review(case_id=case.pk, by=by, reason=reason)


def close(case: Escalation) -> None:
    """Close the case after the review."""
    closing.close(case_id=case.pk, by=case.owner or lead_of(case))


def reopen(case: Escalation, reason: str) -> None:
    """Reopen the case: the issue is back."""
    closing.reopen(case_id=case.pk, by=lead_of(case), reason=reason)


def withdraw(case: Escalation, reason: str) -> None:
    """Withdraw the case."""
    closing.withdraw(case_id=case.pk, by=lead_of(case), reason=reason)


def mark_duplicate(case: Escalation) -> None:
    """Mark it as a duplicate of another open case of the account."""
    of = Escalation.objects.open().filter(account=case.account).exclude(pk=case.pk).order_by("-pk").first()
    if of is None:
        raise LookupError(f"{case.account} has no other open case")
    closing.mark_duplicate(case_id=case.pk, by=lead_of(case), of=of)
