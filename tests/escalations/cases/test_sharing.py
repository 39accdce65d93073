"""An external party reads and answers what is shared with them, and nothing else."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.authtoken.models import Token

from accounts.models import Account, RoleHolding, User
from accounts.people import leaving
from approvals.absence import delegations as delegating
from approvals.models import ApprovalRequest
from config.middleware import ExternalPartyMiddleware
from escalations.cases import sharing, thread
from escalations.cases.queries import open_work
from escalations.models import CasePerson, Escalation, HandOff, SharedThread
from ledger.errors import Invalid, NotAllowed, NotThere
from ledger.now import now
from messaging.models import Message, Notice
from tests.escalations.cases.builders import accepted, asked
from tests.support.cast import Cast, person

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
SECRET = "They would accept twelve percent."


@pytest.fixture
def felix(cast: Cast) -> User:
    """Outside counsel."""
    return person("felix@counsel.example", "Felix Brandt", "external")


def browser(user: User) -> Client:
    """Signed in."""
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def shared(cast: Cast, felix: User, **case: Any) -> SharedThread:
    """A case with an internal post, and a question to Felix."""
    found = asked(cast, **case)
    thread.post(case_id=found.pk, by=cast.csm, text=SECRET)
    return sharing.share(
        case_id=found.pk, by=cast.ops, party=felix, subject="Contract of 2024", text="Is clause 7 binding?"
    )


@pytest.mark.both_databases
def test_a_question_goes_out_and_the_answer_comes_back_onto_the_case(cast: Cast, felix: User) -> None:
    made = shared(cast, felix)
    mail = Message.objects.get(user=felix)
    assert "Is clause 7 binding?" in mail.text
    client = browser(felix)
    assert "Contract of 2024" in client.get("/shared/").content.decode()
    assert client.post(f"/shared/{made.pk}/", {"text": "Yes, it is.", "once": "a"}).status_code == 302
    assert [post.text for post in made.posts.all()] == ["Is clause 7 binding?", "Yes, it is."]
    entry = made.case.events.filter(kind="shared").last()
    assert entry is not None
    assert entry.text is not None
    assert (entry.actor, entry.text.body, entry.audience) == (felix, "Yes, it is.", "internal")
    assert Notice.objects.filter(user=cast.ops, text__contains="Felix Brandt, external party, wrote").exists()


def everything_of(case: Escalation) -> list[str]:
    """What must never reach an external party."""
    amounts = ["180,000", "arr at risk", "discount", "renewal"]
    return [SECRET, case.key, case.title, case.account.name, case.issue, "Priya Raman", *amounts]


@pytest.mark.both_databases
def test_their_pages_and_mails_hold_nothing_of_the_case(cast: Cast, felix: User) -> None:
    made = shared(cast, felix)
    client = browser(felix)
    mails = [f"{mail.subject} {mail.text} {mail.html} {mail.case_key}" for mail in Message.objects.filter(user=felix)]
    pages = [client.get(path).content.decode() for path in ("/shared/", f"/shared/{made.pk}/", "/search/?q=north")]
    for text in (*mails, *pages):
        for words in everything_of(made.case):
            assert words.lower() not in text.lower(), words
    assert not Notice.objects.filter(user=felix).exists()


def names(patterns: list[Any], namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every named address of the desk."""
    for each in patterns:
        if isinstance(each, URLResolver):
            inner = ":".join(filter(None, [namespace, each.namespace]))
            yield from names(each.url_patterns, inner)
        elif each.name:
            yield ":".join(filter(None, [namespace, each.name])), each


def test_no_other_page_opens_for_an_external_party(cast: Cast, felix: User) -> None:
    made = shared(cast, felix)
    case, request = made.case, made.case.requests.get()
    client = browser(felix)
    for path in (
        *("/escalations/", "/dashboard/", "/accounts/", "/approvals/", "/notifications/", "/profile/", "/admin/"),
        *("/matrices/", "/approvals/who/", "/reviews/", "/api/", "/api/v1/escalations/", "/choose/people/?q=a"),
        *(f"/escalations/{case.key}/", f"/escalations/{case.key}/brief/", f"/escalations/{case.key}/brief.pdf"),
        *(f"/escalations/{case.key}/shared/", f"/approvals/{request.pk}/", f"/accounts/{case.account_id}/"),
        *(f"/people/{cast.csm.pk}/leaving/", f"/escalations/{case.key}/history/"),
    ):
        assert client.get(path).status_code == 404, path
    for path in (f"/escalations/{case.key}/post/", f"/approvals/{request.pk}/comment/", "/escalations/new/"):
        assert client.post(path, {"text": "x"}).status_code == 404, path
    opened = {name for name, _ in names(get_resolver().url_patterns) if name in ExternalPartyMiddleware.OPEN}
    shared_pages = {"escalations:shared", "escalations:shared_thread", "escalations:shared_file"}
    assert opened == {"home", "healthz", *shared_pages}
    assert client.get("/")["Location"] == "/shared/"


def test_the_api_is_closed_to_a_token_of_an_external_party(cast: Cast, felix: User) -> None:
    case = shared(cast, felix).case
    key = Token.objects.create(user=felix).key
    for path in ("escalations/", f"escalations/{case.key}/", "accounts/", "approvals/"):
        answer = Client(headers={"Authorization": f"Token {key}"}).get(f"/api/v1/{path}")
        assert answer.status_code == 403, path
    key = Token.objects.create(user=cast.ops).key
    assert Client(headers={"Authorization": f"Token {key}"}).get("/api/v1/escalations/").status_code == 200


@pytest.mark.both_databases
def test_being_named_by_an_older_release_opens_nothing(cast: Cast, felix: User) -> None:
    """Rows that name an external party on a case, its hand-off, its account and its request give no access."""
    case = asked(cast)
    CasePerson.objects.create(case=case, user=felix, letter="R", since=now())
    HandOff.objects.create(case=case, number=90, to_user=felix, duty="scribe", level=1, kind=case.kind, sent_at=now())
    Account.objects.filter(pk=case.account_id).update(ae=felix)
    Escalation.objects.filter(pk=case.pk).update(owner=felix)
    request = case.requests.get()
    request.seats.filter(state="asked").update(person=felix)
    assert not Escalation.objects.visible_to(felix).exists()
    assert not Escalation.objects.visible_to(felix, few=True).exists()
    assert not Account.objects.visible_to(felix).exists()
    assert not ApprovalRequest.objects.visible_to(felix).exists()
    assert not ApprovalRequest.objects.waiting_on(felix).exists()


def test_a_thread_is_for_one_party_and_ends(cast: Cast, felix: User) -> None:
    made = shared(cast, felix)
    other = person("maria@supplier.example", "Maria Supplier", "external")
    assert browser(other).get(f"/shared/{made.pk}/").status_code == 404
    with pytest.raises(NotThere):
        sharing.write(thread_id=made.pk, by=other, text="Hello")
    assert browser(cast.csm).get(f"/shared/{made.pk}/").status_code == 404
    sharing.end(thread_id=made.pk, by=cast.ops)
    assert browser(felix).get(f"/shared/{made.pk}/").status_code == 404
    with pytest.raises(NotThere):
        sharing.write(thread_id=made.pk, by=felix, text="Hello")
    with pytest.raises(Invalid, match="has ended"):
        sharing.write(thread_id=made.pk, by=cast.ops, text="Hello")


def test_the_threads_of_an_external_party_who_leaves_end(cast: Cast, felix: User) -> None:
    made = shared(cast, felix)
    leaving.deactivate(user_id=felix.pk, by=cast.ops)
    while leaving.follow():
        pass
    made.refresh_from_db()
    assert made.ended_at
    assert open_work.of(felix) == []


def test_an_external_party_stays_outside_when_the_role_ends_and_inside_roles_win(cast: Cast, felix: User) -> None:
    RoleHolding.objects.filter(user=felix).update(ends=now())
    felix = User.objects.get(pk=felix.pk)
    assert felix.is_external
    assert browser(felix).get("/dashboard/").status_code == 404
    both = person("both@desk.example", "Bo Both", "external")
    RoleHolding.objects.create(user=both, role=cast.csm.roles[0], starts=now())
    assert not User.objects.get(pk=both.pk).is_external


def test_who_shares_and_with_whom(cast: Cast, felix: User) -> None:
    case = accepted(cast)
    with pytest.raises(NotAllowed):
        sharing.share(case_id=case.pk, by=cast.legal, party=felix, subject="A", text="B")
    with pytest.raises(NotAllowed):
        sharing.share(case_id=case.pk, by=felix, party=felix, subject="A", text="B")
    with pytest.raises(Invalid, match="is not an external party"):
        sharing.share(case_id=case.pk, by=cast.ops, party=cast.legal, subject="A", text="B")
    stand_in = delegating.StandIn(to=felix, starts_at=now(), ends_at=now() + timedelta(days=1))
    with pytest.raises(Invalid, match="external party"):
        delegating.make(stand_in, user=cast.lead, by=cast.ops)


def test_our_people_share_read_and_end_on_the_case(cast: Cast, felix: User) -> None:
    case = accepted(cast)
    client, here = browser(cast.ops), f"/escalations/{case.key}/shared/"
    assert here in client.get(f"/escalations/{case.key}/roles/").content.decode()
    form = {"party": felix.pk, "subject": "Clause 7", "text": "Binding?", "once": "a"}
    assert client.post(here, {**form, "party": cast.legal.pk}).status_code == 422
    for _ in range(2):
        assert client.post(here, form).status_code == 302
    made = SharedThread.objects.get()
    assert "Clause 7" in client.get(here).content.decode()
    assert client.post(f"{here}{made.pk}/", {"text": "And clause 8?", "once": "b"}).status_code == 302
    assert "And clause 8?" in client.get(f"{here}{made.pk}/").content.decode()
    assert client.post(f"{here}{made.pk}/end/").status_code == 302
    assert browser(cast.outsider).get(here).status_code == 404
