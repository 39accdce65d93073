"""The pages of chains on a phone and a wide screen: nothing sideways, nothing against the policy, nothing axe minds."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.staticfiles import finders
from django.urls import reverse

from approvals.absence import delegations as delegating
from approvals.models import ApprovalRequest, CalendarFeed
from ledger.now import now
from tests.approvals.requests.test_chains import committee, lawyer, plain_matrix, rule, vote
from tests.approvals.test_pages import signed_in, url
from tests.support.cast import Cast

__all__ = ["committee", "lawyer", "plain_matrix"]
pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
DESK = "http://localhost"
PHONE, WIDE = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.fixture
def browse(watch: Any) -> Callable[..., Any]:
    """A browser that is shown what the desk answers one person, with its headers and static files."""

    def browse(user: Any, path: str, viewport: dict[str, int]) -> Any:
        found, seen = signed_in(user).get(path), watch(DESK, viewport=viewport)
        headers = {key: value for key, value in found.headers.items() if key.lower() != "content-length"}

        def answer(route: Any) -> None:
            wanted = urlsplit(route.request.url).path
            if wanted.startswith("/static/"):
                route.fulfill(path=str(finders.find(wanted.removeprefix("/static/"))))
            else:
                route.fulfill(status=found.status_code, body=found.content, headers=headers)

        seen.page.route("**/*", answer)
        seen.visit(path)
        return seen

    return browse


@pytest.mark.parametrize("viewport", [PHONE, WIDE], ids=["phone", "wide"])
def test_the_pages_are_clean(
    deciders: Cast,
    ask: Callable[..., ApprovalRequest],
    lawyer: Any,
    committee: Any,
    browse: Any,
    viewport: dict[str, int],
) -> None:
    rule("legal")
    rule("deal-desk", "after", part="consult")
    made = ask(terms={"text": "Twelve months with an option for twelve more", "give_gets": ["A case study"]})
    vote(made, lawyer, "conditions", conditions="Mutual indemnity", reason="As the law wants it.")
    at = now()
    span = {"starts_at": at, "ends_at": at + timedelta(days=5), "concessions": ["discount", "refund", "credit"]}
    away = delegating.StandIn(to=deciders.lead, note="At the sea", **span)
    delegating.make(away, user=deciders.director, by=deciders.director)
    CalendarFeed.objects.create(
        user=deciders.director, url="https://calendar.example/a.ics", stand_in=deciders.lead, problem="404."
    )
    size = f"{viewport['width']}"
    for who, pages in {
        deciders.director: [url("detail", made), reverse("approvals:inbox"), reverse("approvals:delegations")],
        deciders.csm: [url("detail", made), url("terms", made)],
        deciders.lead: [f"{url('confirm', made)}?verdict=approved"],
        deciders.ops: [reverse("approvals:delegations")],
    }.items():
        for path in pages:
            seen = browse(who, path, viewport)
            seen.assert_clean(f"chain {size} {who.name} {path.split('?')[0].strip('/')}")


def test_the_forms_open_and_submit_by_keyboard(
    deciders: Cast, ask: Callable[..., ApprovalRequest], browse: Any
) -> None:
    page = browse(deciders.director, url("detail", ask()), WIDE).page
    page.locator("summary", has_text="Delegate this request").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "to-text"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "reason"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Delegate"
