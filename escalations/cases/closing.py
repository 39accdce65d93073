"""Execute, resolve, review, close; reopen, withdraw, duplicate."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts.models import User
from approvals.models import ConcessionType
from approvals.requests import decide as deciding
from escalations import states
from escalations.cases import conditions, duplicates, handoffs, leaving, notifications
from escalations.cases.access import check
from escalations.cases.lifecycle import move
from escalations.cases.log import Entry, lock, lock_requests, lock_with_requests, record
from escalations.cases.seal import seal_decided
from escalations.clocks import verbs as clocks
from escalations.clocks.book import together
from escalations.models import Action, CasePerson, CaseWords, Clock, CustomerMessage, Escalation, Review
from escalations.triage import health, routing
from ledger import chain
from ledger.errors import Invalid, NotAllowed
from ledger.now import now
from ledger.reading import has_words
from ledger.search import index


@transaction.atomic
def skip_to_execute(*, case_id: int, by: User, reason: str) -> Escalation:
    """Go to Execute without a decision, with the reason on record. Raises Invalid without a reason, while a request waits,
    and for a case whose concession was neither decided nor recalled."""
    if not has_words(reason):
        raise Invalid("Enter why no approval is needed.", field="reason")
    at, case = now(), lock(case_id)
    check(case, by, "execute")
    if case.state == states.APPROVING:
        raise Invalid("A request waits for a decision. Recall it first.", field="reason")
    if case.has_undecided_concession:
        raise Invalid("This case asks for a concession that nobody has decided. Request an approval.", field="reason")
    with together(case):
        move(case, "execute", at=at, actor=by, reason=f"Approve skipped: {reason}")
        clocks.stop(case, states.DECISION, at=at, outcome=Clock.STOPPED)
    return case


@dataclass(frozen=True)
class Ending:
    """The values for resolving a case."""

    outcome: str
    root_cause: str
    resolution: str
    customer_told: bool


@transaction.atomic
def resolve(*, case_id: int, by: User, ending: Ending) -> Escalation:
    """Resolve the case: outcome, root cause, customer told, execution actions proven. Conditions of its approvals that are
    still open are named on the record and stay commitments. Starts the review and its clock.
    Raises Invalid with the missing field; a compliance case also needs its granted risk acceptance.
    """
    at, account = now(), health.locked_account(case_id)
    case = lock_with_requests(case_id)
    check(case, by, "resolve")
    _need(case, ending)
    case.outcome, case.root_cause, case.resolution = ending.outcome, ending.root_cause.strip()[:120], ending.resolution
    with together(case):
        case.resolved_at, case.next_update_at = at, None
        chain.save(case, ["outcome", "root_cause", "resolution", "resolved_at", "next_update_at"])
        move(case, "resolve", at=at, actor=by, reason=case.get_outcome_display())
        still_open = conditions.in_words(conditions.still_open(case))
        if still_open:
            record(case, [Entry(kind="commitment", summary=still_open, actor=by)], at=at)
        clocks.stop_all(case, at=at, resolved=True)
    index.renew(CaseWords, case)
    handoffs.settle(case, duty=CasePerson.AUTHORITY, by=None, at=at)
    seal_decided(case)
    _start_review(case, at)
    health.recompute(account, at=at)
    notifications.resolved(case, by, still_open)
    return case


def _need(case: Escalation, ending: Ending) -> None:
    if ending.outcome not in dict(states.OUTCOMES):
        raise Invalid("Choose the outcome.", field="outcome")
    if not has_words(ending.root_cause):
        raise Invalid("Name the root cause in a few words.", field="root_cause")
    if not ending.customer_told:
        raise Invalid("Tell the customer first, then confirm it here.", field="customer_told")
    late = case.actions.filter(execution=True, state__in=[Action.OPEN, Action.BLOCKED]).first()
    if late:
        raise Invalid(f"“{late.title}” still needs its proof. Mark it done on the tracker.", field="outcome")
    if case.issue_type.needs_risk_acceptance and not _risk_accepted(case):
        words = f"{case.issue_type.name}: the case needs a granted risk acceptance before it can be resolved."
        raise Invalid(words, field="outcome")


def _risk_accepted(case: Escalation) -> bool:
    """Whether a concession that accepts the risk in writing was granted, by the authority version of its request."""
    granted = case.requests.filter(state__in=["approved", "conditions"])
    accepts = ConcessionType.objects.filter(
        version=OuterRef("authority"), slug=OuterRef("concession"), accepts_risk=True
    )
    return granted.filter(Exists(accepts)).exists()


def _start_review(case: Escalation, at: datetime) -> None:
    clock = clocks.start(case, states.REVIEW_DUE, at=at)
    due = clock.due_at if clock and clock.due_at else at
    triggered = case.trigger_text or f"Raised by {case.opened_by.name if case.opened_by else 'a rule'}"
    Review.objects.update_or_create(
        case=case,
        defaults={
            "state": Review.OPEN,
            "reviewer": case.owner or case.opened_by,
            "due_at": due,
            "triggered": triggered,
            "root_cause": case.root_cause,
            "started_at": at,
            "signed_at": None,
            "signed_by": None,
        },
    )


REVIEW_FIELDS = (
    "timeline_checked",
    "triggered",
    "worked",
    "change",
    "change_target",
    "root_cause",
    "automate",
    "lessons",
)


@transaction.atomic
def write_review(*, case_id: int, by: User, answers: dict[str, object]) -> Review:
    """Save answers of the review; the first one moves the case to In review. Unknown names raise Invalid."""
    at, case = now(), lock(case_id)
    check(case, by, "review")
    review = _open_review(case)
    unknown = set(answers) - set(REVIEW_FIELDS)
    if unknown:
        raise Invalid(f"The review has no field {sorted(unknown)[0]}.", field=sorted(unknown)[0])
    for name, value in answers.items():
        setattr(review, name, value)
    review.save()
    if case.state == states.RESOLVED:
        move(case, "review", at=at, actor=by)
    record(case, [Entry(kind="review", summary="Review written", actor=by, data={"fields": sorted(answers)})], at=at)
    return review


def _open_review(case: Escalation) -> Review:
    review = Review.objects.filter(case=case).first()
    if review is None or review.state != Review.OPEN:
        raise Invalid("This case has no open review. It starts when the case is resolved.", field="review")
    return review


@transaction.atomic
def sign_review(*, case_id: int, by: User) -> Review:
    """Sign the review off; raises Invalid with the fields that are empty. Stops its clock."""
    at, case = now(), lock(case_id)
    check(case, by, "review")
    review = _open_review(case)
    needed = {"worked": "What worked", "change": "What to change", "root_cause": "Root cause", "lessons": "Lessons"}
    empty = [name for field, name in needed.items() if not has_words(getattr(review, field))]
    if not review.timeline_checked:
        empty.insert(0, "Timeline checked")
    if empty:
        raise Invalid(f"Still empty: {', '.join(empty)}.", field="review")
    review.state, review.signed_at, review.signed_by = Review.DONE, at, by
    review.save(update_fields=["state", "signed_at", "signed_by"])
    clocks.stop(case, states.REVIEW_DUE, at=at)
    record(case, [Entry(kind="review", summary="Review signed", actor=by)], at=at)
    if case.state == states.RESOLVED:
        move(case, "review", at=at, actor=by)
    return review


@transaction.atomic
def waive_review(*, case_id: int, by: User, reason: str) -> Review:
    """Waive the review, with a reason, by a senior person or operations."""
    if not has_words(reason):
        raise Invalid("Enter why no review is needed.", field="reason")
    at, case = now(), lock(case_id)
    if not (by.is_ops or by.is_senior):
        raise NotAllowed("Only a manager or operations can waive a review.")
    review = _open_review(case)
    review.state, review.waived_reason, review.signed_at, review.signed_by = Review.WAIVED, reason[:300], at, by
    review.save()
    clocks.stop(case, states.REVIEW_DUE, at=at, outcome=Clock.STOPPED)
    record(case, [Entry(kind="review", summary=f"Review waived: {reason}", actor=by)], at=at)
    return review


@transaction.atomic
def close(*, case_id: int, by: User) -> Escalation:
    """Close after review or waiver. Raises Invalid while the review is open."""
    at, case = now(), lock(case_id)
    check(case, by, "close")
    review = Review.objects.filter(case=case).first()
    if review is None or review.state == Review.OPEN:
        raise Invalid("Sign the review, or waive it with a reason, before closing.", field="review")
    with together(case):
        case.closed_at, case.next_update_at = at, None
        chain.save(case, ["closed_at", "next_update_at"])
        move(case, "close", at=at, actor=by)
        clocks.stop_all(case, at=at)
    return case


@transaction.atomic
def reopen(*, case_id: int, by: User, reason: str) -> Escalation:
    """Reopen the case: it returns to Diagnose, and the decision, update, check-in and resolution clocks run.

    Raises Invalid without reason.
    """
    if not has_words(reason):
        raise Invalid("Enter why the issue is back.", field="reason")
    at, account = now(), health.locked_account(case_id)
    case = lock_with_requests(case_id)
    check(case, by, "reopen")
    with together(case):
        move(case, "reopen", at=at, actor=by, reason=reason)
        case.reopened_count += 1
        case.resolved_at = case.closed_at = None
        case.level_since = at
        chain.save(case, ["reopened_count", "resolved_at", "closed_at", "level_since"])
        clocks.stop_all(case, at=at)
        clocks.start(case, states.DECISION, at=at)
        routing.start_rhythm(case, at)
        routing.start_deadlines(case, at)
        leaving.without_people_who_left(case, at)
    answered = {"answer": CustomerMessage.REOPENED, "answered_at": at, "answered_by": by}
    CustomerMessage.objects.came_back().filter(case=case).update(**answered)
    health.recompute(account, at=at)
    notifications.reopened(case, by, reason)
    return case


@transaction.atomic
def withdraw(*, case_id: int, by: User, reason: str) -> Escalation:
    """Withdraw the case: open requests are recalled and clocks stop. Raises Invalid without a reason."""
    if not has_words(reason):
        raise Invalid("Enter why it is withdrawn.", field="reason")
    at, account = now(), health.locked_account(case_id)
    case = lock_with_requests(case_id)
    check(case, by, "withdraw")
    _end(case, "withdraw", by, reason, at)
    notifications.withdrawn(case, by, reason)
    health.recompute(account, at=at)
    return case


@transaction.atomic
def mark_duplicate(*, case_id: int, by: User, of: Escalation, reason: str = "") -> Escalation:
    """Merge the case into another open one of the same account: what was written, open actions and the people who follow it go
    there, and so does mail to its address. A duplicate that is named as the other one leads on to its original.

    Raises NotAllowed, and Invalid with the field `of` for itself, a case of another account or one that has ended
    (`duplicates.check_original`).
    """
    named, of = of, duplicates.original_of(of)
    if of.pk == case_id != named.pk:
        raise Invalid("This case carries that one on already. Choose another open case of the account.", field="of")
    at, account = now(), health.locked_account(case_id)
    lock_requests(case_id)
    case, of = duplicates.lock_both(case_id, of.pk)
    check(case, by, "duplicate")
    duplicates.check_original(case, of, by)
    case.duplicate_of = of
    case.save(update_fields=["duplicate_of"])
    _end(case, "mark_duplicate", by, reason.strip() or f"Same as {of.key}", at)
    duplicates.carry_over(case, of, by=by, at=at)
    health.recompute(account, at=at)
    return case


def _end(case: Escalation, verb: str, by: User, reason: str, at: datetime) -> None:
    with together(case):
        case.next_update_at = None
        chain.save(case, ["next_update_at"])
        move(case, verb, at=at, actor=by, reason=reason)
        clocks.stop_all(case, at=at)
    ended = f"The case is {states.in_a_sentence(case.state)}."
    case.handoffs.filter(state="waiting").update(state="replaced", answered_at=at, reason=ended)
    notifications.ended(case)
    for request_id in case.requests.filter(state="open").values_list("pk", flat=True):
        deciding.recall(request_id=request_id, by=by, reason=reason)
