"""Asking for a concession on a case, and what a decision does to the case."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Q, prefetch_related_objects
from django.utils.dateparse import parse_datetime

from accounts.models import User
from approvals.matrix.totals import Ask
from approvals.models import ApprovalRequest, DecisionEntry
from approvals.requests import seats as seating
from approvals.requests.ask import CaseRef, Parties, Question, submit
from approvals.requests.deadlines import Due, keep_to
from escalations import states
from escalations.cases import access_rows, carrying_out, conditions, handoffs, notifications
from escalations.cases import brief as briefing
from escalations.cases.access import check
from escalations.cases.briefs import current_parts
from escalations.cases.lifecycle import move
from escalations.cases.log import Entry, lock_with_requests, locking, record
from escalations.cases.thread import first_act
from escalations.clocks import verbs as clocks
from escalations.clocks.book import together, written_together
from escalations.models import Action, CasePerson, CaseRequest, Clock, Escalation, Event
from ledger import chain
from ledger.errors import Invalid, Refused
from ledger.format import moment, recorded
from ledger.json_types import JsonObject
from ledger.now import now
from ledger.reading import words_of

# The entries after which other people sit in a request or decide the case. New requests are followed by `on_seats_asked`.
MOVES_SEATS = (DecisionEntry.PASSED_UP, DecisionEntry.AMENDED, DecisionEntry.DELEGATED, DecisionEntry.REASSIGNED)


@dataclass(frozen=True)
class CaseAsk:
    """What a case asks for. Without a deadline, the decision is due when the decision clock is. `why_unowned`: the reason for
    asking before an owner has accepted, which skips Diagnose. `why_later`: the reason for a
    deadline after that."""

    concession: str
    amount: Decimal | None
    currency: str
    question: str
    deadline: datetime | None = None
    why_later: str = ""
    why_unowned: str = ""
    renewal: str = ""
    beneficiary: User | None = None


@transaction.atomic
def ask(wanted: CaseAsk, *, case_id: int, by: User, channel: str = "web") -> ApprovalRequest:
    """Freeze the brief and request a concession from the lowest level whose authority covers it.

    Raises Invalid if parts of the brief are missing (it names them), if no owner has accepted and no reason is given, if the
    deadline is in the past, or later than the decision clock without a reason, and if nobody may grant the ask; AlreadyDone if
    the case is in a state that cannot ask; NotAllowed.
    A request inside a band is returned approved.
    """
    at, case = now(), lock_with_requests(case_id)
    # Read once, for the permission and for the authority of the request.
    prefetch_related_objects([case], "people")
    check(case, by, "ask")
    parts = current_parts(case, at)
    if parts["missing"]:
        raise Invalid("The brief is not ready: " + "; ".join(parts["missing"]) + ".", field="brief")
    _need_owner(case, wanted, by, at)
    _not_twice(case, wanted)
    snapshot = briefing.freeze(case, reason="Approval request", at=at, parts=parts)
    return submit(
        Ask(wanted.concession, wanted.amount, wanted.currency, case.account, wanted.renewal.strip()),
        question=Question(
            ask=wanted.question,
            recommendation=parts["texts"]["recommendation"],
            deadline=wanted.deadline,
            why_later=wanted.why_later,
            options=parts["options"],
            brief={"version": snapshot.number, **snapshot.parts},
            why_now=parts["texts"].get("facts", ""),
        ),
        parties=Parties(by, wanted.beneficiary),
        case=CaseRef(
            key=case.key,
            url=f"/escalations/{case.key}/",
            title=case.title,
            tier=case.tier,
            confidential=case.confidential,
            due=due_now(case, at),
        ),
        channel=channel,
        link=lambda made: _link(case, made),
    )


def _need_owner(case: Escalation, wanted: CaseAsk, by: User, at: datetime) -> None:
    """Asking for a case that nobody has accepted skips Diagnose, so it needs a reason, which is recorded."""
    if case.owner_id is not None:
        return
    why = words_of(wanted.why_unowned)
    if not why:
        raise Invalid(
            "Nobody has accepted this case yet. Wait for its owner, or enter why it cannot wait.", field="why_unowned"
        )
    summary = f"Diagnose skipped, asked before an owner accepted: {why}"
    record(case, [Entry(kind="skipped", summary=summary[:400], actor=by, data={"why_unowned": why})], at=at)


def _not_twice(case: Escalation, wanted: CaseAsk) -> None:
    """Raise Invalid while another request of the case asks for the same."""
    same = {"concession": wanted.concession, "amount": wanted.amount, "renewal": wanted.renewal.strip()}
    for number, made in enumerate(case.requests.order_by("pk"), 1):
        alike = made.is_open and all(getattr(made, name) == value for name, value in same.items())
        if alike and made.currency in ("", wanted.currency):
            words = f"Request {number} asks for the same and waits for {made.approver}. Recall it, or change its terms."
            raise Invalid(words, field="amount")


def _link(case: Escalation, made: ApprovalRequest) -> None:
    """Link a request to its case, so that the entries of its decision log appear in the case's thread."""
    CaseRequest.objects.create(case=case, request=made)


def due_now(case: Escalation, at: datetime) -> Due | None:
    """When a decision on this case is due if nobody asks for another time; None if the policy has no target for decisions."""
    return clocks.decision_due(case, case.decision_clock, at)


def _asked(case: Escalation, made: ApprovalRequest, entry: DecisionEntry) -> None:
    """A request was made: the case moves to Approve, and to a higher level if the authority needs it. The request and the
    decision clock get the same due time."""
    at = entry.at
    if case.state != states.APPROVING:
        move(case, "ask", at=at, actor=entry.actor)
    if entry.actor is not None:
        first_act(case, entry.actor, at)
    if made.is_open:
        _follow_authority(case, made, at, f"{made.concession_name} needs {made.approver_role}")
        _agree_on_deadline(case, made, entry)
        _name_decider(case, made)
        notifications.request_made(case, made)


def _agree_on_deadline(case: Escalation, made: ApprovalRequest, entry: DecisionEntry) -> None:
    """Give a request and the decision clock of its locked case one due time. If a deadline was asked for, the clock moves to
    it; otherwise the request gets the due time of the clock. Without a target in the policy there is no clock, and the request
    keeps its own deadline."""
    at, wish = entry.at, parse_datetime(entry.facts.get("wished_deadline", ""))
    # A request after an earlier decision needs a new decision clock.
    clock = case.decision_clock or clocks.start(case, states.DECISION, at=at)
    due = clocks.decision_due(case, clock, at) if clock else None
    if clock is None or due is None:
        return
    if wish is not None and _minute(wish) != _minute(due.due_at):
        _move_due(case, clock, wish, entry, due.due_at)
        due = due_now(case, at) or due
    keep_to(made, due)


def _move_due(case: Escalation, clock: Clock, wish: datetime, entry: DecisionEntry, due_at: datetime) -> None:
    """Move the decision clock to the date that was asked for. Raises Invalid for a later date without a reason."""
    at, by, why = entry.at, entry.actor, str(entry.facts.get("why_later", ""))
    if by is not None:
        # A recalled request may be asked again by people who may not ask on the case: they take its due time.
        check(case, by, "ask")
    later = wish > due_at
    if later and not why:
        raise Invalid(
            f"The decision clock is due {moment(due_at, by.zone if by else 'UTC', at)}. Enter why it may be later.",
            field="why_later",
        )
    reason = f": {why}" if later else ""
    who = by.name if by else entry.get_channel_display()
    clocks.move_due(
        case, clock, wish, at=at, why=f"{who} asked for {'a later' if later else 'an earlier'} date{reason}"
    )
    data: JsonObject = {"before": due_at.isoformat(), "after": wish.isoformat(), "why_later": why if later else ""}
    summary = f"Decision due: {recorded(due_at)} → {recorded(wish)}{reason}"
    record(case, [Entry(kind="deadline", summary=summary, actor=by, data=data)], at=at)
    others = ApprovalRequest.objects.open().filter(case_link__case=case).exclude(pk=entry.request_id).with_seats()
    notifications.due_moved(case, list(others), due_at, wish, reason)


def _minute(at: datetime) -> datetime:
    """Forms have no seconds, so dates are compared without them."""
    return at.replace(second=0, microsecond=0)


def _follow_authority(case: Escalation, made: ApprovalRequest, at: datetime, why: str) -> None:
    """Make the person who decides the request the decision authority of the case. A case below their level is raised to it."""
    seat = made.authority_seat
    if seat is None:
        return
    level = case.policy.ladder.rank_of(seat.role.level)
    if level > case.level:
        raise_level(case, level, at, why)
        made.refresh_from_db(fields=["deadline", "warn_at", "paused_at"])
    _authority(case, seat.person, at)


def _name_decider(case: Escalation, made: ApprovalRequest) -> None:
    """The decision clock is named after the body that is asked, such as a committee at the level of a sponsor."""
    if made.approver_role is not None:
        clocks.name_decider(case, made.approver_role.name)


def _authority(case: Escalation, user: User, at: datetime) -> None:
    current = next((person for person in case.people.all() if person.duty == CasePerson.AUTHORITY), None)
    if current is None or current.user_id != user.pk:
        handoffs.replace_duty(case, user, CasePerson.AUTHORITY, "A", at, accepted=False)
        summary = f"{user.name} is the decision authority"
        if case.owner_id == user.pk:
            summary += " and owns the case, because the authority matrix names nobody else"
        record(case, [Entry(kind="role", summary=summary, data={"user": user.pk, "duty": "authority"})], at=at)


@written_together
def raise_level(
    case: Escalation, level: int, at: datetime, why: str, by: User | None = None, since: datetime | None = None
) -> None:
    """Raise a locked case to a higher level and start the decision clock of that level. `since`: when the new level begins,
    the due time of the breach if a breach caused it."""
    ladder = case.policy.ladder
    before, after = ladder.label(case.level), ladder.label(level)
    case.level, case.level_since = level, since or at
    case.route_reasons = [*case.route_reasons, f"Raised from {before} to {after}: {why}"]
    case.version += 1
    chain.save(case, ["level", "level_since", "route_reasons", "version"])
    if case.decision_clock is not None:
        clocks.hand_up(case, case.decision_clock, at=at)
    clocks.start(case, states.DECISION, at=at, since=since)
    clocks.retarget(case, at=at)
    data: JsonObject = {"level": level, "why": why}
    record(
        case,
        [Entry(kind="level", summary=f"{before} → {after}: {why}", actor=by, data=data)],
        at=at,
    )


def decided(case: Escalation, made: ApprovalRequest, at: datetime) -> None:
    """A request of a locked case has ended. When none is open any more, the case moves to Execute with an action for each
    grant that is to be carried out; without one, to rework."""
    granted = made.state in ApprovalRequest.GRANTED
    others_open, to_do = carrying_out.what_is_left(case, made)
    if granted or made.state == ApprovalRequest.DECLINED:
        case.decided_at = at
        case.decided_level = made.decided_level
        chain.save(case, ["decided_at", "decided_level"])
        if not others_open:
            clocks.stop(case, states.DECISION, at=at)
        # A person who decides has accepted the duty, even without an answer to the hand-off.
        case.people.filter(duty=CasePerson.AUTHORITY, user=made.decided_by, accepted_at=None).update(accepted_at=at)
        handoffs.settle(case, duty=CasePerson.AUTHORITY, by=made.decided_by, at=at)
    if others_open or case.state != states.APPROVING:
        return
    if to_do:
        clocks.stop(case, states.DECISION, at=at)
        also = "" if granted else "; what was approved is carried out"
        move(case, "execute", at=at, actor=made.decided_by, reason=f"{made.get_state_display()}{also}")
        carrying_out.begin(case, to_do, at)
    else:
        move(case, "rework", at=at, actor=made.decided_by, reason=made.get_state_display())
        if made.state == ApprovalRequest.DECLINED:
            clocks.start(case, states.DECISION, at=at)


def on_decision_log(entry: DecisionEntry) -> None:
    """Show an entry of the decision log in the thread of its case, and apply its effect to the case."""
    case, made, at = _case_of(entry), entry.request, entry.at
    if case is None:
        return
    with together(case):
        _show(case, entry, made, at)
        _follow(case, entry, made, at)
    if entry.kind in MOVES_SEATS:
        access_rows.keep([case.pk])


def on_seats_asked(made: ApprovalRequest) -> None:
    """The people of the seats see the case from now on. The case was locked for the entry of the log before."""
    if ApprovalRequest.case_link.is_cached(made):
        cases = [made.case_link.case_id]
    else:
        cases = list(CaseRequest.objects.filter(request=made).values_list("case_id", flat=True))
    access_rows.keep(cases)


def _case_of(entry: DecisionEntry) -> Escalation | None:
    """The case of the entry's request, locked."""
    made = entry.request
    if entry.kind != entry.ASKED:
        return locking().filter(case_requests__request=made).first()
    if ApprovalRequest.case_link.is_cached(made):
        # `ask` holds the case and has linked this instance to it.
        return made.case_link.case
    # `approvals` creates a request with new terms itself. It belongs to the case of the request that it replaces.
    case = locking().filter(case_requests__request__replaced_by=made).first()
    if case is not None:
        _link(case, made)
    return case


def _follow(case: Escalation, entry: DecisionEntry, made: ApprovalRequest, at: datetime) -> None:
    """Apply the effect of an entry of the decision log to its case."""
    if entry.kind == entry.ASKED:
        _asked(case, made, entry)
    elif entry.kind in (entry.APPROVED, entry.CONDITIONS, entry.DECLINED, entry.RECALLED):
        decided(case, made, at)
        if entry.kind != entry.RECALLED:
            notifications.request_decided(case, made, entry)
    elif entry.kind == entry.ANSWER and entry.actor is not None:
        first_act(case, entry.actor, at)
    elif entry.kind == entry.PASSED_UP:
        _follow_authority(case, made, at, "not decided in time")
        _name_decider(case, made)
    elif entry.kind in (entry.AMENDED, entry.DELEGATED, entry.REASSIGNED) and made.is_open:
        # New terms may need a higher authority; a delegated or reassigned request waits for another person.
        _follow_authority(case, made, at, f"{made.concession_name} needs {made.approver_role}")
        _name_decider(case, made)
    elif entry.kind == entry.VOIDED and made.state == ApprovalRequest.REPLACED:
        # The actions that the approval created are cancelled before the new terms are asked for.
        _cancel_actions(case, made)
        conditions.lapse(case, made, at=at)
    elif entry.kind == entry.UNDONE and made.decided_at is None:
        conditions.lapse(case, made, at=at)
        if case.is_open:
            _reopen_decision(case, made, entry)
        # The clock may have moved while the request was decided.
        if due := due_now(case, at):
            keep_to(made, due)


def _show(case: Escalation, entry: DecisionEntry, made: ApprovalRequest, at: datetime) -> None:
    words = "\n".join(filter(None, [entry.rationale, f"Conditions: {entry.conditions}" if entry.conditions else ""]))
    data: JsonObject = {
        "request": made.pk,
        "entry": entry.pk,
        "kind": entry.kind,
        "channel": entry.channel,
        "role": entry.role,
    }
    shown = Entry(
        kind="decision_log",
        audience=Event.INTERNAL,
        actor=entry.actor,
        actor_name="" if entry.actor else entry.get_channel_display(),
        summary=f"{entry.get_kind_display()}: {made.ask}",
        text=words,
        data=data,
    )
    record(case, [shown], at=at)


def _cancel_actions(case: Escalation, made: ApprovalRequest) -> list[Action]:
    """Cancel what is still to be done for this approval, and the actions that people added to carry out a decision. Returns
    the cancelled ones."""
    of_it = case.actions.filter(Q(request=made) | Q(request=None), execution=True, state=Action.OPEN)
    cancelled = list(of_it.select_related("owner"))
    of_it.update(state=Action.CANCELLED)
    return cancelled


def _reopen_decision(case: Escalation, made: ApprovalRequest, entry: DecisionEntry) -> None:
    """The decision of a request was undone: nothing is carried out, and the decision clock goes on as if it had not ended."""
    at, cancelled = entry.at, _cancel_actions(case, made)
    notifications.request_undone(case, made, entry, cancelled)
    if case.state in (states.EXECUTING, states.DIAGNOSING):
        move(case, "ask", at=at, reason="Decision undone")
    decided = (DecisionEntry.APPROVED, DecisionEntry.CONDITIONS, DecisionEntry.DECLINED)
    if undone := made.log.filter(kind__in=decided).last():
        clocks.go_on(case, states.DECISION, ended_since=undone.at, at=at)


def pass_up_requests(case: Escalation, at: datetime, reason: str) -> None:
    """Escalate the open requests of a case to the next authority. A request without one above stays, and this is recorded."""
    for request_id in list(
        case.requests.filter(state=ApprovalRequest.OPEN).order_by("pk").values_list("pk", flat=True)
    ):
        try:
            with transaction.atomic():
                seating.pass_up(request_id=request_id, reason=reason, at=at)
        except Refused as refusal:
            record(case, [Entry(kind="top", summary=f"Request not escalated: {refusal.message}")], at=at)


def asked_now(case: Escalation) -> User | None:
    """The person for whom the newest open request of the case waits."""
    made = case.requests.filter(state=ApprovalRequest.OPEN).order_by("-pk").first()
    return made.approver if made else None
