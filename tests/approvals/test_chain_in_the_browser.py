"""The pages of chains on a phone and a wide screen: nothing sideways, nothing against the policy, nothing axe minds."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import User
from approvals.absence import delegations as delegating
from approvals.models import ApprovalRequest, CalendarFeed
from ledger.now import now
from tests.approvals.requests.test_chains import committee, lawyer, plain_matrix, rule, vote
from tests.approvals.test_pages import signed_in, url
from tests.support.cast import Cast
from tests.support.pages import Served

__all__ = ["committee", "lawyer", "plain_matrix"]
pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
PHONE, WIDE = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.fixture
def browse(served: Callable[..., Served]) -> Callable[..., Served]:
    """`browse(user, path, viewport)` opens a page as this person in a browser of its own."""

    def browse(user: User, path: str, viewport: dict[str, int]) -> Served:
        seen = served(viewport=viewport)
        seen.show(signed_in(user), path)
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
