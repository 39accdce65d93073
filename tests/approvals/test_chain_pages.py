"""Pages and API of chains: seats, delegating, stand-ins, new terms, asking again, comments."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from approvals.absence import delegations as delegating
from approvals.models import ApprovalRequest, CalendarFeed, Delegation
from approvals.requests import decide as deciding
from ledger.now import now
from tests.approvals.requests.test_chains import asked, committee, kinds, lawyer, plain_matrix, rule, vote
from tests.approvals.test_api import LIST, caller
from tests.approvals.test_pages import everything, signed_in, submit, text, url
from tests.support.cast import Cast

__all__ = ["committee", "lawyer", "plain_matrix"]
Ask = Callable[..., ApprovalRequest]
STAND_INS = "/api/v1/delegations/"


def local(hours: int) -> str:
    """A moment as a browser of somebody in New York writes it."""
    return (now() + timedelta(hours=hours)).astimezone(ZoneInfo("America/New_York")).strftime("%Y-%m-%dT%H:%M")


def test_the_page_shows_stages_seats_and_what_comes_next(deciders: Cast, ask: Ask, lawyer: Any) -> None:
    rule("legal")
    made = ask()
    page = text(signed_in(deciders.csm).get(url("detail", made)))
    assert "1 · Legal" in page
    assert "2 · Director" in page
    assert "is asked then" in page
    assert "Remind Aisha Okafor" in page
    vote(made, lawyer, "conditions", conditions="Mutual", reason="As the law wants it.")
    page = text(signed_in(deciders.director).get(url("detail", made)))
    assert "Aisha Okafor</span> approved with conditions" in page
    assert "As the law wants it." in page
    assert "Approve as recommended" in page


def test_a_function_decides_its_seat_on_the_page_and_hears_who_comes_next(
    deciders: Cast, ask: Ask, lawyer: Any
) -> None:
    rule("legal")
    made, client = ask(), signed_in(lawyer)
    assert made in [row["approval"] for row in client.get(reverse("approvals:inbox")).context["rows"]]
    page = client.get(url("confirm", made), {"verdict": "approved"})
    assert "the request waits for Director" in text(page)
    assert page.context["form"].initial["seat"] == 1
    assert submit(client, made, seat=1).status_code == 302
    assert submit(client, made, seat=1).status_code == 302, "pressed twice"
    assert kinds(made) == ["asked", "vote"]
    page = text(signed_in(lawyer).get(url("detail", made)))
    assert "You have decided your part. The request waits for Lena Ortiz as Director" in page


def test_a_vote_is_undone_on_the_page(deciders: Cast, ask: Ask, committee: Any) -> None:
    made, client = ask(), signed_in(committee[1])
    seat = made.seats.get(person=committee[1])
    submit(client, made, seat=seat.number)
    page = text(client.get(url("detail", made)))
    assert "Your decision is recorded." in page
    assert "2 of 4 must agree" in page
    client.post(url("undo", made))
    assert len(asked(made)) == 4


def test_delegating_on_the_page(deciders: Cast, ask: Ask) -> None:
    made, client = ask(), signed_in(deciders.director)
    page = text(client.get(url("detail", made)))
    assert "Delegate this request" in page
    assert client.post(url("delegate", made), {"to": deciders.lead.pk, "reason": ""}).status_code == 422
    assert client.post(url("delegate", made), {"to": deciders.csm.pk, "reason": "Away"}).status_code == 422
    assert (
        client.post(url("delegate", made), {"to": deciders.lead.pk, "reason": "Away", "version": 9}).status_code == 409
    )
    assert (
        client.post(url("delegate", made), {"to": deciders.lead.pk, "reason": "Away", "version": 1}).status_code == 302
    )
    page = text(signed_in(deciders.lead).get(url("detail", made)))
    assert "You decide for Lena Ortiz as Director, up to their limit of 20%" in page
    assert "Delegate this request" not in page
    submit(signed_in(deciders.lead), ApprovalRequest.objects.get(pk=made.pk))
    page = text(signed_in(deciders.csm).get(url("detail", made)))
    assert "Tom Becker for Lena Ortiz" in page


def test_stand_ins_on_their_page(deciders: Cast) -> None:
    client, page = signed_in(deciders.director), reverse("approvals:delegations")
    wanted = {"to": deciders.lead.pk, "starts_at": local(-1), "ends_at": local(5), "concessions": ["discount"]}
    assert client.post(page, {**wanted, "ends_at": local(-3)}).status_code == 422
    assert client.post(page, wanted).status_code == 302
    assert "already" in text(client.post(page, {**wanted, "once": "a page opened anew"}))
    given = Delegation.objects.get()
    assert (given.user, given.to, given.concessions) == (deciders.director, deciders.lead, ["discount"])
    assert "For Lena Ortiz" in text(signed_in(deciders.lead).get(page))
    assert "Everybody else" not in text(signed_in(deciders.lead).get(page))
    assert "Tom Becker for Lena Ortiz" in text(signed_in(deciders.ops).get(page))
    end = reverse("approvals:delegation_end", args=[given.pk])
    assert signed_in(deciders.lead).post(end).status_code == 404
    assert client.post(end).status_code == 302
    given.refresh_from_db()
    assert given.ended_by == deciders.director


def test_the_calendar_on_its_page(deciders: Cast) -> None:
    client, page = signed_in(deciders.director), reverse("approvals:delegation_feed")
    refused = client.post(page, {"url": "http://calendar.example/a.ics", "stand_in": deciders.lead.pk})
    assert refused.status_code == 422
    assert "starts with https" in text(refused)
    assert client.post(page, {"url": "https://calendar.example/a.ics", "stand_in": deciders.lead.pk}).status_code == 302
    CalendarFeed.objects.update(problem="The calendar answers 404.", checked_at=now())
    assert "The calendar answers 404." in text(client.get(reverse("approvals:delegations")))
    assert client.post(page, {"remove": "1"}).status_code == 302
    assert not CalendarFeed.objects.exists()


def terms(made: ApprovalRequest, **values: Any) -> dict[str, Any]:
    """The form of new terms as a browser sends it."""
    return {
        "version": made.version,
        "amount": "15",
        "ask": made.ask,
        "wording": "",
        "give_gets": "",
        "reason": "New",
        **values,
    }


def test_new_terms_on_the_page_and_an_old_version_shows_both_texts(deciders: Cast, ask: Ask) -> None:
    made, client = ask(terms={"text": "Twelve months"}), signed_in(deciders.csm)
    page = text(client.get(url("terms", made)))
    assert "text: Twelve months" in page
    wanted = terms(made, amount="18", wording="text: Twelve months")
    assert client.post(url("terms", made), {**wanted, "reason": ""}).status_code == 422
    assert client.post(url("terms", made), wanted).status_code == 302
    stale = client.post(url("terms", made), {**wanted, "amount": "19"})
    assert stale.status_code == 409
    assert "Changed while you typed" in text(stale)
    assert "Yours, not saved" in text(stale)
    assert 'name="version" value="2"' in stale.content.decode()
    made.refresh_from_db()
    assert [seat.state for seat in made.seats.all()] == ["voided", "asked"]
    assert signed_in(deciders.director).get(url("terms", made)).status_code == 403


def test_the_form_left_as_it_was_changes_nothing(deciders: Cast, ask: Ask) -> None:
    made, client = ask(terms={"text": "Twelve months", "give_gets": ["Reference"]}), signed_in(deciders.csm)
    form = client.get(url("terms", made)).context["form"]
    sent = {name: form.initial[name] for name in ("version", "amount", "ask", "wording", "give_gets")}
    answer = client.post(url("terms", made), {**sent, "reason": "None"})
    assert (answer.status_code, "Nothing would change" in text(answer)) == (422, True)


def test_asking_again_on_the_page(deciders: Cast, ask: Ask) -> None:
    made, client = ask(), signed_in(deciders.csm)
    deciding.recall(request_id=made.pk, by=deciders.csm, reason="Not yet.")
    assert "Ask again" in text(client.get(url("detail", made)))
    answer = client.post(url("resubmit", made), terms(made, amount="12"))
    newer = ApprovalRequest.objects.get(replaces=made)
    assert (answer.status_code, answer["Location"]) == (302, url("detail", newer))
    assert "Asked again on new terms" in text(client.get(url("detail", made)))
    assert "an earlier request" in text(client.get(url("detail", newer)))


def test_consulted_people_are_shown_their_form_first(deciders: Cast, ask: Ask, lawyer: Any) -> None:
    rule("legal", part="consult")
    made, client = ask(), signed_in(lawyer)
    page = text(client.get(url("detail", made)))
    assert "You are consulted" in page
    assert "?verdict=" not in page
    assert client.post(url("comment", made), {"text": "Mind the cap."}).status_code == 302
    assert "Mind the cap." in text(signed_in(deciders.director).get(url("detail", made)))
    assert made not in [row["approval"] for row in client.get(reverse("approvals:inbox")).context["rows"]]


def test_no_get_of_the_new_pages_changes_anything(deciders: Cast, ask: Ask, lawyer: Any) -> None:
    rule("legal")
    made, before = ask(), everything()
    for person in (deciders.director, deciders.csm, lawyer, deciders.outsider):
        client = signed_in(person)
        for name in ("terms", "resubmit", "detail"):
            client.get(url(name, made))
        client.get(reverse("approvals:delegations"))
        for name in ("delegate", "comment"):
            assert client.get(url(name, made)).status_code == 405
    assert everything() == before


def test_strangers_get_a_404_from_the_new_verbs(deciders: Cast, ask: Ask) -> None:
    made = ask()
    for name in ("delegate", "comment", "terms", "resubmit"):
        assert signed_in(deciders.outsider).post(url(name, made), {"text": "x"}).status_code == 404
        assert caller(deciders.outsider).post(f"{LIST}{made.pk}/{name}/", {}, format="json").status_code == 404


def test_the_whole_chain_over_the_api(deciders: Cast, ask: Ask, lawyer: Any) -> None:
    rule("legal", "beside")
    made = ask()
    seats = {seat["person"]: seat for seat in caller(lawyer).get(f"{LIST}{made.pk}/").json()["seats"]}
    assert (seats[lawyer.email]["role"], seats[lawyer.email]["number"]) == ("legal", 2)
    assert [row["id"] for row in caller(lawyer).get(LIST, {"mine": "true"}).json()["results"]] == [made.pk]
    body = {"to": deciders.lead.email, "reason": "Away"}
    answer = caller(deciders.director).post(f"{LIST}{made.pk}/delegate/", body, format="json")
    assert (answer.status_code, answer.json()["approver"], answer.json()["version"]) == (200, deciders.lead.email, 2)
    for by, seat in ((lawyer, 2), (deciders.lead, 3)):
        wanted = {"verdict": "approved", "version": 2, "seat": seat}
        answer = caller(by).post(f"{LIST}{made.pk}/decide/", wanted, format="json")
        assert answer.status_code == 200
    assert answer.json()["state"] == "approved"
    entry = answer.json()["log"][-1]
    assert (entry["actor"], entry["on_behalf_of"]) == (deciders.lead.email, deciders.director.email)
    assert len(entry["facts"]["seats"]) == 2


def test_new_terms_and_asking_again_over_the_api(deciders: Cast, ask: Ask) -> None:
    made, priya = ask(), caller(deciders.csm)
    body = {"version": 1, "amount": "12", "reason": "Better"}
    answer = priya.post(f"{LIST}{made.pk}/terms/", body, format="json")
    assert (answer.status_code, answer.json()["amount"], answer.json()["version"]) == (200, "12.00", 2)
    assert priya.post(f"{LIST}{made.pk}/terms/", body, format="json").status_code == 409
    priya.post(f"{LIST}{made.pk}/recall/", {"reason": "No"}, format="json")
    answer = priya.post(f"{LIST}{made.pk}/resubmit/", {}, format="json")
    assert (answer.status_code, answer.json()["replaces"], answer.json()["amount"]) == (200, made.pk, "12.00")


def test_stand_ins_over_the_api(deciders: Cast) -> None:
    lena, at = caller(deciders.director), now()
    body = {"to": deciders.lead.email, "starts_at": at, "ends_at": at + timedelta(days=1), "up_to_usd": "500"}
    answer = lena.post(STAND_INS, body, format="json")
    assert (answer.status_code, answer.json()["user"]) == (201, deciders.director.email)
    assert lena.post(STAND_INS, body, format="json").status_code == 422
    assert lena.post(STAND_INS, {**body, "to": "nobody@desk.example"}, format="json").status_code == 422
    pk = answer.json()["id"]
    assert caller(deciders.csm).get(f"{STAND_INS}{pk}/").status_code == 404
    assert caller(deciders.lead).post(f"{STAND_INS}{pk}/end/").status_code == 404
    assert lena.post(f"{STAND_INS}{pk}/end/").json()["ended_at"]


@pytest.mark.parametrize("tab", ["needs-you", "waiting"])
def test_the_number_of_queries_does_not_grow_with_seats(deciders: Cast, ask: Ask, lawyer: Any, tab: str) -> None:
    rule("legal", "beside")
    delegating.make(
        delegating.StandIn(to=deciders.lead, starts_at=now(), ends_at=now() + timedelta(days=1)), user=lawyer, by=lawyer
    )

    def queries() -> int:
        client = signed_in({"needs-you": deciders.lead, "waiting": deciders.csm}[tab])
        with CaptureQueriesContext(connection) as captured:
            assert len(client.get(reverse("approvals:inbox"), {"tab": tab}).context["rows"]) >= 1
        return len(captured)

    ask()
    at_one = queries()
    ask(concession="contract-term", amount=None)
    assert queries() == at_one
