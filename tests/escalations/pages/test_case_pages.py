"""The case as people see it: frame, thread, history."""

import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Contact, Signal
from approvals.models import ApprovalRequest
from escalations.cases import brief as briefing
from escalations.cases import decisions, tracker
from escalations.cases import requests as asking
from escalations.cases import thread as communication
from escalations.models import Clock, Event
from ledger.now import now
from tests.escalations.pages.stories import days, join, urls

READY = {
    "summary": "They want 18%.",
    "facts": "Counsel will not sign.",
    "recommendation": "Grant it.",
    "ask": "18% by Friday 5 PM",
    "next_step": "Sign",
}
OPTIONS = [
    {"name": "Grant 18%", "trade_off": "Margin", "recommended": True},
    {"name": "Leave it", "trade_off": "Churn", "status_quo": True},
]


def ask_for(case, cast, amount=18):
    """A request the director has to decide."""
    briefing.save_parts(case_id=case.pk, by=case.owner, texts=READY, options=OPTIONS, versions={})
    wanted = asking.CaseAsk("discount", Decimal(amount), "USD", f"Grant {amount}%?")
    return asking.ask(wanted, case_id=case.pk, by=cast.csm)


@pytest.mark.parametrize("name", ["case", "history"])
def test_people_of_the_account_and_their_managers_see_the_case_and_outsiders_get_404(cast, case, as_user, name):
    for user in (cast.csm, cast.ae, cast.lead, cast.director, cast.sponsor, cast.ops):
        assert as_user(user).get(urls(name, case)).status_code == 200, user
    assert as_user(cast.outsider).get(urls(name, case)).status_code == 404


def test_a_confidential_case_does_not_exist_for_those_not_named(cast, open_case, as_user):
    case = open_case(confidential=True)
    named = set(case.people.values_list("user", flat=True))
    assert cast.ops.pk not in named
    assert as_user(cast.ops).get(urls("case", case)).status_code == 404
    assert as_user(cast.csm).get(urls("case", case)).status_code == 200


def test_every_write_answers_an_outsider_with_404(cast, case, as_user):
    client, count = as_user(cast.outsider), case.events.count()
    entry = case.events.first().pk
    for path in (
        urls("post", case),
        urls("customer_update", case),
        urls("status", case),
        urls("waiting", case),
        urls("correct", case, entry),
    ):
        assert (
            client.post(path, {"text": "Hello", "mode": "internal", "version": 1, "waiting_on": "nobody"}).status_code
            == 404
        )
    assert case.events.count() == count


def test_reading_a_case_changes_nothing(cast, case, as_user):
    client = as_user(cast.csm)
    for name in ("case", "history", "status", "waiting", "opened"):
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert client.get(urls(name, case)).status_code == 200
        writes = [
            q["sql"] for q in seen if re.match(r"(INSERT|UPDATE|DELETE)", q["sql"]) and "django_session" not in q["sql"]
        ]
        assert writes == [], name


def test_the_page_says_who_must_accept_and_shows_clocks_roles_and_reasons(cast, case, as_user):
    handoff = case.handoffs.get(state="waiting", duty="owner")
    page = as_user(cast.csm).get(urls("case", case)).content.decode()
    assert f"{handoff.to_user.name}" in page
    assert "not accepted" in page
    for words in (
        "SLA clocks",
        "Why is it due then?",
        "Acceptance",
        "Decision authority",
        "Why this level",
        case.triage_reasons[0][:20],
        "Score",
    ):
        assert words in page


def test_the_person_asked_gets_one_button_to_accept(cast, case, as_user):
    handoff = case.handoffs.get(state="waiting", duty="owner")
    page = as_user(handoff.to_user).get(urls("case", case)).content.decode()
    assert "Next: accept this hand-off" in page
    assert urls("handoff", case, handoff.number) in page


def test_buttons_are_offered_only_to_those_who_may(cast, accepted, as_user):
    mine = as_user(accepted.owner).get(urls("case", accepted)).content.decode()
    assert urls("waiting", accepted) in mine
    assert urls("ask", accepted) in mine
    legal = join(accepted, cast.legal)
    theirs = as_user(legal).get(urls("case", accepted)).content.decode()
    for name in ("waiting", "ask", "withdraw", "status"):
        assert f'href="{urls(name, accepted)}"' not in theirs


def test_a_post_appears_newest_first_and_sets_the_next_update(cast, accepted, as_user):
    client = as_user(accepted.owner)
    client.post(urls("post", accepted), {"mode": "internal", "text": "First thing"})
    answer = client.post(
        urls("post", accepted), {"mode": "internal", "text": "Second thing", "next_update_at": "2099-01-21T16:30"}
    )
    assert answer.status_code == 302
    page = client.get(urls("case", accepted)).content.decode()
    assert page.index("Second thing") < page.index("First thing")
    accepted.refresh_from_db()
    assert f"{accepted.next_update_at:%Y-%m-%d %H:%M}" == "2099-01-21 21:30"  # typed in New York, kept in UTC


def test_markup_in_a_post_is_shown_as_text(cast, accepted, as_user):
    client = as_user(cast.csm)
    client.post(urls("post", accepted), {"mode": "internal", "text": "<script>alert(1)</script>"})
    page = client.get(urls("case", accepted)).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_decision_is_blue_and_found_by_the_filter(cast, accepted, as_user):
    client = as_user(accepted.people.get(duty="authority").user)
    words = {
        "mode": "decision",
        "text": "We hold the price",
        "rationale": "The margin is thin",
        "options": "Hold or cut",
    }
    assert client.post(urls("post", accepted), words).status_code == 302
    client.post(urls("post", accepted), {"mode": "internal", "text": "Just a note"})
    page = client.get(urls("case", accepted), {"show": "decisions"}).content.decode()
    assert 'class="note dec' in page
    assert "We hold the price" in page
    assert "The margin is thin" in page
    assert "Just a note" not in page
    assert client.get(urls("case", accepted), {"show": "nonsense"}).status_code == 404


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"text": "   "}, "Write what changed"),
        ({"text": "Kept words", "next_update_at": "soon"}, "Enter the next update as a date and time"),
        ({"text": "Kept words", "next_update_at": "2001-01-01T10:00"}, "must be in the future"),
        ({"text": "Kept words", "mode": "shout"}, "Select a valid choice"),
    ],
)
def test_a_wrong_post_is_422_and_keeps_what_was_typed(cast, accepted, as_user, typed, words):
    before = accepted.events.count()
    answer = as_user(cast.csm).post(urls("post", accepted), {"mode": "internal", **typed})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert typed["text"].strip() in page
    assert "There is a problem" in page
    assert accepted.events.count() == before


def test_only_the_communication_lead_writes_to_the_customer(cast, accepted, as_user):
    lead = accepted.people.get(duty="communication").user
    words = {"mode": "customer", "text": "We will answer by Friday.", "contacts": [cast.contact.pk]}
    refused = as_user(cast.director).post(urls("post", accepted), words)
    assert refused.status_code in (403, 422)
    assert "We will answer by Friday." in refused.content.decode()
    assert not accepted.events.filter(kind=Event.CUSTOMER_UPDATE).exists()
    assert (
        "The communication lead sends customer updates"
        in as_user(cast.director).get(urls("case", accepted)).content.decode()
    )
    assert as_user(lead).post(urls("post", accepted), words).status_code == 302
    assert accepted.events.get(kind=Event.CUSTOMER_UPDATE).summary == "To Jonas Thiel"


def test_a_customer_update_needs_a_contact_of_this_account(cast, accepted, as_user):
    stranger = Contact.objects.create(account=cast.elsewhere, name="Eve", email="eve@harbor.example")
    client = as_user(accepted.people.get(duty="communication").user)
    for contacts in ([], [stranger.pk]):
        answer = client.post(urls("customer_update", accepted), {"text": "Hello", "contacts": contacts})
        assert answer.status_code == 422
        assert "Hello" in answer.content.decode()
    assert not accepted.events.filter(kind=Event.CUSTOMER_UPDATE).exists()


def test_customer_words_stand_on_cream_with_their_flagged_phrases(cast, open_case, as_user):
    signal = Signal.objects.create(
        account=cast.northwind,
        contact=cast.contact,
        kind="email",
        at=now(),
        text="This is unacceptable, says <b>Jonas</b>",
        phrases=[{"kind": "tone", "text": "unacceptable", "start": 8, "end": 20, "weight": 2}],
    )
    page = as_user(cast.csm).get(urls("case", open_case(signal=signal))).content.decode()
    assert "note cust" in page
    assert '<mark class="phrase">unacceptable</mark>' in page
    assert "Flagged: “unacceptable”" in " ".join(page.split())
    assert "&lt;b&gt;Jonas" in page


def test_an_edit_shows_the_latest_text_and_keeps_the_earlier_one_a_click_away(cast, accepted, as_user):
    client = as_user(cast.csm)
    entry = communication.post(case_id=accepted.pk, by=cast.csm, text="They agreed to 12%")
    assert client.post(urls("correct", accepted, entry.pk), {"text": "They agreed to 15%"}).status_code == 302
    page = client.get(urls("case", accepted)).content.decode()
    assert page.index("They agreed to 15%") < page.index("Earlier text") < page.index("They agreed to 12%")
    assert page.count("They agreed to 15%") == 1
    again = client.get(urls("history", accepted)).content.decode()
    assert "Replaces entry" in again


def test_nobody_edits_the_words_of_others_or_entries_of_another_case(cast, accepted, open_case, as_user):
    entry = communication.post(case_id=accepted.pk, by=cast.csm, text="Mine")
    answer = as_user(cast.lead).post(urls("correct", accepted, entry.pk), {"text": "Theirs"})
    assert answer.status_code == 403
    other = open_case(issue_type="billing-dispute")
    assert as_user(cast.csm).post(urls("correct", other, entry.pk), {"text": "x"}).status_code == 404


def test_a_long_thread_is_paged_without_losing_an_entry(cast, accepted, as_user):
    for number in range(55):
        communication.post(case_id=accepted.pk, by=cast.csm, text=f"Post number {number:03}.")
    client, path, seen = as_user(cast.csm), urls("case", accepted) + "?show=updates", []
    while path:
        page = client.get(path).content.decode()
        seen += re.findall(r"Post number (\d{3})\.", page)
        older = re.search(r'rel="next"\s+href="([^"]+)"', page)
        path = urls("case", accepted) + older[1].replace("&amp;", "&") if older else None
    assert seen == [f"{number:03}" for number in reversed(range(55))]


def test_clocks_pause_with_a_reason_and_resume(cast, accepted, as_user):
    client = as_user(accepted.owner)
    missing = client.post(urls("waiting", accepted), {"waiting_on": "customer", "reason": ""})
    assert missing.status_code == 422
    assert "Enter why the clocks pause." in missing.content.decode()
    assert (
        client.post(
            urls("waiting", accepted), {"waiting_on": "customer", "reason": "Counsel reads the redline"}
        ).status_code
        == 302
    )
    page = client.get(urls("case", accepted)).content.decode()
    assert "Counsel reads the redline" in page
    assert "Resume clocks" in page
    assert client.post(urls("waiting", accepted), {"waiting_on": "nobody"}).status_code == 302
    assert not accepted.clocks.filter(state=Clock.PAUSED).exists()


def test_whoever_may_not_pause_is_refused_with_the_reason(cast, accepted, as_user):
    person = join(accepted, cast.legal)
    answer = as_user(person).post(urls("waiting", accepted), {"waiting_on": "customer", "reason": "No"})
    assert answer.status_code == 403
    assert "Allowed:" in answer.content.decode()


def test_a_case_page_asks_the_same_few_questions_however_much_is_on_it(cast, accepted, as_user):
    client = as_user(accepted.people.get(duty="communication").user)
    client.get(urls("case", accepted))
    fill(cast, accepted, 1)
    with CaptureQueriesContext(connection) as few:
        client.get(urls("case", accepted))
    fill(cast, accepted, 3)
    with CaptureQueriesContext(connection) as many:
        client.get(urls("case", accepted))
    assert len(many) == len(few)
    assert len(few) <= 15, [q["sql"][:90] for q in few]


def fill(cast, case, times):
    """More of everything a case page lists."""
    for number in range(times):
        entry = communication.post(case_id=case.pk, by=cast.csm, text=f"Update {number}")
        communication.correct(case_id=case.pk, event_id=entry.pk, by=cast.csm, text="Better")
        authority = case.people.get(duty="authority").user
        decisions.decide(case_id=case.pk, by=authority, ruling=decisions.Ruling("Held", "As before"))
        tracker.add_action(case_id=case.pk, by=cast.csm, title="Call", owner=cast.ae, due_at=days(1))
        join(case, [cast.finance, cast.outsider, cast.admin][number if times > 1 else 0])
        Contact.objects.create(account=case.account, name="C", email=f"c{times}{number}@northwind.example")
        case.refresh_from_db()
        communication.set_status(case_id=case.pk, by=case.owner, text=f"Status {number}", version=case.version)


def test_an_open_request_shows_who_decides_and_is_counted(cast, accepted, as_user):
    made = ask_for(accepted, cast)
    assert made.state == ApprovalRequest.OPEN
    page = as_user(cast.csm).get(urls("case", accepted)).content.decode()
    assert f"{made.approver.name} decides" in page
    theirs = as_user(made.approver).get(urls("case", accepted)).content.decode()
    assert "Next: decide" in theirs
    assert f"/approvals/{made.pk}/" in theirs
