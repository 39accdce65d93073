"""Whatever people do to requests, in any order, through any door, while clocks tick and roles come and go: nobody decides
beyond their limit or for themselves, nothing is decided twice, and the log tells all of it. Held against a plain model.

The long form plays 300 stories; MACHINE_STORIES sets another number.
"""

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test
from pytest_django import Settings

from accounts.models import Role, User
from approvals.absence import delegations as delegating
from approvals.models import ApprovalRequest, ConcessionType, DecisionEntry
from approvals.requests import decide as deciding
from approvals.requests import seats as seating
from approvals.requests import talk
from approvals.requests import terms as changing
from ledger import chain
from ledger.now import now
from tests.approvals.mail.replies import AUTHSERV
from tests.approvals.proofs.desk import (
    DECIDERS,
    MANAGERS,
    ROLES,
    SERVICE,
    TICKS,
    WAITS,
    Desk,
    amounts,
    doors,
    helpers,
    mostly,
    people,
    picks,
)
from tests.approvals.proofs.doors import DELEGATE, EDIT, RECALL, WEB, Caller
from tests.approvals.proofs.model import DECIDED, GRANTED, OPEN, RANKS, Ask, Given, Model
from tests.support.cast import Cast


class Stories(Desk):
    """The rest of what happens: delegation, terms, undo, time and roles."""

    @rule(number=picks, who=people, to=helpers, door=doors, seated=mostly)
    def delegate(self, number: int, who: str, to: str, door: str, seated: bool) -> None:
        """Put this one into somebody else's hands."""
        self.tick()
        ask = self.pick(number, OPEN)
        if ask is None:
            return
        who = ask.seat if seated and ask.seat else who
        right = ask.state == OPEN and who == ask.seat and not ask.delegated_from and self.model.may_approve(who, ask)
        fit = to != who and not self.model.self_approval(to, ask) and to not in ask.left_out
        if door == SERVICE:
            values = {"request_id": ask.key, "to": self.fresh(to), "reason": "Away", "version": ask.version}
            done = self.tried(delegating.delegate, by=self.fresh(who), **values)
        else:
            done = self.knock(ask, who, DELEGATE, door, to=self.users[to].pk)
        assert done == (right and fit), f"{who} delegates {ask} to {to}"
        if done:
            ask.delegated_from, ask.seat = who, to
            self.bump(ask, "delegated")

    @rule(door=doors)
    def an_alias_is_named(self, door: str) -> None:
        """The shortest road to self-approval: whoever is asked hands it to the requester's other mailbox."""
        mine = [key for key, ask in self.model.asks.items() if (ask.by, ask.state) == ("csm", OPEN)]
        if mine:
            newest = list(self.model.asks)[::-1]
            self.delegate(
                [key for key in newest if self.model.asks[key].state == OPEN].index(mine[-1]), "", "mia", door, True
            )

    @rule(number=picks)
    def time_is_up(self, number: int) -> None:
        """The next authority is asked, always a higher one."""
        self.tick()
        ask = self.pick(number, OPEN)
        if ask is None:
            return
        asked = self.asked(ask)
        if self.tried(seating.pass_up, request_id=ask.key, reason="No answer"):
            assert ask.state == OPEN
            if self.real(ask).log.latest("seq").kind == "reassigned":
                # Nobody is above: somebody beside, where the one asked cannot decide any more.
                self.reassigned(ask, asked)
                return
            before, ask.delegated_from = ask.role, ""
            self.bump(ask, "passed_up")
            self.put(ask)
            assert RANKS.index(ask.role) > RANKS.index(before)

    @rule(number=picks, who=people, door=doors)
    def recall(self, number: int, who: str, door: str) -> None:
        """The asking side takes it back."""
        self.tick()
        ask = self.pick(number, OPEN)
        if ask is None:
            return
        if door == SERVICE:
            done = self.tried(deciding.recall, request_id=ask.key, by=self.fresh(who), reason="Solved")
        else:
            done = self.knock(ask, who, RECALL, door)
        assert done == (ask.state == OPEN and self.model.leads(who, ask)), f"{who} recalls {ask}"
        if done:
            ask.state = "recalled"
            self.bump(ask, "recalled")

    @rule(number=picks, who=people)
    def resubmit(self, number: int, who: str) -> None:
        """A recalled request is asked again, once."""
        self.tick()
        ask = self.pick(number, "recalled")
        if ask is None or not self.tried(changing.resubmit, request_id=ask.key, by=self.fresh(who)):
            return
        assert ask.state == "recalled"
        assert self.model.leads(who, ask)
        assert not ask.asked_again
        ask.asked_again = True
        ask.log += ["amended", "replaced"]
        self._replacement(ask, who)

    def _replacement(self, ask: Ask, who: str) -> None:
        made = ApprovalRequest.objects.get(replaces=ask.key)
        beneficiary = ask.beneficiary
        self.adopt(
            made, who, made.tier, replaces=ask.key, beneficiary=beneficiary, left_out=ask.left_out | self.barred(ask)
        )

    @rule(number=picks, who=people, amount=amounts, door=doors)
    def edit(self, number: int, who: str, amount: Decimal, door: str) -> None:
        """Terms get better or worse, before the decision or after it."""
        self.tick()
        ask = self.pick(number, OPEN, *GRANTED)
        if ask is None:
            return
        asked = self.asked(ask)
        if door == SERVICE:
            wanted = changing.NewTerms(amount=amount)
            values = {"request_id": ask.key, "version": ask.version, "wanted": wanted, "reason": "Their counsel"}
            done = self.tried(changing.change_terms, by=self.fresh(who), **values)
        else:
            done = self.knock(ask, who, EDIT, door, amount=f"{amount}")
        if not done:
            return
        assert ask.state in (OPEN, *GRANTED)
        assert self.model.leads(who, ask)
        assert amount != ask.amount
        carried_out = [self.model.asks[key].amount for key in self.model.lineage(ask) if self.model.asks[key].sealed]
        assert amount >= max(carried_out, default=0), "what was carried out counts as it was"
        self._edited(ask, who, amount, asked)

    def _edited(self, ask: Ask, who: str, amount: Decimal, asked: set[str]) -> None:
        worse = amount > ask.amount
        if worse and ask.state != OPEN:
            ask.state = "replaced"
            self.bump(ask, "voided", "replaced")
            self._replacement(ask, who)
            return
        ask.amount = amount
        ask.left_out |= {name for name in DECIDERS if self.model.speaks_for(name, who)}
        self.bump(ask, "amended")
        if worse:
            ask.delegated_from = ""
            ask.left_out |= self.barred(ask)
            self.put(ask)
        elif ask.state == OPEN:
            self.reassigned(ask, asked)

    @rule(number=picks, who=people, door=st.sampled_from((SERVICE, WEB)), own=mostly, wait=st.sampled_from(WAITS))
    def undo(self, number: int, who: str, door: str, own: bool, wait: timedelta) -> None:
        """One's own word, for ten minutes."""
        self.tick(wait)
        ask = self.pick(number, *DECIDED)
        if ask is None:
            return
        who = ask.decided_by if own and ask.decided_by else who
        if door == SERVICE:
            done = self.tried(deciding.undo, request_id=ask.key, by=self.fresh(who))
        else:
            done = self.callers[who].browser.post(f"/approvals/{ask.key}/undo/").status_code == 302
        assert done == self.model.may_undo(who, ask), f"{who} undoes {ask}"
        if done:
            ask.state, ask.decided_by, ask.decided_at = OPEN, "", None
            self.bump(ask, "undone")

    @rule(number=picks, who=people, what=st.sampled_from(("seal", "remind", "back_early")))
    def something_rare(self, number: int, who: str, what: str) -> None:
        """One of these, so that they do not crowd out what matters more."""
        if what == "remind":
            self.remind(number, who)
        else:
            getattr(self, what)(number)

    def seal(self, number: int) -> None:
        """Something outside has happened."""
        self.tick()
        ask = self.pick(number, *DECIDED)
        if ask and self.tried(deciding.seal, request_id=ask.key) and not ask.sealed:
            assert ask.decided_at
            ask.sealed = True
            self.bump(ask, "sealed")

    @rule(
        number=picks,
        who=people,
        verb=st.sampled_from((talk.question, talk.answer, talk.comment)),
        seated=st.booleans(),
    )
    def talk(self, number: int, who: str, verb: Callable[..., Any], seated: bool) -> None:
        """Questions and answers while it is open, comments always; nothing is decided by words."""
        self.tick()
        ask = self.pick(number, OPEN)
        if ask is None:
            return
        who = ask.seat if seated and ask.seat else who
        if self.tried(verb, request_id=ask.key, by=self.fresh(who), text="What about the term?"):
            assert ask.state == OPEN or verb is talk.comment
            assert verb is not talk.question or who == ask.seat or self.model.may_decline(who, ask)
            ask.log.append(verb.__name__)

    def remind(self, number: int, who: str) -> None:
        """The question again; the next holder of the role is asked where the one asked cannot decide any more."""
        self.tick()
        ask = self.pick(number, OPEN)
        if ask is None:
            return
        asked = self.asked(ask)
        if not self.tried(talk.remind, request_id=ask.key, by=self.fresh(who)):
            return
        assert (ask.state, who != ask.seat) == (OPEN, True)
        if not self.reassigned(ask, asked):
            ask.log.append("reminded")

    # Around it -------------------------------------------------------------------------------------------------------------

    @rule(user=people, to=helpers, days=st.integers(1, 60))
    def stand_in(self, user: str, to: str, days: int) -> None:
        """For a time."""
        self.tick()
        start, end = now(), now() + timedelta(days=days)
        wanted = delegating.StandIn(self.users[to], start, end)
        done = self.tried(delegating.make, wanted=wanted, user=self.users[user], by=self.users[user])
        assert done == self.model.may_give(user, to, start, end), f"{to} stands in for {user}"
        if done:
            self.model.given.append(Given(user, to, start, end))

    def back_early(self, number: int) -> None:
        """A delegation is ended before its time."""
        self.tick()
        running = [each for each in self.model.given if each.start <= now() < each.end]
        if running:
            each = running[number % len(running)]
            user = self.users[each.user]
            given = user.delegations.get(starts_at=each.start, to=self.users[each.to])
            delegating.end(delegation_id=given.pk, by=user)
            each.end = now()

    @rule(who=st.sampled_from(("lead", "director", "mia", "sponsor", "outsider")), role=st.sampled_from(RANKS[1:4]))
    def role_comes_or_goes(self, who: str, role: str) -> None:
        """A role is taken away, or given."""
        self.tick()
        held = self.users[who].holdings.filter(role__slug=role)
        if role in self.model.roles[who]:
            held.delete()
        else:
            self.users[who].holdings.create(role=Role.objects.get(slug=role))
        self.model.roles[who] ^= {role}

    @rule(by=st.sampled_from(TICKS))
    def time_passes(self, by: timedelta) -> None:
        """Minutes, or months, after which everybody signs in again."""
        self.tick(by)
        self.callers = {name: Caller(user) for name, user in self.users.items()}

    # What always holds -----------------------------------------------------------------------------------------------------

    @invariant()
    def every_request_is_what_the_model_says(self) -> None:
        """State, version and log; the log unbroken and complete."""
        for ask in self.model.asks.values():
            made = self.real(ask)
            entries = list(made.log.all())
            assert (made.state, made.version, made.amount) == (ask.state, ask.version, ask.amount), ask
            assert [entry.kind for entry in entries] == ask.log, ask
            assert list(chain.breaks_in(made, entries)) == []
            self._decided_once(ask, entries)

    def _decided_once(self, ask: Ask, entries: list[DecisionEntry]) -> None:
        standing = 0
        for entry in entries:
            standing += (entry.kind in DECIDED) - (entry.kind == "undone")
            assert standing in (0, 1), f"{ask} was decided twice"
            if entry.kind in DECIDED and entry.actor_id:
                assert self.names[entry.actor_id] not in (ask.by, ask.beneficiary), (
                    f"{ask} was decided by its requester"
                )


@pytest.mark.django_db
@pytest.mark.prove
@pytest.mark.timeout(7200)
def test_no_order_of_events_breaks_the_rules(deciders: Cast, settings: Settings, proving: bool) -> None:
    settings.AUTHSERV_ID, settings.MAIL_DOMAIN = AUTHSERV, "desk.example"
    ConcessionType.objects.update(reply_up_to=Decimal(10**9))
    # The same mailbox as Priya: no second pair of eyes.
    deciders.mia = User.objects.create_user("priya+mia@desk.example", None, name="Mia Lee")
    deciders.mia.holdings.create(role=Role.objects.get(slug="director"))
    Desk.deciders = deciders
    run_state_machine_as_test(Stories, settings=_size(proving))


def _size(proving: bool) -> Any:
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    stories = int(os.environ.get("MACHINE_STORIES", 300)) if proving else 5
    return settings(
        max_examples=stories,
        stateful_step_count=50 if proving else 20,
        # Making a story shorter plays it a thousand times: only where somebody waits for a long time anyway.
        phases=[Phase.generate, Phase.shrink] if proving else [Phase.generate],
        derandomize=not proving,
        suppress_health_check=checks,
        deadline=None,
        database=None,
    )


def test_the_model_itself_refuses_what_it_should() -> None:
    at = datetime.fromisoformat("2026-03-02T09:00:00+00:00")
    model = Model({name: set(held) for name, held in ROLES.items()}, dict(MANAGERS), [{"csm", "mia"}], at)
    ask = Ask(1, "csm", "refund", Decimal(10_000), seat="director", role="director")
    model.asks[1] = ask
    assert [name for name in DECIDERS if model.may_approve(name, ask)] == ["director", "sponsor", "committee"]
    model.asks[2] = Ask(2, "ae", "refund", Decimal(1), state="approved", decided_at=at)
    assert [name for name in DECIDERS if model.may_approve(name, ask)] == ["sponsor", "committee"]
