"""A mail finds its case by our address, the mail it answers, or a key; else it is placed by guess and can be moved."""

from datetime import timedelta
from email.utils import format_datetime

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Contact, Signal
from accounts.signals import record as signals
from escalations.cases import access_rows, closing, conversation, intake
from escalations.cases import thread as communication
from escalations.cases.duplicates import original_of
from escalations.cases.mail_address import is_token, reply_address
from escalations.models import CustomerMessage, Escalation
from ledger import chain
from ledger.errors import AlreadyDone, Invalid, NotAllowed, NotThere
from ledger.now import now
from messaging.models import InboundMail, Message
from tests.escalations.cases.builders import accepted, opened
from tests.escalations.conversation.mails import said, words, write
from tests.support.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def older(cast: Cast) -> Escalation:
    """The case that is meant: not the newest one of the account."""
    return accepted(cast)


@pytest.fixture
def newer(cast: Cast, older: Escalation) -> Escalation:
    """The newest case of the account."""
    return opened(cast, issue_type="compliance-exception")


def updated(cast: Cast, case: Escalation) -> Message:
    """A customer update that we sent from the case."""
    lead = case.people.get(duty="communication").user
    communication.customer_update(case_id=case.pk, by=lead, text="We work on it.", contacts=[cast.contact])
    return Message.objects.get(kind="customer_update")


def how(case: Escalation) -> str:
    return CustomerMessage.objects.get(case=case).placed


def test_our_update_carries_the_token_and_ids_that_we_know_again(cast: Cast, older: Escalation) -> None:
    sent = updated(cast, older)
    assert sent.reply_to == reply_address(older.pk)
    assert is_token(older.pk, sent.reply_to.partition("@")[0].rpartition(".")[2])
    assert not is_token(older.pk + 1, sent.reply_to.partition("@")[0].rpartition(".")[2])
    assert sent.thread_id == f"<case-{older.pk}@localhost>"


def test_the_address_with_its_token_wins_over_everything(cast: Cast, older: Escalation, newer: Escalation) -> None:
    write(
        "For the older one.",
        To=reply_address(older.pk),
        Subject=f"Re: {newer.key}",
        References=f"<case-{newer.pk}@localhost>",
    )
    assert (words(older), how(older)) == (["For the older one."], "token")
    assert words(newer) == []


@pytest.mark.both_databases
def test_an_answer_to_our_mail_finds_its_case_without_our_address(
    cast: Cast, older: Escalation, newer: Escalation
) -> None:
    sent = updated(cast, older)
    write("An answer.", **{"In-Reply-To": sent.message_id, "Subject": f"Re: {newer.key}"})
    assert (words(older), how(older)) == (["An answer."], "answer")


def test_a_reference_to_our_thread_is_enough(cast: Cast, older: Escalation, newer: Escalation) -> None:
    write("By reference.", References=f"<case-{older.pk}@localhost> <x@northwind.example>")
    assert (words(older), how(older)) == (["By reference."], "answer")


@pytest.mark.parametrize("header", ["Subject", "To"])
def test_a_key_or_an_address_without_a_token_names_the_case(
    cast: Cast, older: Escalation, newer: Escalation, header: str
) -> None:
    value = f"Re: Update 1 on {older.key}: Northwind" if header == "Subject" else f"case+{older.pk}@localhost"
    write("By its name.", **{header: value})
    subject = f"Update 1 on {older.key}: Northwind\n\n" if header == "Subject" else ""
    assert (words(older), how(older)) == ([f"{subject}By its name."], "named")


def test_a_mail_that_follows_a_placed_one_stands_beside_it(cast: Cast, older: Escalation, newer: Escalation) -> None:
    first = write("One.", To=reply_address(older.pk))
    write("Two.", **{"In-Reply-To": first.message_id})
    assert words(older) == ["One.", "Two."]


def test_where_nothing_tells_it_is_a_guess_and_says_so(cast: Cast, older: Escalation, newer: Escalation) -> None:
    write("Who knows.")
    assert (words(newer), how(newer)) == (["Who knows."], "guess")


@pytest.mark.parametrize("tokened", [True, False])
def test_a_case_of_another_account_is_never_the_place(cast: Cast, newer: Escalation, tokened: bool) -> None:
    Contact.objects.create(account=cast.elsewhere, name="Ida", email="ida@harbor.example")
    to = reply_address(newer.pk) if tokened else f"case+{newer.pk}@localhost"
    mail = write("Take me in.", From="ida@harbor.example", To=to)
    assert mail.state == InboundMail.WAITING
    assert newer.key in InboundMail.objects.get(pk=mail.pk).note
    assert words(newer) == []


def duplicate(cast: Cast, case: Escalation, of: Escalation) -> None:
    closing.mark_duplicate(case_id=case.pk, by=cast.csm, of=of)


@pytest.mark.both_databases
def test_a_duplicate_leads_on_to_its_original_through_chains(cast: Cast, older: Escalation, newer: Escalation) -> None:
    third = opened(cast, issue_type="technical-outage")
    duplicate(cast, third, older)
    duplicate(cast, older, newer)
    write("To the dead one.", To=reply_address(third.pk))
    [entry] = said(newer)
    assert third.key in entry.summary
    assert CustomerMessage.objects.get(event=entry).came_from == third.key
    assert words(third) == words(older) == []


def test_a_circle_of_duplicates_ends(cast: Cast, older: Escalation, newer: Escalation) -> None:
    duplicate(cast, older, newer)
    Escalation.objects.filter(pk=newer.pk).update(state="duplicate", duplicate_of=older)
    case = Escalation.objects.get(pk=older.pk)
    assert original_of(case) == case


def test_an_unproven_sender_is_shown_and_said(cast: Cast, older: Escalation, settings) -> None:
    settings.AUTHSERV_ID = "mx.desk.example"
    write("Proven.", **{"Authentication-Results": "mx.desk.example; dmarc=pass header.from=northwind.example"})
    write("Not proven.")
    assert words(older) == ["Proven.", "Not proven."]
    assert [entry.message.proven for entry in said(older)] == [True, False]


LEGAL = "Our lawyers prepare legal action against you because of the outage."


@pytest.mark.both_databases
def test_the_mail_that_opens_a_case_is_a_message_of_it(cast: Cast, client: Client) -> None:
    write(LEGAL, From="Kim Stranger <kim@northwind.example>", Message_ID="<first@northwind.example>")
    case = Escalation.objects.get()
    [entry] = said(case)
    assert entry.actor_name == "Kim Stranger", "not the name of the account"
    message = entry.message
    assert (message.placed, message.proven, message.opened_at) == ("opened", False, None)
    CustomerMessage.objects.update(at="2026-01-01T00:00Z")
    client.force_login(cast.csm)
    assert case.key in client.get(reverse("escalations:unopened")).content.decode()
    page = " ".join(client.get(reverse("escalations:case", args=[case.key])).content.decode().split())
    assert "Sender not proven" in page
    assert "Kim Stranger, kim@northwind.example, not a known contact" in page
    assert "Placed by guess" not in page


@pytest.mark.both_databases
def test_an_answer_to_the_mail_that_opened_a_case_goes_there(cast: Cast) -> None:
    write(LEGAL, Message_ID="<first@northwind.example>")
    case = Escalation.objects.get()
    newer = opened(cast, issue_type="compliance-exception")
    write("They write to you on Friday.", In_Reply_To="<first@northwind.example>")
    assert words(case) == [LEGAL, "They write to you on Friday."]
    assert words(newer) == []
    assert said(case)[-1].message.placed == "answer"


def test_so_does_an_answer_to_a_mail_that_a_person_opened_a_case_from(cast: Cast) -> None:
    write("Do you have a minute?", Message_ID="<first@northwind.example>")
    case = opened(cast, signal=Signal.objects.get())
    newer = opened(cast, issue_type="compliance-exception")
    write("Or tomorrow?", In_Reply_To="<first@northwind.example>")
    assert words(case) == ["Do you have a minute?", "Or tomorrow?"]
    assert words(newer) == []


def test_a_signal_that_a_colleague_logged_is_not_said_by_the_customer(cast: Cast) -> None:
    signals.record(signals.Observed(kind="call", text=LEGAL), account=cast.northwind, logged_by=cast.ae)
    case = Escalation.objects.get()
    [entry] = case.events.filter(message__isnull=False)
    assert (entry.kind, entry.audience, entry.actor) == ("signal", "internal", cast.ae)


@pytest.mark.both_databases
def test_a_move_keeps_both_histories(cast: Cast, older: Escalation, newer: Escalation) -> None:
    write("It was about the older one.")
    message = CustomerMessage.objects.get(case=newer)
    moved = conversation.move(message_id=message.pk, by=cast.csm, to=older)
    assert words(newer) == words(older) == ["It was about the older one."]
    assert newer.events.filter(kind="message.moved", actor=cast.csm, summary__contains=older.key).exists()
    [entry] = said(older)
    assert newer.key in entry.summary
    assert moved.placed == "hand"
    message.refresh_from_db()
    assert message.moved_to == moved
    for case in (older, newer):
        fresh = Escalation.objects.get(pk=case.pk)
        assert not list(chain.breaks_in(fresh, list(fresh.events.order_by("seq"))))
    with pytest.raises(AlreadyDone):
        conversation.move(message_id=message.pk, by=cast.csm, to=older)


def test_a_move_goes_to_a_case_of_the_same_account_only(cast: Cast, newer: Escalation) -> None:
    write("Somewhere.")
    message = CustomerMessage.objects.get(case=newer)
    data = intake.Intake(
        account=cast.elsewhere, issue_type="technical-outage", issue="Nothing works.", impact="All of it."
    )
    other = intake.open_case(data, by=cast.outsider)
    for target in (other, newer):
        with pytest.raises(Invalid):
            conversation.move(message_id=message.pk, by=cast.ops, to=target)
    with pytest.raises(NotAllowed):
        conversation.move(message_id=message.pk, by=cast.outsider, to=other)


@pytest.mark.both_databases
def test_a_move_goes_to_a_case_that_the_mover_sees_only(cast: Cast, client: Client, newer: Escalation) -> None:
    write("Somewhere.")
    message = CustomerMessage.objects.get(case=newer)
    secret = opened(cast, confidential=True)
    mover = secret.account.ae
    secret.people.filter(user=mover).delete()
    access_rows.keep([secret.pk])
    assert not Escalation.objects.visible_to(mover).filter(pk=secret.pk).exists()
    with pytest.raises(NotThere):
        conversation.move(message_id=message.pk, by=mover, to=secret)
    client.force_login(mover)
    address = reverse("escalations:message_move", args=[newer.key, message.pk])
    for to in (str(secret.pk), "", "²", "9" * 40):
        assert client.post(address, {"to": to}).status_code == 404
    assert words(newer) == ["Somewhere."]


def test_a_wrong_answer_ends_no_wait_for_good(cast: Cast, older: Escalation) -> None:
    communication.wait_on(case_id=older.pk, by=older.owner, whom="customer", reason="A number")
    other = opened(cast, issue_type="compliance-exception")
    write("Not about that.", To=f"case+{older.pk}@localhost")
    older.refresh_from_db()
    assert older.waiting_on == "nobody"
    conversation.move(message_id=CustomerMessage.objects.get(case=older).pk, by=cast.csm, to=other)
    older.refresh_from_db()
    assert older.waiting_on == "customer"


@pytest.mark.both_databases
def test_a_mail_whose_id_a_signal_of_another_account_has_waits_for_a_person(cast: Cast, older: Escalation) -> None:
    taken = signals.Observed(kind="email", text="Not yours")
    signals.record(taken, account=cast.elsewhere, source=signals.RECEIVED_MAIL, external_id="<taken@northwind.example>")
    mail = write("We need an answer.", Message_ID="<taken@northwind.example>")
    mail.refresh_from_db()
    assert (mail.state, words(older)) == (InboundMail.WAITING, [])
    assert "another account" in mail.note


@pytest.mark.both_databases
@pytest.mark.parametrize(("days", "believed"), [(-4, True), (-6, False), (-1500, False), (2, False)])
def test_the_date_in_a_mail_counts_if_a_delivery_may_take_that_long(cast: Cast, days: int, believed: bool) -> None:
    sent = (now() + timedelta(days=days)).replace(microsecond=0)
    mail = write("We demand a refund of $12,400 for the outage.", Date=format_datetime(sent))
    expected = sent if believed else mail.received_at
    assert Signal.objects.get().at == expected
    assert Escalation.objects.get().impasse_at == expected


def test_a_guess_prefers_a_case_that_is_not_confidential(cast: Cast, older: Escalation) -> None:
    secret = opened(cast, issue_type="compliance-exception", confidential=True)
    write("We need an answer.")
    assert (words(older), words(secret)) == (["We need an answer."], [])


def test_a_confidential_case_is_guessed_if_no_other_is_open(cast: Cast) -> None:
    secret = opened(cast, confidential=True)
    write("We need an answer.")
    assert words(secret) == ["We need an answer."]
