"""The brief: written in parts, refused when vague, one page on paper, compared with what was frozen."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from pypdf import PdfReader

from approvals.pdf.printer import NoPdf
from escalations.cases import brief as briefing
from escalations.cases import briefs, handoffs
from escalations.models import Escalation
from ledger.models import DownloadLog
from tests.escalations.cases.builders import OPTIONS, TEXTS, accepted, asked, briefed
from tests.support.cast import Cast

Browse = Callable[..., Any]


def sent(case: Escalation, **changes: Any) -> dict[str, Any]:
    """What a browser posts: every part, the versions seen, two options and two empty rows."""
    versions = {row.part: row.version for row in case.brief_parts.all()}
    seen = {
        f"seen_{part}": versions.get(part, 0)
        for part in [*TEXTS, "conversation", "options", "artifacts", "troubleshooting"]
    }
    data: dict[str, Any] = {
        **TEXTS,
        **seen,
        "opt-TOTAL_FORMS": 4,
        "opt-INITIAL_FORMS": 4,
        "recommended": 0,
        "status_quo": 1,
    }
    for number, option in enumerate(OPTIONS):
        data |= {f"opt-{number}-name": option["name"], f"opt-{number}-trade_off": option["trade_off"]}
    return {**data, **changes}


def test_a_brief_written_in_the_form_is_ready_to_send(cast: Cast, browse: Browse) -> None:
    case = accepted(cast)
    answer = browse(
        cast.csm, f"/escalations/{case.key}/brief/", sent(case, risks="Churn\r\nPress", desired_outcome="Signed Friday")
    )
    assert answer.status_code == 302
    texts = {row.part: row.text for row in case.brief_parts.all()}
    assert texts["conversation"] == "Risks:\nChurn\nPress\n\nDesired outcome:\nSigned Friday"
    kept = case.brief_parts.get(part="options").data["rows"]
    assert [(row["name"], row["recommended"], row["status_quo"]) for row in kept] == [
        ("Grant 18 percent", True, False),
        ("Keep the price", False, True),
    ]
    page = browse(cast.csm, f"/escalations/{case.key}/brief/").content.decode()
    assert "Ready to send." in page
    assert "Churn" in page


def test_saving_what_nobody_changed_writes_nothing(cast: Cast, browse: Browse) -> None:
    case = briefed(cast)
    before = case.events.count()
    browse(cast.csm, f"/escalations/{case.key}/brief/", sent(case))
    assert case.events.count() == before


def test_missing_parts_are_named_and_hold_back_the_request(cast: Cast, browse: Browse) -> None:
    case = accepted(cast)
    page = browse(cast.csm, f"/escalations/{case.key}/brief/").content.decode()
    assert "Fill 3 parts to request an approval." in page
    assert 'href="#id_recommendation">Recommendation</a>' in page
    assert "approvals/new/" not in page.split('class="savebar"')[1]


def test_as_soon_as_possible_is_refused_at_the_ask(cast: Cast, browse: Browse) -> None:
    case = briefed(cast)
    answer = browse(
        cast.csm, f"/escalations/{case.key}/brief/", sent(case, ask="Decide as soon as possible", summary="New words")
    )
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Name a date and time instead of" in page
    assert "New words" in page
    assert case.brief_parts.get(part="summary").text == TEXTS["summary"]


def test_an_option_without_a_name_is_refused_in_its_row(cast: Cast, browse: Browse) -> None:
    case = briefed(cast)
    answer = browse(cast.csm, f"/escalations/{case.key}/brief/", sent(case, **{"opt-2-trade_off": "Costs a year"}))
    assert answer.status_code == 422
    assert "Row 3, Option: Name the option, or clear its row." in answer.content.decode()


def test_two_authors_of_one_part_see_both_texts_and_the_second_save_wins_knowingly(cast: Cast, browse: Browse) -> None:
    case = briefed(cast)
    old = sent(case, summary="Mine: they sign on Friday.")
    briefing.save_parts(
        case_id=case.pk, by=cast.ae, texts={"summary": "Theirs: they sign on Monday."}, options=None, versions={}
    )
    answer = browse(cast.csm, f"/escalations/{case.key}/brief/", old)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Monday." in page
    assert "Mine: they sign on Friday." in page
    assert case.brief_parts.get(part="summary").text == "Theirs: they sign on Monday."
    shown = answer.context["form"]["seen_summary"].value()
    again = browse(cast.csm, f"/escalations/{case.key}/brief/", {**old, "seen_summary": shown})
    assert again.status_code == 302
    assert case.brief_parts.get(part="summary").text == "Mine: they sign on Friday."


def test_a_part_nobody_had_written_is_not_overwritten_blindly(cast: Cast, browse: Browse) -> None:
    case = accepted(cast)
    empty = sent(case, recommendation="Mine")
    briefing.save_parts(case_id=case.pk, by=cast.ae, texts={"recommendation": "Theirs"}, options=None, versions={})
    assert browse(cast.csm, f"/escalations/{case.key}/brief/", empty).status_code == 409
    assert case.brief_parts.get(part="recommendation").text == "Theirs"


def test_a_reader_sees_a_brief_he_cannot_save(cast: Cast, browse: Browse) -> None:
    case = briefed(cast)
    case.people.filter(user=cast.sponsor).delete()
    page = browse(cast.sponsor, f"/escalations/{case.key}/brief/").content.decode()
    assert "<fieldset disabled>" in page
    assert "Save brief" not in page
    assert browse(cast.sponsor, f"/escalations/{case.key}/brief/", sent(case, summary="Mine")).status_code == 403
    assert case.brief_parts.get(part="summary").text == TEXTS["summary"]


@pytest.mark.parametrize("tail", ["brief/", "brief/page/", "brief.pdf", "brief/versions/1/"])
def test_a_stranger_finds_no_brief(cast: Cast, browse: Browse, tail: str) -> None:
    case = briefed(cast)
    assert browse(cast.outsider, f"/escalations/{case.key}/{tail}").status_code == 404


def pages(answer: Any) -> tuple[int, str]:
    """How many pages a PDF has, and its words."""
    document = PdfReader(BytesIO(answer.content))
    return len(document.pages), " ".join(" ".join(page.extract_text() for page in document.pages).split())


def test_the_pdf_is_one_page_with_the_decision_first(cast: Cast, browse: Browse) -> None:
    case = asked(cast)
    answer = browse(cast.director, f"/escalations/{case.key}/brief.pdf")
    assert answer["Content-Type"] == "application/pdf"
    assert f"{case.key}-brief-v2.pdf" in answer["Content-Disposition"]
    count, words = pages(answer)
    assert count == 1
    assert "Confidential" in words
    assert "Version 2" in words
    assert (
        words.index("Decision needed") < words.index("Summary.") < words.index("Options") < words.index("If approved")
    )
    for text in (TEXTS["ask"], TEXTS["summary"], "Lena Ortiz", "Grant 18 percent", "The renewal is lost"):
        assert text in words


def test_a_long_brief_still_fits_one_page(cast: Cast, browse: Browse) -> None:
    case = briefed(cast)
    long = dict.fromkeys(
        ("summary", "facts", "recommendation", "next_step"), "Words of a long story that goes on. " * 120
    )
    options = [{**OPTIONS[n % 2], "name": f"Option {n} " + "long " * 40, "trade_off": "costs " * 100} for n in range(8)]
    briefing.save_parts(case_id=case.pk, by=cast.csm, texts=long, options=options, versions={})
    assert pages(browse(cast.csm, f"/escalations/{case.key}/brief.pdf"))[0] == 1


def test_a_download_is_logged_and_names_who(cast: Cast, browse: Browse) -> None:
    case = asked(cast)
    browse(cast.director, f"/escalations/{case.key}/brief.pdf?version=1")
    logged = DownloadLog.objects.get()
    assert (logged.user, logged.what) == (cast.director, f"Brief {case.key}-brief-v1.pdf")


def test_without_pango_the_print_view_is_offered(cast: Cast, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*page: Any, **sheets: Any) -> bytes:
        raise NoPdf("no Pango")

    monkeypatch.setattr(briefs.printer, "pdf", missing)
    case, client = briefed(cast), Client()
    client.force_login(cast.csm, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.get(f"/escalations/{case.key}/brief.pdf", follow=True)
    assert answer.redirect_chain == [(f"/escalations/{case.key}/brief/page/", 302)]
    assert "Print this page instead." in answer.content.decode()
    assert not DownloadLog.objects.exists()


def test_a_frozen_version_is_compared_word_by_word(cast: Cast, browse: Browse) -> None:
    case = briefed(cast)
    page = browse(cast.csm, f"/escalations/{case.key}/brief/versions/1/").content.decode()
    assert "Newer facts exist." in page
    assert '<ins class="t-grn">renew at list price. </ins>' in page
    assert browse(cast.csm, f"/escalations/{case.key}/brief/versions/9/").status_code == 404


def test_untrusted_words_stay_words(cast: Cast, browse: Browse) -> None:
    case = briefed(cast)
    evil = {"summary": "<script>alert(1)</script>"}
    briefing.save_parts(case_id=case.pk, by=cast.csm, texts=evil, options=None, versions={})
    for tail in ("brief/", "brief/page/", "brief/versions/1/"):
        assert "<script>alert" not in browse(cast.csm, f"/escalations/{case.key}/{tail}").content.decode()


def test_the_number_is_of_a_draft_once_words_changed(cast: Cast, browse: Browse) -> None:
    case = asked(cast)
    assert "Version 2" in browse(cast.csm, f"/escalations/{case.key}/brief/page/").content.decode()
    briefing.save_parts(case_id=case.pk, by=cast.csm, texts={"summary": "Newer"}, options=None, versions={})
    assert "Draft of version 3" in browse(cast.csm, f"/escalations/{case.key}/brief/page/").content.decode()


def test_a_handoff_freezes_the_next_version(cast: Cast, browse: Browse) -> None:
    case = asked(cast)
    notes = handoffs.Notes(tried="a", open_points="b", ask="c", both="Both on purpose")
    handoffs.reassign(case_id=case.pk, by=cast.csm, to=cast.director, notes=notes)
    assert "v3" in browse(cast.csm, f"/escalations/{case.key}/brief/").content.decode()
