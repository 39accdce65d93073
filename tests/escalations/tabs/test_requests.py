"""Asking for a concession, and what was asked."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from approvals.models import ApprovalRequest
from approvals.requests import decide as deciding
from escalations import states
from escalations.clocks import verbs
from escalations.models import Clock, Escalation
from ledger.now import now
from tests.escalations.cases.builders import accepted, asked, briefed
from tests.support.cast import Cast

Browse = Callable[..., Any]


def messages_of(answer: Any) -> list[str]:
    """The messages that the next page shows."""
    return [str(each) for each in get_messages(answer.wsgi_request)]


def ask(**changes: Any) -> dict[str, Any]:
    """What the form sends."""
    terms = {"concession": "discount", "amount": "18", "currency": "USD", "once": "k"}
    return {"question": "Approve an 18 percent discount?", **terms, **changes}


def url(case: Escalation, tail: str = "") -> str:
    """Address of the tab."""
    return f"/escalations/{case.key}/approvals/{tail}"


def test_asking_from_the_form_puts_the_question_to_the_authority(cast: Cast, browse: Browse) -> None:
    case = briefed(cast)
    assert browse(cast.csm, url(case, "new/"), ask()).status_code == 302
    made = case.requests.get()
    assert (made.approver, made.requester, made.is_open) == (cast.director, cast.csm, True)
    page = browse(cast.csm, url(case)).content.decode()
    for words in (
        "Approve an 18 percent discount?",
        "Waits for Lena Ortiz as Director",
        "Limit of Team lead",
        "Checks",
    ):
        assert words in page
    assert f'href="/approvals/{made.pk}/"' in page


def test_sending_the_form_twice_asks_once(cast: Cast, browse: Browse) -> None:
    case = briefed(cast)
    data = ask()
    for _ in range(2):
        assert browse(cast.csm, url(case, "new/"), data).status_code == 302
    assert case.requests.count() == 1


def test_a_brief_with_gaps_blocks_the_request_and_names_them(cast: Cast, browse: Browse) -> None:
    case = accepted(cast)
    page = browse(cast.csm, url(case, "new/")).content.decode()
    assert f"/escalations/{case.key}/brief/#id_recommendation" in page
    assert 'type="submit">Request approval' not in page
    answer = browse(cast.csm, url(case, "new/"), ask())
    assert answer.status_code == 422
    assert "The brief is not ready: " in answer.content.decode()
    assert not ApprovalRequest.objects.exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"deadline": "soon"}, "Enter a date and time."),
        ({"deadline": "2020-01-01T10:00"}, "Enter a deadline in the future."),
        ({"deadline": "2030-01-01T10:00"}, "Enter why it may be later."),
        ({"question": "Approve as soon as possible"}, "Name a date and time instead of"),
        ({"concession": ""}, "Choose a concession."),
        ({"amount": "much"}, "Enter a number, such as 18"),
        ({"amount": ""}, "Enter an amount above 0"),
        ({"amount": "-3"}, "Enter an amount above 0"),
    ],
)
def test_a_bad_ask_is_refused_at_its_field(cast: Cast, browse: Browse, changes: dict[str, str], words: str) -> None:
    case = briefed(cast)
    answer = browse(cast.csm, url(case, "new/"), ask(**changes))
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not ApprovalRequest.objects.exists()


def test_the_form_shows_when_the_clock_is_due_and_takes_a_later_time_with_a_reason(cast: Cast, browse: Browse) -> None:
    case = briefed(cast)
    assert "The decision clock is due" in browse(cast.csm, url(case, "new/")).content.decode()
    wish = ask(deadline="2030-01-01T10:00", why_later="Their board meets once a year")
    assert browse(cast.csm, url(case, "new/"), wish).status_code == 302
    assert f"{case.requests.get().deadline:%Y-%m-%d}" == "2030-01-01"
    assert "Their board meets once a year" in browse(cast.csm, f"/escalations/{case.key}/").content.decode()


def test_the_form_says_that_a_paused_clock_has_no_firm_due_time(cast: Cast, browse: Browse) -> None:
    case = briefed(cast)
    clock = case.clocks.live().get(kind=states.DECISION)
    verbs.hold(case_id=case.pk, clock_id=clock.pk, by=cast.csm, reason="Legal hold")
    page = browse(cast.csm, url(case, "new/")).content.decode()
    assert "The decision clock is paused. If it resumed now, it would be due" in page
    assert "The decision clock is due" not in page


def test_checking_says_who_decides_and_sends_nothing(cast: Cast, browse: Browse) -> None:
    case = briefed(cast)
    answer = browse(cast.csm, url(case, "new/"), ask(check="1", amount="30"))
    assert answer.status_code == 200
    assert "Executive sponsor: Dana Whitfield decides" in answer.content.decode()
    assert not ApprovalRequest.objects.exists()


def test_the_check_of_a_browser_with_scripts_is_only_the_answer(cast: Cast, db: None) -> None:
    case, client = briefed(cast), Client(headers={"HX-Request": "true"})
    client.force_login(cast.csm, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.post(url(case, "new/"), ask(check="1")).content.decode()
    assert "Director: Lena Ortiz decides" in page
    assert "<html" not in page


def test_an_ask_inside_a_band_is_granted_by_rule_and_says_so_before(cast: Cast, browse: Browse) -> None:
    cast.northwind.health = 95
    cast.northwind.renewal_date = None
    cast.northwind.save()
    case = briefed(cast, blocker=False, amount=None, concession="")
    assert case.tier == "green"
    preview = browse(cast.csm, url(case, "new/"), ask(check="1", amount="3")).content.decode()
    assert "Inside an exception band." in preview
    browse(cast.csm, url(case, "new/"), ask(amount="3"))
    assert case.requests.get().by_rule
    assert "By rule, inside a band" in browse(cast.csm, url(case)).content.decode()


def test_who_gains_by_it_is_on_record_and_their_manager_is_passed_over(cast: Cast, browse: Browse) -> None:
    case = briefed(cast)
    gains = ask(beneficiary=cast.lead.pk)
    assert cast.lead.manager == cast.director
    assert 'name="beneficiary-text"' in browse(cast.csm, url(case, "new/")).content.decode()
    assert (
        "Director: Lena Ortiz decides"
        not in browse(cast.csm, url(case, "new/"), {**gains, "check": "1"}).content.decode()
    )
    browse(cast.csm, url(case, "new/"), gains)
    made = case.requests.get()
    assert (made.beneficiary, made.approver) == (cast.lead, cast.sponsor)
    assert made.log.get(kind="asked").facts == {"beneficiary": "tom@desk.example"}
    page = browse(cast.sponsor, f"/approvals/{made.pk}/").content.decode()
    assert "Beneficiary" in page


def test_the_case_reminds_whoever_is_asked_now_and_sends_them_to_decide(cast: Cast, browse: Browse) -> None:
    case = briefed(cast)
    indemnity = ask(concession="indemnity", amount="", question="Approve mutual indemnity?")
    browse(cast.csm, url(case, "new/"), indemnity)
    made = case.requests.get()
    assert made.approver != cast.legal
    Clock.objects.filter(case=case, kind="decision").update(due_at=now() - timedelta(hours=1))
    page = browse(cast.csm, f"/escalations/{case.key}/").content.decode()
    assert "get a decision from Aisha Okafor" in page
    assert "Remind Aisha" in page
    assert "Review and decide" in browse(cast.legal, f"/escalations/{case.key}/").content.decode()


def test_the_board_names_whoever_is_asked_now_and_everybody_who_decides(cast: Cast, browse: Browse) -> None:
    case = briefed(cast)
    indemnity = ask(concession="indemnity", amount="", question="Approve mutual indemnity?")
    answer = browse(cast.csm, url(case, "new/"), indemnity)
    assert messages_of(answer) == ["Approval requested. It waits for Aisha Okafor as Legal."]
    page = " ".join(browse(cast.legal, url(case)).content.decode().split())
    made = case.requests.get()
    assert "Waits for Aisha Okafor as Legal, decision due" in page
    assert f"Aisha Okafor and {made.approver} decide" in page
    assert f'href="/approvals/{made.pk}/"> Decide </a>' in page


def test_who_may_not_ask_is_told_and_strangers_find_nothing(cast: Cast, browse: Browse) -> None:
    case = briefed(cast)
    assert browse(cast.legal, url(case, "new/")).status_code == 403
    assert browse(cast.legal, url(case, "new/"), ask()).status_code == 403
    assert browse(cast.outsider, url(case)).status_code == 404
    assert browse(cast.outsider, url(case, "new/"), ask()).status_code == 404


def test_a_declined_request_stays_readable_beside_the_next_one(cast: Cast, browse: Browse) -> None:
    case = asked(cast)
    made = case.requests.get()
    seen = {"version": made.version, "seat": made.authority_seat.number}
    words = deciding.Words(reason="Too much")
    deciding.decide(request_id=made.pk, by=cast.director, verdict="declined", words=words, **seen)
    assert "Too much" in browse(cast.csm, url(case)).content.decode()
    browse(cast.csm, url(case, "new/"), ask(amount="12", question="Approve 12 percent?"))
    page = browse(cast.csm, url(case)).content.decode()
    assert "Earlier requests" in page
    assert page.index("Approve 12 percent?") < page.index("Earlier requests") < page.index("Too much")


def test_a_reader_who_may_not_open_the_request_gets_no_dead_link(cast: Cast, browse: Browse) -> None:
    case = asked(cast)
    made = case.requests.get()
    assert case.people.filter(user=cast.legal).exists()
    page = browse(cast.legal, url(case)).content.decode()
    assert made.ask in page
    assert f'href="/approvals/{made.pk}/"' not in page


def test_the_request_of_a_confidential_case_is_confidential_too(cast: Cast) -> None:
    case = asked(cast, confidential=True)
    made = case.requests.get()
    assert made.confidential
    assert not ApprovalRequest.objects.visible_to(cast.ops).exists()
    assert not ApprovalRequest.objects.visible_to(cast.finance).exists()
    assert list(ApprovalRequest.objects.visible_to(cast.csm)) == [made]
