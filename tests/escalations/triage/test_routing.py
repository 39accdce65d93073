"""The matrix row that applies, the lift by authority, and who is next."""

import pytest

from escalations.policy.rules.levels import Ladder, Level
from escalations.triage.rules import routing
from escalations.triage.rules.routing import Need, NoRoute, Row
from tests.support.levels import LADDER

PAYMENT = Row(1, "payment-terms", "", 1, "functional", "finance-lead", "finance-lead", "finance-director")
VIP = Row(2, "vip", "red", 3, "hierarchical", "cro", "director", "steering-committee")
GREEN = Row(3, "", "green", 1, "hierarchical", "team-lead", "team-lead", "")
YELLOW = Row(4, "", "yellow", 2, "hierarchical", "director", "team-lead", "")
RED = Row(5, "", "red", 3, "hierarchical", "executive-sponsor", "director", "")
ROWS = [PAYMENT, VIP, GREEN, YELLOW, RED]


def test_the_first_row_that_fits_applies() -> None:
    assert routing.pick_row(ROWS, "payment-terms", "red") == PAYMENT
    assert routing.pick_row(ROWS, "vip", "yellow") == YELLOW
    assert routing.pick_row(ROWS, "vip", "red") == VIP


def test_without_a_row_nobody_guesses() -> None:
    with pytest.raises(NoRoute, match="no row"):
        routing.pick_row([PAYMENT], "vip", "red")


def test_authority_above_the_row_lifts_the_case() -> None:
    need = Need(2, "director", "Discount of 18 needs a director.")
    found = routing.route(ROWS, LADDER, issue_type="discount", tier="green", need=need)
    assert (found.level, found.role, found.owner_role) == (2, "director", "team-lead")
    assert "18" in found.reasons[-1]


def test_authority_below_the_row_does_not_lower_the_case() -> None:
    found = routing.route(
        ROWS, LADDER, issue_type="discount", tier="red", need=Need(1, "team-lead", "A team lead may.")
    )
    assert (found.level, found.role) == (3, "executive-sponsor")


def test_a_functional_escalation_keeps_its_level_and_type() -> None:
    found = routing.route(ROWS, LADDER, issue_type="payment-terms", tier="red", need=None)
    assert (found.level, found.kind) == (1, "functional")


@pytest.mark.parametrize(
    ("issue_type", "tier", "level", "expected"),
    [
        ("payment-terms", "red", 1, (2, "finance-director")),
        ("discount", "green", 1, (2, "director")),
        ("discount", "yellow", 2, (3, "executive-sponsor")),
        ("vip", "red", 3, (3, "steering-committee")),
    ],
)
def test_who_is_next(issue_type: str, tier: str, level: int, expected: tuple[int, str]) -> None:
    assert routing.ways_up(ROWS, LADDER, issue_type=issue_type, tier=tier, level=level)[0] == expected


def test_a_body_named_next_takes_the_case_to_its_own_level() -> None:
    supplier = Row(6, "supplier", "", 1, "external", "vendor-lead", "vendor-lead", "executive-committee", 3)
    found = routing.ways_up([supplier, *ROWS], LADDER, issue_type="supplier", tier="red", level=1)
    assert found[0] == (3, "executive-committee")


def test_at_the_top_nobody_is_next() -> None:
    assert routing.ways_up([GREEN, YELLOW, RED], LADDER, issue_type="discount", tier="red", level=3) == []


def test_without_a_row_of_its_own_a_level_has_its_own_role() -> None:
    assert routing.ways_up([PAYMENT, RED], LADDER, issue_type="discount", tier="red", level=1) == [
        (2, "director"),
        (3, "executive-sponsor"),
    ]


def test_an_added_level_is_above_the_executives() -> None:
    board = Level(4, "board", "Board", counts_as_executive=True, role="board")
    ladder = Ladder(tuple(sorted((*LADDER.levels, board), key=lambda level: level.rank)))
    assert routing.ways_up(ROWS, ladder, issue_type="discount", tier="red", level=3) == [(4, "board")]
