"""Every page of the desk, by its address: no fault that axe finds, nothing sideways from a phone to a wide screen."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.imports import setup
from accounts.models import Contact, User
from accounts.people import leaving
from approvals.mail import links
from approvals.models import ApprovalRequest, ConcessionType, Seat
from escalations.cases import sharing
from escalations.cases.mail_address import reply_address
from escalations.models import CaseFile, Escalation, Event, SharedThread
from messaging.inbound.receive import receive
from messaging.models import InboundMail, Message
from tests.support.pages import LAPTOP_WIDTH, PHONE, Served
from tests.support.routes import Route, routes

pytestmark = [pytest.mark.browser, pytest.mark.django_db, pytest.mark.timeout(600)]

WIDTHS = (390, 1024, 1280, 1440)
LAPTOP = {"width": 1280, "height": 900}
MOST_OF_THEM = 85
# Addresses that lead on to a page, answer a program, or stay open.
NO_PAGES = {"home", "healthz", "schema"}
# Views, filters and tabs of a page have an address of their own.
ALSO = (
    "/escalations/?view=back",
    "/escalations/?view=paused",
    "/escalations/?q=nothing+at+all",
    "/messages/inbox/?view=automatic",
    "/messages/?view=failed",
    "/notifications/?view=all",
    "/accounts/?view=renewal",
    "/approvals/?tab=decided",
    "/search/?q=Northwind",
    "/matrices/nothing/",
)
ANYBODY = "anybody"
SIGN_IN = ("/auth/login/", "/auth/password/reset/", "/auth/password/reset/done/", "/auth/signup/", "/auth/inactive/")
SIGNED_IN = ("/auth/logout/", "/auth/password/change/", "/auth/reauthenticate/")


def signed_in(name: str) -> Client:
    """A browser of a person of the demo, or of somebody who is not signed in."""
    client = Client()
    if name == ANYBODY:
        return client
    user = User.objects.get(email=f"{name}@desk.example")
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@dataclass(frozen=True)
class Place:
    """What stands in the address of a route (a case, a row), and who opens it."""

    case: Escalation | None = None
    row: object = None
    other: object = None
    number: object = None
    who: str = "sana"


@dataclass(frozen=True)
class Desk:
    """The demo with one row of everything that a page needs."""

    case: Escalation
    places: dict[str, Place]
    also: list[tuple[str, str]]

    def people(self) -> set[str]:
        """Who opens a page."""
        return {"sana", ANYBODY, *(place.who for place in self.places.values()), *(who for who, path in self.also)}

    def place(self, route: Route) -> Place:
        """That of its name; else that of its app."""
        return self.places.get(route.name) or self.places.get(route.pattern.split("/")[0], Place())

    def address(self, route: Route) -> str:
        """The route with rows that exist in it."""
        place = self.place(route)
        filled = re.sub(r"\(\?P<key>[^)]*\)|<str:key>", (place.case or self.case).key, route.pattern)
        filled = filled.replace("<int:contact>", str(place.other))
        if place.number is not None:
            filled = filled.replace("<int:number>", str(place.number))
        return "/" + re.sub(r"<\w+:\w+>", str(place.row), filled).replace("^", "")

    def pages(self) -> Iterator[tuple[Client, str]]:
        """Every page by whom it is opened and its address; AssertionError for an address that answers with neither."""
        clients = {who: signed_in(who) for who in self.people()}
        for route in routes():
            if route.name in NO_PAGES or route.pattern.startswith("api/v1/"):
                continue
            client, path = clients[self.place(route).who], self.address(route)
            answer = client.get(path)
            if answer.status_code == 405 or not answer.headers["Content-Type"].startswith("text/html"):
                continue  # a verb, or a file
            assert answer.status_code == 200, f"{route.name}: {path} answers {answer.status_code}"
            if b"<!DOCTYPE html>" in answer.content:
                yield client, path
        yield from ((clients["sana"], path) for path in (*ALSO, *SIGNED_IN))
        yield from ((clients[who], path) for who, path in self.also)
        yield from ((clients[ANYBODY], path) for path in SIGN_IN)


def mail(contact: Contact, text: str, *lines: str) -> InboundMail:
    """A mail of a contact of the demo."""
    head = [f"From: {contact.name} <{contact.email}>", "Subject: News", f"Message-ID: <{len(text)}@example>", *lines]
    return receive(raw="\r\n".join([*head, "", text, ""]).encode())


def letter() -> InboundMail:
    """A stranger's mail with a file."""
    part = "--b\r\nContent-Type: text/plain; name=points.txt\r\nContent-Disposition: attachment\r\n\r\nOur points.\r\n--b--"
    head = "From: a@nowhere.example\r\nTo: desk@localhost\r\nMessage-ID: <letter@nowhere.example>\r\n"
    return receive(raw=f"{head}Content-Type: multipart/mixed; boundary=b\r\n\r\n{part}".encode())


def of(state: str) -> Escalation:
    """The newest case in a state."""
    return Escalation.objects.filter(state=state, account__contacts__isnull=False).latest("pk")


def give(thread: SharedThread) -> int:
    """The only file, shared in the thread."""
    file = CaseFile.objects.get()
    thread.posts.get().files.add(file)
    return file.pk


@pytest.fixture
def desk(demo: None) -> Desk:
    """A day of the demo in which everything happens."""
    sana, felix, chloe = (User.objects.get(email=f"{name}@desk.example") for name in ("sana", "felix", "chloe"))
    request = ApprovalRequest.objects.filter(state="open").latest("pk")
    case, ended = request.case_link.case, of("closed")
    writer = ended.account.contacts.first()
    mail(writer, "It fails again.", f"To: {reply_address(ended.pk)}")
    mail(writer, "I am away until Monday.", "To: desk@localhost", "Auto-Submitted: auto-replied")
    thread = sharing.share(case_id=case.pk, by=sana, party=felix, subject="Clause 7", text="Is clause 7 binding?")
    staged = setup.stage(data=b"id,name,arr\nA-1,One,1\nA-2,,2\n", filename="a.csv", source="crm", by=sana)
    leaving.deactivate(user_id=chloe.pk, by=sana)
    while leaving.follow():
        pass
    file = SimpleUploadedFile("redline.txt", b"Clause 7 stays.", content_type="text/plain")
    post = {"mode": "internal", "text": "Their redline.", "files": file}
    signed_in("sana").post(f"/escalations/{case.key}/post/", post)
    posted = case.events.filter(kind=Event.UPDATE, actor=sana).latest("pk")
    seat = Seat.objects.asked().filter(request=request).first()
    contact = case.account.contacts.first()
    decider = seat.person.email.split("@")[0]
    ConcessionType.objects.update(link_up_to=10**6)
    return Desk(
        case,
        {
            "accounts": Place(row=contact.account_id, other=contact.pk),
            "imports": Place(row=staged.pk),
            "approvals": Place(row=request.pk),
            "link": Place(row=links.issue(request, seat), who=ANYBODY),
            "messages": Place(row=Message.objects.latest("pk").pk),
            "inbound": Place(row=InboundMail.objects.latest("pk").pk),
            "behind": Place(row="time-to-escalate"),
            "csv": Place(row="time-to-escalate"),
            "choose": Place(row="people"),
            "people": Place(row=chloe.pk),
            "escalations": Place(row=1),
            "file": Place(row=CaseFile.objects.get().pk),
            "mail_attachment": Place(row=letter().pk, number=0),
            "correct": Place(row=posted.pk),
            "clock_hold": Place(row=case.clocks.live().exclude(kind="acceptance").first().pk),
            "case_shared_thread": Place(row=thread.pk),
            "change_duty": Place(row="scribe"),
            "reopen": Place(case=ended),
            "review": Place(case=of("in_review")),
            "close": Place(case=of("resolved")),
            "resolve": Place(case=of("executing")),
            "handoff": Place(case=of("handed_off"), row=1),
            "shared": Place(who="felix"),
            "shared_thread": Place(row=thread.pk, who="felix"),
            "shared_file": Place(row=give(thread), who="felix"),
        },
        also=[
            (decider, f"/escalations/{case.key}/"),
            (decider, f"/approvals/{request.pk}/"),
            (decider, f"/approvals/{request.pk}/confirm/?verdict=conditions"),
            ("sana", f"/escalations/{of('handed_off').key}/brief/"),
            ("sana", f"/escalations/{ended.key}/"),
            ("sana", f"/accounts/{ended.account_id}/"),
            ("sana", f"/people/{User.objects.get(email='diego@desk.example').pk}/leaving/"),
        ],
    )


def faults(seen: Served) -> Iterator[str]:
    """What is wrong with the page on the screen, at all widths."""
    yield from seen.axe_violations()
    for width in WIDTHS:
        seen.page.set_viewport_size({"width": width, "height": 900})
        if (over := seen.overflow()) > 0:
            yield f"{over} px wider than a window of {width}"
        if width >= LAPTOP_WIDTH:
            yield from (f"cut at {width}: {each}" for each in seen.cut())
        if width == PHONE["width"]:
            yield from (f"on a phone: {each}" for each in seen.axe_violations(["target-size"]))
    seen.page.set_viewport_size(LAPTOP)
    yield from (f"csp: {each}" for each in seen.csp_violations())
    yield from (each for each in seen.complaints if "status of 404" not in each)
    seen.complaints.clear()


def test_every_page_is_clean(desk: Desk, served: Callable[..., Served]) -> None:
    seen, found, count = served(viewport=LAPTOP), [], 0
    for client, path in desk.pages():
        seen.show(client, path)
        found += [f"{path}: {each}" for each in faults(seen)]
        count += 1
    assert not found, "\n".join(found)
    assert count > MOST_OF_THEM


def test_a_message_lies_over_no_button_on_a_phone(desk: Desk, served: Callable[..., Served]) -> None:
    seen = served(viewport=PHONE)
    decider, decision = desk.also[1]
    client = signed_in(decider)
    client.post(f"{decision}question/", {"text": "Which term do they want?"})
    page = seen.show(client, decision)
    assert page.locator(".toasty").is_visible()
    assert seen.covered() == []


def test_a_row_for_an_option_is_added_with_a_button(desk: Desk, served: Callable[..., Served]) -> None:
    page = served(viewport=LAPTOP).show(signed_in("sana"), f"/escalations/{desk.case.key}/brief/")
    rows = page.locator(".optgrid tbody tr").locator("visible=true")
    before = rows.count()
    page.get_by_role("button", name="Add option").click()
    assert rows.count() == before + 1
    assert page.evaluate("document.activeElement.name").endswith("-name")
    page.get_by_role("button", name="Add option").click()
    assert page.get_by_role("button", name="Add option").count() == 0
    assert page.get_by_text("Saving adds empty rows").is_visible()
