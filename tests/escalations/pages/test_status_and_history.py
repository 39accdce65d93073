"""The status that two people write at once, the audit trail, and mail placed by hand."""

import re

import pytest

from accounts.models import Account, Signal
from escalations.cases import thread as communication
from escalations.cases.queries import thread as threads
from escalations.models import Event, EventText
from ledger import triggers
from ledger.now import now
from tests.escalations.pages.stories import urls

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


def test_the_status_is_set_and_shown(cast, accepted, as_user):
    client = as_user(accepted.owner)
    page = client.get(urls("status", accepted)).content.decode()
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    assert client.post(urls("status", accepted), {"text": "Legal agrees.", "version": version}).status_code == 302
    shown = client.get(urls("case", accepted)).content.decode()
    assert "Legal agrees." in shown
    assert f"Set by {accepted.owner.name}" in shown


def test_a_stale_status_shows_both_texts_and_loses_neither(cast, accepted, as_user):
    client = as_user(accepted.owner)
    seen = {"version": accepted.version, "seen": accepted.status_text}
    communication.set_status(
        case_id=accepted.pk, by=accepted.owner, text="Theirs: finance agrees.", version=accepted.version
    )
    answer = client.post(urls("status", accepted), {"text": "Mine: legal agrees.", **seen})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Theirs: finance agrees." in page
    assert "Mine: legal agrees." in page
    assert "changed this while you typed" in page
    accepted.refresh_from_db()
    assert accepted.status_text == "Theirs: finance agrees."
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    joined = {"text": "Finance and legal agree.", "version": version, "seen": accepted.status_text}
    assert client.post(urls("status", accepted), joined).status_code == 302
    accepted.refresh_from_db()
    assert accepted.status_text == "Finance and legal agree."


def test_a_change_of_something_else_is_told_apart_from_a_changed_status(cast, accepted, as_user):
    stale = {"text": "My status.", "version": accepted.version, "seen": ""}
    communication.wait_on(case_id=accepted.pk, by=accepted.owner, whom="customer", reason="Their counsel reads")
    answer = as_user(accepted.owner).post(urls("status", accepted), stale)
    assert answer.status_code == 409
    assert "another part of this escalation has" in answer.content.decode()


@pytest.mark.parametrize("typed", [{"text": "", "version": 1}, {"text": "Fine", "version": "x"}, {"text": "Fine"}])
def test_a_wrong_status_form_is_422(cast, accepted, as_user, typed):
    assert as_user(accepted.owner).post(urls("status", accepted), typed).status_code == 422


@pytest.mark.parametrize("check", ["", "all"])
def test_history_verifies_the_entries_it_shows_and_names_a_broken_one(cast, accepted, as_user, check):
    client = as_user(cast.csm)
    assert "Verified." in client.get(urls("history", accepted), {"check": check}).content.decode()
    changed = accepted.events.order_by("-seq")[2]
    with triggers.lifted("default"):
        Event.objects.filter(pk=changed.pk).update(summary="Never happened")
    page = client.get(urls("history", accepted), {"check": check}).content.decode()
    assert "The log failed verification." in page
    assert f"Entry {changed.seq}" in page


def test_history_says_that_the_entries_of_other_pages_were_not_checked_and_checks_all_when_asked(
    cast, accepted, as_user
):
    client = as_user(cast.csm)
    for number in range(threads.PAGE):
        communication.post(case_id=accepted.pk, by=cast.csm, text=f"Post {number}")
    with triggers.lifted("default"):
        Event.objects.filter(case=accepted, seq=2).update(summary="Never happened")
    page = client.get(urls("history", accepted)).content.decode()
    assert "Verified as shown." in page
    assert "The others were not checked now." in page
    for asked in ({"check": "all"}, {"before": 10}):
        page = client.get(urls("history", accepted), asked).content.decode()
        assert "The log failed verification." in page
        assert "Entry 2:" in page


@pytest.mark.parametrize("asked", [{}, {"kind": "moves"}, {"before": 10}])
def test_every_page_of_the_history_notices_a_log_that_was_cut(cast, accepted, as_user, asked):
    last = accepted.events.order_by("-seq").first()
    with triggers.lifted("default"):
        Event.objects.filter(pk=last.pk).delete()
    page = as_user(cast.csm).get(urls("history", accepted), asked).content.decode()
    assert "the end of the log was cut" in page


def test_history_shows_the_entries_of_one_clock(cast, accepted, as_user):
    communication.post(case_id=accepted.pk, by=cast.csm, text="Just words")
    clock = accepted.clocks.order_by("pk").first()
    client = as_user(cast.csm)
    page = client.get(urls("history", accepted), {"clock": clock.pk}).content.decode()
    assert [int(seq) for seq in re.findall(r'id="e(\d+)"', page)] == list(
        clock.history.order_by("-seq").values_list("seq", flat=True)
    )
    assert "Verified as shown." in page
    assert client.get(urls("history", accepted), {"clock": clock.pk + 9_999}).status_code == 404


def test_history_notices_changed_words_but_not_erased_ones(cast, accepted, as_user):
    entry = communication.post(case_id=accepted.pk, by=cast.csm, text="Personal words")
    client = as_user(cast.csm)
    EventText.objects.filter(pk=entry.text_id).update(body="", erased_at=now())
    assert "Verified." in client.get(urls("history", accepted)).content.decode()
    assert "Personal words" not in client.get(urls("case", accepted)).content.decode()
    EventText.objects.filter(pk=entry.text_id).update(body="Other words", erased_at=None)
    assert "the text was changed" in client.get(urls("history", accepted)).content.decode()


def test_history_is_filtered_by_kind_and_leaves_as_csv(cast, accepted, as_user):
    communication.post(case_id=accepted.pk, by=cast.csm, text="=HYPERLINK(1)")
    client = as_user(cast.csm)
    clocks = client.get(urls("history", accepted), {"kind": "clocks"}).content.decode()
    assert "Acceptance" in clocks
    assert "HYPERLINK" not in clocks
    answer = client.get(urls("history", accepted), {"format": "csv"})
    text = b"".join(answer.streaming_content).decode()
    assert answer["Content-Type"].startswith("text/csv")
    assert len(text.splitlines()) == accepted.events.count() + 1
    assert "'=HYPERLINK(1)" in text


def test_only_operations_place_a_mail_and_only_on_a_known_account(cast, as_user, waiting_mail):
    words = {"mail": waiting_mail.pk, "account": cast.northwind.pk}
    assert as_user(cast.csm).post(urls("place_mail"), words).status_code == 403
    assert as_user(cast.ops).post(urls("place_mail"), {**words, "account": 99_999}).status_code == 404
    assert as_user(cast.ops).post(urls("place_mail"), {**words, "mail": "x"}).status_code == 404
    assert not Signal.objects.exists()
    assert as_user(cast.ops).post(urls("place_mail"), words).status_code == 302
    assert Signal.objects.get().account == cast.northwind
    assert as_user(cast.ops).post(urls("place_mail"), words).status_code == 409
    assert as_user(cast.ops).get(urls("place_mail")).status_code == 405
    assert Account.objects.count() == 2
