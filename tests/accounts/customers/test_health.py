"""Account health: bands, parts and the sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.customers.rules.health import WEIGHTS, Health, HealthInputs, account_health, health_word

THRIVING = HealthInputs(sentiment=[0.6, 0.4], days_to_renewal=200, usage=90)


def health(**changes: object) -> Health:
    found = account_health(HealthInputs(**{**vars(THRIVING), **changes}))
    assert found is not None
    return found


def test_the_weights_add_up_to_a_hundred():
    assert sum(WEIGHTS.values()) == 100


@pytest.mark.parametrize(("score", "word"), [(0, "red"), (39, "red"), (40, "yellow"), (69, "yellow"), (70, "green")])
def test_red_is_below_40_and_green_from_70(score: int, word: str):
    assert health_word(score) == word


def test_an_account_without_any_trouble_is_green_with_100_points():
    found = health()
    assert (found.score, found.word, found.missing) == (100, "green", ())
    assert found.sentence == "Green, 100: no negative factors."


def test_one_open_red_escalation_alone_makes_it_yellow():
    assert health(open_escalations={"red": 1}).word == "yellow"


def test_a_red_escalation_and_a_hostile_tone_close_to_renewal_make_it_red():
    found = health(open_escalations={"red": 1}, sentiment=[-0.8, -0.7], days_to_renewal=20)
    assert found.word == "red"
    assert found.sentence.startswith(
        f"Red, {found.score}: 1 escalation open (1 red tier); recent tone is hostile (-0.77 over 2"
    )


def test_the_newest_signal_weighs_most():
    assert health(sentiment=[-0.6, 0.2]).score < health(sentiment=[0.2, -0.6]).score


def test_a_missing_part_is_named_and_does_not_cost_points():
    found = health(usage=None, sentiment=[])
    assert found.missing == ("sentiment", "usage")
    assert found.score == 100
    assert found.sentence.endswith("Not known: sentiment, usage.")


def test_there_is_no_health_when_nothing_but_the_renewal_date_is_known():
    nothing = HealthInputs(open_escalations=None, sla_breaches=None, overdue_commitments=None, days_to_renewal=10)
    assert account_health(nothing) is None


def test_a_supplier_without_a_renewal_still_has_a_health():
    assert "renewal" in health(days_to_renewal=None).missing


def test_each_part_says_why():
    found = health(sla_breaches=2, overdue_commitments=1, usage=35, days_to_renewal=-3)
    why = {part.name: part.why for part in found.parts}
    assert why["sla"] == "2 targets missed in 90 days"
    assert why["commitments"] == "1 commitment overdue"
    assert why["usage"] == "35% of what was bought is in use"
    assert why["renewal"] == "the renewal date passed 3 days ago"


@pytest.mark.parametrize(("days", "points"), [(200, 10), (91, 10), (90, 8), (60, 5), (30, 2), (0, 2), (-1, 0)])
def test_the_renewal_part_shrinks_as_the_date_comes_near(days: int, points: int):
    assert next(part.points for part in health(days_to_renewal=days).parts if part.name == "renewal") == points


inputs = st.builds(
    HealthInputs,
    sentiment=st.none() | st.lists(st.floats(-1, 1), max_size=5),
    open_escalations=st.dictionaries(st.sampled_from(["red", "yellow", "green"]), st.integers(0, 9)),
    sla_breaches=st.integers(0, 20),
    days_to_renewal=st.none() | st.integers(-500, 2000),
    overdue_commitments=st.integers(0, 9),
    usage=st.none() | st.floats(0, 300),
)


@given(inputs)
def test_the_score_stays_between_0_and_100_and_every_part_within_its_weight(given_inputs: HealthInputs):
    found = account_health(given_inputs)
    assert found is not None
    assert 0 <= found.score <= 100
    assert found.word == health_word(found.score)
    assert all(0 <= part.points <= part.weight for part in found.parts)


@given(inputs, st.sampled_from(["red", "yellow", "green"]))
def test_one_more_open_escalation_never_raises_the_score(given_inputs: HealthInputs, tier: str):
    before = account_health(given_inputs)
    more = {**given_inputs.open_escalations, tier: given_inputs.open_escalations.get(tier, 0) + 1}
    after = account_health(HealthInputs(**{**vars(given_inputs), "open_escalations": more}))
    assert after.score <= before.score
