"""The whole life of a case in memory: word to the customer, execution, review, and the ways a case ends."""

from datetime import date, datetime
from typing import Any

from accounts.models import Contact, User
from approvals.models import ApprovalRequest, ApprovalStep, DecisionEntry
from demo.asking import Asking
from escalations import states
from escalations.clocks.rules.kinds import KINDS
from escalations.models import CasePerson, Clock, Commitment, Event, HandOff, Review

OUTCOME_NAMES = dict(states.OUTCOMES)


class Life(Asking):
    """A case that can live to its end. Call `done` last: it signs the logs and writes what is still in memory."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.review: Any = None

    @property
    def lead(self) -> User:
        """The communication lead; whoever owns the case where nobody is."""
        found = self.on_duty(CasePerson.COMMUNICATION) or self.owner or self.told.opened_by
        if found is None:
            raise ValueError("Nobody speaks for this case")
        return found

    def first_act(self, at: datetime) -> None:
        """The owner's first act after accepting stops its clock."""
        for each in reversed(self.handoffs):
            taken = each.to_user_id == self.case.owner_id and each.state == HandOff.ACCEPTED
            if taken and each.first_act_at is None:
                each.first_act_at = at
                self.stop(states.FIRST_ACT, at)
                return

    def set_status(self, at: datetime, text: str) -> None:
        """The pinned status."""
        self.tick(at)
        by = self.owner or self.lead
        case = self.case
        case.status_text, case.status_by_id, case.status_at, case.version = text, by.id, at, case.version + 1
        self.record(at, "status", "Status changed", actor=by, audience=Event.INTERNAL, text=text)
        self.inside_told(at, check_in=True)

    def post(self, at: datetime, by: User, text: str) -> None:
        """An internal update, which the inside waited for."""
        super().post(at, by, text)
        self.inside_told(at, check_in=False)

    def inside_told(self, at: datetime, *, check_in: bool) -> None:
        """As services.communication: the internal update is met and the next one runs; the check-in too."""
        if not self.rhythm or self.case.state not in states.OPEN:
            return
        for kind in (states.INTERNAL_UPDATE, states.CHECK_IN) if check_in else (states.INTERNAL_UPDATE,):
            self.stop(kind, at)
            self.start(kind, at)

    def tell_customer(self, at: datetime, text: str, contact: Contact, due: datetime) -> None:
        """An update by the communication lead; meets the first response and starts the clock of the next one."""
        self.tick(at)
        to, data = f"To {contact.name}", {"contacts": [contact.id]}
        self.record(at, Event.CUSTOMER_UPDATE, to, actor=self.lead, audience=Event.CUSTOMER, text=text, data=data)
        self.stop(states.RESPONSE, at)
        self.stop(states.CUSTOMER_UPDATE, at)
        self.start(states.CUSTOMER_UPDATE, at, due_at=due, why="Next update promised to the customer")
        self.case.next_update_at = due
        self.seal_requests(at)

    def seal_requests(self, at: datetime) -> None:
        """Something outside has happened: decided requests are final."""
        for made, _ in list(self.log.values()):
            if made.decided_at is not None and made.sealed_at is None:
                made.sealed_at, made.version = at, made.version + 1
                self._enter(made, DecisionEntry.SEALED, at, None, DecisionEntry.RULE)

    def recall_requests(self, at: datetime, by: User, reason: str) -> None:
        """Open requests are taken back."""
        made = self.request
        if made is not None and made.state == ApprovalRequest.OPEN:
            step, _ = self.steps[-1]
            step.state, step.ended_at = ApprovalStep.RECALLED, at
            made.state, made.version, made.reason = ApprovalRequest.RECALLED, made.version + 1, reason
            self._enter(made, DecisionEntry.RECALLED, at, by, rationale=reason)

    def resolve(self, at: datetime, outcome: str, root_cause: str, resolution: str) -> None:
        """Done: the clocks end and the review begins."""
        self.tick(at)
        self._drop_handoffs(at)
        case, by = self.case, self.lead
        case.outcome, case.root_cause, case.resolution, case.resolved_at = outcome, root_cause[:120], resolution, at
        self.move("resolve", at, by, OUTCOME_NAMES[outcome])
        for kind in (each.slug for each in KINDS.values() if each.met_by_resolving):
            self.stop(kind, at)
        self.stop_all(at)
        self.seal_requests(at)
        clock = self.start(states.REVIEW_DUE, at)
        told = self.told
        self.review = self.review or self.batch.add(Review, case_id=case.id)
        self.review.__dict__ |= {
            "state": Review.OPEN,
            "reviewer_id": case.owner_id or case.opened_by_id,
            "due_at": clock.due_at if clock else at,
            "triggered": told.trigger_text or f"Raised by {told.opened_by.name if told.opened_by else 'a rule'}",
            "root_cause": case.root_cause,
            "started_at": at,
            "signed_at": None,
            "signed_by_id": None,
        }

    def write_review(self, at: datetime, by: User, answers: dict[str, Any]) -> None:
        """Answers of the review; the first ones move the case to In review."""
        self.tick(at)
        self.review.__dict__ |= answers
        if self.case.state == states.RESOLVED:
            self.move("review", at, by)
        self.record(at, "review", "Review written", actor=by, data={"fields": sorted(answers)})

    def sign_review(self, at: datetime, by: User) -> None:
        """The review is done."""
        self.tick(at)
        review = self.review
        review.state, review.signed_at, review.signed_by_id = Review.DONE, at, by.id
        self.stop(states.REVIEW_DUE, at)
        self.record(at, "review", "Review signed", actor=by)

    def waive_review(self, at: datetime, by: User, reason: str) -> None:
        """Without the review, for a reason."""
        self.tick(at)
        review = self.review
        review.state, review.waived_reason, review.signed_at, review.signed_by_id = Review.WAIVED, reason, at, by.id
        self.stop(states.REVIEW_DUE, at, Clock.STOPPED)
        self.record(at, "review", f"Review waived: {reason}", actor=by)

    def close(self, at: datetime, by: User) -> None:
        """After review or waiver."""
        self.tick(at)
        self.case.closed_at = at
        self.move("close", at, by)
        self.stop_all(at)

    def reopen(self, at: datetime, by: User, reason: str) -> None:
        """The issue is back."""
        self.tick(at)
        case = self.case
        self.move("reopen", at, by, reason)
        case.reopened_count += 1
        case.resolved_at = case.closed_at = None
        case.level_since = at
        self.stop_all(at)
        self.start(states.DECISION, at)
        self.start_rhythm(at)
        self.start_deadlines(at)

    def end(self, verb: str, at: datetime, by: User, reason: str) -> None:
        """Withdrawn, or another case carries it."""
        self.tick(at)
        self._drop_handoffs(at)
        self.move(verb, at, by, reason)
        self.stop_all(at)
        self.recall_requests(at, by, reason)

    def _drop_handoffs(self, at: datetime) -> None:
        for each in self.handoffs:
            if each.state == HandOff.WAITING:
                each.state, each.answered_at = HandOff.REPLACED, at

    def promise_something(self, at: datetime, text: str, due_on: date, *, by: str) -> Any:
        """A commitment that outlives the case, with its clock."""
        owner = self.owner or self.lead
        made = self.batch.add(
            Commitment,
            account_id=self.account.id,
            case_id=self.case.id,
            by=by,
            text=text[:300],
            owner_id=owner.id,
            due_on=due_on,
            made_at=at,
            state=Commitment.OPEN,
        )
        who = dict(Commitment.BY)[by]
        summary = f"{who}: {text} (by {due_on:%b %-d})"
        self.record(at, "commitment", summary, actor=self.lead, data={"commitment": made.id})
        due_at, why = self.world.end_of_business(due_on), f"{who}, by the end of business on {due_on:%b %-d, %Y}"
        self.start(states.COMMITMENT, at, due_at=due_at, why=why, about=made.id, topic=text[:160])
        return made

    def keep_promise(self, made: Any, at: datetime) -> None:
        """A commitment was kept."""
        made.state, made.kept_at = Commitment.KEPT, at
        self.record(at, "commitment", f"Kept: {made.text}", actor=self.world.users[made.owner_id])
        self.stop(states.COMMITMENT, at, about=made.id)

    def done(self, now: datetime) -> None:
        """Let the engine catch up, then write people and the worst clock, and sign the logs."""
        self.tick(now)
        for each in self.people:
            self.batch.add(
                CasePerson,
                case_id=self.case.id,
                user_id=each.user.id,
                duty=each.duty,
                letter=each.letter,
                since=each.since,
                accepted_at=each.accepted_at,
            )
        self.keep_worst()
        self.sign()
