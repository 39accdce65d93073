"""Requests for a concession and their decisions, in memory: as approvals.services and services.asking."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts.models import User
from approvals.matrix.rules.units import MONEY, amount_words
from approvals.models import ApprovalRequest, ApprovalStep, DecisionEntry
from approvals.requests.rules.terms import storable, terms_hash
from approvals.requests.rules.verdicts import goes_against
from demo.handing import Handing
from demo.world import Granter
from escalations import states
from escalations.cases.requests import EXECUTION_TIME
from escalations.models import Action, CasePerson, CaseRequest, Clock, Event
from ledger import chain

GRANTED = (ApprovalRequest.APPROVED, ApprovalRequest.CONDITIONS)
KIND_NAMES, CHANNEL_NAMES = dict(DecisionEntry.KINDS), dict(DecisionEntry.CHANNELS)
STATE_NAMES = dict(ApprovalRequest.STATES)


class Asking(Handing):
    """The brief is frozen, somebody with the authority decides, and the decision moves the case."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.request: Any = None
        self.steps: list[Any] = []
        self.log: dict[int, tuple[Any, list[Any]]] = {}
        self.actions: list[Any] = []

    def ask(self, at: datetime, by: User, amount: Decimal | None, question: str, deadline: datetime) -> Any:
        """Request the concession of the case; inside a band it is granted by rule. None when nobody may grant it."""
        self.tick(at)
        told, world = self.told, self.world
        kind = world.concessions[told.concession]
        measured = world.measured(told.concession, amount, told.currency)
        granter = world.granter(self.account, told.concession, measured, at, exclude={by.id})
        if granter is None:
            return None
        band = world.pre_approved(told.concession, measured, granter.granted, self.case.tier)
        made = self.request = self._request(at, by, kind, amount, measured, question, deadline)
        self.batch.add(CaseRequest, case_id=self.case.id, request_id=made.id)
        self._ask_somebody(made, granter, at, by, by_rule=band is not None)
        data = {"request": made.id, "amount": str(amount) if amount is not None else "", "unit": kind.unit}
        self.record(at, "request", f"Approval requested: {made.ask}", actor=by, data=data)
        if self.case.state != states.APPROVING:
            self.move("ask", at, by)
        if band is not None:
            self._granted_by_rule(made, band, granter, at)
        elif granter.limit.level > self.case.level:
            self.raise_level(granter.limit.level, at, f"{made.concession_name} needs {granter.limit.role_name}")
        if made.state == ApprovalRequest.OPEN:
            self._decision_authority(granter.person, at)
        return made

    def _request(
        self,
        at: datetime,
        by: User,
        kind: Any,
        amount: Decimal | None,
        measured: Decimal | None,
        question: str,
        deadline: datetime,
    ) -> Any:
        snapshot = self.freeze("Approval request", at)
        texts, money = snapshot.parts["texts"], kind.unit == MONEY
        basis = {"account": self.account.name, "concession": kind.slug, "amount": amount, "unit": kind.unit}
        terms = storable({**basis, "currency": self.told.currency if money else ""})
        return self.batch.add(
            ApprovalRequest,
            account_id=self.account.id,
            case_key=self.case.key,
            case_url=f"/escalations/{self.case.key}/",
            case_title=self.case.title,
            tier=self.case.tier,
            requester_id=by.id,
            concession=kind.slug,
            concession_name=kind.name,
            unit=kind.unit,
            amount=amount,
            currency=self.told.currency if money else "",
            amount_usd=measured if money else None,
            ask=question,
            why_now=texts.get("facts", ""),
            recommendation=texts.get("recommendation", ""),
            options=snapshot.parts["options"],
            terms=terms,
            terms_hash=terms_hash(terms),
            brief={"version": snapshot.number, **snapshot.parts},
            deadline=deadline,
            authority_id=self.world.version.id,
            opened_at=at,
            step_since=at,
            step=1,
            version=1,
            state=ApprovalRequest.OPEN,
        )

    def _ask_somebody(self, made: Any, granter: Granter, at: datetime, by: User, *, by_rule: bool) -> None:
        made.rule = granter.rule(self.world.version.number, [by.id])
        made.total_usd = granter.total if made.unit == MONEY else None
        self.log[made.id] = (made, [])
        role, limit = (granter.limit.role_name, granter.limit.words) if not by_rule else ("", "")
        self._enter(made, DecisionEntry.ASKED, at, by, options=made.options, rationale=made.recommendation,
                    role=role, limit=limit, shown=False)  # fmt: skip
        if not by_rule:
            self._step(made, granter, at)

    def _step(self, made: Any, granter: Granter, at: datetime) -> None:
        made.approver_id, made.approver_role_id = granter.person.id, self.world.roles[granter.limit.role].id
        step = self.batch.add(
            ApprovalStep,
            request_id=made.id,
            order=made.step,
            approver_id=granter.person.id,
            role_id=made.approver_role_id,
            limit=granter.limit.words[:80],
            state=ApprovalStep.WAITING,
            asked_at=at,
        )
        self.steps.append((step, granter))

    def _granted_by_rule(self, made: Any, band: Decimal, granter: Granter, at: datetime) -> None:
        limit = amount_words(made.unit, band)
        name = made.concession_name.lower()
        sentence = f"Inside the pre-approved band: {name} up to {limit} for {made.tier} cases."
        made.rule = {"band": limit, "sentence": sentence, "granted": str(granter.granted),
                     "total": str(granter.total), "version": self.world.version.number}  # fmt: skip
        made.state, made.by_rule, made.decided_at, made.decided_level = ApprovalRequest.APPROVED, True, at, 0
        made.reason = sentence
        self._enter(made, DecisionEntry.APPROVED, at, None, DecisionEntry.RULE, limit=limit, rationale=sentence)
        self._decided(made, at)

    def _decision_authority(self, user: User, at: datetime) -> None:
        if self.on_duty(CasePerson.AUTHORITY) != user:
            self.take_duty(user, CasePerson.AUTHORITY, at, accepted=False)
            data = {"user": user.id, "duty": "authority"}
            self.record(at, "role", f"{user.name} is the decision authority", data=data)

    def _enter(
        self,
        made: Any,
        kind: str,
        at: datetime,
        actor: User | None,
        channel: str = DecisionEntry.WEB,
        *,
        shown: bool = True,
        **values: Any,
    ) -> None:
        """One entry of the decision log; it stands in the case's thread too, once the case and the request are tied."""
        entry = self.batch.add(
            DecisionEntry,
            request_id=made.id,
            kind=kind,
            at=at,
            actor_id=actor.id if actor else None,
            channel=channel,
            rule_version=self.world.version.number,
            step=made.step,
            terms_hash=made.terms_hash,
            **values,
        )
        self.log[made.id][1].append(entry)
        if not shown:
            return
        conditions = f"Conditions: {values['conditions']}" if values.get("conditions") else ""
        words = "\n".join(filter(None, [values.get("rationale", ""), conditions]))
        data = {"request": made.id, "entry": entry.id, "kind": kind, "channel": channel, "role": entry.role}
        name = "" if actor else CHANNEL_NAMES[channel]
        summary = f"{KIND_NAMES[kind]}: {made.ask}"
        self.record(at, "decision_log", summary, actor=actor, name=name, audience=Event.INTERNAL, text=words, data=data)

    def asked_now(self) -> User | None:
        """Who the open request waits on."""
        made = self.request
        return self.world.users[made.approver_id] if made and made.state == ApprovalRequest.OPEN else None

    def question(self, at: datetime, text: str, answer: str, answered_at: datetime) -> None:
        """The approver asks, the requester answers."""
        self.tick(at)
        made = self.request
        self._enter(made, DecisionEntry.QUESTION, at, self.asked_now(), rationale=text)
        requester = self.world.users[made.requester_id]
        self._enter(made, DecisionEntry.ANSWER, answered_at, requester, rationale=answer)

    def decide(self, at: datetime, verdict: str, reason: str, conditions: str = "", channel: str = "web") -> None:
        """The approver decides; the case goes to Execute with an action, or back to Diagnose."""
        self.tick(at)
        made, by = self.request, self.asked_now()
        if by is None:
            raise ValueError("There is no open request to decide")
        asked = self.waiting(CasePerson.AUTHORITY)
        if asked is not None and asked.to_user_id == by.id:
            self.accept(at, CasePerson.AUTHORITY)
        step, granter = self.steps[-1]
        step.state, step.ended_at = ApprovalStep.DECIDED, at
        made.state, made.decided_at, made.decided_by_id, made.version = verdict, at, by.id, made.version + 1
        made.reason, made.conditions, made.decided_level = reason, conditions, granter.limit.level
        values = {"role": granter.limit.role_name, "limit": granter.limit.words, "options": made.options}
        against = goes_against(verdict, made.options)
        self._enter(made, verdict, at, by, channel, rationale=reason, conditions=conditions, override=against, **values)
        self._decided(made, at)

    def _decided(self, made: Any, at: datetime) -> None:
        case = self.case
        case.decided_at, case.decided_level = at, made.decided_level or case.level
        self.stop(states.DECISION, at)
        by = self.world.users.get(made.decided_by_id or 0)
        if made.state not in GRANTED:
            self.move("rework", at, by, STATE_NAMES[made.state])
            self.start(states.DECISION, at)
            return
        for each in self.people:
            if each.duty == CasePerson.AUTHORITY and each.user == by:
                each.accepted_at = each.accepted_at or at
        value = made.amount_usd if made.unit == MONEY else made.amount
        if value is not None:
            self.world.grants.setdefault(self.account.id, []).append((at, made.concession, value))
        self.move("execute", at, by, STATE_NAMES[made.state])
        owner = self.owner or self.world.users[made.requester_id]
        self.act(f"Carry out: {made.ask.rstrip('?')}", owner, at, at + EXECUTION_TIME, execution=True)

    def act(
        self,
        title: str,
        owner: User,
        at: datetime,
        due_at: datetime,
        *,
        by: User | None = None,
        execution: bool = False,
    ) -> Any:
        """A new action of the tracker."""
        action = self.batch.add(
            Action,
            case_id=self.case.id,
            title=title[:200],
            owner_id=owner.id,
            due_at=due_at,
            execution=execution,
            made_at=at,
            state=Action.OPEN,
        )
        self.actions.append(action)
        self.record(at, "action", f"Action for {owner.name}: {title}", actor=by, data={"action": action.id})
        return action

    def finish(self, action: Any, at: datetime, proof: str = "") -> None:
        """An action is done, an execution action with its proof."""
        self.tick(at)
        owner = self.world.users[action.owner_id]
        action.state, action.done_at, action.done_by_id, action.proof = Action.DONE, at, owner.id, proof[:300]
        done = f"Done: {action.title}" + (f" ({proof})" if proof else "")
        self.record(at, "action.done", done, actor=owner, data={"action": action.id})

    def skip_approval(self, at: datetime, by: User, reason: str) -> None:
        """Nothing needs a decision: Execute without one."""
        self.tick(at)
        self.move("execute", at, by, f"Approve skipped: {reason}")
        self.stop(states.DECISION, at, Clock.STOPPED)

    def pass_up(self, at: datetime, why: str) -> None:
        """The open request goes to the next higher authority, where there is one."""
        made = self.request
        if made is None or made.state != ApprovalRequest.OPEN:
            return
        old, granter = self.steps[-1]
        asked = {each.approver_id for each, _ in self.steps} | {made.requester_id}
        measured = self.world.measured(made.concession, made.amount, self.told.currency)
        new = self.world.granter(self.account, made.concession, measured, at, exclude=asked, above=granter.limit.role)
        if new is None:
            self.record(at, "top", "Request not passed up: There is no higher authority for this.")
            return
        old.state, old.ended_at = ApprovalStep.PASSED_UP, at
        values = {"on_behalf_of_id": old.approver_id, "role": new.limit.role_name, "limit": new.limit.words}
        self._enter(made, DecisionEntry.PASSED_UP, at, None, DecisionEntry.CLOCK, rationale=why, **values)
        made.step, made.version, made.step_since = made.step + 1, made.version + 1, at
        made.rule = new.rule(self.world.version.number, made.rule.get("exclude", []))
        self._step(made, new, at)
        if new.limit.level > self.case.level:
            self.raise_level(new.limit.level, at, "not decided in time")
        self._decision_authority(new.person, at)

    def sign(self) -> None:
        """Sign the case's log and the decision log of every request."""
        super().sign()
        for made, entries in self.log.values():
            entries.sort(key=lambda entry: entry.at)
            chain.number(made, entries)
