"""The whole authority matrix as it is shipped: every role, every concession, at each edge and just beside it, through every
door. One answer, which a plain reading of the table gives too. Only a reply is refused more, above the amount set for replies.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import transaction
from pytest_django import Settings

from accounts.defaults import ROLES
from accounts.models import Account, Role, User
from approvals.mail import links
from approvals.matrix.defaults import CONCESSIONS, Shipped
from approvals.matrix.rules import units
from approvals.models import ApprovalRequest, Seat
from approvals.requests import decide as deciding
from ledger.errors import Invalid
from tests.approvals.conftest import make_request
from tests.approvals.mail.replies import AUTHSERV
from tests.approvals.proofs.doors import API, APPROVE, LINK, REPLY, WEB, Caller, Knock

SHORT, SHORT_ROLES, SEED = 4, 3, 20260302
DOORS = (WEB, API, LINK, REPLY)
# Above whom each stands, so that directors see what their people ask for.
MANAGERS = {"csm": "team-lead", "ae": "team-lead", "team-lead": "director", "director": "executive-sponsor"}
pytestmark = [pytest.mark.django_db, pytest.mark.prove]


@dataclass(frozen=True)
class Cell:
    """One ask, as the shipped table has it."""

    shipped: Shipped
    amount: Decimal | None

    @property
    def covering(self) -> list[str]:
        """Roles whose limit takes it in, the most modest first."""
        limits = self.shipped.limits
        return [role for role, most in limits.items() if most is None or (self.amount or 0) <= most]

    def expected(self, role: str, door: str) -> bool:
        """Whether this role decides it there: the one that is asked, or a higher one."""
        cap = self.shipped.reply_up_to
        small = cap is not None and self.amount is not None and self.amount <= cap
        return role in self.covering and (door != REPLY or small)


def cells() -> list[Cell]:
    """Each edge, just under it and just over it; one of each concession that has no amount."""
    found = []
    for shipped in CONCESSIONS:
        whole = shipped.unit in (units.DAYS, units.MONTHS)
        step = Decimal(1) if whole else Decimal("0.01")
        edges = [Decimal(most) for most in shipped.limits.values() if most is not None]
        amounts = sorted({edge + by for edge in edges for by in (-step, Decimal(0), step)})
        found += [Cell(shipped, amount) for amount in amounts or [None]]
    return found


@pytest.fixture
def company(shipped: None, settings: Settings) -> Any:
    """One person in each shipped role, and somebody outside all of this who asks."""
    settings.AUTHSERV_ID, settings.MAIL_DOMAIN = AUTHSERV, "desk.example"
    people = {}
    for row in ROLES:
        people[row.slug] = User.objects.create_user(f"{row.slug}@desk.example", None, name=row.name)
        people[row.slug].holdings.create(role=Role.objects.get(slug=row.slug))
    for slug, manager in MANAGERS.items():
        people[slug].manager = people[manager]
        people[slug].save()
    asker = User.objects.create_user("asker@desk.example", None, name="Asker", manager=people["team-lead"])
    account = Account.objects.create(external_id="M-1", name="Matrix", csm=people["csm"], ae=people["ae"])
    callers = {slug: Caller(user) for slug, user in people.items()}
    for caller in callers.values():
        # Signed in before anything is rolled back.
        assert caller.browser
        assert caller.program
    return SimpleNamespace(people=people, callers=callers, csm=asker, northwind=account)


@contextmanager
def undone() -> Iterator[None]:
    """What happens inside leaves nothing behind."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def asked(company: Any, cell: Cell) -> tuple[ApprovalRequest, Seat]:
    """The request, with everything decided that comes before the authority, and the authority's seat."""
    made = make_request(company, concession=cell.shipped.slug, amount=cell.amount, tier="red", case_key="")
    while (seat := made.seats.filter(authority=True).first()).state == Seat.PLANNED:
        first = made.seats.asked().deciding().get()
        values = {"version": made.version, "seat": first.number, "verdict": "approved"}
        made = deciding.decide(request_id=made.pk, by=first.person, **values)
    return made, seat


def decides(company: Any, made: ApprovalRequest, seat: Seat, role: str, door: str) -> bool:
    """Whether that person, with a link of their own to the authority's seat, gets it decided there."""
    with undone():
        person = company.people[role]
        token = links.issue(made, seat, to=person)
        values = {"version": made.version, "seat": seat.number, "token": token, "reason": "It has to be"}
        heard = company.callers[role].knock(Knock(verb=APPROVE, door=door, request=made.pk, by=person.pk, **values))
        assert heard.status < 500, heard
        seat.refresh_from_db()
        done = seat.state == Seat.DECIDED and seat.said_by_id == person.pk
        assert done or seat.state == Seat.ASKED
        assert heard.yes == done, f"{role} by {door} was told otherwise: {heard}"
    return done


def test_every_role_gets_one_answer_at_every_edge_through_every_door(company: Any, proving: bool) -> None:
    chance = random.Random(SEED)
    wanted = cells() if proving else chance.sample(cells(), SHORT)
    roles, figures = list(company.people), {True: 0, False: 0}
    for cell in wanted:
        with undone():
            if not cell.covering:
                with pytest.raises(Invalid, match="Nobody may approve"):
                    asked(company, cell)
                continue
            made, seat = asked(company, cell)
            assert seat.role.slug == cell.covering[0]
            near = list(cell.shipped.limits) + chance.sample(roles, 1)
            for role in roles if proving else chance.sample(near, min(SHORT_ROLES, len(near))):
                for door in DOORS:
                    done = decides(company, made, seat, role, door)
                    figures[done] += 1
                    words = f"{cell.shipped.slug} {cell.amount}: {role} by {door}"
                    assert done == cell.expected(role, door), words
    print(f"\n{len(wanted)} asks: {figures[True]} times approved, {figures[False]} times refused")
    assert figures[True]
    assert figures[False]
