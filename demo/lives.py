"""The course of a case: from opening to its final state, with the updates on the way.

Each story is a generator: it acts, then yields the moment at which it continues (`demo.stage`). It reads from the
database what the engine did in between, like people on the page.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from accounts.models import User
from approvals.models import ApprovalRequest
from demo import acts, stories
from demo.chance import Chance
from demo.stage import Part, Stage, Steps
from demo.telling import Told, awake, working_morning
from escalations import states
from escalations.models import Commitment, Escalation
from ledger.format import money, on_paper

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WAITS_FOR = {"customer": "their counsel reads the draft", "third_party": "the auditor sends the report"}


@dataclass(frozen=True)
class Script:
    """The events on the way. `until`: the final state of the case."""

    until: str = states.CLOSED
    refused: bool = False
    ignored: bool = False  # nobody accepts in time
    declined: bool = False  # asked again for half the amount
    conditions: bool = False
    recalled: bool = False  # recalled and asked again
    delegated: tuple[str, ...] = ()  # the person who is asked delegates it to the first of these who is not asked
    one_vote: bool = False  # of several seats, one has decided
    questioned: bool = False
    skipped: bool = False
    slow: bool = False  # decided after its time
    silent: bool = False  # no more updates
    late_word: bool = False
    waits: str = ""
    waived: bool = False
    reopened: bool = False


class Life:
    """One case that is played by a script."""

    def __init__(self, stage: Stage, told: Told, script: Script, chance: Chance, people: dict[str, User]) -> None:
        self.stage, self.told, self.script, self.chance, self.people = stage, told, script, chance, people
        self.case_id = 0

    @property
    def case(self) -> Escalation:
        """The current state."""
        return acts.case_of(self.case_id)

    def within(self, since: datetime, low: float, high: float, *kinds: str, most: timedelta = 2 * DAY) -> datetime:
        """A moment before these clocks are due, in working hours if possible; never in the future."""
        limit = acts.due(self.case_id, kinds) if kinds else None
        limit = min(limit, since + most) if limit and limit > since else since + most
        moment = since + (limit - since) * self.chance.between(low, high)
        moment = rested if (rested := awake(moment)) < limit else moment
        if moment >= self.stage.end:
            moment = since + (self.stage.end - since) * self.chance.between(0.25, 0.6)
        return max(moment.replace(microsecond=0), since)

    def live(self) -> Steps:
        """From opening to the state the script ends in."""
        at, script = self.told.opened_at, self.script
        self.case_id = acts.open_case(self.told)
        self.stage.enter(at, self.keep_customer_told(at))
        at = yield from self.hand_over(at)
        if script.until == states.HANDED_OFF:
            return
        if not script.silent:
            self.stage.enter(at, self.keep_inside_told(at))
        if script.until in (states.WITHDRAWN, states.DUPLICATE):
            yield self.within(at, 0.1, 0.9, most=DAY)
            self.end_early()
            return
        at = self.within(at, 0.1, 0.6, states.FIRST_ACT, states.RESOLUTION)
        yield at
        self.begin(at)
        if script.waits:
            at = yield from self.wait(at)
        if script.until == states.DIAGNOSING:
            return
        at = yield from self.approve(at)
        if script.until in (states.APPROVING, states.EXECUTING):
            return
        at = yield from self.execute(at)
        if script.until != states.RESOLVED:
            yield from self.review(at)

    def hand_over(self, at: datetime) -> Part:
        """The hand-off is refused, ignored, and finally accepted."""
        if self.script.until == states.HANDED_OFF:
            return at
        if self.script.ignored:
            at = (acts.due(self.case_id, [states.ACCEPTANCE]) or at) + timedelta(minutes=10)
            yield at
        if self.script.refused:
            at = self.within(at, 0.1, 0.4, states.ACCEPTANCE)
            yield at
            acts.refuse(self.case, self.chance.of(stories.REFUSALS))
        accepted_at = self.within(at, 0.1, 0.6, states.ACCEPTANCE)
        told_by = acts.due(self.case_id, [states.INTERNAL_UPDATE])
        if told_by and at < told_by < accepted_at and not self.script.silent:
            # Opened at night, accepted in the morning: the communication lead writes first.
            at += (told_by - at) * self.chance.between(0.3, 0.7)
            yield at
            self.tell_inside(at)
        yield accepted_at
        acts.accept(self.case)
        return accepted_at

    def end_early(self) -> None:
        """The case is withdrawn, or is a duplicate of another one."""
        case = self.case
        if case.is_open and self.script.until == states.DUPLICATE:
            acts.mark_duplicate(case)
        elif case.is_open:
            acts.withdraw(case, "The customer took it back")

    def begin(self, at: datetime) -> None:
        """The owner's first act: an internal update, and the brief."""
        case, words = self.case, self.told.words
        if self.script.until in states.OPEN or self.chance.happens(0.3):
            acts.set_status(case, f"{self.told.title}. We have the facts; next is the decision.")
        # After the status, so that the next update is due when the post says.
        self.tell_inside(at, self.days_between_words)
        deadline = acts.due(case.pk, [states.DECISION, states.RESOLUTION]) or at + DAY
        texts = {
            "facts": f"{self.told.impact} ARR at risk: {money(case.arr_at_risk, case.arr_currency)}.",
            "recommendation": words["recommendation"],
        }
        if not self.script.waits:
            texts["ask"] = f"A decision by {on_paper(deadline, 'UTC')}. {self.told.support}"
            texts["next_step"] = f"Call with {words['contact']} once it is decided."
        acts.write_brief(case, texts, self.told.options)

    def wait(self, at: datetime) -> Part:
        """The clocks pause until an outside party answers; if the script ends here, they stay paused."""
        at = self.within(at, 0.02, 0.15, states.DECISION)
        yield at
        acts.wait_on(self.case, self.script.waits, WAITS_FOR[self.script.waits])
        if self.script.until != states.DIAGNOSING:
            at = self.within(at, 0.2, 0.9)
            yield at
            acts.wait_on(self.case, states.NOBODY, "")
            acts.write_brief(
                self.case, {"ask": self.told.support, "next_step": "Call them once it is decided."}, self.told.options
            )
        return at

    # Approve

    def approve(self, at: datetime) -> Part:
        """Request a decision, again if it was declined or recalled; or go on without a decision."""
        told, script, amount = self.told, self.script, self.told.amount
        at = self.within(at, 0.02, 0.2, states.DECISION, states.RESOLUTION)
        yield at
        request = None
        if told.concession and not script.skipped:
            request = self.ask(at, amount, told.options[0]["name"])
        if request is None:
            if self.case.state == states.DIAGNOSING:
                acts.skip_approval(self.case, "Inside the playbook, no concession is needed")
            return at
        if script.recalled and request.is_open:
            at = self.within(at, 0.05, 0.2, states.DECISION)
            yield at
            acts.recall(request, "Their buyer came back with other numbers")
            request = self.ask(at, amount, told.options[0]["name"])
        if request and request.is_open:
            at = yield from self.talk(at, request)
        if script.until == states.APPROVING or request is None or not request.is_open:
            return at
        at = yield from self.decide(at, ApprovalRequest.DECLINED if script.declined else self.verdict)
        if script.declined:
            at = self.within(at, 0.05, 0.2, states.DECISION, states.RESOLUTION)
            yield at
            half = (amount / 2).quantize(Decimal(1)) if amount is not None else None
            if self.ask(at, half, f"A smaller step: {told.options[0]['name']}"):
                at = yield from self.decide(at, self.verdict)
        return at

    @property
    def verdict(self) -> str:
        """The final verdict."""
        return ApprovalRequest.CONDITIONS if self.script.conditions else ApprovalRequest.APPROVED

    def ask(self, at: datetime, amount: Decimal | None, what: object) -> ApprovalRequest | None:
        """Send the request. It is due with the decision clock; if that leaves less than an hour, later and with a reason."""
        case = self.case
        if case.state != states.DIAGNOSING:
            return None
        due = acts.due(case.pk, [states.DECISION])
        deadline = None if due and due > at + HOUR else at + 4 * HOUR
        question = f"{what} for {case.account.name}?"
        return acts.ask(case, self.told.concession, amount, question, deadline, "Their buyer answered only now")

    def talk(self, at: datetime, request: ApprovalRequest) -> Part:
        """Comments of consulted people, a question, a delegation, one vote of several."""
        script = self.script
        if script.questioned:
            at = self.within(at, 0.05, 0.2, states.DECISION)
            yield at
            acts.question(request, "What do we get in return?")
            at = self.within(at, 0.05, 0.3, most=2 * HOUR)
            yield at
            acts.answer(request, "A longer term, and they name us as a reference.")
        if script.delegated:
            at = self.within(at, 0.05, 0.3, states.DECISION)
            yield at
            acts.delegate(
                request, [self.people[slug] for slug in script.delegated], "Away until the evening, please decide"
            )
        if script.one_vote:
            at = self.within(at, 0.05, 0.4, states.DECISION)
            yield at
            self.decide_one(ApprovalRequest.APPROVED)
        return at

    def decide(self, at: datetime, verdict: str) -> Part:
        """All people who are asked decide, one after the other, until the request ends."""
        case = self.case
        if self.script.slow and (due := acts.due(case.pk, [states.DECISION])):
            at = awake(due + 6 * HOUR)
        else:
            at = self.within(at, 0.1, 0.85, states.DECISION, states.RESOLUTION, most=3 * DAY)
        yield at
        while self.decide_one(verdict):
            at = self.within(at, 0.05, 0.3, states.DECISION, states.RESOLUTION)
            yield at
        return at

    def decide_one(self, verdict: str) -> bool:
        """One person decides; returns whether somebody else is still asked."""
        request = acts.open_request(self.case)
        if request is None:
            return False
        acts.comment(request, "Nothing against it from our side. The wording is the one of the playbook.")
        channel = self.chance.of(("web", "web", "link", "mail"))
        if verdict == ApprovalRequest.DECLINED:
            acts.decide(request, verdict, self.chance.of(stories.DECLINES), channel=channel)
        elif verdict == ApprovalRequest.CONDITIONS:
            conditions = self.chance.of(stories.CONDITIONS)
            acts.decide(request, verdict, self.chance.of(stories.REASONS), conditions, channel)
        else:
            acts.decide(request, verdict, self.chance.of(stories.REASONS), channel=channel)
        return acts.open_request(self.case) is not None

    # Execute, resolve, review

    def execute(self, at: datetime) -> Part:
        """Carry out with a proof, update the customer, resolve."""
        at = self.within(at, 0.1, 0.5, states.RESOLUTION)
        yield at
        if self.case.state != states.EXECUTING:
            return at
        acts.finish_actions(self.case, self.told.words["proof"])
        acts.keep_conditions(self.case)
        at = self.within(at, 0.1, 0.6, states.RESOLUTION)
        yield at
        story, chance = stories.STORIES[self.told.issue_type], self.chance
        # Causes repeat less over time: for later cases there are more to draw from.
        cause = story.causes[min(int(chance.long_tail(0.9, 0.7)), len(story.causes) - 1)]
        self.promise(at)
        acts.resolve(self.case, chance.of(story.outcomes), cause, self.told.words["resolution"])
        return at

    def promise(self, at: datetime) -> None:
        """Some cases end with a commitment; most are kept."""
        if not self.chance.happens(0.4):
            return
        days = self.chance.whole(5, 40)
        who = Commitment.US if self.chance.happens(0.8) else Commitment.THEM
        made = acts.promise(self.case, self.chance.of(stories.PROMISES), (at + days * DAY).date(), who)
        if self.chance.happens(0.75):
            self.stage.enter(awake(at + days * 0.7 * DAY), self.keep(made))

    def keep(self, commitment_id: int) -> Steps:
        """Keep the commitment when this story continues."""
        acts.keep(commitment_id)
        yield from ()

    def review(self, at: datetime) -> Steps:
        """The review is written and signed, or waived; then the case closes, and sometimes it is reopened."""
        case, chance = self.case, self.chance
        if case.state != states.RESOLVED:
            return
        at = self.within(at, 0.05, 0.4, states.REVIEW_DUE, most=6 * DAY)
        yield at
        if self.script.waived:
            lead = acts.lead_of(case)
            acts.waive_review(case, lead.manager or lead, "Same as the case before, nothing new to learn")
        else:
            answers = {
                "timeline_checked": True,
                "worked": chance.of(stories.WORKED),
                "change": chance.of(stories.CHANGES),
                "lessons": chance.of(stories.LESSONS),
                "root_cause": case.root_cause,
            }
            acts.write_review(case, answers)
            if self.script.until == states.IN_REVIEW:
                return
            at = self.within(at, 0.05, 0.6, states.REVIEW_DUE, most=4 * DAY)
            yield at
            acts.sign_review(self.case)
        acts.close(self.case)
        if self.script.reopened:
            yield from self.come_back(self.within(at, 0.2, 0.8, most=10 * DAY))

    def come_back(self, at: datetime) -> Steps:
        """The same issue again, solved without another decision."""
        yield at
        acts.reopen(self.case, "The same complaint is back")
        self.stage.enter(at, self.keep_inside_told(at))
        at = self.within(at, 0.1, 0.4, states.DECISION, states.RESOLUTION)
        yield at
        if self.case.state == states.DIAGNOSING:
            acts.skip_approval(self.case, "Granted before, the cause is fixed now")
        at = yield from self.execute(at)
        at = self.within(at, 0.1, 0.6, states.REVIEW_DUE)
        yield at
        if self.case.state == states.RESOLVED:
            lead = acts.lead_of(self.case)
            acts.waive_review(self.case, lead.manager or lead, "Reviewed when it was closed first")
            acts.close(self.case)

    # Updates

    def next_word(self, at: datetime, days: int = 1) -> datetime:
        """The time of the next update: the end of a working day."""
        return working_morning(at, self.chance, days=days) + 9 * HOUR

    @property
    def days_between_words(self) -> int:
        """Cases of today get more updates, because people read their pages."""
        return 1 if self.script.until in states.OPEN else 2

    def tell_inside(self, at: datetime, days: int = 1) -> bool:
        """Post an update with the date of the next one; returns whether the case is still open."""
        case = self.case
        if case.is_open:
            acts.post(case, self.chance.of(stories.UPDATES).format_map(self.told.words), self.next_word(at, days))
        return case.is_open

    def keep_inside_told(self, at: datetime) -> Steps:
        """The owner posts every working morning while the case is open, in cases that ended long ago every second
        morning; and before the first morning, if the first update inside is due earlier."""
        due = acts.due(self.case_id, [states.INTERNAL_UPDATE])
        while True:
            morning = working_morning(at, self.chance, days=self.days_between_words)
            at = at + (due - at) / 2 if due and at < due < morning else morning
            due = None
            yield at
            if not self.tell_inside(at, self.days_between_words):
                return

    def keep_customer_told(self, at: datetime) -> Steps:
        """The first response in time, then an update before each promised date."""
        if not self.told.contacts:
            return
        low, high = (1.2, 1.6) if self.script.late_word else (0.3, 0.8)
        due = acts.due(self.case_id, [states.RESPONSE]) or at + HOUR
        at = at + (due - at) * self.chance.between(low, high)
        while True:
            yield at
            case = self.case
            if not case.is_open:
                return
            text, contact = self.chance.of(stories.CUSTOMER_UPDATES), self.chance.of(self.told.contacts)
            then = at + 20 * HOUR if self.script.silent else self.next_word(at, days=3)
            acts.tell_customer(case, text, [contact], then)
            if self.script.silent:
                return
            at = working_morning(at, self.chance, days=2) + 2 * HOUR
