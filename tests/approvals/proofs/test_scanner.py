"""What opens links before people do (mail scanners, previews, browsers that fetch ahead) changes nothing, and the person's own
press of the button still counts."""

import hashlib
import html
import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import connection
from django.test import Client

from approvals.models import ApprovalRequest, ConcessionType
from ledger.now import now
from tests.approvals.mail.replies import token_of
from tests.approvals.proofs.doors import APPROVE, LINK, OPEN_LINK, Caller, Knock
from tests.support.cast import Cast
from tests.support.databases import DEMO, Templates
from tests.support.pages import Watched
from tests.support.server import Desk, running_desk

TIMES, SHORT_PAGES, LONG_PAGES = 20, 2, 60
PASSWORD = "show-me-the-desk"
Ask = Callable[..., ApprovalRequest]
POINT_AT_ALL = """
for (const each of document.querySelectorAll("a, button, summary, [hx-get]"))
  for (const kind of ["mouseover", "mouseenter", "mousemove", "focus", "touchstart"])
    each.dispatchEvent(new Event(kind, {bubbles: true}));
"""
SELECT = 'SELECT * FROM "{}" ORDER BY 1'  # the names come from our own models


def statements() -> list[str]:
    """One for each table of approvals."""
    models = apps.get_app_config("approvals").get_models(include_auto_created=True)
    return [SELECT.format(model._meta.db_table) for model in models]


def digest(rows: Iterable[Any]) -> str:
    """The same rows, the same digest."""
    return hashlib.sha256("\n".join(map(repr, rows)).encode()).hexdigest()


def everything() -> str:
    """All rows of all tables of approvals."""
    rows: list[Any] = []
    with connection.cursor() as cursor:
        for statement in statements():
            cursor.execute(statement)
            rows += cursor.fetchall()
    return digest(rows)


def leads_to(page: str) -> list[str]:
    """Every address of this desk that a page names: links, forms, and what scripts fetch."""
    found = re.findall(r'(?:href|action|hx-get|hx-post|formaction|data-[\w-]*url)="(/[^"#]*)', page)
    return [html.unescape(each) for each in dict.fromkeys(found) if not each.startswith("/static/")]


def scan(client: Client, path: str, most: int) -> list[str]:
    """Open the link and everything behind it, `most` pages, each 20 times both ways. Returns the pages."""
    seen, waiting = [], [path]
    while waiting and len(seen) < most:
        page = waiting.pop(0)
        seen.append(page)
        text = ""
        for _ in range(TIMES):
            answer = client.get(page, headers={"User-Agent": "SafeLinks"})
            assert answer.status_code < 500, page
            assert client.head(page).status_code < 500, page
            if not getattr(answer, "streaming", False):
                text = answer.content.decode(errors="replace")
        found = [answer["Location"]] if answer.status_code in (301, 302) else leads_to(text)
        waiting += [each for each in found if each.startswith("/") and each not in (*seen, *waiting)]
    return seen


@pytest.mark.django_db
@pytest.mark.prove
@pytest.mark.timeout(900)
@pytest.mark.parametrize("who", ["nobody", "nobody, links are open", "the approver"])
def test_a_scanner_changes_nothing_and_the_person_still_decides(
    deciders: Cast, ask: Ask, who: str, proving: bool
) -> None:
    if who.endswith("open"):
        ConcessionType.objects.update(link_up_to=Decimal(20))
    made = ask()
    lena = Caller(deciders.director)
    client = lena.browser if who == "the approver" else Client()
    token, before = token_of(made), everything()
    # Later than everything that is there, so that a moment written anew would show.
    with time_machine.travel(now() + timedelta(minutes=30)):
        pages = scan(client, f"/d/{token}/", LONG_PAGES if proving else SHORT_PAGES)
        assert everything() == before
        assert len(pages) > 1 or who.endswith("open")
        door = OPEN_LINK if who.endswith("open") else LINK
        knock = Knock(APPROVE, door, made.pk, deciders.director.pk, made.version, made.authority_seat.number, token)
        assert lena.knock(knock).yes
    made.refresh_from_db()
    assert (made.state, made.decided_by, made.log.last().channel) == ("approved", deciders.director, "link")
    print(f"\n{who}: {len(pages)} pages, each {TIMES} GETs and HEADs")


@pytest.fixture
def still_desk(database_templates: Templates, tmp_path: Path) -> Any:
    """The demo desk without its engine, so that nothing but visitors could change it."""
    with (
        database_templates.copy(DEMO) as url,
        running_desk(url, tmp_path, engine=False, EMAIL_URL="smtp://127.0.0.1:9") as desk,
    ):
        yield desk


def rows_of(desk: Desk) -> str:
    """All rows of all tables of approvals."""
    return digest(row for statement in statements() for row in desk.query(statement))


def a_mail(desk: Desk) -> tuple[int, str, str]:
    """An open request, its link, and the address of its approver."""
    rows = desk.query(
        "SELECT r.id, m.text, u.email FROM approvals_approvalrequest r JOIN approvals_seat s ON s.request_id = r.id"
        " JOIN accounts_user u ON u.id = s.person_id JOIN messaging_message m"
        " ON m.key = 'approval:' || r.id || ':' || s.number WHERE r.state = 'open' AND s.state = 'asked' ORDER BY r.id"
    )
    pk, text, email = rows[0]
    [link] = set(re.findall(r"/d/[a-z2-7]{52}/", text))
    return pk, link, email


def click_through(visitor: Watched, link: str, most: int) -> int:
    """Run the scripts of the page behind the link and of every page it leads to; the number of pages."""
    seen, waiting = set(), [link]
    while waiting and len(seen) < most:
        path = waiting.pop(0)
        seen.add(path)
        page = visitor.page
        page.goto(path, wait_until="networkidle")
        page.evaluate(POINT_AT_ALL)
        page.wait_for_load_state("networkidle")
        waiting += [each for each in leads_to(page.content()) if each not in seen and each not in waiting]
    return len(seen)


@pytest.mark.browser
@pytest.mark.timeout(600)
def test_a_browser_that_runs_every_script_changes_nothing(still_desk: Desk, watch: Callable[..., Watched]) -> None:
    request, link, email = a_mail(still_desk)
    before = rows_of(still_desk)
    stranger, person = watch(still_desk.url), watch(still_desk.url)
    click_through(stranger, link, 3)
    person.sign_in(email, PASSWORD)
    assert click_through(person, link, 6) == 6
    assert rows_of(still_desk) == before
    page = person.visit(link)
    person.press(page.locator(f"a[href*='/approvals/{request}/confirm/']").locator("visible=true").first)
    page.locator("#id_reason").fill("As agreed on the call.")
    person.press(page.get_by_role("button", name="Submit decision").locator("visible=true").first)
    [(state, version)] = still_desk.query(
        "SELECT state, version FROM approvals_approvalrequest WHERE id = %s", [request]
    )
    assert state in ("approved", "conditions")
    assert version > 1
