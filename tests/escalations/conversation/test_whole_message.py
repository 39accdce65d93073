"""A mail says all that its sender wrote: its subject, its invitation, and what of it nobody can read."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Signal
from escalations.cases.rules.addressing import keys_in, own_subject, whole_words
from escalations.models import Escalation
from messaging.inbound import receive as inbound
from messaging.inbound.parsing.parse import parse_mail
from messaging.inbound.rules.unread_parts import invitation, named
from messaging.kinds import Content
from messaging.models import InboundMail
from messaging.outbox import messages as outbox
from tests.escalations.cases.builders import opened
from tests.escalations.conversation.mails import words, write
from tests.support.cast import Cast

FROM = "From: Jonas Thiel <jonas@northwind.example>\r\nTo: desk@localhost\r\nMessage-ID: <{name}@northwind.example>\r\n"
MEETING = """BEGIN:VCALENDAR
METHOD:{method}
BEGIN:VEVENT
DTSTART{start}
SUMMARY:Crisis call\\, renewal
 of the contract
LOCATION:Room 4
ATTENDEE;PARTSTAT=DECLINED:mailto:jonas@northwind.example
BEGIN:VALARM
DESCRIPTION:Reminder
END:VALARM
END:VEVENT
END:VCALENDAR"""


@pytest.mark.both_databases
@pytest.mark.django_db
def test_the_subject_is_the_first_sentence_and_is_read_for_phrases(cast: Cast) -> None:
    opened(cast)
    write("", Subject="We are cancelling our contract unless you call us")
    write("See subject.", Subject="Fwd: Please call me")
    write("Please call me at noon.", Subject="Please call me")
    assert list(Signal.objects.order_by("pk").values_list("text", flat=True)) == [
        "We are cancelling our contract unless you call us",
        "Please call me\n\nSee subject.",
        "Please call me at noon.",
    ]
    assert Signal.objects.earliest("pk").phrases


@pytest.mark.django_db
def test_the_subject_of_our_own_mail_is_not_theirs(cast: Cast) -> None:
    case = opened(cast)
    ours = f"Update 1 on {case.key}: the answer"
    outbox.post(
        key="u1",
        kind="customer_update",
        to="jonas@northwind.example",
        content=Content(ours, "We have news.", ""),
        regarding=outbox.Regarding(case_key=case.key),
    )
    write("Thursday suits us.", Subject=f"AW: Re: {ours}")
    write("Call me.", Subject=f"Re: {case.key} we are cancelling our contract")
    assert words(case) == ["Thursday suits us.", f"{case.key} we are cancelling our contract\n\nCall me."]


@pytest.mark.django_db
def test_a_subject_alone_opens_a_case_by_its_trigger(cast: Cast) -> None:
    write("", Subject="We will not renew the contract and our counsel will call you")
    case = Escalation.objects.get()
    assert case.trigger_text


@pytest.mark.parametrize(
    ("subject", "shown", "keys"),
    [
        ("AW: Fwd: Kündigung", "Kündigung", []),
        ("Re: ESC-1001 update", "ESC-1001 update", ["ESC-1001"]),
        ("Re: ESC-1001", "", ["ESC-1001"]),
        ("", "", []),
    ],
)
def test_a_subject_is_read_without_the_marks_of_an_answer(subject: str, shown: str, keys: list[str]) -> None:
    assert (own_subject(subject), keys_in(subject)) == (shown, keys)


def test_a_text_that_begins_with_the_subject_says_it_once() -> None:
    assert whole_words("Help", "help us please") == "help us please"
    assert whole_words("", "Help") == "Help"


@pytest.mark.parametrize(
    ("method", "start", "line"),
    [
        ("REQUEST", ":20261201T150000Z", "Invitation: Crisis call, renewalof the contract, Dec 1 15:00 UTC, Room 4"),
        (
            "CANCEL",
            ";TZID=Europe/Berlin:20261201T150000",
            "Meeting cancelled: Crisis call, renewalof the contract, Dec 1 15:00 Europe/Berlin, Room 4",
        ),
        (
            "REPLY",
            ";VALUE=DATE:20261201",
            "Answer to an invitation: Crisis call, renewalof the contract, declined, Dec 1, Room 4",
        ),
        (
            "COUNTER",
            ":20261201T150000Z",
            "Another time proposed: Crisis call, renewalof the contract, Dec 1 15:00 UTC, Room 4",
        ),
        ("PUBLISH", ":soon", "Calendar entry: Crisis call, renewalof the contract, Room 4"),
    ],
)
def test_an_invitation_is_named_with_its_time(method: str, start: str, line: str) -> None:
    assert invitation(MEETING.format(method=method, start=start)) == line


def test_parts_without_a_text_are_named() -> None:
    assert named("", [("winmail.dat", "application/ms-tnef")]) == "1 attachment, winmail.dat, could not be read"
    assert named("", [("winmail.dat", "application/octet-stream")]) == "1 attachment, winmail.dat, could not be read"
    assert named("", [("smime.p7m", "application/pkcs7-mime")]) == "1 attachment, smime.p7m, could not be read"
    pgp = [("", "application/pgp-encrypted"), ("encrypted.asc", "application/octet-stream")]
    assert named("", pgp) == "2 attachments, without a name, encrypted.asc, could not be read"
    assert named("", [("", "text/calendar")]) == "1 attachment: without a name"
    assert named("Invitation: x", [("invite.ics", "application/octet-stream")]) == "Invitation: x"
    assert named("", [("a.pdf", "application/pdf"), ("", "image/png")]) == "2 attachments: a.pdf, without a name"
    assert invitation("BEGIN:VCALENDAR\nEND:VCALENDAR") == named("", []) == ""


@pytest.mark.django_db
def test_no_mail_leaves_an_empty_entry(cast: Cast) -> None:
    case: Escalation = opened(cast)
    tnef = 'Content-Type: application/ms-tnef; name="winmail.dat"\r\nContent-Transfer-Encoding: base64\r\n\r\neJ8+IldlIHdp\r\n'
    calendar = "Content-Type: text/calendar; method=REQUEST\r\n\r\n" + MEETING.format(
        method="REQUEST", start=":20261201T150000Z"
    ).replace("\n", "\r\n")
    for name, rest in (("w", tnef), ("i", calendar), ("e", "\r\n")):
        inbound.receive(raw=(FROM.format(name=name) + rest).encode())
    assert words(case) == [
        "1 attachment, winmail.dat, could not be read",
        "Invitation: Crisis call, renewalof the contract, Dec 1 15:00 UTC, Room 4",
        "The message is empty.",
    ]


@pytest.mark.django_db
def test_what_was_cut_unfolds_on_the_case(cast: Cast, client: Client) -> None:
    case = opened(cast)
    secret = "https://desk.example/d/" + "x" * 40
    write(
        f"We agree.\r\n\r\nOn Mon, 2 Mar 2026 at 09:00, Desk <desk@localhost> wrote:\r\n> Decide: {secret}",
        Subject="Re: x",
    )
    client.force_login(cast.csm)
    page = client.get(f"/escalations/{case.key}/").content.decode()
    assert "Show the quoted text" in page
    assert "Decide: https://desk.example/d/…" in page
    assert "x" * 40 not in page


def test_a_file_that_only_outlook_reads_is_named_beside_a_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "Content-Type: text/plain\r\n\r\nPlease see the file.\r\n"
    tnef = 'Content-Type: application/ms-tnef; name="winmail.dat"\r\nContent-Transfer-Encoding: base64\r\n\r\neJ8+IldlIHdp\r\n'
    mail = f"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n{text}--b\r\n{tnef}--b--\r\n"
    (tmp_path / "w.eml").write_bytes((FROM.format(name="w") + mail).encode())
    call_command("read_mail", tmp_path, "--json")
    facts = json.loads(capsys.readouterr().out)
    assert (facts["visible"], facts["attachments"]) == ("Please see the file.", ["winmail.dat"])


@pytest.mark.django_db
def test_read_mail_prints_what_the_desk_reads_and_keeps_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.eml").write_bytes((FROM.format(name="a") + "Subject: Re: We cancel\r\n\r\nCall me.\r\n").encode())
    call_command("read_mail", tmp_path, "--json")
    facts = json.loads(capsys.readouterr().out)
    assert facts["id"] == "<a@northwind.example>"
    assert (facts["visible"], facts["cut"], facts["sender"]) == ("Call me.", "", "jonas@northwind.example")
    assert (facts["proven"], facts["automatic"], facts["attachments"]) == (False, False, [])
    call_command("read_mail", tmp_path / "a.eml")
    assert "subject: Re: We cancel | visible: Call me." in capsys.readouterr().out
    with pytest.raises(CommandError, match=r"no\.eml could not be read"):
        call_command("read_mail", tmp_path / "no.eml", tmp_path)
    assert "Call me." in capsys.readouterr().out
    assert not InboundMail.objects.exists()


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("text/x-vcalendar", "Invitation: Crisis call, renewalof the contract, Dec 1 15:00 UTC, Room 4"),
        ('application/ics; name="a.ics"', "Invitation: Crisis call, renewalof the contract, Dec 1 15:00 UTC, Room 4"),
        (
            'application/octet-stream; name="a.ics"',
            "Invitation: Crisis call, renewalof the contract, Dec 1 15:00 UTC, Room 4",
        ),
        ('audio/wav; name="voice.wav"', "1 attachment: voice.wav"),
        ("text/markdown", MEETING.format(method="REQUEST", start=":20261201T150000Z")),
    ],
)
def test_a_part_of_another_type_is_read_or_named(kind: str, said: str) -> None:
    calendar = MEETING.format(method="REQUEST", start=":20261201T150000Z").replace("\n", "\r\n")
    mail = parse_mail((FROM.format(name="k") + f"Content-Type: {kind}\r\n\r\n{calendar}").encode())
    assert mail.visible_text == said
