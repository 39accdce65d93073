"""The queue: what a person sees, in which order, how it is counted, and how it leaves as a file."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from escalations.cases import thread as communication
from escalations.models import Escalation
from ledger.now import now
from tests.escalations.pages.stories import accept, days, raise_case, urls

pytestmark = pytest.mark.both_databases


def keys(page):
    """Case numbers of the table, in order."""
    table = page.content.decode().split("<tbody")[-1].split("</tbody>")[0]
    return re.findall(r'class="ttl" href="/escalations/(ESC-\d+)/"', table)


def tune(case, **columns):
    """Put a case into a state that would take hours to reach."""
    Escalation.objects.filter(pk=case.pk).update(**columns)


@pytest.fixture
def three(cast, open_case):
    """Past SLA, at risk, on track; raised in another order."""
    green, red, yellow = open_case(title="Green one"), open_case(title="Red one"), open_case(title="Yellow one")
    tune(red, sla_due_at=days(-0.1), sla_warn_at=days(-0.2))
    tune(yellow, sla_due_at=days(0.1), sla_warn_at=days(-0.1))
    tune(green, sla_due_at=days(2), sla_warn_at=days(1))
    return red, yellow, green


def test_the_worst_status_comes_first_then_the_soonest_due(cast, three, open_case, as_user):
    sooner = open_case(title="Sooner")
    tune(sooner, sla_due_at=days(1), sla_warn_at=days(0.9))
    red, yellow, green = three
    assert keys(as_user(cast.csm).get(urls("queue"))) == [red.key, yellow.key, sooner.key, green.key]


def test_people_see_only_cases_they_may_open(cast, case, as_user):
    for user in (cast.csm, cast.ae, cast.lead, cast.sponsor):
        assert keys(as_user(user).get(urls("queue"))) == [case.key]
    page = as_user(cast.outsider).get(urls("queue"))
    assert keys(page) == []
    assert "No open escalations" in page.content.decode()
    assert "Northwind" not in page.content.decode()


def test_an_ended_case_leaves_the_queue(cast, case, as_user):
    tune(case, state="closed")
    assert keys(as_user(cast.csm).get(urls("queue"))) == []


def test_views_count_and_filter_alike(cast, three, open_case, as_user):
    _, yellow, green = three
    tune(yellow, state="approving")
    accepted = accept(green)
    communication.wait_on(case_id=accepted.pk, by=accepted.owner, whom="customer", reason="Counsel reads")
    client = as_user(accepted.owner)
    page = client.get(urls("queue")).content.decode()
    counts = dict(re.findall(r'href="\?view=(\w+)"[^>]*>[^<]*<span class="n num">(\d+)', page))
    for view, number in counts.items():
        assert len(keys(client.get(urls("queue"), {"view": view}))) == int(number), view
    assert counts["open"] == "3"
    assert counts["past"] == "1"
    assert counts["deciding"] == "1"
    assert counts["paused"] == "1"
    assert counts["renewal"] == "3"
    assert counts["unowned"] == "2"


def test_a_renewal_beyond_sixty_days_is_not_in_that_view(cast, case, as_user):
    Account.objects.filter(pk=cast.northwind.pk).update(renewal_date=(now() + timedelta(days=62)).date())
    assert keys(as_user(cast.csm).get(urls("queue"), {"view": "renewal"})) == []


def test_mine_is_what_i_own_or_have_a_duty_on(cast, case, as_user):
    lead = case.people.get(duty="communication").user
    assert keys(as_user(lead).get(urls("queue"), {"view": "mine"})) == [case.key]
    assert keys(as_user(cast.ops).get(urls("queue"), {"view": "mine"})) == []


def test_filters_are_in_the_address_and_combine(cast, three, as_user):
    red, yellow, green = three
    tune(red, level=3, tier="red", lane="human_first")
    client = as_user(cast.csm)

    def found(**query):
        return keys(client.get(urls("queue"), query))

    assert found(level="executive") == [red.key]
    assert found(tier="red", lane="human_first") == [red.key]
    assert found(tier="red", lane="autonomous") == []
    assert found(q="yellow") == [yellow.key]
    assert found(q=green.key.lower()) == [green.key]
    assert found(q="northwind") == [red.key, yellow.key, green.key]
    assert found(type="discount-beyond-limit", status="grn") == [green.key]
    assert found(type="technical-outage") == []


def test_filtering_by_owner_uses_the_owners_of_the_list(cast, three, as_user):
    case = accept(three[0])
    client = as_user(cast.csm)
    page = client.get(urls("queue"), {"owner": case.owner_id})
    assert keys(page) == [case.key]
    assert f'value="{case.owner_id}" selected' in page.content.decode()


@pytest.mark.parametrize(
    "query", ["view=nonsense", "level=9", "owner=x", "page=zzz", "status=blue", "tier=%00", "q=ESC-99999999999999"]
)
def test_nonsense_in_the_address_does_no_harm(cast, case, as_user, query):
    assert as_user(cast.csm).get(urls("queue") + "?" + query).status_code == 200


def test_no_result_offers_to_clear_the_filters(cast, case, as_user):
    page = as_user(cast.csm).get(urls("queue"), {"q": "nowhere"}).content.decode()
    assert "Nothing matches these filters" in page
    assert "Clear filters" in page


def test_arr_is_summed_per_currency_never_across(cast, three, as_user):
    red, yellow, _ = three
    tune(yellow, sla_due_at=days(-0.1))
    tune(red, arr_at_risk=Decimal(740_000))
    tune(yellow, arr_at_risk=Decimal(900_000), arr_currency="EUR")
    page = as_user(cast.csm).get(urls("queue")).content.decode()
    tile = re.split(r"past SLA\s*</span>", page)[1].split("</a>")[0]
    assert "$740k ARR + 1 in other currencies" in tile
    assert ">2<" in tile


def test_the_next_case_to_breach_is_named(cast, three, as_user):
    page = as_user(cast.csm).get(urls("queue")).content.decode()
    assert f"{three[1].key} Northwind Logistics" in page.split("Next to breach")[1][:200]


def test_a_refresh_sends_rows_and_cards_only(cast, case, as_user):
    answer = as_user(cast.csm).get(urls("queue"), headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in answer
    assert "data-row" in answer
    assert 'id="cards"' in answer
    assert "hx-swap-oob" in answer


def test_pages_of_the_list_do_not_overlap(cast, as_user):
    for number in range(27):
        raise_case(cast, title=f"Case {number}")
    client = as_user(cast.csm)
    first, second = keys(client.get(urls("queue"))), keys(client.get(urls("queue"), {"page": 2}))
    assert (len(first), len(second)) == (25, 2)
    assert not set(first) & set(second)


def test_the_queue_asks_the_same_few_questions_for_one_row_and_for_three(cast, case, open_case, as_user):
    client = as_user(cast.csm)
    client.get(urls("queue"))
    with CaptureQueriesContext(connection) as one:
        client.get(urls("queue"))
    accept(open_case())
    open_case()
    with CaptureQueriesContext(connection) as three:
        assert len(keys(client.get(urls("queue")))) == 3
    assert len(three) == len(one)
    assert len(one) <= 8, [q["sql"][:90] for q in one]


def test_the_file_holds_the_filtered_list_with_formulas_made_harmless(cast, three, as_user):
    tune(three[0], title="=cmd|' /C calc'!A0")
    tune(three[1], title="Plain, with a comma")
    answer = as_user(cast.csm).get(urls("queue_csv"), {"q": "ESC"})
    text = b"".join(as_user(cast.csm).get(urls("queue_csv")).streaming_content).decode()
    assert answer.streaming
    assert "attachment" in answer["Content-Disposition"]
    assert len(text.splitlines()) == 4
    assert "'=cmd|" in text
    assert '"Plain, with a comma"' in text
    only = b"".join(as_user(cast.csm).get(urls("queue_csv"), {"q": "comma"}).streaming_content).decode()
    assert len(only.splitlines()) == 2


def test_the_file_of_an_outsider_is_empty(cast, case, as_user):
    text = b"".join(as_user(cast.outsider).get(urls("queue_csv")).streaming_content).decode()
    assert len(text.splitlines()) == 1


def test_reading_the_queue_changes_nothing(cast, case, as_user):
    client = as_user(cast.csm)
    with CaptureQueriesContext(connection) as seen:
        client.get(urls("queue"))
    assert [q["sql"] for q in seen if re.match(r"(INSERT|UPDATE|DELETE)", q["sql"])] == []


def test_a_visitor_is_sent_to_sign_in(db, client):
    answer = client.get(urls("queue"))
    assert answer.status_code == 302
    assert "/auth/login/" in answer["Location"]
