"""What rules propose, and when they keep silent."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.requests.rules.suggestions import (
    CERTAIN_ENOUGH,
    LEAST_LIKE_ASKS,
    Ask,
    Past,
    certainty,
    like,
    outcome,
    propose,
)
from approvals.requests.rules.verdicts import APPROVED, CONDITIONS, DECLINED


def an_ask(amount: int | None = 1000, **more: object) -> Ask:
    values = {"unit": "money", "limit": Decimal(10_000), "arr": None, "recommended": APPROVED, **more}
    return Ask(amount=None if amount is None else Decimal(amount), **values)  # type: ignore[arg-type]


def past(verdict: str, times: int, amount: int = 1000) -> list[Past]:
    return [Past(verdict, Decimal(amount))] * times


def test_like_asks_that_were_granted_suggest_to_grant() -> None:
    found = propose(an_ask(), past(APPROVED, 9) + past(DECLINED, 1))
    assert found is not None
    assert (found.rule, found.verdict) == ("like-asks", APPROVED)
    assert found.reasons == (
        "9 of 10 similar requests were granted.",
        "The largest of them was $1,000; this is not more.",
    )


def test_like_asks_that_were_declined_suggest_to_decline() -> None:
    found = propose(an_ask(), past(DECLINED, 8))
    assert found is not None
    assert found.verdict == DECLINED
    assert found.reasons == ("8 of 8 similar requests were declined.",)


def test_conditions_are_suggested_where_most_grants_had_some() -> None:
    found = propose(an_ask(conditions="Two years"), past(CONDITIONS, 6) + past(APPROVED, 2))
    assert found is not None
    assert (found.verdict, found.conditions) == (CONDITIONS, "Two years")
    assert "6 with conditions" in found.reasons[0]


@pytest.mark.parametrize("times", range(LEAST_LIKE_ASKS))
def test_few_like_asks_suggest_nothing(times: int) -> None:
    assert propose(an_ask(), past(APPROVED, times)) is None


def test_a_divided_past_suggests_nothing() -> None:
    assert propose(an_ask(), past(APPROVED, 5) + past(DECLINED, 5)) is None


def test_amounts_far_away_are_not_alike() -> None:
    assert like(an_ask(1000), past(APPROVED, 1, 499) + past(APPROVED, 1, 2001)) == []
    assert len(like(an_ask(1000), past(APPROVED, 1, 500) + past(APPROVED, 1, 2000))) == 2
    assert len(like(an_ask(None, unit="yes"), [Past(APPROVED, None)])) == 1


def test_policy_suggests_what_costs_little_beside_the_revenue_it_protects() -> None:
    found = propose(an_ask(2000, arr=Decimal(100_000)), [])
    assert found is not None
    assert (found.rule, found.verdict, found.certainty) == ("policy", APPROVED, 70)
    assert found.reasons[0].startswith("It costs 2% of the yearly revenue")
    assert propose(an_ask(5001, arr=Decimal(100_000)), []) is None
    near_the_limit = propose(an_ask(5000, limit=Decimal(5000), arr=Decimal(100_000)), [])
    assert near_the_limit is not None
    assert near_the_limit.certainty == 55


def test_what_was_granted_before_counts_against_the_limit_only() -> None:
    found = propose(an_ask(2000, total=Decimal(8000), arr=Decimal(100_000)), [])
    assert found is not None
    assert found.certainty == 55
    assert found.reasons == ("It costs 2% of the yearly revenue it protects; by policy up to 5% is worth it.",)
    assert len(like(an_ask(1000, total=Decimal(9000)), past(APPROVED, 1, 1000))) == 1


def test_policy_never_argues_with_the_status_quo_or_without_revenue() -> None:
    assert propose(an_ask(10, arr=Decimal(100_000), recommended=DECLINED), []) is None
    assert propose(an_ask(10, arr=None), []) is None
    assert propose(an_ask(10, unit="percent", arr=Decimal(100_000)), []) is None


@pytest.mark.parametrize(
    ("suggested", "decided", "made_of_it"),
    [
        (APPROVED, APPROVED, "accepted"),
        (APPROVED, CONDITIONS, "changed"),
        (CONDITIONS, APPROVED, "changed"),
        (APPROVED, DECLINED, "rejected"),
        (DECLINED, CONDITIONS, "rejected"),
        (DECLINED, DECLINED, "accepted"),
    ],
)
def test_a_decision_accepts_changes_or_rejects(suggested: str, decided: str, made_of_it: str) -> None:
    assert outcome(suggested, decided) == made_of_it


@pytest.mark.parametrize(
    ("suggested", "decided", "made_of_it"),
    [(APPROVED, CONDITIONS, "accepted"), (CONDITIONS, APPROVED, "accepted"), (DECLINED, CONDITIONS, "rejected")],
)
def test_a_grant_as_recommended_accepts_any_suggestion_to_grant(suggested: str, decided: str, made_of_it: str) -> None:
    assert outcome(suggested, decided, as_recommended=True) == made_of_it


@given(of=st.integers(1, 500), data=st.data())
def test_certainty_is_a_percent_below_the_share_and_grows_with_agreement(of: int, data: st.DataObject) -> None:
    agreeing = data.draw(st.integers(0, of))
    found = certainty(agreeing, of)
    assert 0 <= found <= 100 * agreeing / of
    assert certainty(agreeing * 2, of * 2) >= found
    if agreeing < of:
        assert certainty(agreeing + 1, of) >= found


@given(st.lists(st.sampled_from([APPROVED, CONDITIONS, DECLINED]), max_size=40))
def test_what_is_not_certain_enough_is_never_shown(verdicts: list[str]) -> None:
    found = propose(an_ask(), [Past(verdict, Decimal(1000)) for verdict in verdicts])
    assert found is None or found.certainty >= CERTAIN_ENOUGH
