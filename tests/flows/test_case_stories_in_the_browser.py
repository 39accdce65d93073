"""Two stories on a running desk in Chromium: a conversation by mail, and conditions from the approval to the resolution."""

import pickle
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from escalations.cases import brief as briefing
from escalations.cases import closing
from escalations.cases import requests as asking
from tests.escalations.cases.builders import OPTIONS, TEXTS, accepted, briefed, opened
from tests.support import databases, dovecot
from tests.support.cast import PASSWORD, make_cast
from tests.support.pages import PHONE, Watched
from tests.support.server import Desk, running_desk
from tests.support.smtp import Mailbox

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
Watch = Callable[..., Watched]
CONDITIONS = ["3-year term signed by Dec 18", "Reference call with their board"]
ADDED = "Their CFO signs"


def two_cases() -> list[str]:
    """A case in Execute, and a newer one of the same account."""
    cast = make_cast()
    case = accepted(cast, concession="", amount=None)
    assert case.owner is not None
    closing.skip_to_execute(case_id=case.pk, by=case.owner, reason="Nothing is conceded")
    return [case.key, opened(cast, issue_type="compliance-exception").key]


def an_ask() -> tuple[str, int]:
    """A case that waits for the executive; the recommended option has two conditions."""
    cast = make_cast()
    case = briefed(cast)
    assert case.owner is not None
    options = [{**OPTIONS[0], "conditions": CONDITIONS}, OPTIONS[1]]
    briefing.save_parts(case_id=case.pk, by=case.owner, texts=TEXTS, options=options, versions={})
    wanted = asking.CaseAsk("discount", Decimal(25), "USD", "Approve a 25 percent discount for Northwind?")
    asking.ask(wanted, case_id=case.pk, by=cast.csm)
    return case.key, case.requests.get().pk


TWO_CASES = databases.Stage("two cases", two_cases, databases.SHIPPED)
AN_ASK = databases.Stage("an ask", an_ask, databases.SHIPPED)


@pytest.fixture
def start(database_templates: databases.Templates, mailbox: Mailbox, tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """`start(stage)` runs a desk on a copy of a stage; its mail goes to `mailbox`."""
    with ExitStack() as running:

        def start(stage: databases.Stage, **extra: str) -> Desk:
            url = running.enter_context(database_templates.copy(stage))
            return running.enter_context(running_desk(url, tmp_path, EMAIL_URL=mailbox.url, **extra))

        yield start


@pytest.fixture
def told(database_templates: databases.Templates) -> Callable[[databases.Stage], Any]:
    """`told(stage)`: what the stage says of its cases."""
    return lambda stage: pickle.loads(database_templates.made(stage))


def letter(number: int, text: str, subject: str = "Our renewal", **lines: str) -> bytes:
    """A mail of Northwind's contact."""
    mail = EmailMessage()
    mail["From"] = "Jonas Thiel <jonas@northwind.example>"
    mail["To"] = lines.pop("To", "desk@localhost")
    mail["Subject"] = subject
    mail["Message-ID"] = f"<m{number}@northwind.example>"
    for name, value in lines.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes()


def reads(person: Watched, path: str) -> str:
    """What a page says."""
    person.page.goto(path)
    return person.page.locator("main").inner_text()


def press(person: Watched, name: str, role: str = "button") -> str:
    """Press a button or follow a link, and read the page it leads to."""
    with person.page.expect_navigation():
        person.page.get_by_role(role, name=name).locator("visible=true").first.click()  # type: ignore[arg-type]
    return person.page.locator("main").inner_text()


def close(person: Watched, key: str) -> None:
    """Operations resolve the case, waive its review and close it."""
    page = person.page
    page.goto(f"/escalations/{key}/resolve/")
    page.locator("#id_outcome").select_option("saved")
    page.locator("#id_root_cause").fill("Price shock")
    page.locator("#id_resolution").fill("Agreed by phone.")
    page.locator("#id_customer_told").check()
    press(person, "Resolve")
    page.locator("#waive textarea, #waive input[name=reason]").first.fill("A small case")
    press(person, "Waive with this reason")
    page.goto(f"/escalations/{key}/close/")
    press(person, "Close the case")


def test_a_conversation_over_four_mails(
    start: Callable[..., Desk], told: Callable[..., Any], imap: dovecot.Server, mailbox: Mailbox, watch: Watch
) -> None:
    desk = start(TWO_CASES, IMAP_URL=imap.url)
    older, newer = (f"/escalations/{key}/" for key in told(TWO_CASES))
    old_key, new_key = told(TWO_CASES)
    priya, sana = watch(desk.url), watch(desk.url)

    # The first mail names no case: it is placed on the newest one by guess, and one press moves it.
    imap.put(letter(1, "The price is still too high for us."))
    desk.manage("ingest_mail", "--imap")
    page = priya.sign_in("priya@desk.example", PASSWORD)
    assert "Placed by guess" in reads(priya, newer)
    page.get_by_text("Move to another case").click()
    press(priya, old_key)
    for path, other in ((newer, f"Moved to {old_key}"), (older, new_key)):
        said = reads(priya, path)
        assert "The price is still too high for us." in said
        assert other in said
    for path in (newer, older):
        assert "moved" in reads(priya, f"{path}history/").lower()

    # Our update leaves by SMTP. Its answer and a mail that names the case stand beside it.
    page.goto(older)
    page.get_by_text("Customer update", exact=True).first.click()
    page.locator("#id_text").fill("We look at the price until Friday.")
    page.get_by_label("Jonas Thiel").check()
    press(priya, "Post update")
    update = mailbox.wait_for(lambda mail: "jonas@northwind.example" in str(mail["X-Envelope-To"]))
    imap.put(
        letter(2, "Friday is fine.", "Re: Our renewal", In_Reply_To=str(update["Message-ID"])),
        letter(3, "Our board meets on Thursday.", f"Question about {old_key}"),
    )
    desk.manage("ingest_mail", "--imap")
    said = reads(priya, older)
    assert "Friday is fine." in said
    assert "Our board meets on Thursday." in said
    assert "Placed by guess" not in said
    priya.assert_clean("conversation")

    # The case ends and the customer writes again: it stands in the view Came back, and one press opens the case.
    sana.sign_in("sana@desk.example", PASSWORD)
    close(sana, old_key)
    imap.put(letter(4, "The discount is not on our invoice.", "Re: Our renewal", To=str(update["Reply-To"])))
    desk.manage("ingest_mail", "--imap")
    assert old_key in reads(sana, "/escalations/?view=back")
    sana.assert_clean("came_back")
    press(sana, f"Reopen {old_key}")
    assert "The discount is not on our invoice." in reads(sana, older)
    assert "Closed" not in sana.page.locator(".crumbs").inner_text()
    assert old_key not in reads(sana, "/escalations/?view=back")


def test_conditions_are_tracked_from_the_decision_to_the_resolution(
    start: Callable[..., Desk], told: Callable[..., Any], watch: Watch
) -> None:
    desk = start(AN_ASK)
    key, request = told(AN_ASK)
    case = f"/escalations/{key}/"
    dana, tom = watch(desk.url, viewport=PHONE), watch(desk.url)

    # The executive sees the conditions before deciding, drops one and adds one.
    dana.sign_in("dana@desk.example", PASSWORD)
    said = reads(dana, f"/approvals/{request}/")
    assert all(each in said for each in CONDITIONS)
    press(dana, "Approve as recommended", "link")
    dana.page.get_by_label(CONDITIONS[1]).uncheck()
    dana.page.locator("#id_conditions").fill(ADDED)
    dana.page.locator("#id_reason").fill("The call can wait.")
    assert "Approved with conditions" in press(dana, "Submit decision")
    dana.assert_clean("decided_with_conditions_phone")

    # Each condition is a commitment of the owner with a date. Resolving names those that are open.
    page = tom.sign_in("tom@desk.example", PASSWORD)
    page.goto(f"{case}tracker/")
    row = page.get_by_role("row").filter(has_text=CONDITIONS[0])
    assert "Tom Becker" in row.inner_text()
    assert "Dec 18" in row.inner_text()
    row = page.get_by_role("row").filter(has_text=ADDED)
    assert re.search(r"Tom Becker\s+[A-Z][a-z]{2} \d", row.inner_text())
    assert CONDITIONS[1] not in page.locator("#main").inner_text()
    tom.press(row.get_by_role("button", name="Kept"))
    page.locator("input[name=proof]").first.fill("Order form 4711")
    press(tom, "Done")
    tom.assert_clean("conditions_on_the_tracker")
    said = reads(tom, f"{case}resolve/")
    assert f"{CONDITIONS[0]} (Tom Becker, by Dec 18" in said
    assert ADDED not in said
    page.locator("#id_outcome").select_option("saved")
    page.locator("#id_root_cause").fill("Price shock")
    page.locator("#id_resolution").fill("Signed with 25 percent off.")
    page.locator("#id_customer_told").check()
    tom.assert_clean("resolve_with_an_open_condition")
    press(tom, "Resolve")
    assert f"1 condition is still open: {CONDITIONS[0]}" in reads(tom, case)
