"""A supplier works on a case from outside: reads a question with a file, answers with a file, and opens nothing else."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support import samples
from tests.support.pages import PHONE, Watched
from tests.support.server import Desk
from tests.support.smtp import Mailbox, plain_text

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

PASSWORD = "show-me-the-desk"
FELIX = "felix@desk.example"
# An open case with its owner, as the people of the desk see it.
CASE = (
    "SELECT case_.id, person.email, account.name FROM escalations_escalation case_ "
    "JOIN accounts_user person ON person.id = case_.owner_id JOIN accounts_account account ON account.id = case_.account_id "
    "WHERE case_.state = 'diagnosing' AND NOT case_.confidential ORDER BY case_.id LIMIT 1"
)


def invite(owner: Watched, key: str, file: Path) -> None:
    """The owner asks the supplier a question, with a day and a file."""
    page = owner.visit(f"/escalations/{key}/roles/")
    owner.press(page.get_by_role("link", name="External parties"))
    owner.assert_clean("share")
    page.get_by_label("External party", exact=True).select_option(label="Felix Brandt")
    page.locator("#id_subject").fill("Delivery of the spare parts")
    page.locator("#id_text").fill("Can you deliver within ten days?")
    page.locator("#id_answer_by").fill(f"{datetime.now(UTC) + timedelta(days=5):%Y-%m-%d}")
    page.locator("#id_files").set_input_files(file)
    owner.press(page.get_by_role("button", name="Share", exact=True))
    assert "1 question open" in page.content()
    owner.assert_clean("shared")


def answer(felix: Watched, link: str, folder: Path) -> None:
    """From the link of the mail: sign in, read, fetch the file, answer with another one."""
    page = felix.visit(link)
    page.locator("input[name=login]").fill(FELIX)
    page.locator("input[name=password]").fill(PASSWORD)
    felix.press(page.get_by_role("button", name="Sign in", exact=True).first)
    assert "Can you deliver within ten days?" in page.content()
    assert "Open question" in page.content()
    felix.assert_clean("external_thread_phone")
    with page.expect_download() as coming:
        page.get_by_role("link", name="order.pdf").click()
    assert coming.value.suggested_filename == "order.pdf"
    (folder / "offer.pdf").write_bytes(samples.PDF + b"offer")
    page.locator("#id_text").fill("Yes, in eight days. Our offer is attached.")
    assert page.get_by_label("Can you deliver within ten days?").is_checked()
    page.locator("#id_files").set_input_files(folder / "offer.pdf")
    felix.press(page.get_by_role("button", name="Send", exact=True))
    assert "Answered" in page.content()
    assert "offer.pdf" in page.content()
    felix.assert_clean("external_answered_phone")


def try_everything_else(felix: Watched, key: str, account: str) -> None:
    """The list of what is shared names nothing of the case; every other page answers 404."""
    page = felix.visit("/")
    assert page.url.endswith("/shared/")
    assert "Delivery of the spare parts" in page.content()
    felix.assert_clean("external_list_phone")
    for words in (key, account):
        assert words not in page.content()
    closed = ["", "brief/", "brief/page/", "brief.pdf", "roles/", "history/", "approvals/", "tracker/", "shared/"]
    others = ["/dashboard/", "/matrices/", "/escalations/", "/accounts/", "/approvals/", "/notifications/", "/profile/"]
    api = ["/api/", "/api/v1/escalations/", f"/api/v1/escalations/{key}/", "/api/v1/accounts/"]
    for path in (*(f"/escalations/{key}/{tail}" for tail in closed), *others, *api):
        answered = felix.context.request.get(path)
        assert answered.status == 404, path
        for words in (key, account):
            assert words not in answered.text(), path


def test_a_supplier_is_invited_answers_with_a_file_and_sees_nothing_else(
    demo_desk: Desk, mailbox: Mailbox, watch: Callable[..., Watched], tmp_path: Path
) -> None:
    [(case_id, owner_mail, account)] = demo_desk.query(CASE)
    key = f"ESC-{case_id}"
    owner, felix = watch(demo_desk.url), watch(demo_desk.url, viewport=PHONE)
    (tmp_path / "order.pdf").write_bytes(samples.PDF + b"order")
    owner.sign_in(owner_mail, PASSWORD)
    invite(owner, key, tmp_path / "order.pdf")
    mail = mailbox.wait_for(lambda mail: FELIX in str(mail["X-Envelope-To"]))
    assert key not in mail.as_string()
    [link] = set(re.findall(r"http://\S+/shared/\d+/", plain_text(mail)))
    answer(felix, link, tmp_path)
    try_everything_else(felix, key, account)
    page = owner.visit(f"/escalations/{key}/shared/")
    assert "question open" not in page.content()
    owner.press(page.get_by_role("link", name="Delivery of the spare parts"))
    for words in ("order.pdf", "offer.pdf", "Yes, in eight days.", "Answered"):
        assert words in page.content()
    with page.expect_download() as coming:
        page.get_by_role("link", name="offer.pdf").click()
    assert coming.value.path().read_bytes() == samples.PDF + b"offer"
    owner.assert_clean("shared_thread")
    page = owner.visit(f"/escalations/{key}/")
    assert "offer.pdf" in page.content()
