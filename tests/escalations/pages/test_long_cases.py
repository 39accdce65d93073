"""A case that went on for long: its pages and its API read and show no more than those of a short one."""

from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.db.models import Max
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from escalations import states
from escalations.cases.log import Entry, lock, record
from escalations.models import Clock, Escalation, Event
from ledger.now import now
from tests.escalations.pages.stories import urls
from tests.support.cast import Cast

AsUser = Callable[[User], Client]
PAGES = ("case", "clocks", "history", "brief", "tracker", "roles", "requests")
CASE_QUERIES = 15


@transaction.atomic
def grow(case: Escalation, by: User, rows: int) -> None:
    """That many posts, and as many clocks that were met."""
    entries = [
        Entry(kind=Event.UPDATE, audience=Event.INTERNAL, actor=by, text=f"Post {number:04}. They wait for us.")
        for number in range(rows)
    ]
    record(lock(case.pk), entries, at=now())
    running = case.clocks.live().get(kind=states.INTERNAL_UPDATE)
    values = {field.attname: getattr(running, field.attname) for field in Clock._meta.concrete_fields}
    first = case.clocks.aggregate(last=Max("generation"))["last"] + 1
    Clock.objects.bulk_create(
        Clock(**values | {"id": None, "state": Clock.MET, "generation": first + number, "stopped_at": now()})
        for number in range(rows)
    )


def measured(client: Client, address: str) -> tuple[int, int]:
    """The number of queries and the size of an answer."""
    client.get(address)
    with CaptureQueriesContext(connection) as found:
        answer = client.get(address)
    assert answer.status_code == 200
    return len(found), len(answer.content)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_a_case_takes_as_many_queries_with_1_3_and_50_posts_and_clocks(
    cast: Cast, accepted: Escalation, as_user: AsUser, page: str
) -> None:
    client, counts = as_user(cast.csm), []
    for more in (1, 2, 47):
        grow(accepted, cast.csm, more)
        counts.append(measured(client, urls(page, accepted))[0])
    assert len(set(counts)) == 1, counts


def test_a_case_with_1000_posts_and_1000_ended_clocks_takes_the_same_queries_and_stays_small(
    cast: Cast, accepted: Escalation, as_user: AsUser
) -> None:
    client = as_user(accepted.people.get(duty="communication").user)
    api = f"/api/v1/escalations/{accepted.key}/"
    addresses = [*(urls(page, accepted) for page in PAGES), api, f"{api}events/", f"{api}clocks/", f"{api}handoffs/"]
    grow(accepted, cast.csm, 60)
    before = {address: measured(client, address) for address in addresses}
    grow(accepted, cast.csm, 940)
    after = {address: measured(client, address) for address in addresses}
    assert before[urls("case", accepted)][0] <= CASE_QUERIES
    for address in addresses:
        assert after[address][0] == before[address][0], address
        assert after[address][1] < before[address][1] + 2_000, address
    assert after[urls("case", accepted)][1] < 90_000
    assert after[api][1] < 70_000


def test_ten_entries_of_the_thread_stand_open_and_the_others_of_the_page_are_folded(
    cast: Cast, accepted: Escalation, as_user: AsUser
) -> None:
    grow(accepted, cast.csm, 20)
    address = urls("case", accepted)
    opened, folded = as_user(cast.csm).get(address).content.decode().split('<details class="earlier">')
    assert (opened.count("They wait for us."), folded.count("They wait for us.")) == (10, 10)
    assert "earlier entries" in folded
    last = accepted.events.latest("seq").seq
    assert '<details class="earlier">' not in as_user(cast.csm).get(f"{address}?before={last}").content.decode()
