import json
from pathlib import Path

import pytest

from messaging.inbound.rules.automatic import Automatic, Part, classify


def look(
    subject: str = "Question",
    from_: str = "Ana <ana@example.com>",
    body: str = "Hello",
    parts: tuple[Part, ...] = (),
    **headers: str,
) -> Automatic:
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    content_type = {name.lower(): value for name, value in named}.get("content-type", "text/plain")
    return classify(named, subject, from_, body, content_type, parts)


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        ("auto_reply", {"Auto_Submitted": "auto-replied"}),
        ("auto_reply", {"AUTO_SUBMITTED": "AUTO-REPLIED; x=1"}),
        ("auto_reply", {"Auto_Submitted": "auto_generated"}),
        ("auto_reply", {"X_Autoreply": "yes"}),
        ("auto_reply", {"Precedence": "auto_reply"}),
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
        [("Precedence", "normal"), ("Precedence", "auto_reply")],
    ],
)
def test_a_header_that_says_automatic_wins_over_one_that_denies_it(headers: list[tuple[str, str]]) -> None:
    assert not classify(headers, "Question", "Ana <ana@example.com>", "Hello", "text/plain").is_human


@pytest.mark.parametrize("value", ["no (auto-replied was off)", "(by hand) no", "no; auto-replied=0", ""])
def test_a_comment_beside_no_changes_nothing(value: str) -> None:
    assert look(Auto_Submitted=value).is_human


WAYS: list[dict[str, str]] = [
    {"X_Auto_Response_Suppress": "DR, OOF, AutoReply"},
    {"X_Auto_Response_Suppress": "All"},
    {"Precedence": "list"},
    {"Precedence": "bulk"},
    {"X_Precedence": "bulk"},
    {"List_Id": "<support.desk.example>"},
    {"List_Unsubscribe": "<https://crm.example.com/u/1>"},
    {"Mailing_List": "list support@desk.example"},
    {"Return_Path": "<>"},
    {"Precedence": "list", "List_Id": "<a.b>", "Return_Path": "<>", "X_Auto_Response_Suppress": "All"},
]
SUBJECTS = [
    "Automatic reply: Your offer",
    "Out of Office: back Monday",
    "Out of office",
    "Automatische Antwort: Angebot",
    "Abwesenheitsnotiz",
    "Réponse automatique : offre",
    "Reponse automatique : offre",
    "Respuesta automática: oferta",
    "Respuesta automatica: oferta",
    "Risposta automatica: offerta",
    "Automatisch antwoord: aanbod",
    "Автоматический ответ: offer",
    "自動応答: offer",
    "自动回复：offer",
]


@pytest.mark.parametrize("way", WAYS)
def test_a_way_of_delivery_or_a_wish_leaves_a_person(way: dict[str, str]) -> None:
    found = look("RE: your answer", body="We are not happy with the answer, please call me.", **way)
    assert found.is_human
    assert found.doubt


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_start_of_a_subject_tells_an_automatic_reply_with_a_second_witness(subject: str) -> None:
    assert look(subject, X_Auto_Response_Suppress="All").kind == "auto_reply"
    assert look(subject, body="I am out of the office until Monday.").kind == "auto_reply"
    found = look(subject, body="We do not accept this. Please call me.")
    assert (found.is_human, bool(found.doubt)) == (True, True)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Out of office message of your support is wrong", "The out of office text is misleading."),
        ("Automatic reply of your portal is wrong", "It names the old number."),
        ("Abwesenheitsnotiz Ihres Supports ist falsch", "Bitte korrigieren."),
        ("Your automatic replies", "I am on vacation next week, please solve this before."),
        ("Delivery delayed again", "You were unable to deliver on time. We lose 450 euro a day."),
        (
            "Renewal",
            "You received this message because you are subscribed to the group. To unsubscribe, write to x@y.z",
        ),
    ],
)
def test_a_person_who_writes_about_such_mail_through_a_group_is_not_lost(
    way: dict[str, str], subject: str, body: str
) -> None:
    assert look(subject, body=body, **way).is_human


@pytest.mark.parametrize("body", ["Je suis absent du bureau.", "Ich bin bis Montag im Urlaub.", "不在にしております。"])
def test_an_absence_is_read_in_other_languages(body: str) -> None:
    assert look("Automatic reply: Offer", body=body).kind == "auto_reply"


def test_mass_mail_is_told_by_its_way_and_its_text() -> None:
    body = "View this email in your browser. Our news of May."
    assert look("News", body=body, List_Unsubscribe="<https://news.example.com>").kind == "list"
    assert look("News", body=body).is_human


DSN = Part("message/delivery-status; name=deliverystatus.txt", "Final-Recipient: a@example.com\nStatus: 5.0.0")
FAILED = Part(
    "text/plain; name=deliveryproblems.txt",
    "--- The following addresses had delivery problems ---\n<a@b.cd> User unknown",
)
COMPLAINT = Part("message/rfc822", "X-HmXmrOriginalRecipient: a@b.cd\nSubject: Offer")
ATTACHED = Part("message/rfc822", "Subject: Offer")


def test_the_parts_of_a_bounce_or_a_complaint_are_read() -> None:
    mixed = "multipart/mixed; boundary=b"
    assert look("Delivery Status", body="", parts=(DSN,), Content_Type=mixed).kind == "bounce"
    assert look("Delivery Status", body="", parts=(FAILED,), Content_Type=mixed).kind == "bounce"
    assert look("complaint about message from 192.0.2.2", body="", parts=(ATTACHED,)).kind == "feedback_loop"
    assert look("Abuse report", body="", parts=(COMPLAINT,)).kind == "feedback_loop"
    assert look("x", body="", parts=(Part("message/feedback-report"),)).kind == "feedback_loop"
    assert look("x", body="", parts=(Part("text/calendar; method=reply"),)).kind == "auto_reply"


def test_a_person_who_attaches_a_mail_or_answers_a_bounce_is_not_lost() -> None:
    assert look("Mail not delivered", body="See the attached mail, it got lost.", parts=(ATTACHED,)).is_human
    assert look("Spam complaint", body="Your sales team keeps writing to us.", parts=(ATTACHED,)).is_human
    assert look("Re: Undeliverable", body="What is this?", parts=(DSN,), In_Reply_To="<a@b>").is_human
    assert look("Invitation", parts=(Part("text/calendar; method=request"),)).is_human
    assert look("Cancelled: Renewal call", parts=(Part("text/calendar; method=cancel"),)).is_human


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("NOT MEMBER article from a@example.com", "You are not a member of the list.\nOriginal mail as follows:"),
        ("Loop Alert: list ML", "Mail loop found.\nOriginal mail as follows:"),
        ("Echec de la remise", "Impossible de remettre: 550 5.1.1 user unknown"),
        ("Non remis : offre", "n'a pas pu etre remis\n#5.1.1 smtp; 550"),
        ("Notification d'etat de remise", "final-recipient: a@b.cd"),
    ],
)
def test_failures_of_list_servers_and_without_accents_are_found(subject: str, body: str) -> None:
    assert look(subject, body=body).kind == "bounce"


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
    assert look("Auto: question", In_Reply_To="<a@b>", Precedence="bulk").kind == "auto_reply"
    assert look("Auto: question", Precedence="bulk").is_human


@pytest.mark.parametrize(
    "sender", ["MAILER-DAEMON@mx.example", "Mail Delivery System <x@mx.example>", "Mail Delivery Subsystem <a@b.cd>"]
)
def test_mail_of_a_mail_system_is_a_bounce(sender: str) -> None:
    assert look(from_=sender).kind == "bounce"


def test_a_postmaster_may_be_a_person() -> None:
    assert look("Failure notice", "postmaster@example.com", "Not delivered: a@b.cd").kind == "bounce"
    assert look("Renewal", "postmaster@example.com", "Please call me about the renewal.").is_human


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
    # These have one witness only, a way of delivery or a subject, so they stay with a person.
    ways = {"Precedence", "List-ID", "Return-Path", "List-Unsubscribe", "List-Id", "X-Auto-Response-Suppress"}
    one_witness = [found for found in wrong if ways & set(found) or found["Subject"].startswith(AUTOMATIC)]
    assert wrong == one_witness
    assert all(_kind(found) == "human" for found in wrong)


AUTOMATIC = ("Automatic reply:", "Out of Office", "Accepted:", "Auto:")


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
def test_a_subject_that_only_mail_servers_write_needs_their_text(subject: str) -> None:
    assert look(subject, body="The mail could not be delivered.\nStatus: 5.1.1").kind == "bounce"
    assert look(subject, body="What does your server want to tell us?").is_human


def test_a_meeting_declined_by_a_calendar_is_automatic() -> None:
    assert look("Declined: Call", body="Ana has declined this invitation.").kind == "auto_reply"
    assert look("Accepted: Call on Tuesday", body="Ana has accepted this invitation.").kind == "auto_reply"
    assert look("Accepted: your offer", body="We take it.").is_human
