"""The lowest role whose authority covers an ask, at every edge; fail closed everywhere else."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.matrix.rules.limits import Facts, Limit, applying, coverage_for, covers, explain

D = Decimal


def limit(role: str, level: int, up_to: int | str | None, **values: Any) -> Limit:
    """A discount limit."""
    wanted = {"role_name": role.replace("-", " ").capitalize(), "concession": "discount", "unit": "percent"}
    amount = None if up_to is None else D(up_to)
    return Limit(role=role, level=level, up_to=amount, **{**wanted, **values})


LADDER = [
    limit("steering-committee", 3, None, sort=130),
    limit("csm", 0, 5),
    limit("executive-sponsor", 3, 35, sort=110),
    limit("director", 2, 20),
    limit("team-lead", 1, 10),
]


def lowest(amount: str | None, limits: list[Limit] | None = None, **values: Any) -> str:
    """The role that may approve, or nobody."""
    amount_ = None if amount is None else D(amount)
    chain = coverage_for(
        LADDER if limits is None else limits, concession="discount", amount=amount_, facts=Facts(**values)
    )
    return chain.covering[0].role if chain.covering else "nobody"


@pytest.mark.parametrize(
    ("amount", "role"),
    [
        ("0.01", "csm"),
        ("4.99", "csm"),
        ("5", "csm"),
        ("5.01", "team-lead"),
        ("9.99", "team-lead"),
        ("10", "team-lead"),
        ("10.01", "director"),
        ("20.00", "director"),
        ("20.01", "executive-sponsor"),
        ("35", "executive-sponsor"),
        ("35.01", "steering-committee"),
        ("100", "steering-committee"),
    ],
)
def test_the_lowest_role_that_covers_it_decides(amount: str, role: str) -> None:
    assert lowest(amount) == role


@pytest.mark.prove
@given(st.decimals(min_value=0, max_value=100, places=2))
def test_who_decides_covers_it_and_who_stops_below_does_not(amount: Decimal) -> None:
    chain = coverage_for(LADDER, concession="discount", amount=amount)
    assert all(covers(each, amount) for each in chain.covering)
    assert not any(covers(each, amount) for each in chain.below)
    assert len(chain.covering) + len(chain.below) == len(LADDER)
    assert all(low.rank < chain.covering[0].rank for low in chain.below)


def test_without_a_rule_nobody_may() -> None:
    assert lowest("1", []) == "nobody"
    assert coverage_for(LADDER, concession="refund", amount=D(1)).covering == ()


def test_an_amount_is_needed_where_the_unit_has_one() -> None:
    assert lowest(None) == "nobody"


def test_yes_or_no_needs_no_amount() -> None:
    yes = limit("executive-sponsor", 3, None, unit="yes")
    assert lowest(None, [yes]) == "executive-sponsor"


def test_a_row_for_the_segment_beats_the_row_for_all() -> None:
    rows = [limit("director", 2, 20), limit("director", 2, 10, segment="smb"), limit("cro", 3, None)]
    assert lowest("15", rows, segment="enterprise") == "director"
    assert lowest("15", rows, segment="smb") == "cro"


BANDED = [
    limit("director", 2, 20, arr_from=D(0), arr_to=D(250_000)),
    limit("director", 2, 10, arr_from=D(250_000), arr_to=D(500_000)),
    limit("cro", 3, None),
]


@pytest.mark.parametrize(
    ("arr", "role"),
    [("0", "director"), ("249999.99", "director"), ("250000", "cro"), ("499999.99", "cro"), ("500000", "cro")],
)
def test_arr_bands_are_half_open(arr: str, role: str) -> None:
    assert lowest("15", BANDED, arr=D(arr)) == role


def test_above_the_last_band_the_role_has_no_limit_at_all() -> None:
    assert "director" in applying(BANDED, concession="discount", facts=Facts(arr=D("499999.99")))
    assert "director" not in applying(BANDED, concession="discount", facts=Facts(arr=D(500_000)))


def test_with_arr_unknown_the_smallest_limit_holds() -> None:
    rows = [limit("director", 2, 20), limit("director", 2, 10, arr_from=D(500_000)), limit("cro", 3, None)]
    assert lowest("10", rows) == "director"
    assert lowest("15", rows) == "cro"


def test_with_arr_unknown_and_bands_only_the_role_may_nothing() -> None:
    assert "director" not in applying(BANDED, concession="discount")


def test_above_skips_the_role_itself_and_everybody_lower() -> None:
    chain = coverage_for(LADDER, concession="discount", amount=D(3))
    lead = next(each for each in chain.covering if each.role == "team-lead")
    assert [each.role for each in chain.above(lead.role, lead.rank)] == [
        "director",
        "executive-sponsor",
        "steering-committee",
    ]


def test_the_explanation_names_the_limit_who_stops_what_was_added_and_who_is_consulted() -> None:
    chain = coverage_for(LADDER, concession="discount", amount=D(20))
    director = chain.covering[0]
    text = explain(director, chain.below, D(20), D(5))
    assert "Director may grant up to 20%, so this is the last that fits." in text
    assert "5% granted to this account in the last 90 days" in text
    assert "Csm has a limit of 5%, Team lead has a limit of 10%." in text
    legal = limit("executive-sponsor", 3, None, unit="yes", needs_function="legal")
    assert "Legal must take part." in explain(legal, [], None, D(0))
