"""A mail says all that its sender wrote: its subject, its invitation, and what of it nobody can read."""

import pytest

from accounts.models import Signal
from escalations.cases.rules.addressing import own_subject, whole_words
from escalations.models import Escalation
from messaging.inbound import receive as inbound
from messaging.inbound.rules.unread_parts import invitation, named
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
    write("Thursday suits us.", Subject=f"Re: Update 1 on {case.key}: the answer")
    assert words(case) == ["Thursday suits us."]


@pytest.mark.parametrize(
    ("subject", "answers", "shown"),
    [
        ("AW: Kündigung", True, "Kündigung"),
        ("Re: ESC-1001 update", True, ""),
        ("ESC-1001 is down again", False, "ESC-1001 is down again"),
        ("ESC-1001 update", True, ""),
        ("", False, ""),
    ],
)
def test_which_subjects_are_theirs(subject: str, answers: bool, shown: str) -> None:
    assert own_subject(subject, answers=answers) == shown


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
        ("PUBLISH", ":soon", "Calendar entry: Crisis call, renewalof the contract, Room 4"),
    ],
)
def test_an_invitation_is_named_with_its_time(method: str, start: str, line: str) -> None:
    assert invitation(MEETING.format(method=method, start=start)) == line


def test_parts_without_a_text_are_named() -> None:
    assert named("", [("winmail.dat", "application/ms-tnef")]) == "1 attachment, winmail.dat, could not be read"
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
