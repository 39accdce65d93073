"""Clocks of a case in memory, and the engine that fires them: as services.clocks and services.firing, without the database."""

import hashlib
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from accounts.models import User
from config.demo.thread import Thread
from config.demo.world import Promise
from escalations import states
from escalations.models import Clock, Target
from escalations.rules import timing

UNTIL = "until the date given"
WAITS_FOR_NOBODY = (states.ACCEPTANCE, states.CUSTOMER_UPDATE)


class Clockwork(Thread):
    """Starts, pauses, stops and fires clocks; each change is an entry of the thread."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.live: dict[str, Any] = {}
        self._ticked: datetime = self.told.opened_at
        self._generations: Counter[str] = Counter()

    def start(self, kind: str, at: datetime, due_at: datetime | None = None, why: str = "") -> Any:
        """Start a clock, ending the one of its kind that runs; None when the policy promises nothing."""
        self.stop(kind, at, Clock.STOPPED)
        made = self._promise(kind) if due_at is None else _until(kind, at, due_at, why)
        if made is None:
            return None
        self._generations[kind] += 1
        clock = self.batch.add(
            Clock,
            case_id=self.case.id,
            kind=kind,
            generation=self._generations[kind],
            state=Clock.RUNNING,
            level=self.case.level,
            calendar_id=made.calendar_id,
            target_seconds=made.seconds,
            target_text=made.text,
            warn_percent=made.warn_percent,
            on_breach=made.on_breach,
            started_at=at,
            resumed_at=at,
            used_seconds=0,
            why=made.why,
        )
        self._schedule(clock)
        self.live[kind] = clock
        self._log(clock, "start", f"due {clock.due_at:%Y-%m-%d %H:%M} UTC", at)
        if kind != states.ACCEPTANCE and self.case.waiting_on != states.NOBODY:
            self._pause(clock, at, f"Waiting on {dict(states.WAITING_ON)[self.case.waiting_on].lower()}")
        return clock

    def _promise(self, kind: str) -> Promise | None:
        return self.world.promise(kind, self.case.tier, self.case.level, self.issue_type)

    def _schedule(self, clock: Any) -> None:
        plan = timing.plan(
            self.world.hours[clock.calendar_id],
            resumed_at=clock.resumed_at,
            used=clock.used_seconds,
            target=clock.target_seconds,
            warn_percent=clock.warn_percent,
        )
        clock.due_at, clock.warn_at = plan.due_at, plan.warn_at
        clock.fire_at = plan.due_at if clock.warned_at else min(plan.warn_at, plan.due_at)
        inputs = (clock.calendar_id, clock.resumed_at, clock.used_seconds, clock.target_seconds, clock.warn_percent)
        clock.fingerprint = hashlib.sha256(repr(inputs).encode()).hexdigest()

    def stop(self, kind: str, at: datetime, outcome: str = "") -> Any:
        """End the live clock of this kind: met or missed by its due time, or the outcome given."""
        clock = self.live.pop(kind, None)
        if clock is None:
            return None
        late = clock.breached_at is not None or (clock.due_at is not None and at > clock.due_at)
        if late and clock.breached_at is None:
            clock.breached_at = clock.due_at
        clock.state = outcome or (Clock.MISSED if late else Clock.MET)
        clock.stopped_at, clock.fire_at = at, None
        self._log(clock, "stop", clock.state.capitalize(), at)
        return clock

    def stop_all(self, at: datetime) -> None:
        """End every live clock."""
        for kind in list(self.live):
            self.stop(kind, at, Clock.STOPPED)

    def retarget(self, at: datetime) -> None:
        """Give the live clocks the targets of the present tier and level, from the same start."""
        for clock in self.live.values():
            made = self._promise(clock.kind) if clock.target_text != UNTIL else None
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
            elif clock.kind not in WAITS_FOR_NOBODY:
                self._pause(clock, at, waits)
        self.record(at, "waiting", f"Waiting on {whom.replace('_', ' ')}. {reason}", actor=by)

    def _pause(self, clock: Any, at: datetime, reason: str) -> None:
        if clock.state != Clock.RUNNING or clock.breached_at:
            return
        clock.used_seconds += timing.used_between(self.world.hours[clock.calendar_id], clock.resumed_at, at)
        clock.state, clock.paused_at, clock.pause_reason = Clock.PAUSED, at, reason[:200]
        clock.due_at = clock.warn_at = clock.fire_at = None
        self._log(clock, "pause", reason, at)

    def _resume(self, clock: Any, at: datetime) -> None:
        if clock.state != Clock.PAUSED:
            return
        clock.state, clock.resumed_at, clock.paused_at, clock.pause_reason = Clock.RUNNING, at, None, ""
        self._schedule(clock)
        self._log(clock, "resume", f"due {clock.due_at:%Y-%m-%d %H:%M} UTC", at)

    def tick(self, until: datetime) -> None:
        """Fire everything due up to that moment, oldest first, as the engine would have."""
        while True:
            due = [each for each in self.live.values() if each.fire_at is not None and each.fire_at <= until]
            if not due:
                self._ticked = until
                return
            clock = min(due, key=lambda each: each.fire_at)
            # A new target may lie in the past already; nothing fires before what was done last.
            at = min(max(clock.fire_at + timedelta(seconds=1), self._ticked), until)
            if clock.fire_at >= clock.due_at:
                self._breach(clock, at)
            else:
                self._warn(clock, at)

    def _warn(self, clock: Any, at: datetime) -> None:
        clock.warned_at, clock.fire_at = at, clock.due_at
        summary = f"{clock.label}: {clock.warn_percent}% of the time is used"
        self.record(at, "clock.warn", summary, clock=clock.id, data={"due_at": str(clock.due_at)})

    def _breach(self, clock: Any, at: datetime) -> None:
        clock.breached_at, clock.fire_at = clock.due_at, None
        summary = f"{clock.label} was due {clock.due_at:%b %-d, %H:%M} UTC and is past SLA"
        self.record(at, "clock.breach", summary, clock=clock.id, data={"due_at": str(clock.due_at)})
        self.after_breach(clock, at)

    def after_breach(self, clock: Any, at: datetime) -> None:
        """What the matrix says happens next; people are added by the class that knows them."""

    def keep_worst(self) -> None:
        """The case's cache of its worst running clock, as services.clocks.refresh_cache writes it."""
        running = [clock for clock in self.live.values() if clock.state == Clock.RUNNING]
        paused = [clock for clock in self.live.values() if clock.state == Clock.PAUSED]
        worst = min(running, key=lambda clock: (clock.due_at, clock.id), default=None)
        case = self.case
        case.sla_due_at, case.sla_warn_at = (worst.due_at, worst.warn_at) if worst else (None, None)
        case.sla_clock = worst.kind if worst else paused[0].kind if paused else ""
        case.sla_paused_at = paused[0].paused_at if paused and not worst else None

    def _log(self, clock: Any, what: str, detail: str, at: datetime) -> None:
        data = {
            "kind": clock.kind,
            "generation": clock.generation,
            "state": clock.state,
            "target_seconds": clock.target_seconds,
            "used_seconds": clock.used_seconds,
            "due_at": clock.due_at.isoformat() if clock.due_at else None,
        }
        self.record(at, f"clock.{what}", f"{clock.label}: {detail}", clock=clock.id, data=data)


def _until(kind: str, at: datetime, due_at: datetime, why: str) -> Promise:
    seconds = max(0, int((due_at - at).total_seconds()))
    # A late word to the customer is told to people; a deal past the customer's date goes up.
    on_breach = Target.REMIND if kind == states.CUSTOMER_UPDATE else Target.ESCALATE
    return Promise(seconds, UNTIL, 75, on_breach, None, [why])
