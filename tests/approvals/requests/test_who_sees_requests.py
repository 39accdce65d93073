"""Lists of requests hold exactly what the rule says, for everybody, whichever way the database finds them."""

from datetime import timedelta
from itertools import pairwise

import pytest

from accounts.models import Account, Role, User
from approvals.models import ApprovalRequest, Delegation, Seat
from approvals.requests import lists, visibility
from ledger.now import now
from tests.approvals.filled import OPEN, request_of, scattered, seat_of
from tests.support.cast import Cast

pytestmark = pytest.mark.both_databases


def everybody() -> list[User]:
    """All people, loaded as for a new page."""
    return list(User.objects.order_by("pk"))


def asked_of(seat: Seat, user: User) -> bool:
    """Whether the seat was asked of the person, or will be as the first of the authority."""
    if seat.person_id != user.pk or seat.state != Seat.PLANNED:
        return seat.person_id == user.pk
    before = [each for each in seat.request.seats.all() if each.state == Seat.PLANNED and each.authority]
    return seat.authority and all(each.number >= seat.number for each in before)


def stands_in(seat: Seat, user: User) -> bool:
    """Whether the person may decide the seat by a delegation."""
    if not seat.waits or seat.stands_for_id:
        return False
    for given in Delegation.objects.in_force(now()).filter(to=user, user=seat.person):
        small = given.up_to_usd is None or (seat.request.total_usd or given.up_to_usd + 1) <= given.up_to_usd
        if small and (not given.concessions or seat.request.concession in given.concessions):
            return True
    return False


def takes_part(request: ApprovalRequest, user: User) -> bool:
    """Whether the person asked, was asked or decided, or stands in for somebody who is asked."""
    seats = list(request.seats.select_related("request"))
    return (
        user.pk in (request.requester_id, request.decided_by_id)
        or any(asked_of(seat, user) or seat.said_by_id == user.pk for seat in seats)
        or any(stands_in(seat, user) for seat in seats)
    )


def may_see(request: ApprovalRequest, user: User) -> bool:
    """The rule, for one request and one person."""
    if user.is_superuser or takes_part(request, user):
        return True
    if request.confidential:
        return False
    people = set(user.tree_ids) if user.sees == Role.TREE else {user.pk}
    named = {request.requester_id, request.account.csm_id, request.account.ae_id}
    return user.sees == Role.ALL or bool(people & named)


def waits(request: ApprovalRequest, user: User) -> bool:
    """Whether the open request waits for the person or for somebody they stand in for."""
    seats = list(request.seats.select_related("request"))
    own = any(seat.person_id == user.pk and seat.state == Seat.ASKED for seat in seats)
    theirs = request.requester_id != user.pk and any(stands_in(seat, user) for seat in seats)
    return request.state == OPEN and (own or theirs)


@pytest.fixture
def many(deciders: Cast) -> list[ApprovalRequest]:
    """Eighty requests of everybody, and stand-ins for all, for one concession and for small amounts."""
    at = now()
    span = {"starts_at": at - timedelta(days=1), "ends_at": at + timedelta(days=1)}
    Delegation.objects.create(user=deciders.director, to=deciders.outsider, **span)
    Delegation.objects.create(user=deciders.sponsor, to=deciders.legal, concessions=["refund"], **span)
    Delegation.objects.create(user=deciders.lead, to=deciders.ae, up_to_usd=1_000, **span)
    Delegation.objects.create(user=deciders.lead, to=deciders.finance, ended_at=at, **span)
    Account.objects.filter(pk=deciders.elsewhere.pk).update(csm=deciders.outsider)
    people = [user for user in everybody() if not user.is_superuser]
    return scattered(people, [deciders.northwind, deciders.elsewhere], count=80, seed=12)


@pytest.mark.parametrize("from_many", [0, 10_000])
def test_every_list_holds_what_the_rule_says(
    many: list[ApprovalRequest], monkeypatch: pytest.MonkeyPatch, from_many: int
) -> None:
    monkeypatch.setattr(visibility, "LARGE_TREE", from_many)
    monkeypatch.setattr(visibility, "MANY_SEATS", from_many)
    for user in everybody():
        seen = {each.pk for each in many if may_see(each, user)}
        mine = {each.pk for each in many if waits(each, user)}
        opened = {each.pk for each in many if each.state == OPEN}
        found = {tab: set(rows(user).values_list("pk", flat=True)) for tab, rows in lists.LISTS.items()}
        assert set(ApprovalRequest.objects.visible_to(user).values_list("pk", flat=True)) == seen, user
        assert found == {"needs-you": mine, "waiting": seen & opened - mine, "decided": seen - opened}, user


def test_the_numbers_of_the_tabs_are_the_lengths_of_their_lists(many: list[ApprovalRequest]) -> None:
    for user in everybody():
        wanted = [rows(user).count() for rows in lists.LISTS.values()]
        for tab in lists.LISTS:
            counts = lists.part(user, tab).counts
            assert [counts.needs_you, counts.waiting, counts.decided] == wanted


@pytest.mark.parametrize("tab", list(lists.LISTS))
def test_pages_forth_and_back_hold_the_whole_list_once_and_in_order(
    many: list[ApprovalRequest], monkeypatch: pytest.MonkeyPatch, tab: str
) -> None:
    monkeypatch.setattr(lists, "PER_PAGE", 4)
    for user in everybody():
        pages = [lists.part(user, tab)]
        while pages[-1].after:
            pages.append(lists.part(user, tab, after=pages[-1].after))
        found = [each for page in pages for each in page.rows]
        newest = [(each.decided_at or each.asked_since, each.pk) for each in found]
        soonest = [(each.deadline, each.pk) for each in found]
        assert sorted(each.pk for each in found) == sorted(lists.LISTS[tab](user).values_list("pk", flat=True))
        assert newest == sorted(newest, reverse=True) if tab == "decided" else soonest == sorted(soonest)
        for earlier, later in pairwise(pages):
            assert list(lists.part(user, tab, before=later.before).rows) == list(earlier.rows)


@pytest.mark.parametrize("place", ["x", "_", "2026-13-01T00:00:00+00:00_1", "2026-01-01T00:00:00_1", f"{'9' * 30}_1"])
def test_a_place_that_cannot_be_read_is_the_start(many: list[ApprovalRequest], deciders: Cast, place: str) -> None:
    first = lists.part(deciders.admin, "decided")
    assert list(lists.part(deciders.admin, "decided", after=place).rows) == list(first.rows)
    assert list(lists.part(deciders.admin, "decided", before=place).rows) == list(first.rows)


def test_decisions_are_counted_up_to_a_limit(
    many: list[ApprovalRequest], deciders: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "MOST_COUNTED", 5)
    assert lists.part(deciders.admin, "decided").counts.decided_words == "5+"


def test_who_leaves_the_account_or_the_tree_no_longer_sees_its_requests(deciders: Cast) -> None:
    made = request_of(deciders.csm, deciders.northwind)
    seat_of(made, deciders.sponsor)

    def seen(user: User) -> bool:
        return ApprovalRequest.objects.visible_to(User.objects.get(pk=user.pk)).filter(pk=made.pk).exists()

    assert seen(deciders.ae)
    assert seen(deciders.lead)
    Account.objects.filter(pk=deciders.northwind.pk).update(ae=None, csm=None)
    assert not seen(deciders.ae)
    User.objects.filter(pk=deciders.csm.pk).update(manager=None)
    assert not seen(deciders.lead)
