"""Hand-offs and roles through the browser."""

from collections.abc import Callable
from typing import Any

import pytest

from escalations.cases import brief as briefing
from escalations.models import Escalation, HandOff
from tests.escalations.cases.builders import OPTIONS, TEXTS, accepted, opened, waiting_handoff
from tests.support.cast import Cast

Browse = Callable[..., Any]
NOTES = {"tried": "Three offers", "open_points": "The price", "ask": "Decide by Friday, 3:00 PM ET"}


def path(handoff: HandOff, tail: str = "") -> str:
    """Address of a hand-off."""
    return f"/escalations/ESC-{handoff.case_id}/handoffs/{handoff.number}/{tail}"


def test_the_addressee_reads_what_is_asked_and_accepts(cast: Cast, browse: Browse) -> None:
    handoff = waiting_handoff(opened(cast))
    page = " ".join(browse(handoff.to_user, path(handoff)).content.decode().split())
    assert "hands you the escalation owner duty" in page
    assert "Accept the duty" in page
    assert browse(handoff.to_user, path(handoff, "accept/"), {}).status_code == 302
    case = Escalation.objects.get(pk=handoff.case_id)
    assert (case.owner, case.state) == (handoff.to_user, "diagnosing")


@pytest.mark.parametrize("written", [False, True])
def test_accepting_leads_to_the_brief_when_the_brief_is_missing(cast: Cast, browse: Browse, written: bool) -> None:
    handoff = waiting_handoff(opened(cast))
    if written:
        briefing.save_parts(case_id=handoff.case_id, by=cast.csm, texts=TEXTS, options=OPTIONS, versions={})
    answer = browse(handoff.to_user, path(handoff, "accept/"), {})
    assert answer["Location"] == f"/escalations/ESC-{handoff.case_id}/{'' if written else 'brief/'}"


def test_accepting_twice_is_accepting_once(cast: Cast, browse: Browse) -> None:
    handoff = waiting_handoff(opened(cast))
    for _ in range(2):
        assert browse(handoff.to_user, path(handoff, "accept/"), {}).status_code == 302
    assert Escalation.objects.get(pk=handoff.case_id).events.filter(kind="accepted").count() == 1


def test_others_may_read_a_handoff_but_not_answer_it(cast: Cast, browse: Browse) -> None:
    handoff = waiting_handoff(opened(cast))
    page = browse(cast.csm, path(handoff)).content.decode()
    assert "Only the person asked can answer." in page
    assert "Accept the duty" not in page
    assert browse(cast.csm, path(handoff, "accept/"), {}).status_code == 403
    assert browse(cast.csm, path(handoff, "refuse/"), {"reason": "No"}).status_code == 403
    assert browse(cast.outsider, path(handoff)).status_code == 404
    handoff.refresh_from_db()
    assert handoff.state == HandOff.WAITING


def test_refusing_needs_a_reason_and_joins_ticks_and_note(cast: Cast, browse: Browse) -> None:
    handoff = waiting_handoff(opened(cast))
    empty = browse(handoff.to_user, path(handoff, "refuse/"), {"once": "a"})
    assert empty.status_code == 422
    assert "Enter why you refuse" in empty.content.decode()
    data = {"once": "a", "missing": ["Brief is incomplete"], "reason": "No options"}
    assert browse(handoff.to_user, path(handoff, "refuse/"), data).status_code == 302
    handoff.refresh_from_db()
    assert (handoff.state, handoff.reason) == (HandOff.REFUSED, "Brief is incomplete; No options")


def test_an_answered_handoff_says_so(cast: Cast, browse: Browse) -> None:
    handoff = waiting_handoff(opened(cast))
    browse(handoff.to_user, path(handoff, "accept/"), {})
    answer = browse(handoff.to_user, path(handoff, "refuse/"), {"reason": "Too late"})
    assert answer.status_code == 409
    assert "There is nothing left to answer." in answer.content.decode()


def test_handing_over_keeps_the_owner_until_it_is_accepted(cast: Cast, browse: Browse) -> None:
    case = accepted(cast)
    answer = browse(case.owner, f"/escalations/{case.key}/hand-over/", {**NOTES, "to": cast.ae.pk, "once": "x"})
    assert answer.status_code == 302
    case.refresh_from_db()
    assert case.owner == cast.lead
    assert waiting_handoff(case).to_user == cast.ae


def test_notes_are_needed_and_what_was_typed_stays(cast: Cast, browse: Browse) -> None:
    case = accepted(cast)
    answer = browse(case.owner, f"/escalations/{case.key}/hand-over/", {"tried": "Three offers", "to": cast.ae.pk})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Write what is open." in page
    assert "Three offers" in page


def test_the_same_page_sent_twice_hands_over_once(cast: Cast, browse: Browse) -> None:
    case = accepted(cast)
    for _ in range(2):
        data = {**NOTES, "to": cast.ae.pk, "once": "same"}
        assert browse(case.owner, f"/escalations/{case.key}/hand-over/", data).status_code == 302
    assert case.handoffs.count() == 2


def test_only_people_who_may_hand_over(cast: Cast, browse: Browse) -> None:
    case = accepted(cast)
    assert case.people.filter(user=cast.legal).exists()
    assert browse(cast.legal, f"/escalations/{case.key}/hand-over/").status_code == 403
    assert browse(cast.legal, f"/escalations/{case.key}/hand-over/", {**NOTES, "to": cast.legal.pk}).status_code == 403
    assert browse(cast.outsider, f"/escalations/{case.key}/hand-over/").status_code == 404


def test_escalating_names_the_next_level_and_asks_its_person(cast: Cast, browse: Browse) -> None:
    case = accepted(cast)
    page = browse(cast.csm, f"/escalations/{case.key}/escalate/").content.decode()
    assert "Goes to level 3, Executive" in page
    assert browse(cast.csm, f"/escalations/{case.key}/escalate/", {**NOTES, "once": "x"}).status_code == 302
    case.refresh_from_db()
    assert case.level == 3
    assert case.handoffs.filter(duty="authority", state=HandOff.WAITING, tried="Three offers").exists()


def test_a_closed_case_does_not_escalate(cast: Cast, browse: Browse) -> None:
    case = accepted(cast)
    browse(cast.csm, f"/escalations/{case.key}/withdraw/", {"reason": "Not wanted"})
    answer = browse(cast.csm, f"/escalations/{case.key}/escalate/", NOTES)
    assert answer.status_code == 422
    assert "Reopen it before you escalate it." in answer.content.decode()


def test_the_roles_tab_shows_duties_letters_and_the_log(cast: Cast, browse: Browse) -> None:
    case = accepted(cast)
    page = browse(cast.csm, f"/escalations/{case.key}/roles/").content.decode()
    for words in ("Escalation owner", "Decision authority", "Communication lead", "Scribe", "Accepted", "None yet"):
        assert words in page
    assert page.count('<span class="raci A"') >= 2
    assert browse(cast.outsider, f"/escalations/{case.key}/roles/").status_code == 404


def test_the_roles_tab_reminds_the_addressee_of_the_answer(cast: Cast, browse: Browse) -> None:
    handoff = waiting_handoff(opened(cast))
    page = browse(handoff.to_user, f"/escalations/ESC-{handoff.case_id}/roles/").content.decode()
    assert "A hand-off waits for your answer." in page


def test_a_duty_is_changed_on_the_case(cast: Cast, browse: Browse) -> None:
    case = accepted(cast)
    here = f"/escalations/{case.key}/roles/communication/"
    assert here in browse(case.owner, f"/escalations/{case.key}/roles/").content.decode()
    assert here not in browse(cast.legal, f"/escalations/{case.key}/roles/").content.decode()
    assert browse(cast.legal, here).status_code == 403
    assert browse(case.owner, f"/escalations/{case.key}/roles/nothing/").status_code == 404
    assert browse(case.owner, f"/escalations/{case.key}/roles/owner/").status_code == 302
    assert "keeps the duty until it is accepted" in browse(case.owner, here).content.decode()
    assert browse(case.owner, here, {"to": cast.ae.pk, "once": "a"}).status_code == 302
    assert case.handoffs.filter(duty="communication", to_user=cast.ae, state=HandOff.WAITING).exists()


def test_one_person_for_owner_and_decision_needs_a_note_on_the_page(cast: Cast, browse: Browse) -> None:
    case = accepted(cast)
    to = case.people.get(duty="authority").user
    data = {**NOTES, "to": to.pk, "once": "x"}
    answer = browse(case.owner, f"/escalations/{case.key}/hand-over/", data)
    assert answer.status_code == 422
    assert "Enter why one person owns the case and decides." in answer.content.decode()
    assert browse(case.owner, f"/escalations/{case.key}/hand-over/", {**data, "both": "Leave"}).status_code == 302


def test_letters_are_edited_on_the_case(cast: Cast, browse: Browse) -> None:
    case = accepted(cast)
    here = f"/escalations/{case.key}/roles/raci/"
    case.refresh_from_db()
    letters = {f"letter_{row.pk}": row.letter for row in case.people.all()}
    assert "Exactly one person is Accountable." in browse(case.owner, here).content.decode()
    other = case.people.exclude(letter="A").exclude(user=case.owner)[:1].get()
    two = {**letters, f"letter_{other.pk}": "A"}
    answer = browse(case.owner, here, {**two, "version": case.version, "once": "a"})
    assert answer.status_code == 422
    assert "Now 2 are" in answer.content.decode()
    more = {"add": cast.outsider.pk, "add_letter": "C", "version": case.version, "once": "b"}
    assert browse(case.owner, here, {**letters, **more}).status_code == 302
    assert case.people.get(user=cast.outsider).letter == "C"
