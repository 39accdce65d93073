"""Clocks of a case in memory, and the engine that fires them: as services.clocks and services.firing, without the database."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from accounts.models import User
from demo import steps
from demo.thread import Thread
from demo.world import Promise
from escalations import states
from escalations.clocks import verbs
from escalations.clocks.engine import summary
from escalations.clocks.rules import clock as rules
from escalations.clocks.rules import factors, targets, timing
from escalations.clocks.rules.factors import Value
from escalations.clocks.rules.kinds import KINDS
from escalations.clocks.targets import NO_FACTOR
from escalations.clocks.verbs import DATE_GIVEN
from escalations.models import Clock, Target
from escalations.policy.rules import wording
from ledger.format import recorded


class Clockwork(Thread):
    """Starts, pauses, stops and fires clocks; each change is an entry of the thread."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.live: dict[str, Any] = {}
        self._ticked: datetime = self.told.opened_at
        self._generations: Counter[str] = Counter()
        # Only cases with a full thread keep the rhythm of the inside, and tell people again after a breach.
        self.rhythm = False

    def start(
        self,
        kind: str,
        at: datetime,
        due_at: datetime | None = None,
        why: str = "",
        about: int = 0,
        topic: str = "",
        since: datetime | None = None,
    ) -> Any:
        """Start a clock, ending the one of its kind that runs; None when the policy promises nothing. `since`: it runs from
        an earlier moment."""
        self.stop(kind, at, Clock.STOPPED, about)
        made = self._promise(kind, at) if due_at is None else _until(kind, at, due_at, why)
        if made is None:
            return None
        self._generations[kind] += 1
        clock = self.batch.add(
            Clock,
            case_id=self.case.id,
            kind=kind,
            about=about,
            topic=topic,
            generation=self._generations[kind],
            state=Clock.RUNNING,
            level=self.case.level,
            calendar_id=made.calendar_id,
            target_seconds=made.seconds,
            target_text=made.text,
            warn_percent=made.warn_percent,
            also_warn_at=made.also_warn_at,
            repeat_minutes=made.repeat_minutes if self.rhythm else 0,
            repeat_times=made.repeat_times if self.rhythm else 0,
            on_breach=made.on_breach,
            started_at=since or at,
            resumed_at=since or at,
            used_seconds=0,
            why=made.why,
        )
        self._schedule(clock)
        self.live[_key(kind, about)] = clock
        self._log(clock, "start", f"due {recorded(clock.due_at)}", at)
        if KINDS[kind].waits and self.case.waiting_on != states.NOBODY:
            self._pause(clock, at, f"Waiting on {dict(states.WAITING_ON)[self.case.waiting_on].lower()}")
        return clock

    def measure(self, kind: str, started_at: datetime, at: datetime) -> None:
        """A clock whose time is over when it is written: how long something took."""
        self.start(kind, at, since=min(started_at, at))
        self.stop(kind, at)

    def _promise(self, kind: str, at: datetime) -> Promise | None:
        made = self.world.promise(kind, self.case.tier, self.case.level, self.issue_type)
        if made is None or made.row is None:
            return made
        rows = self.world.factors_of(kind)
        found = factors.Adjusted(made.seconds, (NO_FACTOR,))
        if rows:
            found = factors.adjust(rows, self.circumstances(at), made.seconds)
        text = targets.shortened(made.row, made.seconds, found.seconds)
        why = [*made.why, *found.lines, wording.warnings(made.row)]
        return replace(made, seconds=found.seconds, text=text[:80], why=why)

    def circumstances(self, at: datetime) -> Mapping[str, Value | None]:
        """What the factors of a target look at; added by the class that knows the facts."""
        return {}

    def _watch(self, clock: Any) -> steps.Watch:
        """As services.scheduling.watch; nobody of the demo lets an accepted case lie until it decays."""
        moments = timing.at_percents(
            self.world.hours[clock.calendar_id],
            resumed_at=clock.resumed_at,
            used=clock.used_seconds,
            target=clock.target_seconds,
            percents={clock.warn_percent, *clock.also_warn_at, 100},
        )
        return steps.Watch(
            due_at=dict(moments)[100],
            warnings=tuple(pair for pair in moments if pair[0] < 100),
            warned_percent=clock.warned_percent,
            breached_at=clock.breached_at,
            repeat_minutes=clock.repeat_minutes,
            repeat_times=clock.repeat_times,
            repeats=clock.repeats,
        )

    def _schedule(self, clock: Any) -> None:
        seen, hours = self._watch(clock), self.world.hours[clock.calendar_id]
        clock.due_at, clock.warn_at = seen.due_at, min(moment for _, moment in seen.warnings)
        clock.fire_at = steps.next_at(seen)
        clock.warnings = [[percent, moment.isoformat()] for percent, moment in seen.warnings]
        clock.calendar_print = timing.print_of(hours) if hours else ""
        inputs = (clock.calendar_id, clock.resumed_at, clock.used_seconds, clock.target_seconds, clock.warn_percent)
        clock.fingerprint = hashlib.sha256(repr(inputs).encode()).hexdigest()

    def stop(self, kind: str, at: datetime, outcome: str = "", about: int = 0) -> Any:
        """End the live clock of this kind: met or missed by its due time, or the outcome given."""
        clock = self.live.pop(_key(kind, about), None)
        if clock is None:
            return None
        late = clock.breached_at is not None or (clock.due_at is not None and at > clock.due_at)
        if late and clock.breached_at is None:
            clock.breached_at = clock.due_at
            self._log(clock, "breach", "was past SLA when it ended", at, clock.due_at)
        clock.state = outcome or (Clock.MISSED if late else Clock.MET)
        clock.stopped_at, clock.fire_at = at, None
        self._log(clock, "stop", clock.state.capitalize(), at)
        return clock

    def stop_all(self, at: datetime) -> None:
        """End every live clock but those of commitments, which outlive the case."""
        for clock in list(self.live.values()):
            if clock.kind != states.COMMITMENT:
                self.stop(clock.kind, at, Clock.STOPPED, clock.about)

    def retarget(self, at: datetime) -> None:
        """Give the live clocks the targets of the present tier and level, from the same start."""
        for clock in self.live.values():
            made = self._promise(clock.kind, at) if clock.target_text != DATE_GIVEN else None
            if made is None or made.seconds == clock.target_seconds or clock.breached_at:
                continue
            clock.target_seconds, clock.target_text = made.seconds, made.text
            clock.why, clock.on_breach, clock.warn_percent = made.why, made.on_breach, made.warn_percent
            if clock.state == Clock.RUNNING:
                self._schedule(clock)
            self._log(clock, "retarget", made.text, at)

    def wait_on(self, whom: str, at: datetime, by: User, reason: str) -> None:
        """Pause what waits for the customer or a third party, or go on counting when nobody is waited for."""
        self.tick(at)
        self.case.waiting_on = whom
        self.case.version += 1
        waits = f"Waiting on {dict(states.WAITING_ON)[whom].lower()}: {reason}"
        for clock in self.live.values():
            if whom == states.NOBODY:
                self._resume(clock, at)
            elif KINDS[clock.kind].waits:
                self._pause(clock, at, waits)
        self.record(at, "waiting", f"Waiting on {whom.replace('_', ' ')}. {reason}", actor=by)

    def _pause(self, clock: Any, at: datetime, reason: str) -> None:
        if clock.state != Clock.RUNNING or clock.breached_at:
            return
        clock.used_seconds += timing.used_between(self.world.hours[clock.calendar_id], clock.resumed_at, at)
        clock.stretches = [*clock.stretches, [clock.resumed_at.isoformat(), max(at, clock.resumed_at).isoformat()]]
        clock.state, clock.paused_at, clock.pause_reason = Clock.PAUSED, at, reason[:200]
        clock.due_at = clock.warn_at = clock.fire_at = None
        self._log(clock, "pause", reason, at)

    def _resume(self, clock: Any, at: datetime) -> None:
        if clock.state != Clock.PAUSED:
            return
        clock.state, clock.resumed_at, clock.paused_at, clock.pause_reason = Clock.RUNNING, at, None, ""
        self._schedule(clock)
        self._log(clock, "resume", f"due {recorded(clock.due_at)}", at)

    def tick(self, until: datetime) -> None:
        """Fire everything due up to that moment, oldest first, as the engine would have."""
        while True:
            due = [each for each in self.live.values() if each.fire_at is not None and each.fire_at <= until]
            if not due:
                self._ticked = until
                return
            clock = min(due, key=lambda each: each.fire_at)
            # A new target may lie in the past already; nothing fires before what was done last.
            at = self._ticked = min(max(clock.fire_at + timedelta(seconds=1), self._ticked), until)
            self._take(clock, steps.step_at(self._watch(clock), at), at)

    def _take(self, clock: Any, step: steps.Step | None, at: datetime) -> None:
        """One step, as services.firing.fire takes it."""
        moment = clock.fire_at
        if step is None:
            clock.fire_at = None
            return
        if step.kind == steps.WARN:
            clock.warned_at, clock.warned_percent = at, step.number
        elif step.kind == steps.BREACH:
            clock.breached_at = moment = clock.due_at
        else:
            clock.repeats = step.number
        clock.fire_at = steps.next_at(self._watch(clock))
        data = verbs.entry(clock, rules.StepKind(step.kind), "", moment).data
        words = summary(clock, rules.Step(rules.StepKind(step.kind), step.number))
        self.record(at, f"clock.{step.kind}", words, clock=clock.id, data=data)
        if step.kind == steps.BREACH:
            self.after_breach(clock, at)

    def after_breach(self, clock: Any, at: datetime) -> None:
        """What the matrix says happens next; people are added by the class that knows them."""

    def keep_worst(self) -> None:
        """The case's cache of its worst running clock, as services.clocks.refresh_cache writes it."""
        counted = [clock for clock in self.live.values() if KINDS[clock.kind].in_queue]
        running = [clock for clock in counted if clock.state == Clock.RUNNING]
        paused = [clock for clock in counted if clock.state == Clock.PAUSED]
        worst = min(running, key=lambda clock: (clock.due_at, clock.id), default=None)
        case = self.case
        case.sla_due_at, case.sla_warn_at = (worst.due_at, worst.warn_at) if worst else (None, None)
        case.sla_clock = worst.kind if worst else paused[0].kind if paused else ""
        case.sla_paused_at = paused[0].paused_at if paused and not worst else None

    def _log(self, clock: Any, what: str, detail: str, at: datetime, moment: datetime | None = None) -> None:
        begun = clock.started_at if what == "start" else at
        data = verbs.entry(clock, rules.StepKind(what), "", moment or begun).data
        self.record(at, f"clock.{what}", f"{clock.label}: {detail}", clock=clock.id, data=data)


def _key(kind: str, about: int) -> str:
    return f"{kind}:{about}" if about else kind


def _until(kind: str, at: datetime, due_at: datetime, why: str) -> Promise:
    seconds = max(0, int((due_at - at).total_seconds()))
    on_breach = Target.REMIND if KINDS[kind].reminds else Target.ESCALATE
    return Promise(seconds, DATE_GIVEN, 75, on_breach, None, [why])
