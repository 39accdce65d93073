"""Where people land, the counters around every page, and search."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from accounts.models import RoleHolding, User
from approvals.models import ApprovalRequest, Delegation
from config.context import navigation
from config.home import landing
from escalations import states
from escalations.cases.queries import reviews
from escalations.models import Escalation, Review
from ledger.now import now
from messaging.models import Notice
from tests.reports.builders import Builder
from tests.support.cast import Cast


@pytest.fixture
def a_case(cast: Cast) -> Callable[..., Escalation]:
    return Builder(cast).case


@pytest.mark.parametrize(
    ("who", "page"),
    [
        ("csm", "escalations:queue"),
        ("ae", "escalations:queue"),
        ("lead", "escalations:queue"),
        ("director", "approvals:inbox"),
        ("sponsor", "approvals:inbox"),
        ("committee", "approvals:inbox"),
        ("ops", "reports:dashboard"),
        ("admin", "reports:dashboard"),
    ],
)
def test_everybody_lands_where_their_work_is(cast: Cast, who: str, page: str) -> None:
    assert landing(getattr(cast, who)) == page


def test_the_front_door_asks_strangers_to_sign_in(client: Client, db: None) -> None:
    assert client.get("/")["Location"].startswith("/auth/login/")


def _nav(user: User) -> Any:
    request = RequestFactory().get("/")
    request.user = user
    request.resolver_match = None
    return navigation(request)["nav"]


def test_the_counters_count_what_this_person_may_see_in_one_query_after_whom_they_stand_in_for(
    cast: Cast, a_case: Callable[..., Escalation]
) -> None:
    mine = a_case()
    a_case(account=cast.elsewhere)
    a_case(state=states.CLOSED)
    Review.objects.create(case=mine, reviewer=cast.lead, due_at=now(), started_at=now())
    Notice.objects.create(user=cast.csm, key="n1", kind="x", text="t", url="/")
    Notice.objects.create(user=cast.csm, key="n2", kind="x", text="t", url="/", read_at=now())
    assert cast.csm.roles
    nav = _nav(cast.csm)
    with CaptureQueriesContext(connection) as queries:
        found = (nav.queue_count, nav.approvals_count, nav.reviews_count, nav.unread_count, nav.is_ops)
    assert found == (1, 0, 1, 1, False)
    first, counts = (query["sql"] for query in queries.captured_queries)
    assert "approvals_delegation" in first
    assert "approvals_delegation" not in counts
    assert _nav(cast.ops).queue_count == 2
    assert _nav(cast.outsider).reviews_count == 0


@pytest.mark.both_databases
def test_the_counters_agree_with_their_lists_for_every_scope_and_after_a_change(
    cast: Cast, a_case: Callable[..., Escalation]
) -> None:
    a_case()
    a_case(account=cast.elsewhere)
    a_case(confidential=True)
    for user in User.objects.all():
        for given in (user, User.objects.get(pk=user.pk)):
            nav = _nav(given)
            assert nav.queue_count == Escalation.objects.open().visible_to(user).count()
            assert nav.approvals_count == ApprovalRequest.objects.waiting_on(user).count()
            assert nav.reviews_count == reviews.waiting(user).count()
    RoleHolding.objects.filter(user=cast.lead).update(ends=now())
    lead = User.objects.get(pk=cast.lead.pk)
    assert _nav(lead).queue_count == Escalation.objects.open().visible_to(lead).count()


@pytest.mark.both_databases
def test_a_stand_in_has_the_requests_of_the_other_counted(cast: Cast, a_case: Callable[..., Escalation]) -> None:
    Delegation.objects.create(user=cast.lead, to=cast.csm, starts_at=now(), ends_at=now() + timedelta(days=1))
    csm = User.objects.get(pk=cast.csm.pk)
    a_case()
    assert _nav(csm).queue_count == 1
    assert _nav(csm).approvals_count == ApprovalRequest.objects.waiting_on(csm).count()


def test_nothing_is_counted_before_a_template_asks(cast: Cast) -> None:
    with CaptureQueriesContext(connection) as queries:
        _nav(cast.csm)
    assert not queries.captured_queries


def test_a_number_jumps_to_the_case_only_for_those_who_may_see_it(
    client: Client, cast: Cast, a_case: Callable[..., Escalation]
) -> None:
    case = a_case()
    for typed in (str(case.pk), f"esc-{case.pk}", f"ESC {case.pk}", f"#{case.pk}"):
        client.force_login(cast.csm)
        assert client.get("/search/", {"q": typed})["Location"] == f"/escalations/{case.key}/"
    client.force_login(cast.outsider)
    assert client.get("/search/", {"q": str(case.pk)}).status_code == 200
    assert client.get("/search/", {"q": "9" * 15}).status_code == 200


def test_search_counts_each_kind_and_only_what_may_be_seen(
    client: Client, cast: Cast, a_case: Callable[..., Escalation]
) -> None:
    a_case(title="Northwind wants <i>more</i>")
    a_case(account=cast.elsewhere, title="northwind named elsewhere", confidential=True)
    client.force_login(cast.csm)
    answer = client.get("/search/", {"q": "northwind"})
    assert {group.kind: group.count for group in answer.context["groups"]} == {
        "escalations": 1,
        "accounts": 1,
        "people": 0,
    }
    page = answer.content.decode()
    assert '<mark class="found">Northwind</mark> wants &lt;i&gt;more&lt;/i&gt;' in page
    assert "named elsewhere" not in page
    client.force_login(cast.legal)
    assert client.get("/search/", {"q": "northwind"}).context["groups"][0].count == 0


def test_every_word_must_be_found_but_in_any_field(
    client: Client, cast: Cast, a_case: Callable[..., Escalation]
) -> None:
    a_case(title="Indemnity", issue="the cap")
    client.force_login(cast.csm)
    assert client.get("/search/", {"q": "cap northwind indemnity"}).context["total"] == 1
    assert client.get("/search/", {"q": "cap unheard"}).context["total"] == 0


def test_a_person_is_found_with_an_at_sign(client: Client, cast: Cast) -> None:
    client.force_login(cast.csm)
    groups = client.get("/search/", {"q": "@priya"}).context["groups"]
    assert [group.count for group in groups] == [0, 0, 1]


def test_one_kind_is_paged(client: Client, cast: Cast, a_case: Callable[..., Escalation]) -> None:
    for _ in range(60):
        a_case()
    client.force_login(cast.csm)
    answer = client.get("/search/", {"q": "cap", "kind": "escalations", "page": "2"})
    assert len(answer.context["shown"][0].hits) == 10
    assert len(client.get("/search/", {"q": "cap"}).context["shown"][0].hits) == 5


def test_odd_input_is_no_error(client: Client, cast: Cast) -> None:
    client.force_login(cast.csm)
    for typed in ("", " ", '"', "\x00", "%_", "a" * 5000, "@", "(", "\\"):
        assert client.get("/search/", {"q": typed, "page": "x", "kind": "y"}).status_code == 200


def test_open_cases_come_first(client: Client, cast: Cast, a_case: Callable[..., Escalation]) -> None:
    still_open = a_case(opened_at=now() - timedelta(days=9))
    a_case(state=states.CLOSED)
    client.force_login(cast.csm)
    hits = client.get("/search/", {"q": "cap"}).context["shown"][0].hits
    assert hits[0].href.endswith(f"{still_open.key}/")


def test_the_administration_carries_name_and_icon(cast: Cast, client: Client) -> None:
    client.force_login(cast.admin)
    page = client.get("/admin/").content.decode()
    assert "Escalation Desk administration" in page
    assert 'rel="icon"' in page
    assert "admin.css" in page
