"""The pages: who sees what, that reading changes nothing, and what the buttons do."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import serializers
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from approvals.models import ApprovalRequest, DecisionEntry, DecisionLink, Seat
from approvals.requests import decide as deciding
from approvals.requests import seats as seating
from approvals.requests import talk
from messaging.models import Message
from tests.support.cast import Cast

Ask = Callable[..., ApprovalRequest]
HOSTILE = "<script>alert(1)</script>"


def signed_in(user: User) -> Client:
    """A browser of this person."""
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def url(name: str, made: ApprovalRequest) -> str:
    """An address of a request."""
    return reverse(f"approvals:{name}", args=[made.pk])


def text(answer: Any) -> str:
    """The page with single spaces."""
    return re.sub(r"\s+", " ", answer.content.decode())


def mailed_link(made: ApprovalRequest, user: User) -> str:
    """The path of the one link in the newest mail to a person."""
    mail = Message.objects.filter(user=user, kind="approval").latest("id")
    links = re.findall(r"/d/[\w-]+/", mail.text)
    assert len(links) == 1
    return links[0]


def everything() -> str:
    """All rows of approvals and the outbox, as text."""
    models = (ApprovalRequest, Seat, DecisionEntry, DecisionLink, Message)
    return "".join(serializers.serialize("json", model.objects.order_by("pk")) for model in models)


def submit(client: Client, made: ApprovalRequest, verdict: str = "approved", **values: Any) -> Any:
    """Press Submit decision on a page opened at the present version."""
    wanted = {
        "verdict": verdict,
        "version": made.version,
        "seat": made.authority_seat.number,
        "reason": "",
        "conditions": "",
    }
    return client.post(url("decide", made), {**wanted, **values})


def test_the_link_in_the_mail_leads_to_the_decision_and_the_decision_is_a_post(deciders: Cast, ask: Ask) -> None:
    made, client = ask(), signed_in(deciders.director)
    answer = client.get(mailed_link(made, deciders.director))
    assert (answer.status_code, answer["Location"]) == (302, url("detail", made))
    page = text(client.get(url("detail", made)))
    assert "Approve a 15% discount for Northwind?" in page
    assert "Approve as recommended" in page
    page = text(client.get(url("confirm", made), {"verdict": "approved"}))
    assert "When you submit" in page
    assert submit(client, made).status_code == 302
    made.refresh_from_db()
    assert (made.state, made.log.last().channel) == ("approved", "link")


def test_a_visitor_who_is_not_signed_in_is_asked_to_and_comes_back(deciders: Cast, ask: Ask) -> None:
    link = mailed_link(ask(), deciders.director)
    answer = Client().get(link)
    assert answer.status_code == 302
    assert answer["Location"] == f"{reverse('account_login')}?next={link}"


@pytest.mark.parametrize("visitor", [None, "director", "sponsor", "outsider"])
def test_twenty_openings_of_a_link_change_nothing(deciders: Cast, ask: Ask, visitor: str | None) -> None:
    made = ask()
    link = mailed_link(made, deciders.director)
    client = signed_in(getattr(deciders, visitor)) if visitor else Client()
    before = everything()
    for _ in range(10):
        client.get(link)
        client.head(link)
    assert everything() == before


def test_no_get_of_any_page_changes_anything(deciders: Cast, ask: Ask) -> None:
    made, before = ask(), everything()
    for person in (deciders.director, deciders.csm, deciders.sponsor, deciders.outsider):
        client = signed_in(person)
        for name in ("detail", "brief", "confirm"):
            client.get(url(name, made))
        for name in ("decide", "question", "answer", "recall", "remind", "undo"):
            assert client.get(url(name, made)).status_code == 405
            assert client.head(url(name, made)).status_code == 405
        for tab in ("needs-you", "waiting", "decided"):
            assert client.get(reverse("approvals:inbox"), {"tab": tab}).status_code == 200
        client.get(reverse("approvals:who"), {"concession": "discount", "amount": "15"})
    assert everything() == before


def test_a_used_link_says_what_happened(deciders: Cast, ask: Ask) -> None:
    made = ask()
    link = mailed_link(made, deciders.director)
    deciding.decide(
        request_id=made.pk,
        by=deciders.sponsor,
        verdict="approved",
        version=1,
        words=deciding.Words(reason="Lena is away."),
    )
    answer = signed_in(deciders.director).get(link)
    assert answer.status_code == 410
    assert "Already approved by Dana Whitfield at " in text(answer)


def test_a_link_ends_with_passing_up_recall_and_time(deciders: Cast, ask: Ask) -> None:
    passed, recalled, old = ask(), ask(concession="indemnity", amount=None), ask(concession="liability-cap")
    links = [mailed_link(passed, deciders.director), mailed_link(recalled, deciders.sponsor)]
    links = [
        re.findall(r"/d/[\w-]+/", Message.objects.get(key=f"approval:{made.pk}:1").text)[0]
        for made in (passed, recalled, old)
    ]
    seating.pass_up(request_id=passed.pk, reason="Late")
    deciding.recall(request_id=recalled.pk, by=deciders.csm, reason="Changed.")
    DecisionLink.objects.filter(request=old).update(expires_at=old.opened_at - timedelta(seconds=1))
    assert "now waits for Dana Whitfield" in text(signed_in(deciders.director).get(links[0]))
    assert "Recalled by Priya Raman" in text(signed_in(deciders.sponsor).get(links[1]))
    assert "no longer in use" in text(signed_in(old.approver).get(links[2]))


def test_a_link_of_somebody_else_and_a_guessed_one_are_not_found(deciders: Cast, ask: Ask) -> None:
    made = ask()
    assert signed_in(deciders.sponsor).get(mailed_link(made, deciders.director)).status_code == 404
    assert signed_in(deciders.director).get("/d/guessed-token/").status_code == 404
    token = mailed_link(made, deciders.director).split("/")[2]
    assert len(token) >= 43
    assert not DecisionLink.objects.filter(token_hash__contains=token).exists()


def test_strangers_get_a_404_everywhere(deciders: Cast, ask: Ask) -> None:
    made, client = ask(), signed_in(deciders.outsider)
    for name in ("detail", "brief", "confirm"):
        assert client.get(url(name, made)).status_code == 404
    for name in ("decide", "question", "answer", "recall", "remind", "undo"):
        assert client.post(url(name, made), {"text": "x"}).status_code == 404
    made.refresh_from_db()
    assert (made.state, made.log_count) == ("open", 1)


def test_the_requester_reads_who_decides_and_has_no_button(deciders: Cast, ask: Ask) -> None:
    made, client = ask(), signed_in(deciders.csm)
    page = text(client.get(url("detail", made)))
    assert "This is your own request. It waits for Lena Ortiz as Director." in page
    assert "Approve as recommended" not in page
    assert "Remind Lena Ortiz" in page
    assert submit(client, made).status_code == 403


def test_outside_the_authority_the_page_is_read_only_and_says_where_it_goes(deciders: Cast, ask: Ask) -> None:
    page = text(signed_in(deciders.lead).get(url("detail", ask())))
    assert "outside your authority: Team lead has a limit of 10%" in page
    assert "It goes to Lena Ortiz as Director" in page
    assert "?verdict=" not in page


def test_higher_authority_is_told_that_it_decides_in_anothers_place(deciders: Cast, ask: Ask) -> None:
    made, client = ask(), signed_in(deciders.sponsor)
    assert "Your authority is higher" in text(client.get(url("detail", made)))
    answer = submit(client, made)
    assert answer.status_code == 422
    assert "Enter a reason for deciding in place of the person asked." in text(answer)
    assert submit(client, made, reason="Lena is away.").status_code == 302


def test_a_missing_reason_is_named_at_its_field_and_the_input_is_kept(deciders: Cast, ask: Ask) -> None:
    made, client = ask(), signed_in(deciders.director)
    answer = submit(client, made, "conditions", conditions="A 3-year term")
    assert answer.status_code == 422
    page = text(answer)
    assert "<title>Error:" in page
    assert "A 3-year term" in page
    assert page.count("Enter a reason for the conditions.") == 2


def test_recommended_conditions_are_ticked_and_can_be_dropped(deciders: Cast, ask: Ask) -> None:
    options = [{"name": "Grant", "recommended": True, "conditions": ["Indemnity stays mutual", "3-year term"]}]
    made, client = ask(options=options), signed_in(deciders.director)
    assert "?verdict=conditions" in text(client.get(url("detail", made)))
    assert text(client.get(url("confirm", made), {"verdict": "conditions"})).count("checked") == 2
    submit(client, made, "conditions", kept=["3-year term"], conditions="Paid yearly", reason="Fair.")
    made.refresh_from_db()
    assert made.conditions == "3-year term\nPaid yearly"


def test_pressing_the_button_twice_is_one_decision(deciders: Cast, ask: Ask) -> None:
    made, client = ask(), signed_in(deciders.director)
    assert [submit(client, made).status_code for _ in range(2)] == [302, 302]
    assert made.log.count() == 2


def test_somebody_who_comes_too_late_reads_who_decided(deciders: Cast, ask: Ask) -> None:
    made, late = ask(), signed_in(deciders.director)
    deciding.decide(
        request_id=made.pk,
        by=deciders.sponsor,
        verdict="declined",
        version=1,
        words=deciding.Words(reason="No margin."),
    )
    answer = submit(late, made)
    assert answer.status_code == 409
    assert "Already declined by Dana Whitfield at " in text(answer)


def test_changed_terms_must_be_read_again(deciders: Cast, ask: Ask) -> None:
    made = ask()
    ApprovalRequest.objects.filter(pk=made.pk).update(version=2)
    answer = submit(signed_in(deciders.director), made)
    assert answer.status_code == 409
    assert "Terms changed at " in text(answer)


def test_a_decision_can_be_undone_on_its_page(deciders: Cast, ask: Ask) -> None:
    made, client = ask(), signed_in(deciders.director)
    submit(client, made)
    assert url("undo", made) in text(client.get(url("detail", made)))
    assert url("undo", made) not in text(signed_in(deciders.csm).get(url("detail", made)))
    client.post(url("undo", made))
    made.refresh_from_db()
    assert made.is_open


@pytest.mark.parametrize(
    ("door", "who"), [("question", "director"), ("answer", "csm"), ("comment", "director"), ("recall", "csm")]
)
def test_no_page_takes_longer_words_than_the_api(deciders: Cast, ask: Ask, door: str, who: str) -> None:
    made = ask()
    talk.question(request_id=made.pk, by=deciders.director, text="Why?")
    before, client = made.log.count(), signed_in(getattr(deciders, who))
    answer = client.post(f"/approvals/{made.pk}/{door}/", {"text": "x" * 4001})
    assert answer.status_code == 422
    assert "Keep it to 4,000 characters: this has 4,001." in answer.content.decode()
    assert made.log.count() == before
    assert client.post(f"/approvals/{made.pk}/{door}/", {"text": "x\r\n" * 2000}).status_code == 302
    assert made.log.count() == before + 1


def test_question_answer_remind_and_recall_through_the_page(deciders: Cast, ask: Ask) -> None:
    made, lena, priya = ask(), signed_in(deciders.director), signed_in(deciders.csm)
    lena.post(url("question", made), {"text": "Which year?"})
    assert "Answer Lena Ortiz: Which year?" in text(priya.get(url("detail", made)))
    priya.post(url("answer", made), {"text": "The first."})
    priya.post(url("remind", made))
    assert priya.post(url("remind", made)).status_code == 409
    assert priya.post(url("recall", made), {"text": " "}).status_code == 422
    priya.post(url("recall", made), {"text": "Better terms."})
    kinds = [entry.kind for entry in made.log.all()]
    assert kinds == ["asked", "question", "answer", "reminded", "recalled"]


def test_the_three_tabs_hold_what_their_names_say(deciders: Cast, ask: Ask) -> None:
    mine = ask(ask="Approve mine?")
    done = ask(ask="Approve done?", concession="indemnity", amount=None)
    deciding.decide(request_id=done.pk, by=deciders.sponsor, verdict="approved", version=1)
    rows = {
        tab: [
            row["approval"]
            for row in signed_in(deciders.director).get(reverse("approvals:inbox"), {"tab": tab}).context["rows"]
        ]
        for tab in ("needs-you", "waiting", "decided")
    }
    assert rows == {"needs-you": [mine], "waiting": [], "decided": [done]}
    assert "Nothing needs your decision or comment" in text(
        signed_in(deciders.outsider).get(reverse("approvals:inbox"))
    )
    assert signed_in(deciders.director).get(reverse("approvals:inbox"), {"tab": "x"}).status_code == 404


def test_text_of_people_is_escaped_everywhere(deciders: Cast, ask: Ask) -> None:
    made = ask(ask=HOSTILE, recommendation=HOSTILE, why_now=HOSTILE, brief={"parts": {"summary": HOSTILE}})
    client = signed_in(deciders.director)
    for name in ("detail", "confirm", "brief"):
        assert HOSTILE not in text(client.get(url(name, made)))
    assert HOSTILE not in Message.objects.get().html


def test_the_frozen_brief_is_a_page(deciders: Cast, ask: Ask) -> None:
    page = text(signed_in(deciders.director).get(url("brief", ask())))
    assert "Brief, version 3" in page
    assert "Northwind wants a discount." in page
    assert "Keep the price" in page


@pytest.mark.parametrize("tab", ["needs-you", "waiting", "decided"])
def test_the_number_of_queries_does_not_grow_with_the_list(deciders: Cast, ask: Ask, tab: str) -> None:
    def queries() -> int:
        client = signed_in({"needs-you": deciders.director, "waiting": deciders.csm, "decided": deciders.csm}[tab])
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse("approvals:inbox"), {"tab": tab}).status_code == 200
        return len(captured)

    def one_more() -> None:
        made = ask(concession="contract-term", amount=None)
        if tab == "decided":
            deciding.decide(request_id=made.pk, by=deciders.director, verdict="approved", version=1)

    one_more()
    at_one = queries()
    one_more()
    one_more()
    assert queries() == at_one


def test_who_approves_this_answers_in_a_sentence(deciders: Cast) -> None:
    client = signed_in(deciders.csm)
    asked = {"concession": "discount", "amount": "20", "account": deciders.northwind.pk, "tier": "green"}
    page = text(client.get(reverse("approvals:who"), asked))
    assert "Director: Lena Ortiz" in page
    assert "Director may grant up to 20%, so this is the last that fits." in page
    page = text(client.get(reverse("approvals:who"), {"concession": "payment-terms", "amount": "120"}))
    assert "Nobody may approve net 120" in page
    part = client.get(reverse("approvals:who"), asked, headers={"HX-Request": "true"})
    assert "<html" not in part.content.decode()
