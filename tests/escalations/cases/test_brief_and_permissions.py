"""A brief names its gaps; a verb is allowed by standing only."""

import pytest

from escalations.cases.rules import brief
from escalations.cases.rules.permissions import Standing, may, who_may

COMPLETE = {
    "summary": "They will not renew.",
    "facts": "Two offers are lower.",
    "recommendation": "Grant it.",
    "ask": "A decision by 15:00 ET Wednesday.",
    "next_step": "Call on Thursday.",
}
OPTIONS = [
    {"name": "Grant", "trade_off": "Margin", "recommended": True},
    {"name": "Keep", "trade_off": "Lost renewal", "status_quo": True},
]


def test_a_complete_brief_has_no_gaps() -> None:
    assert brief.missing(COMPLETE, OPTIONS) == []


@pytest.mark.parametrize("part", list(COMPLETE))
def test_each_required_part_is_named_when_empty(part: str) -> None:
    assert brief.NAMES[part] in brief.missing({**COMPLETE, part: "  "}, OPTIONS)


@pytest.mark.parametrize("words", ["as soon as possible", "We need it ASAP", "a.s.a.p. please"])
def test_vague_deadlines_are_refused(words: str) -> None:
    assert any("date and time" in gap for gap in brief.missing({**COMPLETE, "ask": words}, OPTIONS))


@pytest.mark.parametrize(
    ("options", "gap"),
    [
        ([], "at least two"),
        (OPTIONS[:1], "at least two"),
        ([{"name": "A", "trade_off": "x", "recommended": True}, {"name": "B", "trade_off": "y"}], "status quo"),
        ([OPTIONS[0], {"name": "Keep", "trade_off": "", "status_quo": True}], "Trade-off"),
        ([{**OPTIONS[0], "recommended": False}, OPTIONS[1]], "recommended"),
    ],
)
def test_options_must_be_an_honest_choice(options: list[dict[str, object]], gap: str) -> None:
    assert any(gap in found for found in brief.missing(COMPLETE, options))


def test_only_the_communication_lead_writes_to_the_customer() -> None:
    assert may("customer_update", Standing(communication=True))
    assert not may("customer_update", Standing(owner=True, authority=True, ops=True, senior=True))


@pytest.mark.parametrize("verb", ["resolve", "escalate", "ask", "pause", "status", "close", "withdraw"])
def test_a_bystander_may_not_move_a_case(verb: str) -> None:
    assert not may(verb, Standing())


def test_an_unknown_verb_is_never_allowed() -> None:
    assert not may("explode", Standing(owner=True, ops=True))
    assert who_may("explode") == "nobody"


def test_a_refusal_says_who_may() -> None:
    assert "communication lead" in who_may("customer_update")
