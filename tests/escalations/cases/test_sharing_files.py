"""Files and questions in the thread of an external party."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from escalations.cases import sharing
from escalations.models import CaseFile, Escalation, SharedPost, SharedThread
from ledger.errors import Invalid
from ledger.models import DownloadLog, StoredFile
from ledger.now import now
from messaging.models import Message, Notice
from tests.escalations.cases.builders import accepted
from tests.support import samples
from tests.support.cast import Cast, person

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture(autouse=True)
def _media(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def felix(cast: Cast) -> User:
    """Outside counsel."""
    return person("felix@counsel.example", "Felix Brandt", "external")


def browser(user: User) -> Client:
    """Signed in."""
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def pdf(name: str) -> SimpleUploadedFile:
    """A small PDF; the name makes its content its own."""
    return SimpleUploadedFile(name, samples.PDF + name.encode())


def on_the_case(cast: Cast, case: Escalation, name: str) -> CaseFile:
    """A file on the internal thread."""
    data = {"mode": "internal", "text": "Their draft.", "files": [pdf(name)], "once": name}
    assert browser(cast.csm).post(f"/escalations/{case.key}/post/", data).status_code == 302
    return case.files.get(name=name)


def opened_thread(cast: Cast, case: Escalation, felix: User, **more: Any) -> SharedThread:
    """A thread that the communication lead opens on the page."""
    form = {"party": felix.pk, "subject": "Clause 7", "text": "Is it binding?", "once": "open", **more}
    answer = browser(cast.csm).post(f"/escalations/{case.key}/shared/", form)
    assert answer.status_code == 302, answer.content.decode()
    return SharedThread.objects.get()


def soon() -> str:
    """A day in three days, as a form sends it."""
    return f"{now() + timedelta(days=3):%Y-%m-%d}"


def test_files_are_shared_from_the_case_or_with_the_post_and_only_these_open(cast: Cast, felix: User) -> None:
    case = accepted(cast)
    draft, secret = on_the_case(cast, case, "draft.pdf"), on_the_case(cast, case, "margin.pdf")
    made = opened_thread(cast, case, felix, chosen=[draft.pk], files=[pdf("contract.pdf")])
    new = case.files.get(name="contract.pdf")
    assert (new.place, new.by) == (CaseFile.SHARED, cast.csm)
    client = browser(felix)
    page = client.get(f"/shared/{made.pk}/").content.decode()
    for opened in (page, browser(cast.csm).get(f"/escalations/{case.key}/shared/").content.decode()):
        assert "There is a problem" not in opened
    assert "draft.pdf" in page
    assert "contract.pdf" in page
    assert "margin.pdf" not in page
    for file in (draft, new):
        answer = client.get(f"/shared/files/{file.pk}/")
        assert answer.status_code == 200
        assert b"".join(answer.streaming_content) == samples.PDF + file.name.encode()
        assert answer["Content-Disposition"].startswith("attachment")
    assert client.get(f"/shared/files/{secret.pk}/").status_code == 404
    assert client.get(f"/files/{draft.pk}/").status_code == 404
    assert DownloadLog.objects.filter(user=felix).count() == 2
    other = person("maria@supplier.example", "Maria Supplier", "external")
    assert browser(other).get(f"/shared/files/{draft.pk}/").status_code == 404
    assert browser(cast.csm).get(f"/shared/files/{draft.pk}/").status_code == 404
    mail = Message.objects.get(user=felix)
    assert "contract.pdf" in mail.text
    assert case.key not in f"{mail.subject} {mail.text}"
    sharing.end(thread_id=made.pk, by=cast.ops)
    assert client.get(f"/shared/files/{draft.pk}/").status_code == 404


def test_an_external_party_sends_files_under_the_same_rules(cast: Cast, felix: User) -> None:
    case = accepted(cast)
    made, client = opened_thread(cast, case, felix), browser(felix)
    here = f"/shared/{made.pk}/"
    refused = client.post(here, {"text": "Here", "files": [SimpleUploadedFile("run.exe", b"MZ\x90\x00")], "once": "a"})
    assert refused.status_code == 422
    assert "run.exe" in refused.content.decode()
    assert "Here</textarea>" in refused.content.decode()
    assert client.post(here, {"text": "Signed.", "files": [pdf("signed.pdf")], "once": "b"}).status_code == 302
    file = case.files.get(name="signed.pdf")
    assert (file.place, file.by) == (CaseFile.SHARED, felix)
    assert "signed.pdf" in browser(cast.csm).get(f"/escalations/{case.key}/shared/{made.pk}/").content.decode()
    assert "signed.pdf" in browser(cast.csm).get(f"/escalations/{case.key}/").content.decode()
    assert browser(cast.csm).get(f"/files/{file.pk}/").status_code == 200
    assert client.get(f"/shared/files/{file.pk}/").status_code == 200
    entry = case.events.filter(kind="shared").last()
    assert entry is not None
    assert [each["sha256"] for each in entry.data["files"]] == [file.file.sha256 if file.file else ""]


def test_a_held_file_is_neither_offered_nor_downloaded_and_names_no_case(cast: Cast, felix: User) -> None:
    case = accepted(cast)
    draft = on_the_case(cast, case, "draft.pdf")
    made = opened_thread(cast, case, felix, chosen=[draft.pk])
    StoredFile.objects.filter(casefile=draft).update(scan=StoredFile.INFECTED)
    answer = browser(felix).get(f"/shared/files/{draft.pk}/")
    assert answer.status_code == 409
    assert "cannot be downloaded" in answer.content.decode()
    for words in (case.key, case.account.name, "/escalations/", "/dashboard/"):
        assert words not in answer.content.decode()
    here = f"/escalations/{case.key}/shared/{made.pk}/"
    assert f'value="{draft.pk}"' not in browser(cast.csm).get(here).content.decode()
    form = {"text": "Again", "chosen": [draft.pk], "once": "c"}
    assert browser(cast.csm).post(here, form).status_code == 302  # nothing to choose from, so the tick means nothing
    assert made.posts.latest("pk").files.count() == 0
    more = sharing.With(chosen=[draft])
    with pytest.raises(Invalid, match="can be downloaded"):
        sharing.write(thread_id=made.pk, by=cast.ops, text="Again", more=more)


def test_files_of_another_case_are_not_shared(cast: Cast, felix: User) -> None:
    case, other = accepted(cast), accepted(cast)
    foreign = on_the_case(cast, other, "foreign.pdf")
    with pytest.raises(Invalid, match="of this case"):
        sharing.share(
            case_id=case.pk, by=cast.ops, party=felix, subject="A", text="B", more=sharing.With(chosen=[foreign])
        )


def test_a_question_is_open_with_its_day_and_the_answer_closes_it_and_tells_the_asker(cast: Cast, felix: User) -> None:
    case = accepted(cast)
    made = opened_thread(cast, case, felix, answer_by=soon())
    question = made.posts.get()
    ours, theirs = f"/escalations/{case.key}/shared/", f"/shared/{made.pk}/"
    client = browser(felix)
    for page in (browser(cast.csm).get(ours), browser(cast.csm).get(f"{ours}{made.pk}/"), client.get(theirs)):
        assert "question" in page.content.decode()
    assert "1 question open, answer by" in client.get("/shared/").content.decode()
    assert "Open question" in client.get(theirs).content.decode()
    assert "Please answer by" in Message.objects.get(user=felix).text
    back = {"text": "Which clause 7?", "once": "a"}
    assert client.post(theirs, back).status_code == 302
    question.refresh_from_db()
    assert question.answer is None
    assert client.post(theirs, {"text": "Yes.", "answers": [question.pk], "once": "b"}).status_code == 302
    question.refresh_from_db()
    assert question.answer is not None
    assert question.answer.text == "Yes."
    assert "Answered" in browser(cast.csm).get(f"{ours}{made.pk}/").content.decode()
    assert "question open" not in client.get("/shared/").content.decode()
    assert Notice.objects.filter(user=cast.csm, text__contains="Felix Brandt, external party, answered on").exists()
    again = client.post(theirs, {"text": "No.", "answers": [question.pk], "once": "c"})
    assert again.status_code == 302
    question.refresh_from_db()
    assert question.answer.text == "Yes."


def test_our_people_close_a_question_themselves_and_a_day_that_is_over_is_refused(cast: Cast, felix: User) -> None:
    case = accepted(cast)
    made = opened_thread(cast, case, felix, answer_by=soon())
    here, question = f"/escalations/{case.key}/shared/{made.pk}/", made.posts.get()
    late = browser(cast.csm).post(here, {"text": "And 8?", "answer_by": "2020-01-01", "once": "a"})
    assert late.status_code == 422
    assert "The day is over." in late.content.decode()
    SharedPost.objects.filter(pk=question.pk).update(answer_by=(now() - timedelta(days=3)).date())
    assert "Answer overdue" in browser(cast.csm).get(here).content.decode()
    form = {"text": "Answered by phone.", "answers": [question.pk], "once": "b"}
    assert browser(cast.csm).post(here, form).status_code == 302
    assert not made.posts.open_questions().exists()


def test_an_external_party_cannot_ask_or_choose_files_of_the_case(cast: Cast, felix: User) -> None:
    case = accepted(cast)
    secret = on_the_case(cast, case, "margin.pdf")
    made = opened_thread(cast, case, felix)
    form = {"text": "Hello", "chosen": [secret.pk], "answer_by": soon(), "once": "a"}
    assert browser(felix).post(f"/shared/{made.pk}/", form).status_code == 302
    post = made.posts.latest("pk")
    assert (post.files.count(), post.answer_by) == (0, None)
    for more in (sharing.With(chosen=[secret]), sharing.With(answer_by=(now() + timedelta(days=3)).date())):
        with pytest.raises(Invalid, match="Only the people of the case"):
            sharing.write(thread_id=made.pk, by=felix, text="Hello", more=more)


def test_errors_of_an_external_party_show_no_page_of_the_desk(cast: Cast, felix: User) -> None:
    accepted(cast)
    for path in ("/shared/99999/", "/shared/files/99999/", "/dashboard/"):
        answer = browser(felix).get(path)
        assert answer.status_code == 404
        for words in ('href="/escalations/"', 'href="/dashboard/"', 'href="/notifications/"'):
            assert words not in answer.content.decode(), (path, words)
