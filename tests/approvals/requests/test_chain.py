"""Who sits where, in which order, and what settles it."""

from dataclasses import replace
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.requests.rules import seats as rules
from approvals.requests.rules.seats import AFTER, ALL, ANY, BEFORE, BESIDE, CONSULT, NUMBER, PERCENT, Person, Wanted
from ledger.errors import Invalid

QUORUMS = st.one_of(
    st.tuples(st.sampled_from([ALL, ANY]), st.none()),
    st.tuples(st.just(NUMBER), st.integers(1, 6)),
    st.tuples(st.just(PERCENT), st.integers(1, 100)),
)
VERDICTS = st.sampled_from(["", "approved", "conditions", "declined"])


def people(*ids: int) -> tuple[Person, ...]:
    """Persons with these ids."""
    return tuple(Person(each, f"P{each}") for each in ids)


def authority(*ids: int, **values: Any) -> Wanted:
    """The authority, one seat unless a quorum is given."""
    return Wanted("director", "Director", people(*ids), **{"single": "quorum" not in values, **values})


def function(role: str, *ids: int, **values: Any) -> Wanted:
    """A required function, before the authority unless told."""
    return Wanted(role, role.capitalize(), people(*ids), **{"place": BEFORE, **values})


def names(stages: list[rules.Stage]) -> list[str]:
    """The stages by name."""
    return [stage.name for stage in stages]


def seated(stages: list[rules.Stage]) -> dict[str, list[int]]:
    """Persons by group."""
    return {group.name: [seat.person for seat in group.seats] for stage in stages for group in stage.groups}


def test_functions_come_before_beside_and_after_the_authority() -> None:
    made = rules.stages_for(
        [
            authority(1, 2),
            function("finance", 3, place=AFTER),
            function("legal", 4, sort=20),
            function("tax", 5, sort=20),
            function("privacy", 6, sort=10),
            function("product", 7, place=BESIDE),
        ]
    )
    assert names(made) == ["Privacy", "Legal and Tax", "Director and Product", "Finance"]
    assert seated(made)["Director"] == [1]
    assert [seat.number for stage in made for seat in stage.seats] == [1, 2, 3, 4, 5, 6]
    assert [stage.number for stage in made] == [1, 2, 3, 4]
    assert rules.authority_group(made).name == "Director"


def test_a_plan_without_rules_is_the_authority_alone() -> None:
    made = rules.stages_for([authority(1, 2, 3)], first=7)
    assert names(made) == ["Director"]
    assert [seat.number for seat in made[0].seats] == [7]


def test_a_committee_gives_every_holder_a_seat() -> None:
    made = rules.stages_for([authority(1, 2, 3, quorum=PERCENT, quorum_of=50)])
    group = made[0].groups[0]
    assert (len(group.seats), group.quorum) == (3, 2)
    assert group.words == "2 of 3 must agree"


def test_the_consulted_comment_and_never_make_a_stage_of_their_own() -> None:
    made = rules.stages_for(
        [authority(1), function("legal", 2, part=CONSULT), function("finance", 3, part=CONSULT, place=AFTER)]
    )
    assert names(made) == ["Director"]
    assert seated(made) == {"Director": [1], "Legal": [2], "Finance": [3]}
    assert rules.stage_outcome(made[0], {1: "approved"}) == "approved"


def test_a_consulted_role_that_nobody_holds_or_who_decides_anyway_is_left_out() -> None:
    made = rules.stages_for([authority(1), function("legal", part=CONSULT), function("tax", 1, part=CONSULT)])
    assert seated(made) == {"Director": [1]}


def test_a_required_function_that_nobody_holds_is_refused() -> None:
    with pytest.raises(Invalid, match="Nobody else holds the role Legal"):
        rules.stages_for([authority(1), function("legal")])


def test_more_votes_than_seats_are_refused() -> None:
    with pytest.raises(Invalid, match="decides with 3, but only 2 may"):
        rules.stages_for([authority(1), function("legal", 2, 3, quorum=NUMBER, quorum_of=3)])


def test_the_second_seat_of_one_person_goes_to_another_holder() -> None:
    assert seated(rules.stages_for([authority(1, 2), function("legal", 1)])) == {"Legal": [1], "Director": [2]}
    assert seated(rules.stages_for([authority(1), function("legal", 1, 2)])) == {"Legal": [2], "Director": [1]}


def test_without_another_holder_there_is_no_plan() -> None:
    with pytest.raises(Invalid, match="one person cannot decide twice"):
        rules.stages_for([authority(1), function("legal", 1)])
    with pytest.raises(Invalid, match="one person cannot decide twice"):
        rules.stages_for([authority(9), function("legal", 1), function("tax", 1)])


def test_a_role_named_twice_takes_part_once_and_the_authority_speaks_for_its_own_role() -> None:
    made = rules.stages_for(
        [authority(1), function("legal", 2), function("legal", 2, place=AFTER), function("director", 1, 3)]
    )
    assert names(made) == ["Legal", "Director"]


def test_somebody_a_function_cannot_do_without_is_known() -> None:
    wanted = [function("legal", 1), function("tax", 2, 3), function("note", 4, part=CONSULT), authority(5)]
    assert rules.sole_holders(wanted) == {1}


def test_one_decline_ends_all_and_any_goes_on_until_nobody_is_left() -> None:
    assert rules.group_outcome(2, ["approved", "declined"]) == "declined"
    assert rules.group_outcome(1, ["declined", ""]) == ""
    assert rules.group_outcome(1, ["declined", "conditions"]) == "approved"
    assert rules.group_outcome(1, ["declined", "declined"]) == "declined"


def test_all_groups_of_a_stage_must_agree() -> None:
    stage = rules.stages_for([authority(1), function("legal", 2, place=BESIDE)])[0]
    assert rules.stage_outcome(stage, {1: "approved"}) == ""
    assert rules.stage_outcome(stage, {1: "approved", 2: "declined"}) == "declined"
    assert rules.stage_outcome(stage, {2: "declined"}) == "declined"
    assert rules.stage_outcome(stage, {1: "approved", 2: "approved"}) == "approved"


def test_a_word_from_above_stands_for_the_whole_committee_but_for_no_function() -> None:
    planned = rules.stages_for([authority(1, 2, 3, quorum=ALL), function("legal", 4, place=BESIDE)])[0]
    committee, legal = planned.groups
    stage = replace(planned, groups=(replace(committee, override=2), legal))
    assert rules.stage_outcome(stage, {1: "declined", 2: "approved"}) == ""
    assert rules.stage_outcome(stage, {1: "declined", 2: "approved", 4: "approved"}) == "approved"
    assert rules.stage_outcome(stage, {1: "approved", 2: "declined", 4: "approved"}) == "declined"


def test_conditions_of_one_seat_make_it_an_approval_with_conditions() -> None:
    assert rules.with_conditions("approved", ["approved", "conditions"]) == "conditions"
    assert rules.with_conditions("declined", ["conditions"]) == "declined"
    assert rules.with_conditions("approved", ["approved"]) == "approved"


@given(QUORUMS, st.integers(1, 6))
def test_the_need_is_what_the_words_say(quorum: tuple[str, int | None], seats: int) -> None:
    kind, of = quorum
    need = rules.need_of(kind, of, seats)
    wanted = {ALL: seats, ANY: 1, NUMBER: of, PERCENT: ceil(seats * (of or 0) / 100)}[kind]
    assert need == max(wanted or 1, 1)
    assert kind == NUMBER or 1 <= need <= seats


@given(st.integers(1, 6), st.lists(VERDICTS, min_size=1, max_size=6))
def test_a_group_is_settled_exactly_when_no_further_vote_can_change_it(need: int, votes: list[str]) -> None:
    yes = sum(vote in ("approved", "conditions") for vote in votes)
    most = yes + votes.count("")
    outcome = rules.group_outcome(need, votes)
    assert outcome == ("approved" if yes >= need else "declined" if most < need else "")
    if outcome:
        for last in ("approved", "declined"):
            assert rules.group_outcome(need, [vote or last for vote in votes]) == outcome


HOLDERS = st.lists(st.integers(1, 6), min_size=1, max_size=4, unique=True)
FUNCTIONS = st.lists(
    st.tuples(st.sampled_from(["legal", "tax", "product"]), HOLDERS, QUORUMS, st.sampled_from([BEFORE, BESIDE, AFTER])),
    max_size=3,
)


@given(HOLDERS, QUORUMS, FUNCTIONS)
def test_nobody_sits_twice_every_quorum_can_be_met_and_numbers_rise(
    holders: list[int], quorum: tuple[str, int | None], functions: list[Any]
) -> None:
    wanted = [authority(*holders, quorum=quorum[0], quorum_of=quorum[1])]
    wanted += [function(role, *ids, quorum=q[0], quorum_of=q[1], place=place) for role, ids, q, place in functions]
    try:
        made = rules.stages_for(wanted)
    except Invalid:
        return
    groups = [group for stage in made for group in stage.groups]
    sitting = [seat.person for group in groups for seat in group.seats]
    assert len(sitting) == len(set(sitting))
    assert {group.role for group in groups} == {each.role for each in wanted}
    assert all(1 <= group.quorum <= len(group.seats) for group in groups)
    assert [seat.number for group in groups for seat in group.seats] == list(range(1, len(sitting) + 1))
