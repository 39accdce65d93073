"""Who sees which case: after every verb and every change, the rows answer as the plain rule does."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from accounts.customers import accounts
from accounts.models import Account, Role, RoleHolding, User
from approvals.absence import delegations
from approvals.models import ApprovalRequest, Seat
from approvals.requests import decide as deciding
from approvals.requests import seats as seating
from approvals.requests import terms
from escalations.cases import access_rows, closing, escalate, handoffs
from escalations.cases import requests as asking
from escalations.cases.log import lock, lock_with_requests
from escalations.models import CaseAccess, CasePerson, CaseRequest, Escalation, HandOff, may_see
from ledger.errors import Refused
from ledger.now import now
from tests.escalations.cases.builders import briefed, opened
from tests.support.cast import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
NOTES = handoffs.Notes(tried="Three offers", open_points="The price", ask="Decide by Friday", both="On purpose")
LONG_STORIES, SHORT_STEPS, LONG_STEPS = 40, 30, 60


@dataclass
class Known:
    """All rows that the plain rule reads."""

    cases: list[Escalation] = field(
        default_factory=lambda: list(
            Escalation.objects.select_related("account").prefetch_related("people", "handoffs")
        )
    )
    seats: dict[int, list[list[Seat]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for link in CaseRequest.objects.prefetch_related("request__seats"):
            self.seats.setdefault(link.case_id, []).append(list(link.request.seats.all()))


def addressees(seats: list[Seat]) -> set[int]:
    """Everybody who was asked, and the first person who will decide by the authority matrix."""
    asked = {seat.person_id for seat in seats if seat.state != Seat.PLANNED}
    planned = sorted((seat.number, seat.person_id) for seat in seats if seat.state == Seat.PLANNED and seat.authority)
    return asked | {person for _, person in planned[:1]}


def plainly_sees(user: User, case: Escalation, known: Known) -> bool:
    """The rule in words: named people see a confidential case; operations and executives everything else; others what is
    theirs, what was handed to them, what is of their accounts, and leads the same of the people they lead."""
    named = user.pk in {person.user_id for person in case.people.all()}
    if user.is_superuser or named:
        return True
    if case.confidential:
        return False
    people = set(user.tree_ids) if user.sees == Role.TREE else {user.pk}
    handed = user.pk in {handoff.to_user_id for handoff in case.handoffs.all()}
    asked = any(user.pk in addressees(seats) for seats in known.seats.get(case.pk, []))
    own = bool(people & {case.owner_id, case.opened_by_id})
    team = bool(people & {case.account.csm_id, case.account.ae_id}) and user.sees != Role.FUNCTION
    return user.sees == Role.ALL or handed or asked or own or team


def check(step: str) -> None:
    """Every way to ask gives the plain answer for everybody, and no row differs."""
    known = Known()
    for user in User.objects.all():
        plain = {case.pk for case in known.cases if plainly_sees(user, case, known)}
        people = set(CasePerson.objects.filter(case__in=plain).values_list("pk", flat=True))
        for few in (False, True):
            found = set(Escalation.objects.visible_to(user, few=few).values_list("pk", flat=True))
            assert found == plain, f"{step}: {user} sees {found}, not {plain} (few={few})"
            rows = CasePerson.objects.filter(may_see(user, "case", few=few)).values_list("pk", flat=True)
            assert set(rows) == people, f"{step}: {user} sees other people of cases (few={few})"
    assert access_rows.rebuild(lambda done: None, write=False) == 0, step


class Story:
    """Draws what happens next."""

    def __init__(self, cast: Cast, seed: int) -> None:
        self.cast, self.chance = cast, Random(seed)
        # Two more members, so that a committee has people who are asked only when its stage opens.
        self.people = list(User.objects.order_by("pk"))
        RoleHolding.objects.create(user=cast.outsider, role=Role.objects.get(slug="steering-committee"))
        RoleHolding.objects.create(user=cast.ae, role=Role.objects.get(slug="legal"))
        self.steps: list[Callable[[], object]] = [
            *(self.open, self.brief_and_ask, self.answer, self.answer, self.hand_over, self.escalate, self.run_out),
            *(self.decide, self.decide, self.delegate, self.stand_in, self.pass_up, self.reassign_seats, self.recall),
            *(self.change_terms, self.undo, self.end, self.team, self.name, self.unname, self.end_role, self.give_role),
            *(self.manager, self.confidential),
        ]

    def step(self) -> str:
        """One change; a refused one changes nothing."""
        wanted = self.chance.choice(self.steps)
        try:
            with transaction.atomic():
                wanted()
        except (Refused, IndexError):
            return f"{wanted.__name__} (refused)"
        return wanted.__name__

    def person(self) -> User:
        return User.objects.get(pk=self.chance.choice(self.people).pk)

    def case(self) -> Escalation:
        return self.chance.choice(list(Escalation.objects.order_by("pk")))

    def request(self) -> ApprovalRequest:
        return self.chance.choice(list(ApprovalRequest.objects.order_by("pk")))

    def seat(self) -> Seat:
        return self.chance.choice(list(Seat.objects.asked().select_related("request", "person").order_by("pk")))

    def open(self) -> None:
        opened(self.cast, confidential=self.chance.random() < 0.3)

    def brief_and_ask(self) -> None:
        case = briefed(self.cast, confidential=self.chance.random() < 0.3)
        amount = Decimal(self.chance.choice((12, 18, 30, 60)))
        asking.ask(asking.CaseAsk("discount", amount, "USD", "Approve it?"), case_id=case.pk, by=self.cast.csm)

    def answer(self) -> None:
        waiting = HandOff.objects.filter(state=HandOff.WAITING).select_related("to_user").order_by("pk")
        found = self.chance.choice(list(waiting))
        if self.chance.random() < 0.6:
            handoffs.accept(case_id=found.case_id, handoff_id=found.pk, by=found.to_user)
        else:
            handoffs.refuse(case_id=found.case_id, handoff_id=found.pk, by=found.to_user, reason="Not mine")

    def hand_over(self) -> None:
        handoffs.reassign(case_id=self.case().pk, by=self.cast.csm, to=self.person(), notes=NOTES)

    def escalate(self) -> None:
        escalate.escalate(case_id=self.case().pk, by=self.cast.csm, notes=NOTES)

    def run_out(self) -> None:
        case, at = self.case(), now()
        if self.chance.random() < 0.5:
            handoffs.expire(lock(case.pk), at=at)
        else:
            handoffs.decay(lock(case.pk), at=at)
            escalate.escalate_by_clock(lock_with_requests(case.pk), at=at, why="The clock ran out")

    def decide(self) -> None:
        seat = self.seat()
        verdict = self.chance.choice(("approved", "approved", "declined"))
        deciding.decide(
            request_id=seat.request_id,
            by=seat.person,
            verdict=verdict,
            version=seat.request.version,
            seat=seat.number,
            words=deciding.Words(reason="As discussed"),
        )

    def delegate(self) -> None:
        seat = self.seat()
        delegations.delegate(request_id=seat.request_id, by=seat.person, to=self.person(), reason="Away this week")

    def stand_in(self) -> None:
        wanted = delegations.StandIn(to=self.person(), starts_at=now(), ends_at=now() + timedelta(days=3))
        user = self.person()
        delegations.make(wanted, user=user, by=user)

    def pass_up(self) -> None:
        seating.pass_up(request_id=self.seat().request_id, reason="Not decided in time")

    def reassign_seats(self) -> None:
        seat = self.seat()
        User.objects.filter(pk=seat.person_id).update(is_active=False)
        seating.pass_up(request_id=seat.request_id, reason="Away")

    def recall(self) -> None:
        deciding.recall(request_id=self.request().pk, by=self.cast.csm, reason="No longer needed")

    def change_terms(self) -> None:
        made, amount = self.request(), Decimal(self.chance.choice((5, 15, 25, 70)))
        wanted = terms.NewTerms(amount=amount)
        terms.change_terms(
            request_id=made.pk, by=self.cast.csm, version=made.version, reason="They ask for more", wanted=wanted
        )

    def undo(self) -> None:
        made = self.request()
        deciding.undo(request_id=made.pk, by=made.decided_by or self.person())

    def end(self) -> None:
        closing.withdraw(case_id=self.case().pk, by=self.cast.csm, reason="Solved otherwise")

    def team(self) -> None:
        account = Account.objects.get(pk=self.cast.northwind.pk)
        setattr(account, self.chance.choice(("csm", "ae")), self.chance.choice((None, self.person())))
        accounts.save(account)

    def name(self) -> None:
        case, user = self.case(), self.person()
        CasePerson.objects.create(case=case, user=user, letter="I", since=now())
        access_rows.keep([case.pk])

    def unname(self) -> None:
        person = self.chance.choice(list(CasePerson.objects.filter(duty="").order_by("pk")))
        person.delete()
        access_rows.keep([person.case_id])

    def end_role(self) -> None:
        RoleHolding.objects.filter(user=self.person()).update(ends=now())

    def give_role(self) -> None:
        role = self.chance.choice(list(Role.objects.exclude(slug="administrator").order_by("pk")))
        RoleHolding.objects.create(user=self.person(), role=role, starts=now() - timedelta(days=1))

    def manager(self) -> None:
        User.objects.filter(pk=self.person().pk).update(manager=self.chance.choice((None, self.person())))

    def confidential(self) -> None:
        case = self.case()
        Escalation.objects.filter(pk=case.pk).update(confidential=not case.confidential)


def tell(cast: Cast, seed: int, steps: int) -> None:
    """A story of so many steps, checked after each."""
    story = Story(cast, seed)
    story.brief_and_ask()
    check("beginning")
    for number in range(steps):
        check(f"seed {seed}, step {number}: {story.step()}")


def test_after_every_change_everybody_sees_what_the_plain_rule_says(cast: Cast) -> None:
    tell(cast, 12, SHORT_STEPS)


@pytest.mark.prove
def test_it_holds_for_many_long_stories(cast: Cast, proving: bool) -> None:
    for seed in range(LONG_STORIES if proving else 1):
        with transaction.atomic():
            tell(cast, seed, LONG_STEPS if proving else 10)
            transaction.set_rollback(True)


def test_the_command_finds_and_mends_what_differs(cast: Cast) -> None:
    case = opened(cast)
    call_command("rebuild_access", check=True, verbosity=0)
    CaseAccess.objects.get(case=case, user=cast.csm, kind=CaseAccess.OWN).delete()
    CaseAccess.objects.create(case=case, user=cast.outsider, kind=CaseAccess.OWN)
    with pytest.raises(CommandError, match="2 rows differ"):
        call_command("rebuild_access", check=True)
    assert Escalation.objects.visible_to(cast.outsider).exists()
    call_command("rebuild_access", verbosity=0)
    call_command("rebuild_access", check=True, verbosity=0)
    check("mended")
