import json
from pathlib import Path

import pytest

from messaging.inbound.rules.automatic import Automatic, classify


def look(
    subject: str = "Question", from_: str = "Ana <ana@example.com>", body: str = "Hello", **headers: str
) -> Automatic:
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    content_type = {name.lower(): value for name, value in named}.get("content-type", "text/plain")
    return classify(named, subject, from_, body, content_type)


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        ("auto_reply", {"Auto_Submitted": "auto-replied"}),
        ("auto_reply", {"AUTO_SUBMITTED": "AUTO-REPLIED; x=1"}),
        ("auto_reply", {"Auto_Submitted": "auto_generated"}),
        ("auto_reply", {"X_Autoreply": "yes"}),
        ("auto_reply", {"X_Auto_Response_Suppress": "OOF, AutoReply"}),
        ("auto_reply", {"Precedence": "auto_reply"}),
        ("auto_reply", {"Return_Path": "<>"}),
        ("list", {"Precedence": "bulk"}),
        ("list", {"List_Id": "<news.example.com>"}),
        ("bounce", {"X_Failed_Recipients": "a@example.com"}),
        ("bounce", {"Content_Type": "multipart/report; report-type=delivery-status"}),
        ("feedback_loop", {"Content_Type": 'multipart/report; report-type="feedback-report"'}),
        ("auto_reply", {"Content_Type": "multipart/report; report-type=disposition-notification"}),
    ],
)
def test_a_header_by_which_a_machine_names_itself_decides_alone(kind: str, headers: dict[str, str]) -> None:
    assert look(**headers).kind == kind


@pytest.mark.parametrize(
    "headers",
    [{"Auto_Submitted": "no"}, {"Auto_Submitted": "no; x=1"}, {"Precedence": "first-class"}, {"X_Autoreply": "no"}],
)
def test_a_header_that_denies_automation_leaves_a_person(headers: dict[str, str]) -> None:
    assert look(**headers).is_human


@pytest.mark.parametrize(
    "headers",
    [
        [("Auto-Submitted", "no"), ("Auto-Submitted", "auto-replied")],
        [("Auto-Submitted", "auto-replied"), ("Auto-Submitted", "no")],
        [("Auto-Submitted", "no"), ("AUTO-SUBMITTED", "no"), ("auto-submitted", "auto-generated; x=1")],
        [("Auto-Submitted", "no, auto-replied")],
        [("Auto-Submitted", "(rule 3) auto-replied")],
        [("Auto-Submitted", "(rule (3)) auto-replied")],
        [("X-Autoreply", "no"), ("X-Autoreply", "yes")],
        [("X-Autoreply", "no"), ("X-Autorespond", "yes")],
        [("X-Auto-Response-Suppress", "None"), ("X-Auto-Response-Suppress", "OOF")],
        [("Precedence", "normal"), ("Precedence", "auto_reply")],
        [("Precedence", "normal"), ("X-Precedence", "bulk")],
    ],
)
def test_a_header_that_says_automatic_wins_over_one_that_denies_it(headers: list[tuple[str, str]]) -> None:
    assert not classify(headers, "Question", "Ana <ana@example.com>", "Hello", "text/plain").is_human


@pytest.mark.parametrize("value", ["no (auto-replied was off)", "(by hand) no", "no; auto-replied=0", ""])
def test_a_comment_beside_no_changes_nothing(value: str) -> None:
    assert look(Auto_Submitted=value).is_human


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: Your offer",
        "Out of Office: back Monday",
        "Automatische Antwort: Angebot",
        "Abwesenheitsnotiz",
        "Réponse automatique : offre",
        "Respuesta automática: oferta",
        "Risposta automatica: offerta",
        "Automatisch antwoord: aanbod",
        "Автоматический ответ: offer",
        "自動応答: offer",
        "自动回复：offer",
        "Accepted: Call on Tuesday",
    ],
)
def test_the_start_of_a_subject_tells_an_automatic_reply(subject: str) -> None:
    assert look(subject).kind == "auto_reply"


@pytest.mark.parametrize(
    "subject",
    [
        "Re: Out of office",
        "Re: Automatic reply: Your offer",
        "We were told to auto reply",
        "Undeliverable promises",
        "Returned goods",
    ],
)
def test_a_person_may_speak_of_such_things(subject: str) -> None:
    assert look(subject, body="Can we talk about this tomorrow?", In_Reply_To="<a@b>").is_human


def test_a_person_who_complains_about_lost_mail_is_not_lost() -> None:
    assert look("Mail not delivered", body="Hello, our mails to you seem to vanish. Can you look?").is_human


def test_auto_colon_counts_only_in_an_answer() -> None:
    assert look("Auto: question", In_Reply_To="<a@b>").kind == "auto_reply"
    assert look("Auto: question").is_human


@pytest.mark.parametrize(
    "sender", ["MAILER-DAEMON@mx.example", "Mail Delivery System <x@mx.example>", "postmaster@example.com"]
)
def test_mail_of_a_mail_system_is_a_bounce(sender: str) -> None:
    assert look(from_=sender).kind == "bounce"


def test_an_old_bounce_in_plain_text_needs_two_witnesses() -> None:
    assert (
        look("Delivery Failure", body="Could not deliver to:\na@b.example\nReason: 550 unknown user").kind == "bounce"
    )
    assert look("Shipping", body="The parcel could not be delivered to us on Monday.").is_human


def test_an_amazon_notice_is_told_by_sender_and_body() -> None:
    body = '{"notificationType":"Complaint","complaint":{}}'
    assert look(from_="x <no-reply@sns.amazonaws.com>", body=body).kind == "feedback_loop"
    assert look(body=body).is_human


def test_robots_in_real_mail_are_found_from_their_headers(real_data: Path) -> None:
    facts = json.loads((real_data / "5_mail" / "auto_header_facts.json").read_text("utf-8"))
    wrong = [fact["headers"] for fact in facts if _kind(fact["headers"]) != fact["expected"]]
    assert wrong == []


def _kind(headers: dict[str, str]) -> str:
    low = {name.lower(): value for name, value in headers.items()}
    found = classify(
        list(headers.items()), low.get("subject", ""), low.get("from", ""), "", low.get("content-type", "")
    )
    return "human" if found.is_human else "automatic"


@pytest.mark.parametrize(
    ("subject", "sender", "body"),
    [
        ("Delivery problem with order 42", "Ana <ana@example.com>", "Hello, 550 units could not be delivered."),
        (
            "Delivery delayed again",
            "Ana <ana@example.com>",
            "You were unable to deliver on time. We lose 450 euro a day.",
        ),
        ("Declined: our card payment", "Ana <ana@example.com>", "Our bank says no. Can you check?"),
        ("Cancelled: subscription 1234", "Ana <ana@example.com>", "This was a mistake."),
        ("Ausencia de respuesta", "Ana <ana@example.com>", "Llevamos dos semanas esperando."),
        ("Assenza di risposta", "Ana <ana@example.com>", "Attendiamo da due settimane."),
        ("Отсутствует доступ", "Ana <ana@example.com>", "Не можем войти."),
        ("Automatic reply does not work", "Ana <ana@example.com>", "Since Monday."),
        ("Complaint report for May", "complaints@example.com", "See the list below."),
        ("Re: Thank you for your message", "Ana <ana@example.com>", "Any news?"),
        ("Read: our contract, page 4", "Ana <ana@example.com>", "We do not agree with clause 2."),
    ],
)
def test_a_customers_complaint_in_such_words_is_not_lost(subject: str, sender: str, body: str) -> None:
    assert look(subject, sender, body).is_human


@pytest.mark.parametrize(
    "subject", ["Undelivered Mail Returned to Sender", "Undeliverable: Offer", "Returned mail: see transcript"]
)
def test_a_subject_that_only_mail_servers_write_is_enough(subject: str) -> None:
    assert look(subject).kind == "bounce"


def test_a_meeting_declined_by_a_calendar_is_automatic() -> None:
    assert look("Declined: Call", body="Ana has declined this invitation.").kind == "auto_reply"
