"""The first half of playing a case: the agenda, the hand-off, the diagnosis, and word to the customer."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from demo import stories
from demo.chance import Chance
from demo.living import Life
from demo.telling import awake
from demo.thread import later
from escalations import states
from escalations.models import BriefPart

PART_NAMES = dict(BriefPart.PARTS)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
Act = Callable[[datetime], None]


@dataclass(frozen=True)
class Script:
    """What shall happen on the way. `until`: the state to stay in; ENDED states are reached in the past."""

    until: str = states.CLOSED
    refused: bool = False
    declined: bool = False
    conditions: bool = False
    slow: bool = False
    late_word: bool = False
    silent: bool = False
    waits: str = ""
    paused_now: bool = False
    questioned: bool = False
    skipped: bool = False
    waived: bool = False
    reopened: bool = False
    ignored: bool = False
    rich: bool = False


class Beginning:
    """An agenda of acts in the order of time. `end` is the present: nothing happens after it."""

    def __init__(self, life: Life, script: Script, chance: Chance, end: datetime) -> None:
        self.life, self.script, self.chance, self.end = life, script, chance, end
        life.rhythm = script.rich and not life.lean
        self._agenda: list[tuple[datetime, int, Act]] = []
        self._order = count()
        self._asked = 0

    def play(self) -> None:
        """From opening to `until`, then sign."""
        life, until = self.life, self.script.until
        life.open()
        if until != states.NEW:
            life.triage()
            life.route()
            self._plan_word(life.told.opened_at)
        if until not in (states.NEW, states.TRIAGED):
            self._hand_over()
        while self._agenda:
            at, _, act = heapq.heappop(self._agenda)
            if at <= self.end:
                life.tick(at)
                act(at)
        life.done(self.end)

    def _at(self, moment: datetime, act: Act) -> None:
        heapq.heappush(self._agenda, (moment.replace(microsecond=0), next(self._order), act))

    def _step(self, start: datetime, due: datetime | None, low: float, high: float) -> datetime:
        """A moment between start and due, in people's hours where that fits, never after the present."""
        due = due if due is not None and due > start else start + HOUR
        moment = awake(start + (due - start) * self.chance.between(low, high), due)
        if moment >= self.end:
            moment = start + max(self.end - start, timedelta()) * self.chance.between(0.25, 0.6)
        return max(moment, start)

    def _due(self, *kinds: str) -> datetime | None:
        """The earliest due time of these clocks, of those that run."""
        found = [clock.due_at for kind in kinds if (clock := self.life.live.get(kind)) and clock.due_at]
        return min(found, default=None)

    # Hand-off

    def _hand_over(self) -> None:
        life, at = self.life, self.life.told.opened_at
        owner = life.asked_owner
        if owner is None:
            raise ValueError("Nobody holds a role that could own this case")
        life.hand_to(owner, at, life.told.opened_by, role=life.owner_role, why=life.routed_because)
        if self.script.ignored:
            due = self._due(states.ACCEPTANCE) or at
            self._at(min(due + HOUR, self.end), self._answer)
        else:
            self._answer(at)

    def _answer(self, at: datetime) -> None:
        if self.script.until == states.HANDED_OFF:
            return
        due = self._due(states.ACCEPTANCE)
        if self.script.refused and len(self.life.handoffs) == 1:
            self._at(self._step(at, due, 0.1, 0.4), self._refuse)
        else:
            self._at(self._step(at, due, 0.1, 0.7), self._accept)

    def _refuse(self, at: datetime) -> None:
        self.life.refuse(at, self.chance.of(stories.REFUSALS))
        self._answer(at)

    def _accept(self, at: datetime) -> None:
        if self.life.waiting() is None:
            return
        self.life.accept(at)
        if self.script.until in (states.WITHDRAWN, states.DUPLICATE):
            self._at(self._step(at, at + DAY, 0.1, 0.9), self._end)
        self._at(self._step(at, self._due(states.FIRST_ACT), 0.1, 0.7), self._begin)

    def _end(self, at: datetime) -> None:
        duplicate = self.script.until == states.DUPLICATE
        verb, reason = ("mark_duplicate", "Same as a case that is open already") if duplicate else (
            "withdraw", "The customer took it back")  # fmt: skip
        self.life.end(verb, at, self.life.lead, reason)

    # Diagnose

    def _begin(self, at: datetime) -> None:
        """The owner's first act: facts, options and a recommendation."""
        life, told = self.life, self.life.told
        if life.case.state != states.DIAGNOSING:
            return
        owner = life.owner or life.lead
        life.post(at, owner, self.chance.of(stories.UPDATES).format_map(told.words))
        life.first_act(at)
        life.write_part("facts", f"{told.impact} ARR at risk: {life.case.arr_at_risk:,.0f} {told.currency}.", owner, at)
        life.write_part("recommendation", told.words["recommendation"], owner, at)
        life.write_part("options", "", owner, at, told.options)
        names = ["facts", "recommendation", "options"]
        if not self.script.paused_now:
            deadline = self._due(states.DECISION, states.RESOLUTION) or at + DAY
            ask = f"A decision by {deadline:%H:%M} UTC on {deadline:%A, %b %-d}. {told.support}"
            life.write_part("ask", ask, owner, at)
            life.write_part("next_step", f"Call with {told.words['contact']} once it is decided.", owner, at)
            names += ["ask", "next_step"]
        said = ", ".join(PART_NAMES[name] for name in names)
        life.record(at, "brief", f"Brief changed: {said}", actor=owner, data={"parts": names})
        if self.script.rich:
            life.set_status(at, f"{told.title}. We have the facts; next is the decision.")
            self._plan_inside(at)
        if self.script.until == states.DIAGNOSING and not self.script.waits:
            return
        if self.script.waits:
            self._at(self._step(at, self._due(states.DECISION), 0.02, 0.15), self._wait)
        else:
            self._plan_ask(at)

    def _plan_inside(self, at: datetime) -> None:
        """Of a case that is open today, the last days have the rhythm of updates that its tier asks for."""
        if self.script.until in states.OPEN and not self.script.silent:
            self._at(max(self._next_inside(at), self.end - 3 * self._inside), self._say)

    @property
    def _inside(self) -> timedelta:
        return self.life.world.inside.get(self.life.case.tier, DAY)

    def _next_inside(self, at: datetime) -> datetime:
        return at + self._inside * self.chance.between(0.6, 0.85)

    def _say(self, at: datetime) -> None:
        """The owner keeps the inside told; by a new status where a check-in is due before the next word."""
        life = self.life
        if life.case.state not in states.OPEN or life.owner is None:
            return
        text, then = self.chance.of(stories.UPDATES).format_map(life.told.words), self._next_inside(at)
        check_in = self._due(states.CHECK_IN)
        if check_in is not None and check_in < then:
            life.set_status(at, text)
        else:
            life.post(at, life.owner, text)
        self._at(then, self._say)

    def _wait(self, at: datetime) -> None:
        life = self.life
        if life.case.state not in states.OPEN:
            return
        whom = {"customer": "their counsel reads the draft", "third_party": "the auditor sends the report"}
        life.wait_on(self.script.waits, at, life.lead, whom[self.script.waits])
        if self.script.paused_now:
            self._at(min(at + 5 * MINUTE, self.end), self._tell)
        else:
            self._at(self._step(at, at + 2 * DAY, 0.2, 0.9), self._go_on)

    def _go_on(self, at: datetime) -> None:
        life = self.life
        if life.case.state in states.OPEN:
            life.wait_on(states.NOBODY, at, life.lead, "")
            self._plan_ask(at)

    def _plan_ask(self, at: datetime) -> None:
        if self.script.until in (states.DIAGNOSING, *states.ENDED[1:]):
            return
        self._at(self._step(at, self._due(states.DECISION, states.RESOLUTION), 0.02, 0.2), self._ask)

    def _ask(self, at: datetime) -> None:
        """The second half of the path."""
        raise NotImplementedError

    # Word to the customer

    def _plan_word(self, at: datetime) -> None:
        clock = self.life.live.get(states.RESPONSE)
        if clock is None or (self.script.until in (states.TRIAGED, states.HANDED_OFF) and not self.script.rich):
            return
        low, high = (1.2, 1.6) if self.script.late_word else (0.3, 0.8)
        self._at(min(at + (clock.due_at - at) * self.chance.between(low, high), self.end), self._tell)

    def _tell(self, at: datetime) -> None:
        """Write to the customer; with a thread of some length, again before the next update is due."""
        life = self.life
        if life.case.state not in states.OPEN or not life.customer.contacts:
            return
        gap = self._gap(at)
        text = self.chance.of(stories.CUSTOMER_UPDATES)
        life.tell_customer(at, text, life.customer.contacts[0], later(at + gap))
        told_again = awake(at + gap * self.chance.between(0.6, 0.85), at + gap)
        if not self.script.silent and told_again < self.end:
            self._at(told_again, self._tell)

    def _gap(self, at: datetime) -> timedelta:
        """By cadence; a case without much thread promises the next word for when it should be decided."""
        cadence = self.life.world.cadence.get(self.life.case.tier, DAY)
        if self.script.rich:
            return cadence
        due = self._due(states.DECISION, states.RESOLUTION)
        return max(cadence, (due - at) + 2 * DAY if due else cadence)
