"""The second half of playing a case: the ask, the decision, carrying it out, the review."""

from datetime import date, datetime
from decimal import Decimal

from approvals.models import ApprovalRequest
from demo import stories
from demo.beginning import DAY, HOUR, MINUTE, Beginning
from demo.telling import awake
from demo.thread import later
from escalations import states


class Player(Beginning):
    """Acts out one script."""

    # Approve

    def _ask(self, at: datetime) -> None:
        life, told = self.life, self.life.told
        if life.case.state != states.DIAGNOSING:
            return
        due = self._due(states.DECISION, states.RESOLUTION) or at + DAY
        made = None
        if told.concession and not self.script.skipped:
            amount = self._amount()
            what = f"{told.options[0]['name']}" if self._asked == 0 else f"A smaller step: {told.options[0]['name']}"
            question = f"{what} for {life.account.name}?"
            made = life.ask(at, life.lead, amount, question, max(due, at + HOUR))
        if made is None:
            life.skip_approval(at, life.lead, "Inside the playbook, no concession is needed")
        self._asked += 1
        if life.case.state == states.EXECUTING:
            self._plan_execution(at)
        elif self.script.until != states.APPROVING:
            self._plan_decision(at)
        if made is not None and self.script.questioned and made.state == ApprovalRequest.OPEN:
            asked = self._step(at, due, 0.05, 0.2)
            words = ("What do we get in return?", "A longer term, and they name us as a reference.")
            self._at(asked, lambda moment: self._question(moment, *words))

    def _amount(self) -> Decimal | None:
        amount = self.life.told.amount
        return (
            amount
            if amount is None or self._asked == 0
            else (amount / 2).quantize(Decimal(1)).quantize(Decimal("0.01"))
        )

    def _question(self, at: datetime, asks: str, answers: str) -> None:
        if self.life.asked_now() is not None:
            self.life.question(at, asks, answers, min(at + 40 * MINUTE, self.end))

    def _plan_decision(self, at: datetime) -> None:
        due = self._due(states.DECISION)
        if self.script.slow and due is not None:
            self._at(min(awake(due + 6 * HOUR, due + 3 * DAY), self.end), self._decide)
        else:
            limit = min(filter(None, (due, self._due(states.RESOLUTION))), default=None)
            self._at(self._step(at, limit, 0.1, 0.85), self._decide)

    def _decide(self, at: datetime) -> None:
        life, chance = self.life, self.chance
        if life.asked_now() is None:
            return
        channel = chance.of(("web", "web", "link", "mail"))
        if self.script.declined and self._asked == 1:
            life.decide(at, ApprovalRequest.DECLINED, chance.of(stories.DECLINES), channel=channel)
            self._plan_ask(at)
        elif self.script.conditions:
            words = chance.of(stories.CONDITIONS)
            life.decide(at, ApprovalRequest.CONDITIONS, chance.of(stories.REASONS), words, channel)
        else:
            life.decide(at, ApprovalRequest.APPROVED, chance.of(stories.REASONS), channel=channel)
        if life.case.state == states.EXECUTING:
            self._plan_execution(at)

    # Execute, resolve, review

    def _plan_execution(self, at: datetime) -> None:
        if self.script.until == states.EXECUTING:
            return
        limit = min(self._due(states.RESOLUTION) or at + 2 * DAY, at + 2 * DAY)
        self._at(self._step(at, limit, 0.1, 0.5), self._prove)

    def _prove(self, at: datetime) -> None:
        for action in self.life.actions:
            if action.done_at is None:
                self.life.finish(action, at, self.life.told.words["proof"])
        limit = min(self._due(states.RESOLUTION) or at + 2 * DAY, at + 2 * DAY)
        self._at(self._step(at, limit, 0.2, 0.6), self._resolve)

    def _resolve(self, at: datetime) -> None:
        life, chance = self.life, self.chance
        if life.case.state != states.EXECUTING:
            return
        story = stories.STORIES[life.told.issue_type]
        life.resolve(at, chance.of(story.outcomes), self._cause(story.causes), life.told.words["resolution"])
        if chance.happens(0.5 if self.script.rich else 0.12):
            self._promise(at)
        if self.script.until != states.RESOLVED:
            due = self._due(states.REVIEW_DUE)
            self._at(self._step(at, due, 0.05, 0.4), self._waive if self.script.waived else self._review)

    def _cause(self, causes: tuple[str, ...]) -> str:
        """Causes repeat less and less: the later the case, the wider the draw."""
        return causes[min(int(self.chance.long_tail(0.9, 0.7)), len(causes) - 1)]

    def _promise(self, at: datetime) -> None:
        due = self.chance.whole(5, 60)
        on: date = (at + due * DAY).date()
        kept = later(at, days=due * 0.8) if self.chance.happens(0.6) and at + due * DAY < self.end else None
        by = "us" if self.chance.happens(0.8) else "them"
        made = self.life.promise_something(at, self.chance.of(stories.PROMISES), on, by=by)
        if kept:
            self._at(kept, lambda moment: self.life.keep_promise(made, moment))

    def _review(self, at: datetime) -> None:
        life, chance = self.life, self.chance
        answers = {
            "timeline_checked": True,
            "worked": chance.of(stories.WORKED),
            "change": chance.of(stories.CHANGES),
            "lessons": chance.of(stories.LESSONS),
            "root_cause": life.case.root_cause,
        }
        life.write_review(at, life.owner or life.lead, answers)
        if self.script.until != states.IN_REVIEW:
            self._at(self._step(at, self._due(states.REVIEW_DUE), 0.05, 0.6), self._sign)

    def _sign(self, at: datetime) -> None:
        self.life.sign_review(at, self.life.owner or self.life.lead)
        self._close(at)

    def _waive(self, at: datetime) -> None:
        users = self.life.world.users
        boss = users.get(self.life.lead.manager_id or 0) or self.life.lead
        self.life.waive_review(at, boss, "Same cause as reviewed last week")
        self._close(at)

    def _close(self, at: datetime) -> None:
        life = self.life
        life.close(at, life.lead)
        if self.script.reopened and life.case.reopened_count == 0:
            self._at(self._step(at, at + 4 * DAY, 0.2, 0.9), self._reopen)

    def _reopen(self, at: datetime) -> None:
        life = self.life
        life.reopen(at, life.lead, "The same error came back")
        self._at(self._step(at, at + DAY, 0.2, 0.6), self._ask)
