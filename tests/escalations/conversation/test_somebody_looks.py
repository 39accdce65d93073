"""Whatever a customer says, somebody is told; what comes after the end of a case stands in a view until a person answers."""

import pytest
from django.urls import reverse

from accounts.models import Contact
from accounts.people import leaving
from accounts.signals import record as signals
from escalations.cases import access_rows, closing, conversation
from escalations.cases import thread as communication
from escalations.cases.mail_address import reply_address
from escalations.cases.notifications.unopened import tell_operations
from escalations.cases.queries import thread as threads
from escalations.models import Clock, CustomerMessage, Escalation, Review
from ledger.errors import AlreadyDone, NotAllowed
from ledger.now import now
from messaging.models import Message, Notice, Preference
from tests.escalations.cases.builders import accepted
from tests.escalations.conversation.mails import said, words, write
from tests.support.cast import Cast

pytestmark = pytest.mark.django_db
BACK = "It is back. The same error since this morning, nobody here can work. Please call me."


@pytest.fixture
def case(cast: Cast) -> Escalation:
    """An accepted case."""
    return accepted(cast)


@pytest.fixture
def withdrawn(cast: Cast, case: Escalation) -> Escalation:
    """The case, withdrawn."""
    return closing.withdraw(case_id=case.pk, by=cast.ops, reason="Not needed any more")


def keepers(case: Escalation) -> set[int]:
    lead = case.people.get(duty="communication").user_id
    return {lead, case.owner_id or lead}


def told(kind: str = "customer") -> set[int]:
    return set(Notice.objects.filter(kind=kind).values_list("user_id", flat=True))


def listed(client, **query: str) -> list[str]:
    page = client.get(reverse("escalations:queue"), {"view": "back", **query})
    return [row.key for row in page.context["rows"]]


@pytest.mark.both_databases
def test_owner_and_communication_lead_hear_of_a_mail(case: Escalation) -> None:
    write("The PO number is 4711.", To=reply_address(case.pk))
    assert told() == keepers(case)


def test_they_get_a_mail_if_they_want_one(case: Escalation) -> None:
    Preference.objects.create(user=case.owner, group="customer", mail=Preference.NOW)
    write("The PO number is 4711.", To=reply_address(case.pk))
    assert Message.objects.filter(kind="customer", user=case.owner).count() == 1


def test_they_hear_of_a_signal_but_not_of_their_own(cast: Cast, case: Escalation) -> None:
    owner = case.owner
    observed = signals.Observed(kind="call", text="They called.", contact=cast.contact)
    signals.record(observed, account=cast.northwind, logged_by=owner)
    assert told() == keepers(case) - {owner.pk}


@pytest.mark.both_databases
def test_an_answer_ends_the_wait_on_the_record(case: Escalation) -> None:
    communication.wait_on(case_id=case.pk, by=case.owner, whom="customer", reason="The PO number")
    assert case.clocks.filter(state=Clock.PAUSED).exists()
    write("The PO number is 4711. Please go on.", To=reply_address(case.pk))
    case.refresh_from_db()
    assert case.waiting_on == "nobody"
    assert not case.clocks.filter(state=Clock.PAUSED).exists()
    assert case.events.filter(kind="waiting", summary__contains="Jonas Thiel answered").exists()


def test_a_robot_ends_no_wait(case: Escalation) -> None:
    communication.wait_on(case_id=case.pk, by=case.owner, whom="customer", reason="The PO number")
    write("I am away.", To=reply_address(case.pk), **{"Auto-Submitted": "auto-replied"})
    case.refresh_from_db()
    assert case.waiting_on == "customer"


@pytest.mark.both_databases
def test_a_mail_whose_sender_our_server_disproves_ends_no_wait(case: Escalation, settings) -> None:
    settings.AUTHSERV_ID = "mx.desk.example"
    communication.wait_on(case_id=case.pk, by=case.owner, whom="customer", reason="The PO number")
    forged = {"Authentication-Results": "mx.desk.example; dmarc=fail header.from=northwind.example"}
    write("The PO number is 4711.", To=reply_address(case.pk), **forged)
    case.refresh_from_db()
    assert case.waiting_on == "customer"
    assert case.clocks.filter(state=Clock.PAUSED).exists()
    assert said(case)[0].summary.endswith(conversation.STILL_WAITS)
    write("The PO number is 4712.", To=reply_address(case.pk))
    case.refresh_from_db()
    assert case.waiting_on == "nobody", "a mail without any result ends it"


def test_a_colleague_who_is_no_contact_ends_it_too_and_is_named(cast: Cast, case: Escalation, client) -> None:
    communication.wait_on(case_id=case.pk, by=case.owner, whom="customer", reason="The PO number")
    write("Here it is: 4711.", From="Northwind No-Reply <noreply@northwind.example>", To=reply_address(case.pk))
    case.refresh_from_db()
    assert case.waiting_on == "nobody"
    [entry] = said(case)
    assert (entry.audience, entry.actor_name) == ("customer", "Northwind No-Reply")
    client.force_login(cast.csm)
    page = client.get(reverse("escalations:case", args=[case.key])).content.decode()
    assert "Northwind No-Reply, noreply@northwind.example, not a known contact" in " ".join(page.split())
    client.post(reverse("escalations:message_contact", args=[case.key, entry.message.pk]))
    assert Contact.objects.get(email="noreply@northwind.example").account == cast.northwind
    page = client.get(reverse("escalations:case", args=[case.key])).content.decode()
    assert "not a known contact" not in page


def test_who_does_not_serve_the_account_adds_nobody(cast: Cast, case: Escalation) -> None:
    write("Hello.", From="new@northwind.example", To=reply_address(case.pk))
    with pytest.raises(NotAllowed):
        conversation.add_contact(message_id=CustomerMessage.objects.get().pk, by=cast.outsider)


def test_without_an_open_case_the_csm_is_told(cast: Cast) -> None:
    write("Do you have a minute?")
    notice = Notice.objects.get(kind="customer")
    assert (notice.user, notice.url) == (cast.csm, f"/accounts/{cast.northwind.pk}/")


@pytest.mark.both_databases
def test_what_comes_after_the_end_is_listed_and_counted_alike(
    cast: Cast, withdrawn: Escalation, client, django_assert_max_num_queries
) -> None:
    write(BACK, To=reply_address(withdrawn.pk))
    assert told() >= keepers(withdrawn)
    client.force_login(cast.csm)
    assert listed(client) == [withdrawn.key]
    assert listed(client, q="nowhere") == []
    page = client.get(reverse("escalations:queue"))
    assert {slug: count for slug, _, count in page.context["views"]}["back"] == 1
    assert withdrawn.key not in [row.key for row in page.context["rows"]]
    page = client.get(reverse("escalations:queue"), {"view": "back"})
    assert page.context["pager"].total == 1
    client.force_login(cast.outsider)
    assert listed(client) == []
    page = client.get(reverse("escalations:queue"))
    assert {slug: count for slug, _, count in page.context["views"]}["back"] == 0


def test_reopen_takes_it_off_the_list(cast: Cast, withdrawn: Escalation, client) -> None:
    write(BACK, To=reply_address(withdrawn.pk))
    client.force_login(cast.csm)
    client.post(reverse("escalations:back_reopen", args=[withdrawn.key]))
    assert Escalation.objects.get(pk=withdrawn.pk).state == "diagnosing"
    assert listed(client) == []
    assert CustomerMessage.objects.get().answer == "reopened"


def test_nothing_to_do_is_logged_and_takes_it_off_the_list(cast: Cast, withdrawn: Escalation, client) -> None:
    write(BACK, To=reply_address(withdrawn.pk))
    client.force_login(cast.csm)
    client.post(reverse("escalations:back_nothing", args=[withdrawn.key]))
    assert listed(client) == []
    assert withdrawn.events.filter(kind="came_back", actor=cast.csm).exists()
    with pytest.raises(AlreadyDone):
        conversation.nothing_to_do(case_id=withdrawn.pk, by=cast.csm)
    write("Once more: it is back.", To=reply_address(withdrawn.pk))
    assert listed(client) == [withdrawn.key]


def test_thanks_are_filed_but_not_listed_and_show_their_rule(cast: Cast, withdrawn: Escalation, client) -> None:
    write("Thanks a lot, all good!", To=reply_address(withdrawn.pk))
    client.force_login(cast.csm)
    assert words(withdrawn) == ["Thanks a lot, all good!"]
    assert listed(client) == []
    page = client.get(reverse("escalations:case", args=[withdrawn.key])).content.decode()
    assert "Only thanks (English)" in page


def test_the_page_offers_both_answers_and_the_move(cast: Cast, withdrawn: Escalation, client) -> None:
    other = accepted(cast, issue_type="compliance-exception")
    write(BACK, To=reply_address(withdrawn.pk))
    client.force_login(cast.csm)
    page = client.get(reverse("escalations:case", args=[withdrawn.key])).content.decode()
    assert "Nothing to do" in page
    assert "Sender not proven" in page
    message = CustomerMessage.objects.get()
    client.post(reverse("escalations:message_move", args=[withdrawn.key, message.pk]), {"to": other.pk})
    assert words(other) == [BACK]
    assert listed(client) == []


def test_the_answers_are_offered_to_those_who_may_press_them(cast: Cast, withdrawn: Escalation, client) -> None:
    write(BACK, To=reply_address(withdrawn.pk))
    withdrawn.people.create(user=cast.outsider, letter="I", since=now())
    access_rows.keep([withdrawn.pk])
    client.force_login(cast.csm)
    page = client.get(reverse("escalations:queue"), {"view": "back"}).content.decode()
    assert reverse("escalations:back_reopen", args=[withdrawn.key]) in page
    client.force_login(cast.outsider)
    page = client.get(reverse("escalations:queue"), {"view": "back"}).content.decode()
    assert withdrawn.key in page
    assert reverse("escalations:back_reopen", args=[withdrawn.key]) not in page
    assert reverse("escalations:back_nothing", args=[withdrawn.key]) not in page
    page = client.get(reverse("escalations:case", args=[withdrawn.key])).content.decode()
    assert "Nothing to do" not in page


def test_what_nobody_opened_is_listed_daily_for_operations(cast: Cast, case: Escalation, client) -> None:
    write("Hello?", To=reply_address(case.pk))
    assert tell_operations() == 0
    CustomerMessage.objects.update(at="2026-01-01T00:00Z")
    assert tell_operations() == 1
    assert cast.ops.pk in told("unopened")
    client.force_login(cast.ops)
    assert case.key in client.get(reverse("escalations:unopened")).content.decode()
    client.get(reverse("escalations:case", args=[case.key]))
    assert CustomerMessage.objects.get().opened_by == cast.ops
    assert case.key not in client.get(reverse("escalations:unopened")).content.decode()


def test_only_what_the_page_shows_is_opened(cast: Cast, case: Escalation, client, monkeypatch) -> None:
    write("The first one.", To=reply_address(case.pk))
    write("The second one.", To=reply_address(case.pk))
    monkeypatch.setattr(threads, "PAGE", 1)
    client.force_login(cast.csm)
    page = reverse("escalations:case", args=[case.key])
    older = client.get(page).context["older"]
    first, second = (entry.message for entry in said(case))
    assert (first.opened_at, second.opened_by) == (None, cast.csm), "the first one is on an older page"
    client.get(page, {"before": older})
    first.refresh_from_db()
    assert first.opened_by == cast.csm


def test_the_reviewer_of_a_resolved_case_hears_of_a_mail(cast: Cast, case: Escalation) -> None:
    owner = case.owner
    assert owner is not None
    Escalation.objects.filter(pk=case.pk).update(state="resolved")
    Review.objects.create(case=case, reviewer=cast.director, due_at=now(), started_at=now())
    leaving.deactivate(user_id=owner.pk, by=cast.ops)
    write(BACK, To=reply_address(case.pk))
    assert cast.director.pk in told()


@pytest.mark.both_databases
def test_a_guess_is_said_in_the_bell_on_the_mail_and_in_the_list(cast: Cast, case: Escalation, client) -> None:
    mail = write("We have a question about the invoice.")
    assert set(Notice.objects.filter(kind="customer").values_list("text", flat=True)) == {
        f"{case.key}: {cast.contact} wrote. The message is on the case. Placed by guess: check that it belongs there."
    }
    mail.refresh_from_db()
    assert mail.note == f"Placed on {cast.northwind.name}, {case.key}, by guess"
    client.force_login(cast.ops)
    page = client.get(reverse("escalations:unopened"))
    assert [row.case for row in page.context["guessed"]] == [case]
    assert "Placed by guess" in page.content.decode()


def test_a_mail_to_the_address_of_a_case_is_no_guess(cast: Cast, case: Escalation, client) -> None:
    mail = write("The PO number is 4711.", To=reply_address(case.pk))
    mail.refresh_from_db()
    assert mail.note == f"Placed on {cast.northwind.name}, {case.key}"
    client.force_login(cast.ops)
    assert client.get(reverse("escalations:unopened")).context["guessed"] == []


def test_the_note_of_a_mail_does_not_name_a_confidential_case(cast: Cast) -> None:
    secret = accepted(cast, confidential=True)
    mail = write("The PO number is 4711.", To=reply_address(secret.pk))
    mail.refresh_from_db()
    assert mail.note == f"Placed on {cast.northwind.name}"


@pytest.mark.both_databases
def test_what_came_back_shows_who_wrote_what(cast: Cast, withdrawn: Escalation, client) -> None:
    write(BACK, To=reply_address(withdrawn.pk))
    client.force_login(cast.ops)
    page = client.get(reverse("escalations:queue"), {"view": "back"}).content.decode()
    assert f"{cast.contact}:" in page
    assert BACK[:60] in page
