"""From Execute to closed and back, with the review between, through the browser."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from escalations.cases import closing, thread, tracker
from escalations.models import Escalation, Event, Review
from ledger.now import now
from messaging.models import Message
from tests.escalations.cases.builders import accepted, asked, opened
from tests.support.cast import Cast

Browse = Callable[..., Any]
ENDING = {"outcome": "saved", "root_cause": "Price shock", "resolution": "Agreed on 18 percent.", "customer_told": "on"}
ANSWERS = {
    "timeline_checked": "on",
    "triggered": "Raised by Priya Raman",
    "worked": "The sponsor called.",
    "change": "Warn a quarter earlier.",
    "change_target": "Trigger renewal-risk",
    "root_cause": "Price shock",
    "automate": "",
    "lessons": "Talk about value first.",
}


def go(case: Escalation, tail: str) -> str:
    """Address below the case."""
    return f"/escalations/{case.key}/{tail}/"


def executing(cast: Cast, **extra: Any) -> Escalation:
    """A case in Execute that needed no approval."""
    case = accepted(cast, **{"concession": "", "amount": None, **extra})
    return closing.skip_to_execute(case_id=case.pk, by=case.owner, reason="Nothing is conceded")


def resolved(cast: Cast, cause: str = "Price shock", **extra: Any) -> Escalation:
    """A resolved case with its open review."""
    case = executing(cast, **extra)
    ending = closing.Ending(outcome="saved", root_cause=cause, resolution="Agreed.", customer_told=True)
    closing.resolve(case_id=case.pk, by=case.owner, ending=ending)
    return Escalation.objects.get(pk=case.pk)


def opened_with(review: Review) -> dict[str, Any]:
    """The hidden values a page of the review carries."""
    return {f"initial-{name}": getattr(review, name) for name in ANSWERS}


def test_a_case_goes_from_execute_to_closed(cast: Cast, browse: Browse) -> None:
    case, lead = accepted(cast, concession="", amount=None), cast.lead
    assert browse(lead, go(case, "execute"), {"reason": "Nothing is conceded"}).status_code == 302
    assert browse(lead, go(case, "resolve"), ENDING)["Location"] == go(case, "review")
    review = Review.objects.get(case=case)
    assert browse(lead, go(case, "review"), {**opened_with(review), **ANSWERS}).status_code == 302
    assert browse(lead, go(case, "review/sign"), {}).status_code == 302
    assert browse(lead, go(case, "close"), {}).status_code == 302
    case = Escalation.objects.get(pk=case.pk)
    assert (case.state, case.root_cause, case.outcome) == ("closed", "Price shock", "saved")
    review.refresh_from_db()
    assert (review.state, review.signed_by, review.lessons) == (Review.DONE, lead, "Talk about value first.")


@pytest.mark.parametrize("verb", ["execute", "reopen", "withdraw"])
def test_a_reason_is_needed(cast: Cast, browse: Browse, verb: str) -> None:
    case = resolved(cast) if verb == "reopen" else accepted(cast)
    answer = browse(cast.lead if verb != "withdraw" else cast.csm, go(case, verb), {"reason": " "})
    assert answer.status_code == 422
    before = case.state
    assert Escalation.objects.get(pk=case.pk).state == before


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("outcome", "Choose the outcome."),
        ("root_cause", "Name the root cause in a few words."),
        ("resolution", "Write how it was resolved."),
        ("customer_told", "Tell the customer first"),
    ],
)
def test_resolving_asks_for_everything(cast: Cast, browse: Browse, field: str, words: str) -> None:
    case = executing(cast)
    answer = browse(
        cast.lead,
        go(case, "resolve"),
        {**ENDING, field: ""}
        if field != "customer_told"
        else {name: value for name, value in ENDING.items() if name != field},
    )
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert Escalation.objects.get(pk=case.pk).state == "executing"


def test_resolving_waits_for_the_proofs_and_names_them(cast: Cast, browse: Browse) -> None:
    case = executing(cast)
    due = now() + timedelta(days=1)
    tracker.add_action(
        case_id=case.pk, by=cast.lead, title="Send the credit note", owner=cast.ae, due_at=due, execution=True
    )
    assert "Send the credit note" in browse(cast.lead, go(case, "resolve")).content.decode()
    answer = browse(cast.lead, go(case, "resolve"), ENDING)
    assert answer.status_code == 422
    assert "still needs its proof" in answer.content.decode()


def test_causes_written_before_are_offered(cast: Cast, browse: Browse) -> None:
    resolved(cast, cause="Billing run failed")
    case = executing(cast, issue="The invoices are wrong again.")
    assert '<option value="Billing run failed">' in browse(cast.lead, go(case, "resolve")).content.decode()


def test_a_step_that_is_not_open_says_so_and_does_nothing(cast: Cast, browse: Browse) -> None:
    case = asked(cast)
    page = browse(cast.lead, go(case, "resolve")).content.decode()
    assert "so this step is not available" in page
    assert "Resolve the case</button>" not in page
    assert browse(cast.lead, go(case, "resolve"), ENDING).status_code == 409
    assert browse(cast.lead, go(case, "execute"), {"reason": "x"}).status_code == 422


@pytest.mark.parametrize("verb", ["execute", "resolve"])
def test_only_the_owner_side_moves_a_case(cast: Cast, browse: Browse, verb: str) -> None:
    case = accepted(cast)
    assert browse(cast.legal, go(case, verb)).status_code == 403
    assert browse(cast.legal, go(case, verb), {**ENDING, "reason": "x"}).status_code == 403
    assert browse(cast.outsider, go(case, verb)).status_code == 404


def test_withdrawing_recalls_what_waits(cast: Cast, browse: Browse) -> None:
    case = asked(cast)
    assert browse(cast.csm, go(case, "withdraw"), {"reason": "They signed"}).status_code == 302
    assert Escalation.objects.get(pk=case.pk).state == "withdrawn"
    assert case.requests.get().state == "recalled"


def test_closing_waits_for_the_review(cast: Cast, browse: Browse) -> None:
    case = resolved(cast)
    answer = browse(cast.lead, go(case, "close"), {})
    assert answer.status_code == 422
    assert "Sign the review, or waive it with a reason, before closing." in answer.content.decode()


def test_signing_names_what_is_empty(cast: Cast, browse: Browse) -> None:
    case = resolved(cast)
    answer = browse(cast.lead, go(case, "review/sign"), {})
    assert answer.status_code == 422
    assert "Still empty: Timeline checked, What worked, What to change, Lessons." in answer.content.decode()


def test_waiving_needs_a_reason_and_a_manager(cast: Cast, browse: Browse) -> None:
    case = resolved(cast)
    assert browse(cast.csm, go(case, "review/waive"), {"reason": "Tiny"}).status_code == 403
    assert browse(cast.lead, go(case, "review/waive"), {"reason": ""}).status_code == 422
    assert browse(cast.lead, go(case, "review/waive"), {"reason": "Tiny"}).status_code == 302
    assert Review.objects.get(case=case).state == Review.WAIVED
    assert "Waive the review" not in browse(cast.lead, go(case, "review")).content.decode()


def test_reopening_a_closed_case_starts_it_again(cast: Cast, browse: Browse) -> None:
    case = resolved(cast)
    browse(cast.lead, go(case, "review/waive"), {"reason": "Tiny"})
    browse(cast.lead, go(case, "close"), {})
    assert "Reopen" in browse(cast.lead, go(case, "review")).content.decode()
    assert browse(cast.csm, go(case, "reopen"), {"reason": "The discount was not booked"}).status_code == 302
    case = Escalation.objects.get(pk=case.pk)
    assert (case.state, case.reopened_count) == ("diagnosing", 1)


def test_a_review_shows_tasks_and_facts_from_the_case(cast: Cast, browse: Browse) -> None:
    case = resolved(cast)
    page = browse(cast.lead, go(case, "review")).content.decode()
    assert "3 of 8 done" in page
    for words in (
        "Timeline checked",
        "Raised by Priya Raman",
        "Time to escalate",
        "At-risk revenue saved",
        "Price shock",
    ):
        assert words in page
    assert browse(cast.outsider, go(case, "review")).status_code == 404


def test_a_case_without_a_review_has_no_review_page(cast: Cast, browse: Browse) -> None:
    case = accepted(cast)
    assert browse(cast.lead, go(case, "review")).status_code == 404


def test_only_changed_answers_are_written(cast: Cast, browse: Browse) -> None:
    case = resolved(cast)
    review = Review.objects.get(case=case)
    old = opened_with(review)
    closing.write_review(case_id=case.pk, by=cast.lead, answers={"worked": "Theirs"})
    browse(
        cast.ops,
        go(case, "review"),
        {**old, "triggered": review.triggered, "root_cause": review.root_cause, "lessons": "Mine"},
    )
    review.refresh_from_db()
    assert (review.worked, review.lessons) == ("Theirs", "Mine")


def test_two_people_changing_one_answer_see_the_other_text(cast: Cast, browse: Browse) -> None:
    case = resolved(cast)
    review = Review.objects.get(case=case)
    data = {**opened_with(review), "triggered": review.triggered, "root_cause": review.root_cause, "worked": "Mine"}
    closing.write_review(case_id=case.pk, by=cast.lead, answers={"worked": "Theirs"})
    answer = browse(cast.ops, go(case, "review"), data)
    assert answer.status_code == 409
    assert "Someone has changed this to: “Theirs”." in answer.content.decode()
    assert browse(cast.ops, go(case, "review"), {**data, "initial-worked": "Theirs"}).status_code == 302
    review.refresh_from_db()
    assert review.worked == "Mine"


def test_a_reader_cannot_write_a_review(cast: Cast, browse: Browse) -> None:
    case = resolved(cast)
    case.people.filter(user=cast.ae).delete()
    data = {**opened_with(Review.objects.get(case=case)), "worked": "x"}
    page = browse(cast.ae, go(case, "review")).content.decode()
    assert "Save answers" not in page
    assert browse(cast.ae, go(case, "review"), data).status_code == 403
    assert browse(cast.outsider, go(case, "review"), data).status_code == 404


def test_the_list_shows_due_reviews_and_marks_causes_that_came_back(cast: Cast, browse: Browse) -> None:
    resolved(cast)
    assert "Repeat" not in browse(cast.lead, "/reviews/").content.decode()
    again = resolved(cast, cause="price shock", issue="The invoices are wrong again.")
    due_on = (now() + timedelta(days=7)).date()
    tracker.promise(case_id=again.pk, by=cast.lead, text="Monthly report", owner=cast.ae, due_on=due_on)
    page = browse(cast.lead, "/reviews/").content.decode()
    assert page.count('<span class="tag">Repeat</span>') == 2
    assert "Monthly report" in page
    assert "3 of 8" in page
    assert again.key not in browse(cast.outsider, "/reviews/").content.decode()


def test_the_views_of_the_list_sort_reviews_by_state(cast: Cast, browse: Browse) -> None:
    case = resolved(cast)
    closing.waive_review(case_id=case.pk, by=cast.lead, reason="Tiny")
    assert case.key not in browse(cast.lead, "/reviews/").content.decode()
    assert case.key in browse(cast.lead, "/reviews/?view=waived").content.decode()
    assert browse(cast.lead, "/reviews/?view=nonsense").status_code == 404


def test_the_list_asks_the_database_no_more_for_more_rows(cast: Cast, browse: Browse) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            browse(cast.lead, "/reviews/")
        return len(found)

    resolved(cast)
    before = queries()
    resolved(cast, issue="The invoices are wrong again.")
    resolved(cast, issue="Support did not answer for two days.")
    assert queries() == before


READS = (
    "brief",
    "brief/page",
    "tracker",
    "roles",
    "approvals",
    "approvals/new",
    "hand-over",
    "escalate",
    "execute",
    "resolve",
    "close",
    "reopen",
    "withdraw",
    "review",
    "handoffs/1",
    "brief/versions/1",
)


def test_reading_changes_nothing(cast: Cast, browse: Browse) -> None:
    case = resolved(cast)
    before = (Event.objects.count(), Escalation.objects.get(pk=case.pk).version, Review.objects.get(case=case).state)
    for tail in READS:
        assert browse(cast.lead, go(case, tail)).status_code in (200, 403)
    assert (
        Event.objects.count(),
        Escalation.objects.get(pk=case.pk).version,
        Review.objects.get(case=case).state,
    ) == before


@pytest.mark.parametrize(
    "tail", ["review/sign", "review/waive", "tracker/actions", "handoffs/1/accept", "handoffs/1/refuse"]
)
def test_verbs_do_not_answer_to_reading(cast: Cast, browse: Browse, tail: str) -> None:
    case = resolved(cast)
    assert browse(cast.lead, go(case, tail)).status_code == 405


def test_a_case_is_marked_as_a_duplicate_and_says_where_it_went(cast: Cast, browse: Browse) -> None:
    original, case = opened(cast), opened(cast)
    here = f"/escalations/{case.key}/duplicate/"
    assert here in browse(cast.csm, f"/escalations/{case.key}/").content.decode()
    assert original.key in browse(cast.csm, here).content.decode()
    refused = browse(cast.csm, here, {"of": case.pk, "once": "a"})
    assert refused.status_code == 422
    assert "Choose another open case of Northwind Logistics." in refused.content.decode()
    assert browse(cast.csm, here, {"of": original.pk, "once": "b"}).status_code == 302
    page = browse(cast.csm, f"/escalations/{case.key}/").content.decode()
    assert f'href="/escalations/{original.key}/"' in page
    assert f"{case.key} “" in browse(cast.csm, f"/escalations/{original.key}/").content.decode()
    assert browse(cast.outsider, here).status_code == 404


def test_resolving_shows_whether_the_customer_was_told_since_the_decision(cast: Cast, browse: Browse) -> None:
    case, lead = executing(cast), cast.lead
    page = browse(lead, go(case, "resolve")).content.decode()
    assert "No update has gone to the customer since the decision." in page
    assert (
        "Tell the customer, or confirm that the customer knows"
        in browse(lead, f"/escalations/{case.key}/").content.decode()
    )
    sender = case.people.get(duty="communication").user
    thread.customer_update(case_id=case.pk, by=sender, text="It is agreed.", contacts=[cast.contact])
    page = browse(lead, go(case, "resolve")).content.decode()
    assert "No update has gone" not in page
    assert "Update to the customer since the decision:" in page
    assert "To Jonas Thiel, by" in " ".join(page.split())
    page = browse(lead, f"/escalations/{case.key}/").content.decode()
    assert "the customer got an update since the decision" in page
    assert "Confirm that" not in page


def test_the_composer_says_who_gets_which_mail(cast: Cast, browse: Browse) -> None:
    case = executing(cast)
    sender = case.people.get(duty="communication").user
    page = " ".join(browse(sender, f"/escalations/{case.key}/").content.decode().split())
    assert "Jonas Thiel, jonas@northwind.example" in page
    assert f"Its subject names {case.key} and {cast.northwind.name}." in page
    thread.customer_update(case_id=case.pk, by=sender, text="It is agreed.", contacts=[cast.contact])
    assert Message.objects.get(kind="customer_update").subject == f"Update 1 on {case.key}: {cast.northwind.name}"
