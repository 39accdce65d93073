"""Calendar facts: the shared set passes to the second, and a wrong answer is noticed."""

import json
from pathlib import Path

from accounts.calendars.rules.facts import run_facts, split_verified

OPEN_MONDAY = {"tz": "UTC", "hours": {"mon": [["09:00", "17:00"]]}, "holidays": []}


def due_fact(**changes: object) -> dict[str, object]:
    fact = {"id": "f-1", "op": "due", "calendar": OPEN_MONDAY, "start": "2026-01-05T09:00:00Z", "business_seconds": 60}
    return {**fact, "events": [], "expected_due": "2026-01-05T09:01:00Z", "verified": True, **changes}


def test_all_verified_shared_facts_come_out_to_the_second(real_data: Path):
    facts = json.loads((real_data / "4_sla_vectors" / "sla_vectors.json").read_text())["vectors"]
    assert run_facts(facts) == (len(facts) - 1, [])
    assert [fact["id"] for fact in split_verified(facts)[1]] == ["working_hours-022"]


def test_a_fact_that_comes_out_one_second_off_is_a_failure_with_both_times():
    passed, failures = run_facts([due_fact(), due_fact(expected_due="2026-01-05T09:01:01Z")])
    assert passed == 1
    assert failures == [("f-1", "2026-01-05T09:01:01Z", "2026-01-05T09:01:00Z")]


def test_an_unverified_fact_is_left_out():
    assert run_facts([due_fact(verified=False, business_seconds=1)]) == (0, [])


def test_facts_that_cannot_be_read_fail_with_the_reason():
    facts = [
        due_fact(op="guess"),
        due_fact(calendar={"tz": "Nowhere", "hours": {}}),
        due_fact(calendar={"tz": "UTC", "hours": {"mon": [["9", "17:00"]]}}),
        due_fact(calendar={"tz": "UTC", "hours": {"Monday": [["09:00", "17:00"]]}}),
        due_fact(calendar={"tz": "UTC", "hours": {}}),
        due_fact(start="soon"),
        {"op": "due"},
    ]
    passed, failures = run_facts(facts)
    assert passed == 0
    reasons = ["unknown op", "Unknown time zone", "HH:MM", "weekday", "no working time", "soon", "calendar"]
    assert all(reason in failure.got for reason, failure in zip(reasons, failures, strict=True))


def test_a_clock_left_in_a_pause_has_no_due_time():
    events = [{"at": "2026-01-05T09:00:30Z", "type": "pause"}]
    assert run_facts([due_fact(events=events)])[1][0].got == "None"


def test_elapsed_facts_leave_paused_time_out():
    fact = {
        **due_fact(op="elapsed", end="2026-01-05T10:00:00Z", expected_business_seconds=1800),
        "events": [
            {"at": "2026-01-05T09:30:00Z", "type": "pause"},
            {"at": "2026-01-05T09:40:00Z", "type": "pause"},
            {"at": "2026-01-05T11:00:00Z", "type": "resume"},
            {"at": "2026-01-05T11:30:00Z", "type": "resume"},
        ],
    }
    assert run_facts([fact]) == (1, [])
