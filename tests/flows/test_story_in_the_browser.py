"""The whole path on a running desk, as three people in Chromium; the decision comes from the link in a real mail."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.pages import PHONE, Watched
from tests.support.server import Desk
from tests.support.smtp import Mailbox, plain_text

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

PASSWORD = "show-me-the-desk"
NEW_YORK = ZoneInfo("America/New_York")
ACCOUNTS = """id,name,arr,currency,renewal,health,domain,csm
TB-1,Tidewater Bearings,620000,USD,{renewal},55,tidewater.example,priya@desk.example
TB-1b,Broken Row,12x,USD,{renewal},55,,priya@desk.example
"""
CONTACTS = "email,name,account_id\njonas@tidewater.example,Jonas Thiel,TB-1\n"
MAIL = b"""From: Jonas Thiel <jonas@tidewater.example>
To: desk@localhost
Subject: Liability cap
Message-ID: <cap-1@tidewater.example>
Date: Fri, 20 Nov 2026 10:05:00 +0000

A 12-month cap is unacceptable for a system our plants depend on.
"""
BRIEF = {
    "summary": "Tidewater will not renew at a 12-month liability cap.",
    "ask": "A decision by 15:00 ET Wednesday to protect the renewal.",
    "facts": "Two outages in the third quarter; their counsel asks for 24 months.",
    "recommendation": "Grant 24 months with mutual indemnity.",
    "next_step": "Call with their COO on Thursday at 10:00.",
}


def local(days: float) -> str:
    """A datetime-local value so many days from now, on the clock of New York."""
    return f"{datetime.now(UTC).astimezone(NEW_YORK) + timedelta(days=days):%Y-%m-%dT%H:%M}"


def fill(page: Any, values: dict[str, str], prefix: str = "id_") -> None:
    """Type into fields by their name."""
    for name, value in values.items():
        page.locator(f"#{prefix}{name}").fill(value)


def bring_in_the_account(desk: Desk, folder: Path) -> None:
    """Step 1: a CSV with one good and one bad row, its contacts, and the customer's mail."""
    renewal = date.today() + timedelta(days=75)
    for name, text in (("accounts.csv", ACCOUNTS.format(renewal=renewal)), ("contacts.csv", CONTACTS)):
        (folder / name).write_text(text)
    said = desk.manage("import_accounts", str(folder / "accounts.csv"), "--source", "crm")
    assert "1 created" in said
    desk.manage("import_accounts", str(folder / "contacts.csv"), "--kind", "contacts", "--source", "crm")
    (folder / "cap.eml").write_bytes(MAIL)
    assert "Tidewater" in desk.manage("ingest_mail", str(folder / "cap.eml"))


def raise_it(priya: Watched) -> str:
    """Steps 2 to 4: the CSM sees the mail on the account and escalates from it."""
    priya.sign_in("priya@desk.example", PASSWORD)
    priya.visit("/accounts/?q=Tidewater")
    priya.press(priya.page.get_by_role("link", name="Tidewater Bearings").first)
    assert "unacceptable" in priya.page.content()
    priya.assert_clean("account")
    page = priya.visit("/escalations/new/")
    priya.assert_clean("intake")
    priya.press(page.get_by_role("button", name="Submit escalation"))
    assert page.title().startswith("Error")
    priya.complaints.clear()  # the 422 of the empty form
    priya.assert_clean("intake_errors")
    page.locator("#id_account").press_sequentially("tidewater")
    page.get_by_role("option", name="Tidewater Bearings").click()
    page.get_by_role("button", name="Change account Tidewater Bearings").wait_for()
    page.locator("#id_issue_type").select_option("contract-exception")
    fill(page, {"issue": "Tidewater will not sign at a 12-month cap.", "impact": "The renewal of $620,000 stalls."})
    fill(page, {"requested_support": "A decision on a 24-month cap.", "deadline": local(6)})
    page.locator("#id_concession").select_option("liability-cap")
    page.locator("#id_amount").fill("24")
    page.locator("#id_blocker").check()
    page.locator("#preview", has_text="Dana Whitfield").wait_for()
    priya.press(page.get_by_role("button", name="Submit escalation"))
    key = re.search(r"ESC-\d+", page.title())
    assert key, page.content()[:500]
    priya.assert_clean("opened")
    return key[0]


def accept_it(lena: Watched, key: str) -> None:
    """Step 5: the director accepts."""
    lena.sign_in("lena@desk.example", PASSWORD)
    page = lena.visit(f"/escalations/{key}/handoffs/1/")
    lena.assert_clean("handoff")
    lena.press(page.get_by_role("button", name="Accept the duty").first)
    lena.visit(f"/escalations/{key}/")
    lena.assert_clean("case")


def tell_the_customer(priya: Watched, mailbox: Mailbox, key: str) -> None:
    """Step 6: an update to the customer leaves as a mail; internal words do not."""
    page = priya.visit(f"/escalations/{key}/")
    page.locator("#id_text").fill("INTERNAL: their counsel bluffs.")
    priya.press(page.get_by_role("button", name="Post update"))
    page.get_by_text("Customer update", exact=True).first.click()
    page.locator("#id_text").fill("We decide on your cap by Wednesday.")
    page.get_by_label("Jonas Thiel").check()
    priya.press(page.get_by_role("button", name="Post update"))
    priya.assert_clean("case_thread")
    mail = mailbox.wait_for(lambda mail: "jonas@tidewater.example" in str(mail["X-Envelope-To"]))
    assert "by Wednesday" in plain_text(mail)
    assert "bluffs" not in mail.as_string()


def write_the_brief_and_ask(lena: Watched, key: str) -> None:
    """Steps 6 and 7: missing parts are named, the brief is filled, the approval is requested."""
    page = lena.visit(f"/escalations/{key}/brief/")
    assert "to fill before" in page.content()
    lena.assert_clean("brief_gaps")
    fill(page, BRIEF)
    names, offs = page.locator("[name$='-name']"), page.locator("[name$='-trade_off']")
    for place, (name, trade_off) in enumerate([("24 months", "More exposure"), ("Keep 12 months", "Lost renewal")]):
        names.nth(place).fill(name)
        offs.nth(place).fill(trade_off)
    page.locator("[name=recommended]").nth(0).check()
    page.locator("[name=status_quo]").nth(1).check()
    lena.press(page.get_by_role("button", name="Save brief"))
    lena.assert_clean("brief")
    lena.visit(f"/escalations/{key}/brief/page/")
    lena.assert_clean("brief_page")
    page = lena.visit(f"/escalations/{key}/approvals/new/")
    fill(page, {"question": "Approve a 24-month liability cap for Tidewater?", "amount": "24"})
    fill(page, {"deadline": local(2), "why_later": "Their lawyers answer tomorrow"})
    page.locator("#id_concession").select_option("liability-cap")
    page.locator("#who-decides", has_text="Dana").wait_for()
    lena.assert_clean("ask")
    lena.press(page.locator("button[type=submit]", has_text="Request approval"))
    lena.assert_clean("case_approvals")


def decide_from_the_mail(dana: Watched, mail: EmailMessage) -> None:
    """Step 7: the executive opens the one link, signs in, reads and decides; opening decides nothing."""
    [link] = set(re.findall(r"http://\S+/d/\S+?/", plain_text(mail)))
    dana.sign_in("dana@desk.example", PASSWORD)
    page = dana.visit(link)
    assert "Approve a 24-month liability cap" in page.content()
    dana.assert_clean("decision_phone")
    dana.press(page.get_by_role("link", name="Approve as recommended").locator("visible=true").first)
    dana.assert_clean("decision_confirm_phone")
    page.locator("#id_reason").fill("In line with two comparable accounts.")
    dana.press(page.get_by_role("button", name="Submit decision").locator("visible=true").first)
    assert "Approved" in page.content()
    dana.assert_clean("decided_phone")


def finish_it(lena: Watched, key: str) -> None:
    """Step 9: proof, resolve, review, sign, close."""
    page = lena.visit(f"/escalations/{key}/tracker/")
    page.locator("input[name=proof]").first.fill("Amendment 7, signed")
    lena.press(page.get_by_role("button", name="Done").first)
    lena.assert_clean("tracker")
    page = lena.visit(f"/escalations/{key}/resolve/")
    page.locator("#id_outcome").select_option("signed")
    fill(page, {"root_cause": "Contract terms", "resolution": "Signed with a 24-month cap."})
    page.locator("#id_customer_told").check()
    lena.assert_clean("resolve")
    lena.press(page.locator("main button[type=submit]").first)
    page = lena.visit(f"/escalations/{key}/review/")
    answers = {"worked": "One thread", "change": "Offer it at round two", "lessons": "Ask counsel sooner"}
    fill(page, answers)
    page.locator("#id_timeline_checked").check()
    lena.press(page.get_by_role("button", name="Save answers"))
    lena.assert_clean("review")
    lena.press(page.get_by_role("button", name="Sign the review"))
    page = lena.visit(f"/escalations/{key}/close/")
    lena.press(page.locator("main button[type=submit]").first)
    assert "Closed" in lena.visit(f"/escalations/{key}/").content()
    lena.assert_clean("closed")


def read_the_api_reference(dana: Watched) -> None:
    """The reference on a phone, also with every operation opened."""
    page = dana.visit("/api/")
    dana.assert_clean("api_phone")
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    dana.assert_clean()


def test_a_signal_becomes_a_case_is_decided_from_a_mail_and_closed(
    demo_desk: Desk, mailbox: Mailbox, watch: Callable[..., Watched], tmp_path: Path
) -> None:
    bring_in_the_account(demo_desk, tmp_path)
    priya, lena = watch(demo_desk.url), watch(demo_desk.url)
    dana = watch(demo_desk.url, viewport=PHONE)
    key = raise_it(priya)
    mailbox.wait_for(lambda mail: "lena@" in str(mail["X-Envelope-To"]) and key in str(mail["Subject"]))
    accept_it(lena, key)
    tell_the_customer(priya, mailbox, key)
    write_the_brief_and_ask(lena, key)
    mail = mailbox.wait_for(lambda mail: "dana@" in str(mail["X-Envelope-To"]) and "Tidewater" in str(mail["Subject"]))
    decide_from_the_mail(dana, mail)
    finish_it(lena, key)
    lena.visit("/dashboard/")
    lena.assert_clean("dashboard")
    read_the_api_reference(dana)
    page = lena.visit("/escalations/?q=" + key)
    assert page.locator("h1").inner_text() == "Escalation queue"
    assert "0 breaks" in demo_desk.manage("verify_log") or "verified" in demo_desk.manage("verify_log")
