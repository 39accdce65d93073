"""Mails that other systems got wrong, taken in by `manage.py ingest_mail` and read on the page of the case.

A test is named after its row in tests/findings/register.py. The mails of tests/data/7_reports come first, others of the same
kind follow.
"""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.core.mail import EmailMultiAlternatives
from django.core.management import call_command
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.models import AccountDomain, Contact, Signal
from escalations.cases import closing, thread
from escalations.models import Clock, CustomerMessage, Escalation, Event
from messaging.models import InboundMail, Message, Notice
from messaging.outbox import messages as outbox
from tests.conftest import SAMPLE
from tests.escalations.cases.builders import accepted, opened
from tests.escalations.conversation.mails import words
from tests.support.cast import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
MAILS = SAMPLE / "7_reports" / "mail"
DOMAIN = "northwind-logistics.example"
HEAD = (
    f"From: Carla Nunez <carla.nunez@{DOMAIN}>\r\nTo: desk@desk.example\r\nSubject: {{subject}}\r\n"
    f"Date: Sat, 28 Nov 2026 20:50:00 +0000\r\nMessage-ID: <{{number}}@mail.{DOMAIN}>\r\nMIME-Version: 1.0\r\n{{more}}\r\n"
)

TAGS = re.compile(r"<[^>]+>")
TEXT = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"


@dataclass
class Post:
    """Takes mails in as an operator does."""

    folder: Path
    number: int = 0

    def reported(self, name: str, *replaced: tuple[str, str]) -> InboundMail:
        """A mail of the reports, with an address or an id replaced."""
        raw = (MAILS / f"{name}.eml").read_bytes()
        for old, new in replaced:
            raw = raw.replace(old.encode(), new.encode())
        return self.take(raw)

    def write(self, body: str | bytes, *, subject: str = "Report", more: str = TEXT) -> InboundMail:
        """A mail of the contact."""
        self.number += 1
        head = HEAD.format(subject=subject, number=self.number, more=more).encode()
        return self.take(head + (body.replace("\n", "\r\n").encode() if isinstance(body, str) else body) + b"\r\n")

    def take(self, raw: bytes) -> InboundMail:
        """Any mail."""
        path = self.folder / "mail.eml"
        path.write_bytes(raw)
        call_command("ingest_mail", path)
        return InboundMail.objects.latest("pk")


@pytest.fixture
def post(cast: Cast, settings: Settings, tmp_path: Path) -> Iterator[Post]:
    """The desk at desk.example, and Carla Nunez as a contact of Northwind."""
    settings.MAIL_DOMAIN = "desk.example"
    settings.DEFAULT_FROM_EMAIL = "Escalation Desk <desk@desk.example>"
    AccountDomain.objects.create(account=cast.northwind, domain=DOMAIN)
    Contact.objects.create(account=cast.northwind, name="Carla Nunez", email=f"carla.nunez@{DOMAIN}")
    return Post(tmp_path)


@pytest.fixture
def case(cast: Cast, post: Post) -> Escalation:
    """The case that a mail means: not the newest one of the account."""
    return accepted(cast)


@pytest.fixture
def newer(cast: Cast, case: Escalation) -> Escalation:
    """The newest case of the account, about something else."""
    return opened(cast, issue_type="compliance-exception")


Page = Callable[..., str]


@pytest.fixture
def page(cast: Cast, client: Client) -> Page:
    """The pages of cases as their CSM reads them, text in one line: of all cases unless one is named."""

    def read(*of: Escalation) -> str:
        client.force_login(cast.csm)
        pages = (client.get(f"/escalations/{case.key}/") for case in of or Escalation.objects.order_by("pk"))
        return " ".join(" ".join(html.unescape(TAGS.sub("", each.content.decode())).split()) for each in pages)

    return read


def updated(cast: Cast, case: Escalation) -> Message:
    """A customer update to Carla, sent from the case."""
    carla = Contact.objects.get(email=f"carla.nunez@{DOMAIN}")
    lead = case.people.get(duty="communication").user
    thread.customer_update(case_id=case.pk, by=lead, text="We have issued the credit.", contacts=[carla])
    return Message.objects.get(kind="customer_update")


ANSWER = "Thank you, but the credit note still shows the wrong month."


def test_row_01_an_answer_by_references_is_on_its_case(
    cast: Cast, post: Post, case: Escalation, newer: Escalation, page: Page
) -> None:
    sent = updated(cast, case).message_id.strip("<>")
    post.reported(
        "01a-reply-by-references", ("MESSAGE-ID-OF-A-CUSTOMER-UPDATE-OF-ESC-1067", sent), ("1067", str(case.pk))
    )
    post.write("By the id alone.", more=f"{TEXT}In-Reply-To: <{sent}>\r\n", subject="Re: something else")
    post.write("By the thread alone.", more=f"{TEXT}References: <a@x.example>\r\n <case-{case.pk}@desk.example>\r\n")
    assert [text.splitlines()[-1] for text in words(case)] == [ANSWER, "By the id alone.", "By the thread alone."]
    assert words(newer) == []
    assert ANSWER in page(case)
    assert set(CustomerMessage.objects.values_list("placed", flat=True)) == {"answer"}


@pytest.mark.parametrize("mark", ["Re: Update 1 on {}", "AW: [EXTERNAL] {} Northwind", "Fwd: RE: ({})", "re: {}"])
def test_row_02_a_number_in_the_subject_names_the_case(
    post: Post, case: Escalation, newer: Escalation, mark: str
) -> None:
    post.reported("01b-reply-by-subject", ("Re: Update 1 on ESC-1067", mark.format(case.key)))
    assert words(newer) == []
    assert words(case)[0].endswith("One more point on this one.")
    assert CustomerMessage.objects.get().placed == "named"


def test_row_02_without_any_clue_it_is_a_guess_and_says_so(
    post: Post, case: Escalation, newer: Escalation, page: Page
) -> None:
    post.reported("01b-reply-by-subject", ("Re: Update 1 on ESC-1067", "Our invoice"))
    assert CustomerMessage.objects.get(case=newer).placed == "guess"
    assert "Placed by guess" in page(newer)


def test_row_03_a_case_of_another_customer_is_never_the_place(cast: Cast, post: Post, case: Escalation) -> None:
    Contact.objects.create(account=cast.elsewhere, name="Laura Conti", email="laura.conti@alder-co.example")
    mail = post.reported("03b-other-company", ("1067", str(case.pk)))
    assert (mail.state, words(case)) == (InboundMail.WAITING, [])
    note = f"laura.conti@alder-co.example of Harbor Health wrote to {case.key}, a case of another account."
    assert mail.note == note
    lawyer = post.reported("03b-other-company", ("1067", str(case.pk)), ("laura.conti", "a.lawyer"), ("03b", "03c"))
    assert (lawyer.state, words(case)) == (InboundMail.WAITING, [])


def test_row_04_an_answer_to_a_duplicate_is_on_the_case_that_carries_on(
    cast: Cast, post: Post, case: Escalation, newer: Escalation, page: Page
) -> None:
    first = opened(cast, issue_type="technical-outage")
    closing.mark_duplicate(case_id=first.pk, by=cast.csm, of=case)
    sender = ("greta.olsen@fjord-shipping.example", f"carla.nunez@{DOMAIN}")
    post.reported("03-reply-to-duplicate", ("1086", str(first.pk)), sender)
    closing.mark_duplicate(case_id=case.pk, by=cast.csm, of=newer)
    post.reported("03-reply-to-duplicate", ("1086", str(first.pk)), sender, ("<03", "<03x"), ("third", "fourth"))
    said = [f"Any news on our renewal questions? The {each} one is still open." for each in ("third", "fourth")]
    assert [said[0] in page(each) for each in (first, case)] == [False, True]
    assert words(first) == []
    assert [text.splitlines()[-1] for text in words(newer)][-1] == said[1]
    assert first.key in newer.events.filter(kind=Event.CUSTOMER_MESSAGE).latest("seq").summary


@pytest.fixture
def closed(cast: Cast, case: Escalation) -> Escalation:
    """The case, closed."""
    Escalation.objects.filter(pk=case.pk).update(state="closed", owner=case.owner)
    return Escalation.objects.get(pk=case.pk)


@pytest.fixture
def withdrawn(cast: Cast, case: Escalation) -> Escalation:
    """The case, withdrawn."""
    return closing.withdraw(case_id=case.pk, by=cast.ops, reason="Not needed any more")


def came_back(client: Client, cast: Cast) -> list[str]:
    """The keys of the view "Came back"."""
    client.force_login(cast.csm)
    return [row.key for row in client.get("/escalations/", {"view": "back"}).context["rows"]]


THANKS = ["Thanks a lot, all good!", "Vielen Dank, alles bestens!", "Merci beaucoup !", "ありがとうございます。"]


def test_row_05_thanks_reopen_nothing(cast: Cast, post: Post, closed: Escalation, client: Client) -> None:
    for thanks in THANKS:
        post.write(thanks, subject=f"Re: {closed.key}")
    closed.refresh_from_db()
    assert (closed.state, words(closed), came_back(client, cast)) == ("closed", THANKS, [])


def sender_of(name: str) -> tuple[str, str]:
    """The address to replace by Carla's."""
    return re.findall(r"<(\S+@\S+?)>", (MAILS / f"{name}.eml").read_text())[0], f"carla.nunez@{DOMAIN}"


@pytest.mark.parametrize("name", ["04b-back-closed", "04d-withdrawn"])
def test_row_06_a_complaint_after_the_end_is_listed_and_told(
    cast: Cast, post: Post, request: pytest.FixtureRequest, client: Client, name: str
) -> None:
    ended: Escalation = request.getfixturevalue("closed" if "closed" in name else "withdrawn")
    post.reported(name, sender_of(name), ("case+1043", f"case+{ended.pk}"), ("case+1056", f"case+{ended.pk}"))
    assert came_back(client, cast) == [ended.key]
    keepers = {ended.owner_id, ended.people.get(duty="communication").user_id}
    assert set(Notice.objects.filter(kind="customer").values_list("user_id", flat=True)) == keepers
    found = client.get(f"/escalations/{ended.key}/").content.decode()
    assert "Reopen" in found
    assert "Nothing to do" in found


def test_row_06_without_an_open_case_the_csm_is_told(cast: Cast, post: Post) -> None:
    post.reported("10d-return-path-null")
    assert [notice.user for notice in Notice.objects.filter(kind="customer")] == [cast.csm]


def test_rows_07_08_an_answer_is_told_and_ends_the_wait(post: Post, case: Escalation, page: Page) -> None:
    thread.wait_on(case_id=case.pk, by=case.owner, whom="customer", reason="The PO number")
    assert case.clocks.filter(state=Clock.PAUSED).exists()
    Notice.objects.all().delete()
    post.reported("12-answer", ("1067", str(case.pk)))
    case.refresh_from_db()
    assert case.waiting_on == "nobody"
    assert not case.clocks.filter(state=Clock.PAUSED).exists()
    keepers = {case.owner_id, case.people.get(duty="communication").user_id}
    assert set(Notice.objects.filter(kind="customer").values_list("user_id", flat=True)) == keepers
    assert "The PO number is 4711. Please go on." in page(case)


LETTERS = [
    ("05a-jp-nocharset", "お世話になっております。契約更新の件でご相談があります。"),
    ("05b-jp-ms", "契約更新について"),
    ("05c-jp-nec", "①契約書の件、㈱ノースウィンドです。解約したい。"),
    ("06a-gb2312-gbk", "我们要求退款，请联系朱镕先生。邨"),
    ("06c-euckr-cp949", "계약을 해지하겠습니다. 똠방각하 햏"),
    ("06d-iso88598i", "אנחנו רוצים לבטל את החוזה"),
    ("06f-utf7", "Wir möchten den Vertrag kündigen"),
    ("06g-xmac", "Nous résilions le contrat – déçus"),
    ("06h-cp8859-1-label-utf8", "Wir kündigen – sofort €"),
    ("06i-html-meta", "Мы расторгаем договор"),
]


def test_rows_09_to_12_every_encoding_is_read(post: Post, case: Escalation, page: Page) -> None:
    for name, _ in LETTERS:
        post.reported(name)
    shown = page()
    assert [said for _, said in LETTERS if said not in shown] == []


def test_rows_13_to_15_no_part_of_a_message_is_lost(post: Post, case: Escalation, page: Page) -> None:
    for name in ("08a-subject-only", "08b-subject-with-sig", "07-winmail", "08d-invite"):
        post.reported(name)
    shown = page()
    for said in (
        "We are cancelling our contract unless the outage is fixed today",
        "We are cancelling our contract: call me",
        "1 attachment, winmail.dat, could not be read",
        "Invitation: Renewal crisis call, Dec 1 15:00 UTC",
        "We want to talk about ending the contract",
    ):
        assert said in shown
    signals = [message.signal for message in CustomerMessage.objects.order_by("pk")]
    assert [bool(signal.phrases) for signal in signals] == [True, True, True, True]


def test_row_13_a_subject_alone_opens_a_case_like_a_first_sentence(post: Post) -> None:
    post.reported("08a-subject-only")
    assert Escalation.objects.get().trigger_text


OWN = [
    ("09a-quote-at-end", "> Error 4711: licence expired on 27 November"),
    ("09b2-html-blockquote-end", "> Liability cap 12 months"),
    ("09d-ps", "PS: we cancel the contract if the invoice is not corrected."),
    ("09g-vcard-dashes", "Point 2: we want a credit"),
]


def test_rows_16_and_18_what_the_customer_wrote_is_shown(post: Post, case: Escalation, page: Page) -> None:
    for name, _ in OWN:
        post.reported(name)
    shown = page()
    assert [said for _, said in OWN if said not in shown] == []
    assert [bool(each.signal.phrases) for each in CustomerMessage.objects.order_by("pk")][2:] == [True, True]


QUOTED = "\n\nOn Mon, 2 Mar 2026 at 09:00, Escalation Desk <desk@desk.example> wrote:\n> Here is the report.\n"


def test_row_16_what_was_cut_unfolds(post: Post, case: Escalation, page: Page) -> None:
    post.write(f"We agree.{QUOTED}", subject=f"Re: {case.key}")
    assert words(case) == ["We agree."]
    assert "Show the quoted text" in page(case)
    assert "> Here is the report." in page(case)


@pytest.mark.parametrize(
    ("mail", "shown"),
    [
        (
            "On Mon, 2 Mar 2026, Desk <desk@desk.example> wrote:\n> Shall we?\n\nYes, please go on.",
            "Yes, please go on.",
        ),
        ("> Shall we?\n\nYes.\n\n> When?\n\nMonday.", "> Shall we?\n\nYes.\n\n> When?\n\nMonday."),
    ],
)
def test_row_19_an_answer_below_or_between_quotations_is_shown(
    post: Post, case: Escalation, mail: str, shown: str
) -> None:
    post.write(mail, subject=f"Re: {case.key}")
    assert words(case) == [shown]


PEOPLE = ["10a-suppress", "10b-googlegroup", "10d-return-path-null", "10g-subject-auto", "10i-list-unsub"]


def test_rows_20_and_21_a_person_is_shown(post: Post, case: Escalation) -> None:
    assert [post.reported(name).state for name in PEOPLE] == [InboundMail.CLAIMED] * len(PEOPLE)
    assert CustomerMessage.objects.count() == len(PEOPLE)


CALL = "Hello, we are not happy with the answer, please call me."
WAYS = [
    "X-Auto-Response-Suppress: All",
    "Precedence: bulk",
    "Precedence: junk\r\nReturn-Path: <>",
    "List-Id: <s.desk.example>\r\nX-BeenThere: s@desk.example\r\nX-Mailman-Version: 2.1\r\nPrecedence: list",
    "Mailing-List: list s@desk.example\r\nX-Auto-Response-Suppress: OOF\r\nList-Post: <mailto:s@desk.example>",
    "Auto-Submitted: no",
    "Feedback-ID: 1:crm\r\nList-Unsubscribe: <https://x.example>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click",
]
SUBJECTS = [
    "Automatic payment failed again",
    "Undeliverable goods in container 12",
    "Delivery failure of 4 May",
    "Auto reply of your desk is wrong",
    "Vacation contract renewal",
    "Abwesenheit unseres Ansprechpartners",
    "Réponse automatique de votre support est fausse",
]


def test_rows_20_and_21_one_witness_is_not_enough(post: Post, case: Escalation) -> None:
    for way in WAYS:
        post.write(CALL, subject="RE: your answer", more=f"{TEXT}{way}\r\n")
    for subject in SUBJECTS:
        post.write(CALL, subject=subject)
    assert [mail.automatic for mail in InboundMail.objects.exclude(state=InboundMail.CLAIMED)] == []
    assert CustomerMessage.objects.count() == len(WAYS) + len(SUBJECTS)


def test_row_20_who_says_it_is_an_answer_is_set_aside_and_stands_on_the_account(
    cast: Cast, post: Post, case: Escalation, client: Client
) -> None:
    mail = post.write("I am away. Please call me on Monday.", more=f"{TEXT}Auto-Submitted: auto-replied\r\n")
    assert (mail.state, words(case)) == (InboundMail.AUTOMATIC, [])
    client.force_login(cast.csm)
    shown = client.get(f"/accounts/{cast.northwind.pk}/").content.decode()
    assert "Set aside, looks automatic" in shown
    assert "Please call me on Monday." in shown


def test_row_22_our_customer_update_is_read_as_a_persons_words(
    cast: Cast, post: Post, case: Escalation, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    updated(cast, case)
    while outbox.send_due():
        pass
    [ours] = [each for each in mailoutbox if "We have issued the credit." in each.body]
    raw = ours.message().as_bytes()
    assert not re.search(rb"(?im)^(auto-submitted|x-auto-response-suppress|precedence):", raw)
    theirs = re.sub(rb"(?m)^From: .*$", f"From: Carla <carla.nunez@{DOMAIN}>".encode(), raw)
    assert post.take(theirs).state == InboundMail.CLAIMED


def test_row_34_a_colleague_is_named_on_the_side_of_the_customer(
    cast: Cast, post: Post, case: Escalation, page: Page, client: Client
) -> None:
    thread.wait_on(case_id=case.pk, by=case.owner, whom="customer", reason="The renewal")
    post.reported("10e-noreply-name")
    assert f"Northwind No-Reply, noreply@{DOMAIN}, not a known contact" in page(case)
    assert "Add as contact" in page(case)
    case.refresh_from_db()
    assert case.waiting_on == "nobody"
    [entry] = case.events.filter(kind=Event.CUSTOMER_MESSAGE)
    assert (entry.audience, entry.actor_name) == ("customer", "Northwind No-Reply")


CRISIS = "We will not renew the contract."


def test_row_01_an_answer_to_the_mail_that_opened_a_case_is_on_it(cast: Cast, post: Post) -> None:
    first = post.write(CRISIS, subject="Crisis")
    case = Escalation.objects.get()
    opened(cast, issue_type="compliance-exception")
    post.write("And another thing.", more=f"{TEXT}In-Reply-To: {first.message_id}\r\n", subject="Re: Crisis")
    assert words(case) == [f"Crisis\n\n{CRISIS}", "Crisis\n\nAnd another thing."]
    assert list(CustomerMessage.objects.order_by("pk").values_list("placed", flat=True)) == ["opened", "answer"]


def test_row_34_a_colleague_whose_mail_opens_a_case_is_named_too(post: Post, page: Page) -> None:
    post.reported("10e-noreply-name", ("please call me about the renewal", "we will not renew the contract"))
    assert f"Northwind No-Reply, noreply@{DOMAIN}, not a known contact" in page()


def test_attachments_of_a_mail_come_along_when_a_case_is_opened_from_it_later(
    cast: Cast, post: Post, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    parts = (
        b"--b\r\nContent-Type: text/plain\r\n\r\nPlease see the letter.\r\n--b\r\n"
        b'Content-Type: text/plain; name="letter.txt"\r\nContent-Disposition: attachment\r\n\r\nOur points.\r\n--b--'
    )
    post.write(parts, more="Content-Type: multipart/mixed; boundary=b\r\n")
    with django_capture_on_commit_callbacks(execute=True):
        case = opened(cast, signal=Signal.objects.get())
    assert [each.name for each in case.files.all()] == ["letter.txt"]
