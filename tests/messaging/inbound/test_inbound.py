"""Mail taken in: one row a mail, offered to the apps above, never lost, placed or dismissed by a person."""

from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from ledger import files
from ledger.errors import AlreadyDone, Invalid, NotAllowed
from ledger.format import counted
from messaging.events import mail_received
from messaging.inbound import receive as inbound
from messaging.inbound.parsing.parsed import MAX_RAW_BYTES
from messaging.inbound.rules import html_text
from messaging.models import InboundMail


def letter(number: int = 1, *, text: str = "The refund is overdue.", headers: str = "") -> bytes:
    """A small mail of a customer."""
    return (
        f"From: Ana Lopez <Ana{number}@Customer.example>\r\nTo: desk@desk.example\r\nSubject: Refund {number}\r\n"
        f"Message-ID: <m{number}@customer.example>\r\nDate: Mon, 02 Mar 2026 10:00:00 +0100\r\n{headers}\r\n{text}\r\n"
    ).encode()


@pytest.fixture
def takers() -> Iterator[Callable[[Callable[..., None]], None]]:
    """Connect a receiver for one test; the receivers of the apps above are put aside."""
    before, mail_received.receivers = mail_received.receivers, []
    mail_received.sender_receivers_cache.clear()

    def connect(receiver: Callable[..., None]) -> None:
        mail_received.connect(receiver, weak=False)

    yield connect
    mail_received.receivers = before
    mail_received.sender_receivers_cache.clear()


def ingest(*paths: Path) -> str:
    """What the command prints."""
    out = StringIO()
    call_command("ingest_mail", *map(str, paths), stdout=out)
    return out.getvalue()


pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("takers")]


def test_a_mail_nobody_takes_waits_for_a_person_with_what_was_newly_written() -> None:
    reply = (
        "It is overdue.\r\n\r\nOn Mon, Mar 2, 2026 at 9:00 AM Desk <desk@desk.example> wrote:\r\n> We will refund you."
    )
    raw = letter(text=reply)
    mail = inbound.receive(raw=raw)
    assert (mail.state, mail.sender, mail.sender_name) == ("waiting", "ana1@customer.example", "Ana Lopez")
    assert (mail.subject, mail.recipients) == ("Refund 1", ["desk@desk.example"])
    assert mail.visible_text.strip() == "It is overdue."
    assert "We will refund you" in mail.text
    assert mail.sent_at.hour == 9
    assert files.read(mail.raw) == raw


def test_what_proves_the_sender_is_kept_with_the_mail() -> None:
    vouched = (
        "Authentication-Results: mx.desk.example; dmarc=pass header.from=customer.example\r\n"
        "Received: from elsewhere\r\nAuthentication-Results: mx.other.example;\r\n dmarc=none\r\n"
    )
    mail = inbound.receive(raw=letter(headers=vouched))
    assert mail.single_from == "ana1@customer.example"
    assert mail.auth_results == [
        "mx.desk.example; dmarc=pass header.from=customer.example",
        "mx.other.example; dmarc=none",
    ]
    assert mail.own_words


def test_a_mail_of_two_senders_has_no_single_one_and_a_forwarded_text_is_not_own() -> None:
    two = inbound.receive(raw=letter(headers="From: eve@evil.example\r\n"))
    assert (two.single_from, two.auth_results) == ("", [])
    forwarded = (
        "---------- Forwarded message ---------\r\nFrom: Bo <bo@x.example>\r\nDate: Mon\r\nSubject: s\r\n\r\napprove"
    )
    assert not inbound.receive(raw=letter(2, text=forwarded)).own_words


def test_a_mail_in_quarantine_is_for_people_only(sana: User) -> None:
    mail = inbound.quarantine(mail=inbound.receive(raw=letter()), note="Nothing proves who sent it.")
    assert (mail.state, mail.note, mail.handled_by) == ("quarantine", "Nothing proves who sent it.", None)
    with pytest.raises(AlreadyDone):
        inbound.claim(mail=mail, note="By a rule")
    with pytest.raises(AlreadyDone):
        inbound.quarantine(mail=mail, note="Again")
    assert inbound.dismiss(mail=mail, by=sana).state == "dismissed"


def test_the_same_mail_is_one_row_by_bytes_and_by_message_id() -> None:
    first = inbound.receive(raw=letter())
    assert inbound.receive(raw=letter()) == first
    assert inbound.receive(raw=b"Received: from elsewhere\r\n" + letter()) == first
    assert InboundMail.objects.count() == 1


def test_a_mail_with_other_words_under_a_used_message_id_is_not_lost() -> None:
    first = inbound.receive(raw=letter(text="Nothing to see."))
    second = inbound.receive(raw=letter(text="We cancel the contract."))
    assert first != second
    assert inbound.receive(raw=letter(text="We cancel the contract.")) == second
    assert InboundMail.objects.waiting().count() == 2


def test_a_taker_places_the_mail_in_the_same_breath(takers: Callable[..., None]) -> None:
    takers(lambda mail, **_: inbound.claim(mail=mail, note="Placed on Northwind"))
    mail = inbound.receive(raw=letter())
    assert (mail.state, mail.note, mail.handled_by) == ("claimed", "Placed on Northwind", None)
    assert mail.handled_at is not None


def test_automatic_mail_is_kept_and_announced_to_nobody(takers: Callable[..., None]) -> None:
    seen: list[InboundMail] = []
    takers(lambda mail, **_: seen.append(mail))
    mail = inbound.receive(raw=letter(headers="Auto-Submitted: auto-replied\r\n"))
    assert (mail.state, mail.automatic, seen) == ("automatic", "auto_reply", [])
    assert mail.note


def test_a_taker_that_refuses_does_not_lose_the_mail(takers: Callable[..., None]) -> None:
    def refuse(mail: InboundMail, **_: Any) -> None:
        inbound.claim(mail=mail, note="Half done")
        raise Invalid("The account is closed.")

    takers(refuse)
    mail = inbound.receive(raw=letter())
    assert (mail.state, mail.note) == ("waiting", "The account is closed.")


def test_a_mail_over_the_limit_is_kept_with_the_reason() -> None:
    mail = inbound.receive(raw=letter() + b"x" * MAX_RAW_BYTES)
    assert mail.state == "refused"
    assert "25 MB" in mail.note


def test_the_page_of_a_mail_is_read_by_the_child_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(reader: object, html: str) -> str:
        raise AssertionError("a stranger's page is not read in this process")

    monkeypatch.setattr(html_text._Reader, "read", never)
    mail = inbound.receive(raw=letter(text="<p>The refund is overdue.</p>", headers="Content-Type: text/html\r\n"))
    assert (mail.state, mail.text, mail.visible_text) == ("waiting", *["The refund is overdue."] * 2)


def test_what_cannot_be_stored_is_made_storable() -> None:
    subject = "Subject: =?utf-8?B?AAAA?= " + "x" * 2000
    raw = letter().replace(b"Subject: Refund 1", subject.encode()).replace(b"<m1@", b"<" + b"m" * 400 + b"@")
    mail = inbound.receive(raw=raw + b"\x00\xed\xa0\x80")
    assert len(mail.subject) <= 500
    assert len(mail.message_id) <= 255
    assert "\x00" not in mail.subject + mail.text


def test_a_mail_is_handled_once(sana: User) -> None:
    mail = inbound.receive(raw=letter())
    inbound.claim(mail=mail, note="Placed on Northwind", by=sana)
    assert (mail.state, mail.handled_by) == ("claimed", sana)
    with pytest.raises(AlreadyDone):
        inbound.claim(mail=mail, note="Placed on Contoso", by=sana)
    with pytest.raises(AlreadyDone):
        inbound.dismiss(mail=mail, by=sana)


def test_only_a_person_takes_back_what_a_rule_set_aside(sana: User) -> None:
    mail = inbound.receive(raw=letter(headers="Auto-Submitted: auto-replied\r\n"))
    with pytest.raises(AlreadyDone):
        inbound.claim(mail=mail, note="By a rule")
    assert inbound.claim(mail=mail, note="A customer after all", by=sana).state == "claimed"


def test_only_operations_dismiss(sana: User, tom: User) -> None:
    mail = inbound.receive(raw=letter())
    with pytest.raises(NotAllowed):
        inbound.dismiss(mail=mail, by=tom)
    assert inbound.dismiss(mail=mail, by=sana).state == "dismissed"


def test_the_command_says_what_became_of_each_mail(tmp_path: Path, takers: Callable[..., None]) -> None:
    def place_first(mail: InboundMail, **_: Any) -> None:
        if mail.sender.startswith("ana1@"):
            inbound.claim(mail=mail, note="account Northwind")

    takers(place_first)
    (tmp_path / "a.eml").write_bytes(letter(1))
    (tmp_path / "b.eml").write_bytes(letter(2))
    (tmp_path / "c.eml").write_bytes(letter(3, headers="Auto-Submitted: auto-replied\r\n"))
    (tmp_path / "d.eml").write_bytes(letter(1))
    (tmp_path / "notes.txt").write_text("not a mail")
    lines = ingest(tmp_path).splitlines()
    assert lines[0] == "a.eml: placed: account Northwind"
    assert lines[1].startswith("b.eml: waits in the inbox")
    assert lines[2].startswith("c.eml: automatic (auto reply)")
    assert lines[3] == "d.eml: already here, placed: account Northwind"
    assert lines[4] == "4 mails: 1 already here, 1 automatic, 1 placed, 1 waiting in the inbox"


def test_a_mailbox_file_holds_several_mails(tmp_path: Path) -> None:
    box = tmp_path / "old.mbox"
    envelope = b"From ana@customer.example Mon Mar  2 10:00:00 2026\n"
    quoted = letter(2, text=">From the start it was late.\nFrom here on it is not a new mail.")
    box.write_bytes(envelope + letter(1) + b"\n" + envelope + quoted)
    lines = ingest(box).splitlines()
    assert [line.split(":")[0] for line in lines[:2]] == ["old.mbox [1]", "old.mbox [2]"]
    assert lines[2] == "2 mails: 2 waiting in the inbox"
    text = InboundMail.objects.get(subject="Refund 2").text
    assert text.startswith("From the start it was late.")


def test_a_path_that_cannot_be_read_fails_after_the_rest_is_in(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(letter())
    with pytest.raises(CommandError, match=r"missing\.eml could not be read: No such file"):
        ingest(tmp_path / "missing.eml", tmp_path / "a.eml")
    assert InboundMail.objects.count() == 1


def test_a_folder_without_mail_says_so(tmp_path: Path) -> None:
    assert "no mail in this folder" in ingest(tmp_path)


def test_malformed_mail_from_the_wild_passes_without_a_crash(real_data: Path) -> None:
    folder = real_data / "5_mail" / "malformed"
    mails = len(list(folder.glob("*.eml")))
    lines = ingest(folder).splitlines()
    assert len(lines) == mails + 1
    assert lines[-1].startswith(f"{counted(mails, 'mail')}: ")
    rows = InboundMail.objects.count()
    assert ingest(folder).splitlines()[-1] == f"{counted(mails, 'mail')}: {mails} already here"
    assert InboundMail.objects.count() == rows
