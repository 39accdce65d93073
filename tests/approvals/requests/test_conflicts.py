"""No self-approval by any road, as one pure answer."""

import pytest

from approvals.requests.rules.conflicts import Party, plain, why_not

PRIYA = Party(1, "Priya", frozenset({"priya@desk.example"}))


def test_somebody_else_decides() -> None:
    assert why_not(Party(2, "Lena"), PRIYA) == ""


def test_nobody_decides_what_they_asked_for_or_gain_by() -> None:
    assert "You requested this" in why_not(PRIYA, PRIYA)
    assert "You are the beneficiary" in why_not(PRIYA, Party(2, "Lena"), PRIYA)


@pytest.mark.parametrize("address", ["priya@desk.example", "Priya+other@Desk.example"])
def test_an_alias_is_the_same_person(address: str) -> None:
    assert "share a mailbox with Priya" in why_not(Party(2, "Other", frozenset({plain(address)})), PRIYA)


def test_a_service_and_its_owner_are_one() -> None:
    robot = Party(3, "Robot", manager=1, service=True)
    assert "is responsible for this service" in why_not(robot, PRIYA)
    assert "You requested this" in why_not(PRIYA, robot, owners=[PRIYA])
    twin = Party(4, "Twin", manager=1, service=True)
    assert why_not(twin, robot, owners=[PRIYA])
    assert why_not(Party(5, "Other robot", manager=9, service=True), PRIYA) == ""


def test_who_stands_in_for_the_requester_does_not_decide() -> None:
    assert "you stand in for them" in why_not(Party(2, "Lena", delegators=frozenset({1})), PRIYA)


def test_the_beneficiarys_own_manager_does_not_decide_but_the_requesters_does() -> None:
    gains = Party(6, "Marcus", manager=2)
    assert "reports to you" in why_not(Party(2, "Tom"), PRIYA, gains)
    assert why_not(Party(2, "Tom"), Party(6, "Marcus", manager=2)) == ""
