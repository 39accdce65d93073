"""The desk that random stories are played on: asking and deciding through every door, beside a plain model of both."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

import time_machine
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from accounts.models import User
from approvals.mail import links
from approvals.models import ApprovalRequest
from approvals.requests import decide as deciding
from ledger.errors import Refused
from ledger.now import now
from tests.approvals.conftest import make_request
from tests.approvals.proofs.doors import API, LINK, REPLY, WEB, Caller, Knock
from tests.approvals.proofs.model import OPEN, Ask, Model

SERVICE = "service"
DECIDERS = ("csm", "lead", "director", "mia", "sponsor", "committee", "outsider", "ae")
ASKERS = ("csm", "csm", "ae", "lead")
ROLES = {
    "csm": {"csm"},
    "ae": {"ae"},
    "lead": {"team-lead"},
    "director": {"director"},
    "mia": {"director"},
    "sponsor": {"executive-sponsor"},
    "committee": {"steering-committee"},
    "outsider": {"csm"},
}
MANAGERS = {"director": "sponsor", "lead": "director", "csm": "lead", "ae": "lead"}
# Each edge, just under it and just over it, and some that add up.
EDGES = (500, 2_000, 10_000, 100_000)
AMOUNTS = [Decimal(edge) + by for edge in EDGES for by in (Decimal("-0.01"), Decimal(0), Decimal("0.01"))]
AMOUNTS += [Decimal(250), Decimal(1_000), Decimal(6_000)]
TICKS = [timedelta(minutes=9), timedelta(minutes=11), timedelta(days=40), timedelta(days=91)]
WAITS = [timedelta(seconds=1), timedelta(minutes=11)]

people = st.sampled_from(DECIDERS)
# Mia shares a mailbox with Priya, who asks most: the road to self-approval that is easiest to overlook.
helpers = st.sampled_from((*DECIDERS, "mia", "mia", "mia"))
mostly = st.sampled_from((True, True, True, False))
amounts = st.sampled_from(AMOUNTS)
doors = st.sampled_from((SERVICE, WEB, API))
picks = st.integers(0, 9)
verdicts = st.sampled_from(("approved", "conditions", "declined"))
decision_doors = st.sampled_from((SERVICE, WEB, API, LINK, REPLY))
Done = ApprovalRequest | None


class Desk(RuleBasedStateMachine):
    """The real desk beside the model. `deciders` is set by the test; each example is rolled back."""

    deciders: ClassVar[Any] = None

    def __init__(self) -> None:
        super().__init__()
        self.open = transaction.atomic()
        self.open.__enter__()
        self.time = time_machine.travel(now() + timedelta(hours=1), tick=False)
        self.clock = self.time.start()
        self.users: dict[str, User] = {name: getattr(self.deciders, name) for name in DECIDERS}
        self.names = {user.pk: name for name, user in self.users.items()}
        self.callers = {name: Caller(user) for name, user in self.users.items()}
        roles = {name: set(held) for name, held in ROLES.items()}
        self.model = Model(roles, dict(MANAGERS), [{"csm", "mia"}], now())

    def teardown(self) -> None:
        self.time.stop()
        transaction.set_rollback(True)
        self.open.__exit__(None, None, None)

    # Helpers ---------------------------------------------------------------------------------------------------------------

    def tick(self, by: timedelta = timedelta(seconds=1)) -> None:
        """Every verb has a moment of its own."""
        self.clock.shift(by)
        self.model.now = now()

    def pick(self, number: int, *states: str) -> Ask | None:
        """One of the requests, in one of the states when there is one; the newest most often."""
        every = list(self.model.asks.values())[::-1]
        found = [ask for ask in every if ask.state in states] or every
        return found[number % len(found)] if found else None

    def real(self, ask: Ask) -> ApprovalRequest:
        """The request itself, as it stands."""
        return ApprovalRequest.objects.with_seats().get(pk=ask.key)

    def tried(self, verb: Callable[..., Any], **values: Any) -> bool:
        """Whether a service did it; a refusal leaves nothing behind."""
        try:
            with transaction.atomic():
                verb(**values)
        except Refused:
            return False
        return True

    def fresh(self, name: str) -> User:
        """Without anything remembered about their roles."""
        return User.objects.get(pk=self.users[name].pk)

    def knock(self, ask: Ask, who: str, verb: str, door: str, **values: Any) -> bool:
        """Through a page, the API, the mailed link or a reply; links are those of the seat that is asked now."""
        made = self.real(ask)
        # What a rule granted was put to nobody.
        seat = made.authority_seat
        token = links.issue(made, seat, to=self.users[who]) if seat and door in (LINK, REPLY) else ""
        seen = {"version": ask.version, "seat": seat.number if seat else 0, **values}
        heard = self.callers[who].knock(
            Knock(verb=verb, door=door, request=ask.key, by=self.users[who].pk, token=token, **seen)
        )
        assert heard.status < 500, heard.words
        if door == REPLY and heard.words.endswith(": comment"):
            # A reply that may not decide is kept as what it says.
            ask.log.append("comment")
        return heard.yes

    def put(self, ask: Ask) -> None:
        """Who is asked now may decide it, as far as the model knows."""
        made = self.real(ask)
        seat = made.authority_seat
        assert seat is not None
        ask.seat, ask.role = self.names[seat.person_id], seat.role.slug
        assert self.model.may_approve(ask.seat, ask), f"{ask} was put to somebody who may not decide it"

    def adopt(self, made: ApprovalRequest, by: str, tier: str, **values: Any) -> Ask:
        """A new request in the model."""
        ask = Ask(made.pk, by, made.concession, made.amount or Decimal(0), **values)
        self.model.asks[ask.key] = ask
        ask.left_out |= self.barred(ask)
        assert made.by_rule == (not ask.replaces and self.model.by_rule(ask, tier))
        if made.by_rule:
            ask.state, ask.decided_at = "approved", now()
            ask.log.append("approved")
        else:
            self.put(ask)
        return ask

    def barred(self, ask: Ask) -> set[str]:
        """Who would decide for themselves at this moment; they stay left out."""
        return {name for name in DECIDERS if self.model.self_approval(name, ask)}

    def bump(self, ask: Ask, *kinds: str) -> None:
        """On record, with a new version."""
        ask.log += kinds
        ask.version += 1

    def asked(self, ask: Ask) -> set[str]:
        """Everybody who was asked or has spoken so far."""
        seats = self.real(ask).seats.all()
        return {self.names[pk] for seat in seats for pk in (seat.person_id, seat.said_by_id) if pk}

    def reassigned(self, ask: Ask, asked: set[str]) -> bool:
        """Where the one asked could not decide any more: somebody who can has the seat now."""
        moves = set() if self.model.can_still(ask) else self.model.heirs(ask, asked)
        approver = self.real(ask).approver
        now_asked = self.names[approver.pk if approver else 0]
        assert (now_asked != ask.seat) == bool(moves), f"{ask}: {now_asked} is asked, it could be {moves}"
        if moves:
            assert now_asked in moves
            ask.seat, ask.delegated_from = now_asked, ""
            self.bump(ask, "reassigned")
        return bool(moves)

    # Verbs -----------------------------------------------------------------------------------------------------------------

    @initialize(by=st.sampled_from(ASKERS), amount=amounts)
    def first(self, by: str, amount: Decimal) -> None:
        """There is always something to do."""
        self.ask(by, amount, "refund", "yellow", "")

    @rule(
        by=st.sampled_from(ASKERS),
        amount=amounts,
        concession=st.sampled_from(("refund", "refund", "credit")),
        tier=st.sampled_from(("green", "yellow")),
        beneficiary=st.sampled_from(("", "", "", "ae")),
    )
    def ask(self, by: str, amount: Decimal, concession: str, tier: str, beneficiary: str) -> None:
        """Somebody asks for money for the one account, so that everything adds up."""
        self.tick()
        values: dict[str, Any] = {"amount": amount, "concession": concession, "tier": tier, "case_key": ""}
        values["beneficiary"] = self.users[beneficiary] if beneficiary else None
        values["deadline"] = now() + timedelta(days=1000)
        try:
            with transaction.atomic():
                made = make_request(self.deciders, requester=self.users[by], **values)
        except Refused:
            return
        self.adopt(made, by, tier, beneficiary=beneficiary)

    @rule(number=picks, door=decision_doors)
    def the_person_asked_approves(self, number: int, door: str) -> None:
        """What happens most often."""
        self.decide(number, "", "approved", door)

    @rule(number=picks, verdict=verdicts, door=decision_doors, stale=st.sampled_from((0, 0, 1)))
    def the_person_asked_decides(self, number: int, verdict: str, door: str, stale: int) -> None:
        """Now and then on what they read before it changed."""
        self.decide(number, "", verdict, door, stale)

    @rule(number=picks, who=people, verdict=verdicts, door=decision_doors)
    def somebody_decides(self, number: int, who: str, verdict: str, door: str) -> None:
        """Whoever it is."""
        self.decide(number, who, verdict, door)

    def decide(self, number: int, who: str, verdict: str, door: str, stale: int = 0) -> None:
        """It counts when the model says so, and always when the person asked is within their limit."""
        self.tick()
        ask = self.pick(number, OPEN)
        if ask is None or (door == REPLY and verdict == "conditions"):
            return
        who = who or ask.seat or "director"
        current = ask.state == OPEN and not stale
        may = self.model.may_decline if verdict == "declined" else self.model.may_approve
        allowed = current and may(who, ask)
        done = self._say(ask, who, verdict, door, ask.version - stale)
        assert allowed or not done, f"{who} {verdict} {ask} by {door}, {self.model.total(ask)} in all"
        expected = current and who == ask.seat and self.model.may_approve(who, ask)
        assert done or not expected, f"{who} could not decide {ask} by {door}"
        if done:
            ask.state, ask.decided_by, ask.decided_at = verdict, who, now()
            self.bump(ask, verdict)

    def _say(self, ask: Ask, who: str, verdict: str, door: str, version: int) -> bool:
        words = {"reason": "It has to be", "conditions": "Twelve months" if verdict == "conditions" else ""}
        if door == SERVICE:
            seen = {"request_id": ask.key, "version": version, "verdict": verdict}
            return self.tried(deciding.decide, by=self.fresh(who), words=deciding.Words(**words), **seen)
        # A reply carries the version of its own token.
        seen = {"version": version, **words} if door != REPLY else {}
        if not (door == REPLY and version != ask.version) and self.knock(ask, who, verdict, door, **seen):
            changed = self.real(ask).version > ask.version
            # Pressing the button twice is one decision.
            assert changed or (ask.state, ask.decided_by) == (verdict, who)
            return changed
        return False
