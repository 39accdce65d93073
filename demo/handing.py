"""Hand-offs and going up, in memory: as services.handoffs and services.escalating."""

from datetime import datetime
from typing import Any

from accounts.models import User
from demo.opening import Duty, Opening
from demo.thread import first_of
from escalations import states
from escalations.models import CasePerson, Clock, HandOff
from escalations.triage.rules import routing

DUTY_NAMES = dict(CasePerson.DUTIES)


class Handing(Opening):
    """Who is asked, who takes it, who does not, and what a clock does about it."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.handoffs: list[Any] = []
        self.passed_over: set[int] = set()

    def hand_to(
        self, to: User, at: datetime, by: User | None, *, role: str = "", duty: str = CasePerson.OWNER, **notes: str
    ) -> Any:
        """Ask somebody to take a duty; freezes the brief; an owner hand-off starts the acceptance clock."""
        for each in self.handoffs:
            if each.state == HandOff.WAITING and each.duty == duty:
                each.state, each.answered_at = HandOff.REPLACED, at
        number = len(self.handoffs) + 1
        why = notes.pop("why", "")[:300]
        found = self.batch.add(
            HandOff,
            case_id=self.case.id,
            number=number,
            from_user_id=by.id if by else None,
            to_user_id=to.id,
            to_role_id=self.world.roles[role].id if role in self.world.roles else None,
            duty=duty,
            level=self.case.level,
            kind=self.case.kind,
            state=HandOff.WAITING,
            why=why,
            brief_id=None if self.lean else self.freeze(f"Hand-off {number}", at).id,
            sent_at=at,
            **{"ask": self.case.requested_support, **notes},
        )
        if duty == CasePerson.OWNER:
            self.move("hand_off", at, by, why[:200])
            clock = self.start(states.ACCEPTANCE, at)
            found.due_at = clock.due_at if clock else None
        self.handoffs.append(found)
        data = {"handoff": found.id, "to": to.id, "duty": duty, "level": self.case.level}
        self.record(at, "handed_off", f"Handed to {to.name} as {DUTY_NAMES[duty].lower()}", actor=by, data=data)
        return found

    def waiting(self, duty: str = CasePerson.OWNER) -> Any:
        """The hand-off of the duty that waits for an answer, or None."""
        return next((each for each in self.handoffs if each.state == HandOff.WAITING and each.duty == duty), None)

    def accept(self, at: datetime, duty: str = CasePerson.OWNER) -> None:
        """The addressee takes the duty; the owner's acceptance opens Diagnose."""
        self.tick(at)
        found = self.waiting(duty)
        user = self.world.users[found.to_user_id]
        found.state, found.answered_at = HandOff.ACCEPTED, at
        self.take_duty(user, duty, at)
        summary = f"{user.name} accepted as {DUTY_NAMES[duty].lower()}"
        self.record(at, "accepted", summary, actor=user, data={"handoff": found.id})
        if duty == CasePerson.OWNER:
            self.owner, self.case.owner_id = user, user.id
            self.stop(states.ACCEPTANCE, at)
            self.move("accept", at, user)
            self.start(states.FIRST_ACT, at)

    def take_duty(self, user: User, duty: str, at: datetime, *, accepted: bool = True) -> None:
        """Put a person on a duty; the one before stays informed, unless named otherwise."""
        held = next((each for each in self.people if each.duty == duty), None)
        if held and held.user == user:
            held.accepted_at = at if accepted else held.accepted_at
            return
        if held:
            self._step_back(held)
        self.people = [each for each in self.people if each.user != user or each.duty]
        letter = "A" if duty == CasePerson.AUTHORITY else "R"
        self.people.append(Duty(user, letter, duty, at if accepted else None, since=at))

    def _step_back(self, held: Duty) -> None:
        if any(each.user == held.user for each in self.people if each is not held):
            self.people.remove(held)
        else:
            held.duty, held.letter = "", "I"

    def refuse(self, at: datetime, reason: str) -> None:
        """The addressee says no; the case goes to the next person."""
        self.tick(at)
        found = self.waiting()
        user = self.world.users[found.to_user_id]
        found.state, found.answered_at, found.reason = HandOff.REFUSED, at, reason[:300]
        summary = f"{user.name} refused the hand-off: {reason}"
        self.record(at, "refused", summary, actor=user, data={"handoff": found.id})
        self.stop(states.ACCEPTANCE, at, Clock.STOPPED)
        self._on(found, at)

    def after_breach(self, clock: Any, at: datetime) -> None:
        """As services.firing: an acceptance that ran out moves on; clocks that escalate take the case up."""
        if clock.kind == states.ACCEPTANCE:
            self.stop(states.ACCEPTANCE, at)
            self._expire(at)
        elif clock.on_breach == "escalate":
            self.go_up(at, f"{clock.label} passed its time")

    def _expire(self, at: datetime) -> None:
        found = self.waiting()
        user = self.world.users[found.to_user_id]
        found.state, found.answered_at, found.reason = HandOff.EXPIRED, at, "not accepted in time"
        data = {"handoff": found.id}
        self.record(at, "expired", f"{user.name} did not accept in time; it moves on", data=data)
        self._on(found, at)

    def _on(self, found: Any, at: datetime) -> None:
        refusers = {each.to_user_id for each in self.handoffs if each.state in (HandOff.REFUSED, HandOff.EXPIRED)}
        user, users = self.world.users[found.to_user_id], self.world.users
        chain = (user.manager_id, self.case.owner_id, self.case.opened_by_id, self.account.csm_id)
        target = first_of(users.get(pk or 0) for pk in chain if pk not in refusers)
        roles = ("team-lead", "director", "pmo", "administrator")
        target = target or self.world.first_holder(roles, self.account, None, refusers) or user
        state = dict(HandOff.STATES)[found.state].lower()
        self.move("give_back", at, reason=f"{user.name}: {state}")
        sender = users.get(found.from_user_id or 0)
        self.hand_to(target, at, sender, why=f"{user.name} did not take it: {found.reason}")

    def go_up(self, at: datetime, why: str, by: User | None = None) -> None:
        """One level up: open requests are passed on, the level rises, the next authority is asked to take it."""
        target = self._above()
        if target is None:
            self.record(at, "top", f"{why}. There is no level above; everyone on the case is told.")
            return
        level, role = target
        self.pass_up(at, why)
        if self.case.level < level:
            self.raise_level(level, at, why, by)
        new = self.asked_now() or self._next_decider(role)
        if new is None:
            self.record(at, "nobody", f"Nobody holds the role {role}; operations are told.")
            return
        self.take_duty(new, CasePerson.AUTHORITY, at, accepted=False)
        notes = {"tried": "See the thread and the brief.", "open_points": why, "ask": "Decide or name who does."}
        self.hand_to(new, at, by, role=role, duty=CasePerson.AUTHORITY, why=why, **notes)

    def _above(self) -> tuple[int, str] | None:
        ladder = self.case.policy.ladder
        ways = routing.ways_up(
            self.world.matrix, ladder, issue_type=self.issue_type.slug, tier=self.case.tier, level=self.case.level
        )
        found = next(iter(ways), None)
        if found is None or found[0] > self.case.level:
            return found
        decider = self.on_duty(CasePerson.AUTHORITY)
        return None if decider and decider.id in self.world.holders[found[1]] else found

    def _next_decider(self, role: str) -> User | None:
        now_deciding = self.on_duty(CasePerson.AUTHORITY)
        exclude = (now_deciding.id,) if now_deciding else ()
        more = {2: ("director",), 3: ("executive-sponsor", "cro")}
        roles = (role, *more.get(self.case.level, ()))
        return self.world.first_holder(roles, self.account, self.owner, exclude)

    def raise_level(self, level: int, at: datetime, why: str, by: User | None = None) -> None:
        """The level, since when, and the decision clock of the new level."""
        case, before = self.case, self.case.policy.ladder.label(self.case.level)
        case.level, case.level_since = level, at
        case.route_reasons = [
            *case.route_reasons,
            f"Raised from {before} to {self.case.policy.ladder.label(level)}: {why}",
        ]
        case.version += 1
        self.stop(states.DECISION, at)
        self.start(states.DECISION, at)
        self.retarget(at)
        data = {"level": level, "why": why}
        self.record(at, "level", f"{before} → {self.case.policy.ladder.label(level)}: {why}", actor=by, data=data)

    def pass_up(self, at: datetime, why: str) -> None:
        """Open requests go to the next authority; added by the class that knows requests."""

    def asked_now(self) -> User | None:
        """Who the newest open request waits on; added by the class that knows requests."""
        return None
