"""The approvals page: a fixed number of queries for any length, and the request beside the list."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from approvals.models import ApprovalRequest, Seat
from tests.approvals.filled import request_of, seat_of
from tests.approvals.test_pages import Ask, signed_in, text, url
from tests.support.cast import Cast

INBOX = reverse("approvals:inbox")
# Session, person, roles, reporting tree, delegations, the rows with the counts, seats; and the counters of the frame.
MOST = 8


def fill(deciders: Cast, tab: str, count: int) -> None:
    """This many requests in one list of the director and of the sponsor."""
    for _ in range(count):
        open_or = {} if tab != "decided" else {"state": ApprovalRequest.DECLINED}
        made = request_of(deciders.csm, deciders.northwind, **open_or)
        for person in (deciders.director, deciders.sponsor) if tab == "needs-you" else (deciders.lead,):
            seat_of(made, person, Seat.DECIDED if open_or else Seat.ASKED)


def queries(user: User, address: str, **query: str) -> int:
    """The number of queries of a page that shows at least one row."""
    client = signed_in(user)
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(address, query)
    assert answer.status_code == 200
    assert answer.context["rows"]
    return len(captured)


@pytest.mark.parametrize("tab", ["needs-you", "waiting", "decided"])
@pytest.mark.parametrize("who", ["director", "sponsor"])
def test_one_three_and_fifty_requests_take_the_same_few_queries(deciders: Cast, who: str, tab: str) -> None:
    user, counted = getattr(deciders, who), set()
    for more in (1, 2, 47):
        fill(deciders, tab, more)
        counted.add(queries(user, INBOX, tab=tab))
    after = signed_in(user).get(INBOX, {"tab": tab}).context["found"].after
    counted.add(queries(user, INBOX, tab=tab, after=after))
    assert len(counted) == 1
    assert counted.pop() <= MOST


def test_the_second_page_follows_the_first_and_leads_back(deciders: Cast) -> None:
    fill(deciders, "needs-you", 30)
    client = signed_in(deciders.director)
    first = client.get(INBOX)
    second = client.get(INBOX, {"after": first.context["found"].after})
    assert [len(page.context["rows"]) for page in (first, second)] == [25, 5]
    assert 'rel="next"' in text(first)
    assert 'rel="prev"' in text(second)
    back = client.get(INBOX, {"before": second.context["found"].before})
    assert [row["approval"] for row in back.context["rows"]] == [row["approval"] for row in first.context["rows"]]


def test_the_first_request_is_loaded_beside_the_list_and_is_a_link_without_scripts(deciders: Cast, ask: Ask) -> None:
    made = ask()
    client = signed_in(deciders.director)
    page = text(client.get(INBOX))
    assert f'hx-get="{url("detail", made)}?pane"' in page
    assert f'<a href="{url("detail", made)}">{made.ask}</a>' in page
    pane = text(client.get(f"{url('detail', made)}?pane", headers={"HX-Request": "true"}))
    assert "Approve as recommended" in pane
    assert "<html" not in pane
    assert "<html" in text(client.get(f"{url('detail', made)}?pane"))
    assert signed_in(deciders.outsider).get(f"{url('detail', made)}?pane").status_code == 404


def test_the_page_of_a_request_takes_the_same_queries_beside_any_list(deciders: Cast, ask: Any) -> None:
    made, counted = ask(), set()
    for more in (0, 2, 47):
        fill(deciders, "needs-you", more)
        counted.add(queries(deciders.director, url("detail", made)))
    assert len(counted) == 1
