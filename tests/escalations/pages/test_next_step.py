"""The rule behind the next-step card."""

from datetime import UTC, datetime, timedelta

import pytest

from escalations import states
from escalations.cases.rules.next_step import Facts, Promise, next_step

AT = datetime(2026, 1, 21, 19, 0, tzinfo=UTC)
BEFORE, AFTER = AT - timedelta(minutes=42), AT + timedelta(hours=3)
OWNED = {"state": states.DIAGNOSING, "owner": "Priya Raman"}
LATE_DECISION = Promise(BEFORE, warned=True, label="Director decision")
LATE_UPDATE = Promise(BEFORE, warned=True)


def step(**facts):
    return next_step(Facts(**{**OWNED, **facts}), AT)


def test_a_missing_owner_comes_before_a_late_decision():
    found = step(owner="", state=states.HANDED_OFF, asked_to_own="Tom Becker", decision=LATE_DECISION)
    assert found.code == "no_owner"
    assert "Tom Becker" in found.title


def test_whoever_was_asked_to_own_it_is_told_to_accept():
    found = step(state=states.HANDED_OFF, asked_to_own="Tom Becker", asked_is_viewer=True, acceptance=Promise(AFTER))
    assert (found.code, found.acts, found.moment) == ("accept", ("accept",), AFTER)


def test_a_late_decision_comes_before_a_late_customer_update():
    found = step(
        state=states.APPROVING,
        open_requests=1,
        decider="Dana Whitfield",
        decision=LATE_DECISION,
        customer_update=LATE_UPDATE,
    )
    assert (found.code, found.mood) == ("decision_late", "hot")
    assert found.title == "Next: get a decision from Dana Whitfield"
    assert "remind" in found.acts


def test_the_decider_of_a_late_request_is_told_to_decide():
    found = step(state=states.APPROVING, open_requests=1, decider_is_viewer=True, decision=LATE_DECISION)
    assert (found.title, found.acts) == ("Next: decide", ("decide",))


def test_without_a_request_a_late_decision_asks_for_one():
    assert step(decision=LATE_DECISION, decider="Dana Whitfield").acts == ("ask", "escalate")


def test_a_customer_update_counts_once_its_warning_time_is_over():
    assert step(customer_update=Promise(AFTER, warned=True), concession=True).code == "customer_update"
    assert step(customer_update=Promise(AFTER, warned=False), concession=True).code == "approval"


def test_an_approval_to_request_comes_before_a_late_action():
    assert step(concession=True, late_action="Log the deadlock").code == "approval"


def test_the_brief_comes_before_the_request_that_it_holds_back() -> None:
    found = step(concession=True, brief_gaps=3)
    assert (found.title, found.acts) == ("Next: complete the brief", ("brief",))
    assert "Fill 3 gaps of the brief" in found.why


def test_one_open_action_is_named_in_the_singular() -> None:
    assert step(state=states.EXECUTING, open_execution=1).why == "1 action is open."
    assert step(state=states.EXECUTING, open_execution=2).why == "2 actions are open."


@pytest.mark.parametrize("asked", [{"open_requests": 1}, {"granted_requests": 1}])
def test_an_approval_that_was_requested_is_not_asked_for_again(asked):
    assert step(concession=True, **asked).code != "approval"


def test_a_late_action_comes_before_resolving():
    found = step(state=states.EXECUTING, late_action="Send the credit note", late_since=BEFORE)
    assert (found.code, found.moment) == ("late_action", BEFORE)


def test_executing_with_nothing_left_to_carry_out_is_ready_to_resolve():
    assert step(state=states.EXECUTING).code == "ready"
    assert step(state=states.EXECUTING, open_execution=1).code == "execute"


def test_waiting_on_the_customer_asks_nothing_of_anybody():
    found = step(waiting_on=states.CUSTOMER)
    assert (found.mood, found.title) == ("none", "Nothing is waiting for you")


def test_an_escalating_clock_says_what_happens_by_itself_below_the_top():
    promise = Promise(AFTER, escalates=True, label="Director decision")
    assert "is escalated one level" in step(state=states.APPROVING, open_requests=1, decision=promise).then
    assert step(state=states.APPROVING, open_requests=1, decision=promise, goes_up=False).then == ""


def test_a_resolved_case_waits_for_its_review_then_closes():
    assert step(state=states.RESOLVED).code == "review"
    assert step(state=states.IN_REVIEW, review_settled=True).acts == ("close",)
    assert step(state=states.CLOSED).code == "ended"


def test_a_case_decided_without_a_concession_is_carried_out_next() -> None:
    found = step(decided=True)
    assert (found.title, found.acts) == ("Next: carry out the decision", ("execute", "ask"))


def test_what_came_back_after_the_end_waits_for_an_answer() -> None:
    assert step(state=states.CLOSED, came_back=True).title == "Next: answer what came back"
    assert step(state=states.CLOSED).title == "Nothing is waiting for you"


def test_several_who_are_asked_decide_and_one_decides() -> None:
    waiting = {"state": states.APPROVING, "open_requests": 1}
    assert step(**waiting, decider="Lena Ortiz").title.endswith("Lena Ortiz decides")
    assert step(**waiting, decider="Lena Ortiz and Ravi Menon", deciders=2).title.endswith("and Ravi Menon decide")
