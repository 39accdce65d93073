"""The pages of messages, received mail and notices: who sees what, what is escaped, what a button does."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from accounts.models import Account, AccountWords, User
from ledger.search import index
from messaging.inbound import receive as inbound
from messaging.models import InboundMail, Message, Notice
from messaging.outbox import messages as outbox
from messaging.outbox import notices, outages, preferences

Post = Callable[..., Message]
HOSTILE = "<script>alert(1)</script>"


def signed_in(user: User) -> Client:
    """A browser of this person."""
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def get(user: User, name: str, *args: Any, **query: str) -> Any:
    """The answer to a GET of a page of ours."""
    return signed_in(user).get(reverse(f"messaging:{name}", args=args), query)


def queries_of(user: User, name: str, *args: Any, **query: str) -> int:
    """How many queries a page needs."""
    client = signed_in(user)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(reverse(f"messaging:{name}", args=args), query).status_code == 200
    return len(captured)


def receive(number: int = 1, text: str = "The refund is overdue.", subject: str = "Refund") -> InboundMail:
    """A mail of an unknown sender."""
    raw = f"From: ana@unknown.example\nSubject: {subject}\nMessage-ID: <{number}@unknown.example>\n\n{text}\n"
    mail = inbound.receive(raw=raw.encode())
    InboundMail.objects.filter(pk=mail.pk).update(state=InboundMail.WAITING)
    return mail


def test_people_see_only_mail_addressed_to_them(post: Post, dana: User, tom: User) -> None:
    message = post(to=dana, subject="For Dana alone")
    outbox.send_due()
    assert "For Dana alone" in get(dana, "outbox").content.decode()
    assert "For Dana alone" not in get(tom, "outbox").content.decode()
    assert get(dana, "message", message.pk).status_code == 200
    assert get(tom, "message", message.pk).status_code == 404
    assert signed_in(tom).post(reverse("messaging:retry", args=[message.pk])).status_code == 404


def test_operations_read_all_messages(post: Post, sana: User, dana: User) -> None:
    message = post(to=dana, subject="For Dana alone")
    page = get(sana, "message", message.pk).content.decode()
    assert "For Dana alone" in page
    assert "dana@desk.example" in page


def test_visitors_sign_in_first(db: None) -> None:
    for name in ("outbox", "inbox", "notifications"):
        answer = Client().get(reverse(f"messaging:{name}"))
        assert answer.status_code == 302
        assert "/auth/login/" in answer["Location"]


def test_the_text_is_escaped_and_only_links_to_the_desk_work(post: Post, dana: User, settings: Settings) -> None:
    text = f"{HOSTILE}\n{settings.SITE_URL}/d/abc-1/ and http://evil.example/d/x {settings.SITE_URL}.evil.example/y"
    page = get(dana, "message", post(to=dana, text=text, subject=HOSTILE).pk).content.decode()
    assert HOSTILE not in page
    assert '<a href="/d/abc-1/">' in page
    assert 'href="http://evil.example' not in page
    assert 'href="/y' not in page
    assert "evil.example/y" in page


def test_a_parked_message_is_sent_again_with_a_button_of_operations(post: Post, sana: User, dana: User) -> None:
    message = post(to=dana)
    Message.objects.update(state=Message.PARKED, attempts=8)
    url = reverse("messaging:retry", args=[message.pk])
    assert url in get(sana, "outbox").content.decode(), "what needs attention opens first"
    assert url not in get(dana, "message", message.pk).content.decode()
    assert signed_in(sana).get(url).status_code == 405
    assert signed_in(dana).post(url).status_code == 403
    assert signed_in(sana).post(url).status_code == 302
    message.refresh_from_db()
    assert message.state == Message.PENDING
    assert signed_in(sana).post(url).status_code == 409


def test_operations_send_all_parked_messages_again_with_one_button(post: Post, sana: User, dana: User) -> None:
    post(1), post(2)
    url = reverse("messaging:retry_failed")
    assert url not in get(sana, "outbox").content.decode()
    Message.objects.update(state=Message.PARKED, attempts=12)
    page = get(sana, "outbox").content.decode()
    assert url in page
    assert "Send all 2 again" in page
    assert url not in get(dana, "outbox").content.decode()
    assert signed_in(sana).get(url).status_code == 405
    assert signed_in(dana).post(url).status_code == 403
    assert signed_in(sana).post(url).status_code == 302
    assert set(Message.objects.values_list("state", "attempts")) == {(Message.PENDING, 0)}
    assert signed_in(sana).post(url).status_code == 409


def test_the_page_says_when_the_mail_server_takes_nothing(sana: User) -> None:
    assert "has taken nothing" not in get(sana, "outbox").content.decode()
    outages.note(channel="email", detail="The mail server did not answer: <b>refused</b>")
    page = get(sana, "outbox").content.decode()
    assert "The mail server has accepted no mail since" in page
    assert "&lt;b&gt;refused" in page


def test_what_waits_for_its_digest_is_not_late(post: Post, dana: User) -> None:
    preferences.save(user=dana, choices={"warning": preferences.Choice("digest")})
    held = post(to=dana, kind="warning")
    assert get(dana, "outbox").context["pulse"].oldest == held.created_at
    outbox.send_due()
    assert get(dana, "outbox").context["pulse"].oldest is None


def test_without_a_mail_server_the_page_says_where_mail_is(post: Post, dana: User, settings: Settings) -> None:
    assert "No mail server is configured" not in get(dana, "outbox").content.decode()
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    message = post(to=dana)
    outbox.send_due()
    page = get(dana, "message", message.pk).content.decode()
    assert "No mail server is configured" in page
    assert "Readable here" in page


@pytest.mark.parametrize("view", ["attention", "waiting", "sent", "dropped", "no-such-view"])
def test_every_view_opens_empty(sana: User, view: str) -> None:
    assert get(sana, "outbox", view=view, page="99").status_code == 200


@pytest.mark.parametrize("view", ["waiting", "claimed", "automatic", "dismissed", "refused", "no-such-view"])
def test_every_inbox_view_opens_empty(sana: User, view: str) -> None:
    assert get(sana, "inbox", view=view).status_code == 200


def test_received_mail_is_for_operations(tom: User) -> None:
    mail = receive()
    assert get(tom, "inbox").status_code == 403
    assert get(tom, "inbound", mail.pk).status_code == 403
    assert signed_in(tom).post(reverse("messaging:dismiss", args=[mail.pk])).status_code == 403
    mail.refresh_from_db()
    assert mail.state == InboundMail.WAITING


def test_received_mail_is_shown_as_plain_text(sana: User) -> None:
    mail = receive(text=f"{HOSTILE} http://evil.example/", subject=HOSTILE)
    for page in (get(sana, "inbox"), get(sana, "inbound", mail.pk)):
        assert HOSTILE not in page.content.decode()
        assert "&lt;script&gt;" in page.content.decode()
    assert 'href="http://evil.example' not in get(sana, "inbound", mail.pk).content.decode()


def test_waiting_mail_is_dismissed_once(sana: User) -> None:
    mail = receive()
    url = reverse("messaging:dismiss", args=[mail.pk])
    assert signed_in(sana).post(url).status_code == 302
    mail.refresh_from_db()
    assert (mail.state, mail.handled_by) == (InboundMail.DISMISSED, sana)
    assert signed_in(sana).post(url).status_code == 409


def test_an_account_is_found_to_place_a_mail_on(sana: User) -> None:
    mail = receive()
    account = Account.objects.create(external_id="n1", name=f"Northwind {HOSTILE}")
    index.write(AccountWords, [account.pk, Account.objects.create(external_id="c1", name="Contoso").pk])
    page = get(sana, "inbound", mail.pk, q="north").content.decode()
    assert f'id="account-{account.pk}"' in page
    assert "Contoso" not in page
    assert HOSTILE not in page
    assert "No account matches" in get(sana, "inbound", mail.pk, q="nobody").content.decode()


def test_notifications_are_grouped_by_case_with_unread_first(dana: User, tom: User) -> None:
    for number, case in enumerate(["ESC-1001", "ESC-1002", "ESC-1001"]):
        notices.tell(
            users=[dana], key=f"n{number}", kind="x", text=f"News {number} {HOSTILE}", url="/somewhere/", case_key=case
        )
    Notice.objects.filter(key__startswith="n1").update(read_at=Notice.objects.first().at)
    notices.tell(users=[tom], key="t", kind="x", text="For Tom", url="/somewhere/")
    answer = get(dana, "notifications")
    page = answer.content.decode()
    assert [group.case_key for group in answer.context["groups"]] == ["ESC-1001", "ESC-1002"]
    assert [notice.text[:6] for notice in answer.context["groups"][0].notices] == ["News 2", "News 0"]
    assert "For Tom" not in page
    assert HOSTILE not in page
    assert len(get(dana, "notifications", view="unread").context["groups"]) == 1


def test_marking_read_is_a_post_and_touches_own_notices_only(dana: User, tom: User) -> None:
    for number in range(3):
        notices.tell(users=[dana, tom], key=f"n{number}", kind="x", text="News", url="/somewhere/")
    url = reverse("messaging:notifications_read")
    mine, foreign = Notice.objects.filter(user=dana).first(), Notice.objects.filter(user=tom).first()
    client = signed_in(dana)
    assert client.get(url).status_code == 405
    assert client.post(url, {"id": [mine.pk, foreign.pk, "x", "9" * 40]}).status_code == 302
    unread = Notice.objects.filter(read_at__isnull=True)
    assert (unread.filter(user=dana).count(), unread.filter(user=tom).count()) == (2, 3)
    assert client.post(url, {"id": "nothing"}).status_code == 422
    client.post(url, {"all": "1"})
    assert (unread.filter(user=dana).count(), unread.filter(user=tom).count()) == (0, 3)


def test_opening_a_page_changes_nothing(post: Post, dana: User) -> None:
    notices.tell(users=[dana], key="n", kind="x", text="News", url="/somewhere/")
    message = post(to=dana)
    get(dana, "notifications"), get(dana, "message", message.pk)
    assert Notice.objects.get().read_at is None
    message.refresh_from_db()
    assert (message.state, message.attempts) == (Message.PENDING, 0)


def test_query_counts_do_not_grow_with_the_rows(post: Post, sana: User) -> None:
    def add(number: int) -> None:
        person = User.objects.create_user(f"p{number}@desk.example", "long-enough-1", name=f"Person {number}")
        post(number, to=person)
        receive(number, text=f"Text {number}")
        notices.tell(users=[sana], key=f"n{number}", kind="x", text="News", url="/x/", case_key=f"ESC-{number}")

    def counts() -> list[int]:
        return [
            queries_of(sana, "outbox", view="waiting"),
            queries_of(sana, "inbox"),
            queries_of(sana, "notifications"),
        ]

    add(1)
    counts()
    one = counts()
    add(2)
    add(3)
    assert counts() == one
    assert max(one) <= 15


def test_the_admin_shows_messages_and_mail_and_changes_nothing(post: Post, settings: Settings) -> None:
    root = User.objects.create_superuser("root@desk.example", "long-enough-1", name="Root")
    message, mail = post(), receive()
    outbox.send_due()
    client = signed_in(root)
    for path in ("message", "delivery", "inboundmail"):
        assert client.get(f"/admin/messaging/{path}/").status_code == 200
        assert client.get(f"/admin/messaging/{path}/add/").status_code == 403
    for path in (f"message/{message.pk}", f"inboundmail/{mail.pk}"):
        assert client.get(f"/admin/messaging/{path}/change/").status_code == 200
        assert client.post(f"/admin/messaging/{path}/change/", {}).status_code == 403
        assert client.post(f"/admin/messaging/{path}/delete/", {"post": "yes"}).status_code == 403
