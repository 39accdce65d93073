"""How people are notified: what they may choose, what nobody can switch off, and that the sender and the notices keep to it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings
from time_machine import Traveller

from accounts.models import User
from ledger.errors import Invalid
from ledger.now import now
from messaging.models import DigestHour, Message, Notice, Preference
from messaging.outbox import messages, notices, preferences
from messaging.outbox import messages as outbox
from messaging.outbox.preferences import Choice
from messaging.outbox.rules.kinds import GROUPS, SWITCHABLE
from tests.support.smtp import Mailbox

Post = Callable[..., Message]
OFF, DIGEST, NOW = Preference.OFF, Preference.DIGEST, Preference.NOW


def tell(*users: User, kind: str = "update", key: str = "n") -> None:
    """An in-app notice."""
    notices.tell(users=users, key=key, kind=kind, text="Priya posted on ESC-1042", url="/escalations/ESC-1042/")


def signed_in(user: User) -> Client:
    """A browser of this person."""
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def a_form(**changes: str) -> dict[str, str]:
    """What the page sends when nothing was touched, with some changes. An empty value leaves a box unticked."""
    values = {f"mail_{slug}": group.default for slug, group in SWITCHABLE.items()}
    values |= {f"here_{slug}": "on" for slug in SWITCHABLE}
    return {name: value for name, value in {**values, "digest_hour": "8", **changes}.items() if value}


def test_mail_that_was_switched_off_is_not_sent_and_says_so(
    real_smtp: Mailbox, post: Post, dana: User, tom: User
) -> None:
    preferences.save(user=dana, choices={"warning": Choice(OFF)})
    mine, theirs = post(1, to=dana, kind="warning"), post(2, to=tom, kind="warning")
    assert outbox.send_due() == 1
    assert [mail["Message-ID"] for mail in real_smtp.messages] == [theirs.message_id]
    mine.refresh_from_db()
    assert (mine.state, mine.leased_until, mine.note) == (
        Message.DROPPED,
        None,
        "Not sent: switched off by this person.",
    )


@pytest.mark.parametrize("kind", ["breach", "approval", "approval_question", "handoff", "a-kind-nobody-knows"])
@pytest.mark.parametrize("mail", [OFF, DIGEST])
def test_what_needs_an_answer_and_what_is_unknown_is_always_sent(
    real_smtp: Mailbox, post: Post, dana: User, kind: str, mail: str
) -> None:
    Preference.objects.bulk_create(
        Preference(user=dana, group=slug, mail=mail, in_app=False) for slug in {*(group.slug for group in GROUPS), kind}
    )
    post(to=dana, kind=kind)
    tell(dana, kind=kind)
    assert outbox.send_due() == 1
    assert len(real_smtp.messages) == 1
    assert Notice.objects.filter(user=dana).count() == 1


@pytest.mark.parametrize("group", [group for group in GROUPS if group.locked], ids=lambda group: group.slug)
def test_what_needs_an_answer_cannot_be_switched_off(dana: User, group: Any) -> None:
    with pytest.raises(Invalid, match="cannot be switched off"):
        preferences.save(user=dana, choices={"warning": Choice(OFF), group.slug: Choice(OFF)})
    assert not Preference.objects.exists(), "all or nothing"


def test_an_unknown_group_way_or_hour_is_refused(dana: User) -> None:
    for choices, hour in [({"nonsense": Choice(OFF)}, 8), ({"warning": Choice("pigeon")}, 8), ({}, 24), ({}, -1)]:
        with pytest.raises(Invalid):
            preferences.save(user=dana, choices=choices, digest_hour=hour)
    assert not Preference.objects.exists()
    assert not DigestHour.objects.exists()


def test_only_what_differs_from_the_default_is_kept(dana: User) -> None:
    everything = {slug: Choice(group.default) for slug, group in SWITCHABLE.items()}
    preferences.save(user=dana, choices={**everything, "update": Choice(DIGEST, in_app=False)})
    row = Preference.objects.get()
    assert (row.group, row.mail, row.in_app) == ("update", DIGEST, False)
    preferences.save(user=dana, choices=everything)
    assert not Preference.objects.exists()


def test_a_notice_that_was_switched_off_is_not_shown(dana: User, tom: User) -> None:
    preferences.save(user=dana, choices={"update": Choice(OFF, in_app=False)})
    tell(dana, tom)
    assert list(Notice.objects.values_list("user", flat=True)) == [tom.pk]


def test_many_notices_at_once_keep_to_it_too(dana: User, tom: User) -> None:
    preferences.save(user=dana, choices={"warning": Choice(NOW, in_app=False)})
    drafts = [
        messages.Draft(
            f"{kind}:{user.pk}",
            kind,
            user.pk,
            user.email,
            "News",
            "clock:1:1:warn:80",
            "ESC-1042",
            "Acme",
            "",
            notice_url="/x/",
        )
        for user in (dana, tom)
        for kind in ("warning", "breach")
    ]
    messages.post_many(drafts, at=now())
    assert not Notice.objects.exists()
    assert notices.tell_waiting(limit=3) == 3
    assert notices.tell_waiting() == 1
    assert notices.tell_waiting() == 0
    assert set(Notice.objects.values_list("text", "url", "urgent")) == {("News", "/x/", True)}
    assert set(Notice.objects.values_list("user", "kind")) == {
        (dana.pk, "breach"),
        (tom.pk, "warning"),
        (tom.pk, "breach"),
    }


def test_news_without_a_mail_of_its_own_is_mailed_to_those_who_asked_for_it(
    real_smtp: Mailbox, dana: User, tom: User
) -> None:
    preferences.save(user=dana, choices={"update": Choice(NOW)})
    for _ in range(2):
        tell(dana, tom)
    assert outbox.send_due() == 1
    (mail,) = real_smtp.to("dana@desk.example")
    assert mail["Subject"] == "Priya posted on ESC-1042"
    assert "/escalations/ESC-1042/" in mail.get_body(preferencelist=("plain",)).get_content()
    assert Notice.objects.count() == 2


def test_a_group_that_is_off_by_default_drops_no_mail_somebody_wrote(
    real_smtp: Mailbox, post: Post, dana: User
) -> None:
    post(to=dana, kind="level")
    assert outbox.send_due() == 1


def test_a_person_chooses_on_a_page_of_their_own(dana: User, tom: User) -> None:
    client = signed_in(dana)
    page = client.get(reverse("messaging:preferences"))
    assert page.status_code == 200
    for group in GROUPS:
        assert group.label in page.content.decode()
    answer = client.post(
        reverse("messaging:preferences"), a_form(mail_warning=DIGEST, here_update="", digest_hour="17")
    )
    assert answer.status_code == 302
    assert set(Preference.objects.values_list("user", "group", "mail", "in_app")) == {
        (dana.pk, "warning", DIGEST, True),
        (dana.pk, "update", OFF, False),
    }
    assert DigestHour.objects.get().hour == 17
    form = client.get(reverse("messaging:preferences")).context["form"]
    assert (form["mail_warning"].value(), form["here_update"].value(), form["digest_hour"].value()) == (
        DIGEST,
        False,
        17,
    )
    assert signed_in(tom).get(reverse("messaging:preferences")).context["form"]["mail_warning"].value() == NOW


@pytest.mark.parametrize(
    "changes", [{"mail_warning": "pigeon"}, {"mail_warning": ""}, {"digest_hour": "24"}, {"digest_hour": "x"}]
)
def test_a_wrong_choice_names_its_field_and_changes_nothing(dana: User, changes: dict[str, str]) -> None:
    answer = signed_in(dana).post(reverse("messaging:preferences"), a_form(mail_update=NOW, **changes))
    assert answer.status_code == 422
    assert "There is a problem" in answer.content.decode()
    assert not Preference.objects.exists()


def test_the_page_of_choices_is_for_people_who_are_signed_in(db: None) -> None:
    assert "/auth/login/" in Client().get(reverse("messaging:preferences"))["Location"]


def test_the_page_is_reached_from_the_profile_and_from_the_notifications(dana: User) -> None:
    client = signed_in(dana)
    for page in (reverse("accounts:profile"), reverse("messaging:notifications")):
        assert f'href="{reverse("messaging:preferences")}"' in client.get(page).content.decode()


def test_choices_cost_one_query_whatever_the_number_of_people(real_smtp: Mailbox, post: Post) -> None:
    def sorting_queries(count: int, key: str) -> int:
        for number in range(count):
            person = User.objects.create_user(f"{key}{number}@desk.example", "long-enough-1", name="P")
            preferences.save(user=person, choices={"warning": Choice(OFF)})
            post(number, key=f"{key}{number}", to=person, kind="warning")
        with CaptureQueriesContext(connection) as captured:
            assert outbox.send_due() == 0
        return len(captured)

    assert sorting_queries(1, "a") == sorting_queries(3, "b")


def test_telling_costs_the_same_for_one_and_for_three(dana: User, tom: User, sana: User) -> None:
    def queries_of(*users: User) -> int:
        with CaptureQueriesContext(connection) as captured:
            tell(*users, key=f"q{len(users)}")
        return len(captured)

    assert queries_of(dana) == queries_of(dana, tom, sana)


def test_the_cap_sends_the_rest_to_the_digest_and_never_holds_what_needs_an_answer(
    real_smtp: Mailbox, post: Post, dana: User, tom: User, settings: Settings, clock: Traveller
) -> None:
    settings.MAIL_CAP_PER_TARGET_PER_DAY = 3
    for number in range(5):
        post(number, to=dana, kind="warning")
        post(10 + number, to=dana, kind="breach")
        post(20 + number, to=tom if number < 2 else "person@desk.example", kind="warning")
    assert outbox.send_due() == 3 + 5 + 5
    held = Message.objects.held()
    assert {each.key for each in held} == {"test:3", "test:4"}
    assert {each.note for each in held} == {"Held for the daily digest: more than 3 mails within a day."}
    post(30, to=dana, kind="decision-like-no-other")
    post(31, to=dana, kind="approval_decided")
    assert outbox.send_due() == 1, "later batches count what has left before"
    clock.shift(timedelta(days=1, minutes=1))
    post(40, to=dana, kind="warning")
    assert outbox.send_due() == 2, "the digest, and the next day's first"
