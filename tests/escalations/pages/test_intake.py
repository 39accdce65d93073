"""Raising an escalation: the form, its preview, duplicates, the draft, and what happens next."""

import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Contact, Signal
from escalations.models import Escalation, IntakeDraft
from ledger.now import now
from tests.escalations.pages.stories import days, urls

TYPED = {
    "issue_type": "discount-beyond-limit",
    "issue": "Northwind asks for 18% off. Counsel will not sign.",
    "impact": "The renewal lapses.",
    "deadline": "2099-01-23T17:00",
    "currency": "USD",
}


def typed(cast, **values):
    return {"account": cast.northwind.pk, **TYPED, **values}


def test_four_facts_and_a_deadline_open_an_escalation_and_say_what_happens_next(cast, as_user):
    client = as_user(cast.csm)
    answer = client.post(urls("new"), typed(cast))
    case = Escalation.objects.get()
    assert answer["Location"] == urls("opened", case)
    assert f"{case.deadline:%Y-%m-%d %H:%M}" == "2099-01-23 22:00"  # 5 PM in New York
    page = client.get(answer["Location"]).content.decode()
    handoff = case.handoffs.get(state="waiting", duty="owner")
    assert f"{case.key} is open." in page
    assert "decision due" in page.lower()
    assert f"{handoff.to_user.name} is asked to own it" in page
    told = page.split("Who was notified")[1]
    assert case.people.get(duty="authority").user.name in told
    assert urls("case", case) in told


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"account": ""}, "Choose the account."),
        ({"issue_type": "weather"}, "Choose a kind of issue from the list."),
        ({"issue": "  "}, "Describe the issue in one to three sentences."),
        ({"impact": ""}, "Enter the impact."),
        ({"deadline": "as soon as possible"}, "Enter a deadline with a time."),
        ({"deadline": ""}, "Enter a deadline with a time."),
        ({"deadline": "2001-01-01T10:00"}, "must be in the future"),
        ({"concession": "discount", "amount": "a lot"}, "Enter the amount as a number"),
        ({"concession": "discount", "amount": ""}, "Enter how much is asked for."),
        ({"concession": "discount", "amount": "-5"}, "Enter an amount above 0"),
        ({"impasse_at": "2098-01-01T10:00"}, "The impasse cannot be in the future."),
        ({"override_level": "3", "override_reason": ""}, "Enter why you override the routing."),
    ],
)
def test_a_wrong_form_is_422_names_the_field_and_keeps_the_rest(cast, as_user, wrong, words):
    answer = as_user(cast.csm).post(urls("new"), typed(cast, **wrong))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert page.count(words) >= 2, "in the summary and at the field"
    assert "<title>Error: New escalation" in page
    if "impact" not in wrong:
        assert "The renewal lapses." in page
    assert not Escalation.objects.exists()


def test_an_account_of_somebody_else_cannot_be_chosen(cast, as_user):
    client = as_user(cast.outsider)
    assert "Northwind" not in client.get(urls("new")).content.decode()
    answer = client.post(urls("new"), typed(cast))
    assert answer.status_code == 422
    assert "Choose an account from the list." in answer.content.decode()
    assert client.get(urls("new"), {"account": cast.northwind.pk}).status_code == 404
    assert not Escalation.objects.exists()


def test_an_override_to_a_third_party_keeps_the_level_and_marks_the_case(cast, as_user):
    as_user(cast.csm).post(urls("new"), typed(cast, override_level="external", override_reason="The carrier decides"))
    case = Escalation.objects.get()
    assert case.kind == "external"
    assert case.level == case.matrix_row.level
    assert case.route_reasons[-1] == "Routing overridden to External: The carrier decides"


def test_an_override_goes_to_the_chosen_level_with_its_reason(cast, as_user):
    as_user(cast.csm).post(urls("new"), typed(cast, override_level="3", override_reason="The board asked"))
    case = Escalation.objects.get()
    assert case.level == 3
    assert "The board asked" in case.route_reasons[-1]


def test_the_preview_names_level_owner_authority_and_why_and_writes_nothing(cast, as_user):
    client = as_user(cast.csm)
    with CaptureQueriesContext(connection) as seen:
        answer = client.post(
            urls("preview"), typed(cast, concession="discount", amount="18"), headers={"HX-Request": "true"}
        )
    page = answer.content.decode()
    assert "<html" not in page
    for words in ("Level 2 · Director", "Lena Ortiz", "Decision authority", "Why", "$180,000", "Decision within 48"):
        assert words in page
    assert [q["sql"] for q in seen if re.match(r"(INSERT|UPDATE|DELETE)", q["sql"])] == []
    assert not Escalation.objects.exists()


def test_the_preview_says_what_opening_then_does(cast, as_user):
    client = as_user(cast.csm)
    facts = typed(cast, concession="discount", amount="30")
    page = client.post(urls("preview"), facts, headers={"HX-Request": "true"}).content.decode()
    client.post(urls("new"), facts)
    case = Escalation.objects.get()
    assert f"Level {case.level} · {case.get_level_display()}" in page
    assert case.handoffs.get(state="waiting", duty="owner").to_user.name in page
    assert case.people.get(duty="authority").user.name in page


def test_the_preview_works_on_half_a_form_and_without_scripts(cast, as_user):
    client = as_user(cast.csm)
    half = client.post(urls("preview"), {"account": cast.northwind.pk}, headers={"HX-Request": "true"})
    assert half.status_code == 200
    assert "Choose the account and the kind of issue" in half.content.decode()
    whole = client.post(urls("preview"), typed(cast, impact="Kept while looking")).content.decode()
    assert "<html" in whole
    assert "Kept while looking" in whole
    assert "Preview from the escalation matrix" in whole
    assert "There is a problem" not in whole


def test_a_possible_duplicate_is_shown_with_its_link(cast, case, as_user):
    preview = {"path": urls("preview"), "data": typed(cast), "headers": {"HX-Request": "true"}}
    page = as_user(cast.csm).post(**preview).content.decode()
    assert "Possible duplicate" in page
    assert urls("case", case) in page
    preview["data"] = typed(cast, issue_type="technical-outage")
    assert "Possible duplicate" not in as_user(cast.csm).post(**preview).content.decode()


def test_a_signal_prefills_the_form(cast, as_user):
    contact = Contact.objects.create(
        account=cast.northwind, name="Ann Roe", email="ann@northwind.example", executive=True
    )
    signal = Signal.objects.create(
        account=cast.northwind,
        contact=contact,
        kind="email",
        at=days(-2),
        text="Refund 12,000 or our lawyers act",
        sentiment=-0.6,
        phrases=[
            {"kind": "legal", "text": "lawyers", "start": 21, "end": 28},
            {"kind": "refund", "text": "Refund", "start": 0, "end": 6},
        ],
        amount=Decimal("12000"),
        currency="EUR",
    )
    client = as_user(cast.csm)
    page = client.get(urls("new"), {"signal": signal.pk})
    initial = page.context["form"].initial
    assert initial["issue"] == signal.text
    assert (initial["concession"], initial["amount"], initial["currency"]) == ("refund", Decimal("12000"), "EUR")
    assert initial["impasse_at"] == signal.at
    assert initial["legal"] is False  # words set no flag
    assert initial["executive_complaint"] is True
    assert "Northwind Logistics" in page.content.decode()
    client.post(urls("new"), typed(cast, signal=signal.pk))
    assert Escalation.objects.get().signal == signal


def test_a_signal_of_a_foreign_account_is_404_and_cannot_be_posted(cast, as_user):
    signal = Signal.objects.create(account=cast.elsewhere, kind="note", at=now(), text="Secret")
    client = as_user(cast.csm)
    assert client.get(urls("new"), {"signal": signal.pk}).status_code == 404
    assert client.get(urls("new"), {"signal": "abc"}).status_code == 404
    answer = client.post(urls("new"), typed(cast, signal=signal.pk))
    assert answer.status_code == 422
    assert "Secret" not in answer.content.decode()


def test_an_account_is_preselected_from_its_page(cast, as_user):
    page = as_user(cast.csm).get(urls("new"), {"account": cast.northwind.pk}).content.decode()
    assert f'<input type="hidden" name="account" value="{cast.northwind.pk}">' in page
    assert "$180,000" in page


def test_a_draft_is_kept_comes_back_and_can_be_discarded(cast, as_user):
    client = as_user(cast.csm)
    saved = client.post(
        urls("draft"), {"issue": "Half a thought", "legal": "on", "evil": "x"}, headers={"HX-Request": "true"}
    )
    assert "Draft saved" in saved.content.decode()
    assert IntakeDraft.objects.get().data == {"issue": "Half a thought", "legal": "on"}
    page = client.get(urls("new")).content.decode()
    assert "Half a thought" in page
    assert "Your draft is back." in page
    assert "Half a thought" not in as_user(cast.ae).get(urls("new")).content.decode()
    assert client.post(urls("draft"), {"discard": "1"}).status_code == 302
    assert not IntakeDraft.objects.exists()


def test_an_empty_form_does_not_wipe_a_draft_and_submitting_does(cast, as_user):
    client = as_user(cast.csm)
    client.post(urls("draft"), {"issue": "Half a thought"})
    client.post(urls("draft"), {"issue": "", "account": ""})
    assert IntakeDraft.objects.get().data == {"issue": "Half a thought"}
    client.post(urls("new"), typed(cast))
    assert not IntakeDraft.objects.exists()


def test_reading_the_form_changes_nothing(cast, as_user):
    client = as_user(cast.csm)
    with CaptureQueriesContext(connection) as seen:
        client.get(urls("new"))
    assert [q["sql"] for q in seen if re.match(r"(INSERT|UPDATE|DELETE)", q["sql"])] == []
    for name in ("preview", "draft"):
        assert client.get(urls(name)).status_code == 405
