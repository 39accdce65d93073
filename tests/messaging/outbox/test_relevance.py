"""Is it still wanted, asked for a whole batch: one question where the app can answer for many, one by one where it cannot."""

from collections.abc import Callable, Collection

from messaging.outbox import relevance

Check = Callable[..., None]


def test_many_marks_are_asked_together_and_each_once(check: Check) -> None:
    asked: list[list[str]] = []

    def still(rests: Collection[str]) -> set[str]:
        asked.append(sorted(rests))
        return {"1", "3:7"}

    check("handoff", lambda rest: False, still)
    marks = ["handoff:1", "handoff:2", "handoff:1", "handoff:3:7", "", "unknown:5"]
    assert relevance.verdicts(marks) == {
        "handoff:1": True,
        "handoff:2": False,
        "handoff:3:7": True,
        "": True,
        "unknown:5": True,
    }
    assert asked == [["1", "2", "3:7"]]


def test_without_an_answer_for_many_each_is_asked_and_one_that_fails_stands_alone(check: Check) -> None:
    check("clock", lambda rest: int(rest) > 1)
    found = relevance.verdicts(["clock:1", "clock:2", "clock:x"])
    assert (found["clock:1"], found["clock:2"]) == (False, True)
    assert isinstance(found["clock:x"], ValueError)


def test_when_the_answer_for_many_fails_each_is_asked(check: Check) -> None:
    def broken(rests: Collection[str]) -> set[str]:
        raise ValueError("one of them is bad")

    check("clock", lambda rest: rest == "2", broken)
    assert relevance.verdicts(["clock:1", "clock:2"]) == {"clock:1": False, "clock:2": True}


def test_registering_again_without_an_answer_for_many_forgets_the_old_one(check: Check) -> None:
    check("clock", lambda rest: False, lambda rests: rests)
    check("clock", lambda rest: False)
    assert relevance.verdicts(["clock:1"]) == {"clock:1": False}
