"""Files of the brief, of a proof and of the intake form, and the files of a case on the page of a request."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.deletion import ProtectedError
from django.test import Client
from pytest_django import Settings
from time_machine import TimeMachineFixture

from accounts.models import User
from approvals.models import ApprovalRequest
from escalations.cases import requests, tracker
from escalations.models import CaseFile, Escalation
from ledger.files import path_of
from ledger.files.tidying import tidy
from ledger.format import file_size
from ledger.now import now
from tests.escalations.cases.builders import accepted, asked, briefed
from tests.support import samples
from tests.support.cast import Cast

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> None:
    """A media folder of this test."""
    settings.MEDIA_ROOT = tmp_path / "media"


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def pdf(name: str = "redline.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, samples.PDF)


def test_the_brief_has_files(cast: Cast) -> None:
    case = accepted(cast)
    client, page = browser(cast.csm), f"/escalations/{case.key}/brief/"
    answer = client.post(f"{page}files/", {"files": [pdf(), pdf("offer.pdf")]})
    assert answer.status_code == 302
    assert set(case.files.values_list("name", "place")) == {("redline.pdf", "brief"), ("offer.pdf", "brief")}
    shown = client.get(page).content.decode()
    assert "redline.pdf" in shown
    assert case.events.get(kind="file").summary == "2 files added to the brief: redline.pdf and offer.pdf"


def test_a_brief_file_is_chosen_and_allowed(cast: Cast) -> None:
    case = accepted(cast)
    page = f"/escalations/{case.key}/brief/files/"
    assert "Choose a file." in browser(cast.csm).post(page).content.decode()
    bad = browser(cast.csm).post(page, {"files": SimpleUploadedFile("a.exe", samples.EXE)})
    assert (bad.status_code, "“a.exe” is of a kind that is not accepted." in bad.content.decode()) == (422, True)
    assert browser(cast.committee).post(page, {"files": pdf()}).status_code == 403
    assert browser(cast.outsider).post(page, {"files": pdf()}).status_code == 404
    assert not CaseFile.objects.exists()


def test_the_same_page_sent_twice_attaches_once_but_another_file_is_another_request(cast: Cast) -> None:
    case = accepted(cast)
    client, page = browser(cast.csm), f"/escalations/{case.key}/brief/files/"
    for name in ("a.pdf", "a.pdf", "b.pdf"):
        assert client.post(page, {"once": "t1", "files": pdf(name)}).status_code == 302
    assert sorted(case.files.values_list("name", flat=True)) == ["a.pdf", "b.pdf"]


def test_a_file_is_a_proof(cast: Cast) -> None:
    case = accepted(cast)
    action = tracker.add_action(
        case_id=case.pk,
        by=cast.csm,
        title="Credit it",
        owner=cast.csm,
        due_at=now() + timedelta(days=1),
        execution=True,
    )
    client = browser(cast.csm)
    page = f"/escalations/{case.key}/tracker/"
    refused = client.post(f"{page}actions/{action.pk}/done/", {"proof": ""})
    assert "or attach a file" in refused.content.decode()
    assert client.post(f"{page}actions/{action.pk}/done/", {"files": pdf("credit note.pdf")}).status_code == 302
    row = case.files.get()
    assert (row.place, row.action, row.event and row.event.kind) == ("proof", action, "action.done")
    assert "credit note.pdf" in client.get(page).content.decode()
    assert "credit note.pdf" in client.get(f"/escalations/{case.key}/").content.decode()


def test_the_intake_form_takes_files(cast: Cast) -> None:
    form: dict[str, Any] = {
        "account": cast.northwind.pk,
        "issue_type": "discount-beyond-limit",
        "issue": "They ask for 18 %.",
        "impact": "The renewal lapses.",
        "deadline": (now() + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M"),
    }
    client = browser(cast.csm)
    refused = client.post("/escalations/new/", {**form, "files": SimpleUploadedFile("a.svg", samples.SVG)})
    assert (refused.status_code, Escalation.objects.count()) == (422, 0)
    assert "“a.svg” is a web page, a drawing or XML" in refused.content.decode()
    assert client.post("/escalations/new/", {**form, "files": [pdf(), pdf("b.pdf")]}).status_code == 302
    case = Escalation.objects.get()
    assert set(case.files.values_list("name", "place", "event__kind")) == {
        ("redline.pdf", "intake", "opened"),
        ("b.pdf", "intake", "opened"),
    }
    assert "redline.pdf" in client.get(f"/escalations/{case.key}/").content.decode()


def attach(cast: Cast, case: Escalation) -> tuple[CaseFile, CaseFile]:
    """One file of the brief and one of the thread."""
    client = browser(cast.csm)
    client.post(f"/escalations/{case.key}/brief/files/", {"files": pdf("brief.pdf")})
    client.post(f"/escalations/{case.key}/post/", {"mode": "internal", "text": "x", "files": pdf("thread.pdf")})
    return case.files.get(name="brief.pdf"), case.files.get(name="thread.pdf")


def request_of(case: Escalation) -> ApprovalRequest:
    return ApprovalRequest.objects.get(case_link__case=case)


def test_those_who_are_asked_see_the_files_with_the_question(cast: Cast) -> None:
    case = asked(cast)
    of_brief, of_thread = attach(cast, case)
    made = request_of(case)
    seat = made.seats.asked().select_related("person").first()
    assert seat is not None
    assert seat.person is not None
    client = browser(seat.person)
    page = client.get(f"/approvals/{made.pk}/").content.decode()
    for each in (of_brief, of_thread):
        assert f"/files/{each.pk}/" in page
        assert client.get(f"/files/{each.pk}/").status_code == 200
    assert browser(cast.outsider).get(f"/files/{of_brief.pk}/").status_code == 404


def test_who_sees_only_the_request_gets_only_the_files_of_the_brief(cast: Cast) -> None:
    case = asked(cast)
    of_brief, of_thread = attach(cast, case)
    made = request_of(case)
    ApprovalRequest.objects.filter(pk=made.pk).update(requester=cast.outsider)
    client = browser(cast.outsider)
    assert client.get(f"/escalations/{case.key}/").status_code == 404
    page = client.get(f"/approvals/{made.pk}/").content.decode()
    assert f"/files/{of_brief.pk}/" in page
    assert "thread.pdf" not in page
    assert client.get(f"/files/{of_brief.pk}/").status_code == 200
    assert client.get(f"/files/{of_thread.pk}/").status_code == 404
    ApprovalRequest.objects.filter(pk=made.pk).update(requester=cast.csm)
    assert client.get(f"/files/{of_brief.pk}/").status_code == 404


def test_a_frozen_brief_keeps_the_files_that_belonged_to_it(cast: Cast) -> None:
    case = briefed(cast)
    client, page = browser(cast.csm), f"/escalations/{case.key}/brief/files/"
    client.post(page, {"files": [pdf()]})
    wanted = requests.CaseAsk("discount", Decimal(18), "USD", "Approve an 18 percent discount?")
    request = requests.ask(wanted, case_id=case.pk, by=cast.csm)
    client.post(page, {"files": [SimpleUploadedFile("later.txt", b"Something else.")]})
    before = case.files.earliest("pk")
    frozen = case.brief_snapshots.latest("number")
    assert frozen.parts["files"] == [
        {"id": before.pk, "name": "redline.pdf", "size": before.size, "sha256": before.file.sha256}
    ]
    assert request.brief["files"] == frozen.parts["files"]

    shown = " ".join(client.get(f"/escalations/{case.key}/brief/versions/{frozen.number}/").content.decode().split())
    then, since = shown.split("Added since")
    assert ("redline.pdf" in then, "later.txt" in then, "later.txt" in since) == (True, False, True)
    decider = browser(request.approver)
    page_of_request = decider.get(f"/approvals/{request.pk}/").content.decode()
    assert page_of_request.count("Added after the question") == 1
    brief = decider.get(f"/approvals/{request.pk}/brief/").content.decode()
    assert f"redline.pdf, {file_size(before.size)}, SHA-256 {before.file.sha256[:12]}…" in brief
    assert "later.txt" not in brief


def test_the_file_of_a_frozen_brief_cannot_be_removed(cast: Cast, time_machine: TimeMachineFixture) -> None:
    case = briefed(cast)
    browser(cast.csm).post(f"/escalations/{case.key}/brief/files/", {"files": [pdf()]})
    wanted = requests.CaseAsk("discount", Decimal(18), "USD", "Approve an 18 percent discount?")
    requests.ask(wanted, case_id=case.pk, by=cast.csm)
    kept = case.files.get()
    time_machine.move_to(now() + timedelta(days=400), tick=False)
    tidy()
    assert path_of(kept.file.sha256).exists()
    with pytest.raises(ProtectedError):
        kept.file.delete()
    assert not admin.site.is_registered(CaseFile)
    assert browser(cast.csm).delete(f"/api/v1/escalations/{case.key}/files/{kept.pk}/").status_code in (404, 405)
