"""Which row of a role applies, what an unknown fact takes away, and what a quarter cap holds back."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from approvals.matrix.rules import limits as authority
from approvals.matrix.rules.limits import Cap, Facts, Limit, applying, coverage_for, covers, explain, fits

D = Decimal
SEGMENTS, REGIONS, CURRENCIES = ("smb", "enterprise"), ("EMEA", "APAC"), ("USD", "EUR")
EDGES = (None, D(0), D(100), D(200))
DAYS = (None, date(2026, 1, 1), date(2026, 4, 1))


def limit(up_to: int | None, role: str = "director", level: int = 2, **values: Any) -> Limit:
    """A refund limit."""
    amount = None if up_to is None else D(up_to)
    wanted = {"role_name": role.capitalize(), "concession": "refund", "unit": "money", "level": level, "up_to": amount}
    return Limit(role=role, **{**wanted, **values})


def held(rows: list[Limit], **facts: Any) -> Decimal | str | None:
    """What the director may grant; "nothing" without a row."""
    found = applying(rows, concession="refund", facts=Facts(**facts)).get("director")
    return "nothing" if found is None else found.up_to


@pytest.mark.parametrize(
    ("more", "less"),
    [
        ({"segment": "smb"}, {}),
        ({"segment": "smb", "region": "EMEA"}, {"segment": "smb"}),
        ({"region": "EMEA", "asked_in": "EUR"}, {"segment": "smb"}),
        ({"segment": "smb"}, {"region": "EMEA"}),
        ({"region": "EMEA"}, {"asked_in": "EUR"}),
        ({"asked_in": "EUR"}, {"arr_from": D(0)}),
        ({"segment": "smb", "arr_from": D(0)}, {"region": "EMEA", "asked_in": "EUR"}),
        ({"region": "EMEA", "asked_in": "EUR", "arr_to": D(100)}, {"segment": "smb", "region": "EMEA"}),
    ],
)
def test_more_conditions_win_and_ties_go_segment_region_currency_band(more: Any, less: Any) -> None:
    facts = {"segment": "smb", "region": "EMEA", "asked_in": "EUR", "arr": D(50)}
    assert held([limit(1, **more), limit(2, **less)], **facts) == 1
    assert held([limit(2, **more), limit(1, **less)], **facts) == 2
    assert held([limit(1, **less), limit(2, **more)], **facts) == 2


def test_of_two_rows_of_one_rank_the_smaller_holds() -> None:
    assert held([limit(2, segment="smb"), limit(1, segment="smb")], segment="smb") == 1


def test_names_are_compared_without_case_and_spaces() -> None:
    rows = [limit(9), limit(1, segment="SMB ")]
    assert held(rows, segment="smb") == 1


@pytest.mark.parametrize(
    ("on", "found"),
    [(date(2025, 12, 31), 9), (date(2026, 1, 1), 1), (date(2026, 3, 31), 1), (date(2026, 4, 1), 5)],
)
def test_dates_include_the_first_day_and_not_the_last(on: date, found: int) -> None:
    rows = [
        limit(9, ends=date(2026, 1, 1)),
        limit(1, starts=date(2026, 1, 1), ends=date(2026, 4, 1)),
        limit(5, starts=date(2026, 4, 1)),
    ]
    assert held(rows, on=on) == found


@pytest.mark.parametrize("condition", [{"segment": "smb"}, {"region": "EMEA"}, {"asked_in": "EUR"}, {"arr_from": D(5)}])
def test_what_is_not_known_never_grants_more(condition: dict[str, Any]) -> None:
    assert held([limit(9), limit(1, **condition)]) == 1
    assert held([limit(1), limit(9, **condition)]) == 1
    assert held([limit(9, **condition)]) == "nothing"


def test_the_explanation_says_when_something_is_not_known() -> None:
    found = applying([limit(9), limit(1, region="EMEA")], concession="refund")["director"]
    assert "Some facts about the account are not known" in explain(found, [], D(1), D(0))


rows_of_one = st.builds(
    limit,
    st.sampled_from([None, 1, 2, 3, 4, 5]),
    segment=st.sampled_from(["", *SEGMENTS]),
    region=st.sampled_from(["", *REGIONS]),
    asked_in=st.sampled_from(["", *CURRENCIES]),
    arr_from=st.sampled_from(EDGES),
    arr_to=st.sampled_from(EDGES),
    starts=st.sampled_from(DAYS),
    ends=st.sampled_from(DAYS),
)
facts_of_ask = st.fixed_dictionaries(
    {
        "segment": st.sampled_from(["", *SEGMENTS]),
        "region": st.sampled_from(["", *REGIONS]),
        "asked_in": st.sampled_from(["", *CURRENCIES]),
        "arr": st.sampled_from([None, D(0), D("99.99"), D(100), D(200)]),
        "on": st.sampled_from([None, date(2025, 12, 31), date(2026, 1, 1), date(2026, 3, 31), date(2026, 4, 1)]),
    }
)


def completions(facts: dict[str, Any]) -> list[dict[str, Any]]:
    """Every way in which what is not known could turn out."""
    values = {
        "segment": [facts["segment"]] if facts["segment"] else [*SEGMENTS, "other"],
        "region": [facts["region"]] if facts["region"] else [*REGIONS, "other"],
        "asked_in": [facts["asked_in"]] if facts["asked_in"] else [*CURRENCIES],
        "arr": [facts["arr"]] if facts["arr"] is not None else [D(0), D(100), D(200), D(300)],
        "on": [facts["on"]] if facts["on"] else [date(2025, 1, 1), date(2026, 2, 1), date(2026, 5, 1)],
    }
    return [dict(zip(values, each, strict=True)) for each in product(*values.values())]


def plainly(rows: list[Limit], facts: dict[str, Any]) -> Decimal | str | None:
    """The plain meaning with everything known, written apart from the rule: the row with most conditions, smaller on a tie."""

    def holds(row: Limit) -> bool:
        return all(
            (
                row.segment in ("", facts["segment"]),
                row.region in ("", facts["region"]),
                row.asked_in in ("", facts["asked_in"]),
                row.arr_from is None or facts["arr"] >= row.arr_from,
                row.arr_to is None or facts["arr"] < row.arr_to,
                row.starts is None or facts["on"] >= row.starts,
                row.ends is None or facts["on"] < row.ends,
            )
        )

    def weight(row: Limit) -> int:
        named = [row.segment, row.region, row.asked_in, row.arr_from is not None or row.arr_to is not None]
        return 100 * sum(map(bool, named)) + sum(8 >> place for place, each in enumerate(named) if each)

    fitting = [row for row in rows if holds(row)]
    if not fitting:
        return "nothing"
    most = max(map(weight, fitting))
    return least([row.up_to for row in fitting if weight(row) == most])


def least(amounts: list[Any]) -> Any:
    """The smallest, "nothing" below every number and no limit above."""
    return min(amounts, key=lambda each: (-1, 0) if each == "nothing" else (1, 0) if each is None else (0, each))


def no_more(one: Any, two: Any) -> bool:
    """Whether the first grants no more than the second."""
    return bool(least([one, two]) == one)


def is_never_more_than_any_way_it_could_turn_out(rows: list[Limit], facts: dict[str, Any]) -> None:
    """The property itself, to be held against the rule and against a broken one."""
    ways = completions(facts)
    answer = held(rows, **facts)
    assert all(no_more(answer, plainly(rows, way)) for way in ways)
    if len(ways) == 1:
        assert answer == plainly(rows, facts)


@pytest.mark.prove
@given(st.lists(rows_of_one, max_size=4), facts_of_ask)
def test_the_answer_never_exceeds_what_the_row_that_applies_grants(rows: list[Limit], facts: dict[str, Any]) -> None:
    is_never_more_than_any_way_it_could_turn_out(rows, facts)


@pytest.mark.parametrize("broken", ["unknown_fits", "first_row", "closed_band"])
def test_the_property_catches_a_planted_mistake(monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    right = fits
    wrong = {
        "unknown_fits": lambda row, facts: right(row, facts) is not False,
        "first_row": lambda row, facts: right(replace(row, segment=""), facts),
        "closed_band": lambda row, facts: right(row, facts) or (row.arr_to is not None and row.arr_to == facts.arr),
    }
    monkeypatch.setattr(authority, "fits", wrong[broken])
    everything = {"segment": "smb", "region": "EMEA", "asked_in": "EUR", "arr": D(100), "on": date(2026, 1, 1)}
    cases: list[tuple[list[Limit], dict[str, Any]]] = [
        ([limit(9, region="EMEA")], {**everything, "region": ""}),
        ([limit(9), limit(10, segment="enterprise")], everything),
        ([limit(9), limit(10, arr_to=D(100))], everything),
    ]
    with pytest.raises(AssertionError):
        [is_never_more_than_any_way_it_could_turn_out(rows, facts) for rows, facts in cases]


roles = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(0, 3), st.sampled_from([None, 1, 2, 3, 4, 5])), max_size=6
)


@pytest.mark.prove
@given(roles, st.integers(1, 6), st.integers(1, 6))
def test_a_larger_ask_never_reaches_a_lower_authority(ladder: list[Any], one: int, two: int) -> None:
    limits = [limit(up_to, role, level) for role, level, up_to in ladder]
    small, large = (
        coverage_for(limits, concession="refund", amount=D(each), own=D(each)) for each in sorted((one, two))
    )
    assert {each.role for each in large.covering} <= {each.role for each in small.covering}
    assume(large.covering)
    assert small.covering[0].rank <= large.covering[0].rank
    assert all(covers(each, D(max(one, two))) for each in large.covering)


CAP = Cap("director", "money", D(100), D(80), "$100")


@pytest.mark.parametrize(("own", "first"), [(19, "director"), (20, "director"), (21, "cro")])
def test_what_goes_beyond_the_quarter_of_a_role_goes_to_the_next(own: int, first: str) -> None:
    limits = [limit(1000), limit(None, "cro", 3)]
    chain = coverage_for(limits, concession="refund", amount=D(own), caps={"director": CAP}, own=D(own))
    assert chain.covering[0].role == first
    if first == "cro":
        why = explain(chain.covering[0], chain.passed(chain.covering[0]), D(own), D(0))
        assert "Director has $80 of $100 used this quarter." in why


def test_the_cap_weighs_the_ask_alone_not_what_the_account_got_before() -> None:
    chain = coverage_for([limit(1000)], concession="refund", amount=D(500), caps={"director": CAP}, own=D(20))
    assert [each.role for each in chain.covering] == ["director"]


def test_yes_or_no_is_counted() -> None:
    yes = Cap("director", "yes", D(2), D(1))
    assert (yes.takes(None), replace(yes, used=D(2)).takes(None)) == (True, False)
    assert yes.words == "1 of 2 used this quarter"


@pytest.mark.prove
@given(st.integers(0, 10), st.integers(0, 10), st.integers(1, 10))
def test_no_cap_is_ever_passed(up_to: int, used: int, own: int) -> None:
    cap = Cap("director", "money", D(up_to), D(used))
    chain = coverage_for([limit(None)], concession="refund", amount=D(own), caps={"director": cap}, own=D(own))
    assert bool(chain.covering) is (used + own <= up_to)


def test_conditions_are_named_in_the_matrix_words() -> None:
    row = limit(5, segment="smb", region="EMEA", asked_in="EUR", arr_to=D(100))
    assert row.conditions == "smb, EMEA, asked in EUR, ARR $0 to $100"
    assert fits(row, Facts("smb", "emea", "EUR", D("99.99"))) is True
    assert "up to $5 (smb, EMEA, asked in EUR, ARR $0 to $100)" in explain(row, [], D(3), D(0))


def test_earlier_grants_to_the_group_are_said_apart() -> None:
    assert "$4 granted in the last 30 days, $1 of it to accounts of the same group" in explain(
        limit(9), [], D(9), D(4), window_days=30, others=D(1)
    )
    assert "$4 granted in the last 90 days, all of it to" in explain(limit(9), [], D(9), D(4), others=D(4))
