"""The queue: what a person sees, in which order, how it is counted, and how it leaves as a file."""

import csv
import html
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from escalations.cases import thread as communication
from escalations.cases.queries import queue
from escalations.cases.queries.queue_rows import END, Cursor
from escalations.models import Escalation
from ledger.now import now
from tests.escalations.pages.stories import accept, copies, days, urls

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
    # Each open case lowers the health by which the next one is triaged.
    tune(yellow, level=1)
    tune(green, level=1)
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
    assert "No open escalation matches" in page
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


def test_a_refresh_sends_rows_only(cast, case, as_user):
    answer = as_user(cast.csm).get(urls("queue"), headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in answer
    assert answer.count(case.title) == 1, "a row is sent once"
    assert "data-row" in answer
    assert "hx-swap-oob" in answer


def link(page, words):
    """The address behind one of the links under the list; empty if it is not offered."""
    found = re.search(rf'href="([^"]*)">{words}</a>', page.content.decode().split('aria-label="Pages"')[1])
    return html.unescape(found[1]) if found else ""


def shown(page):
    """Which rows the page says it shows."""
    return re.search(r"Rows (\d+ to \d+ of \d+)", page.content.decode())[1]


@pytest.fixture
def sixty(cast, open_case):
    """Cases of every status; many are equal in status, due time and ARR."""
    made = copies(open_case(), 59)
    for number, case in enumerate(made):
        tune(
            case,
            sla_due_at=None if number % 5 == 4 else days(number % 3 - 1),
            sla_warn_at=None if number % 5 == 4 else days(number % 2 - 1),
            sla_paused_at=days(-1) if number % 10 == 4 else None,
            arr_at_risk=Decimal(number % 4 * 1000),
        )
    return made


def test_the_pages_show_each_case_once_in_both_directions(cast, sixty, as_user):
    client = as_user(cast.csm)
    first = client.get(urls("queue"))
    second = client.get(urls("queue") + link(first, "Next"))
    third = client.get(urls("queue") + link(second, "Next"))
    assert [shown(page) for page in (first, second, third)] == ["1 to 25 of 60", "26 to 50 of 60", "51 to 60 of 60"]
    assert len({*keys(first), *keys(second), *keys(third)}) == 60
    assert link(third, "Next") == ""
    assert keys(client.get(urls("queue") + link(third, "Previous"))) == keys(second)
    assert keys(client.get(urls("queue") + link(third, "First"))) == keys(first)
    assert keys(client.get(urls("queue") + link(second, "Previous"))) == keys(first)
    assert link(first, "Previous") == ""


def test_the_last_page_shows_the_last_full_page(cast, sixty, as_user):
    client = as_user(cast.csm)
    first = client.get(urls("queue"))
    last = client.get(urls("queue") + link(first, "Last"))
    assert shown(last) == "36 to 60 of 60"
    assert link(last, "Next") == ""
    before = client.get(urls("queue") + link(last, "Previous"))
    assert shown(before) == "11 to 35 of 60"
    assert keys(client.get(urls("queue") + link(before, "Previous"))) == keys(first), "no page begins before the list"


def test_a_page_keeps_its_place_when_cases_before_it_leave(cast, sixty, as_user):
    client = as_user(cast.csm)
    first = client.get(urls("queue"))
    second = client.get(urls("queue") + link(first, "Next"))
    for key in [keys(first)[0], keys(first)[-1]]:
        tune(Escalation.objects.get(pk=key.removeprefix("ESC-")), state="closed")
    again = client.get(urls("queue") + link(first, "Next"))
    assert keys(again) == keys(second)
    assert shown(again) == "24 to 48 of 58"


def test_the_pages_keep_the_view_and_the_filters(cast, sixty, as_user):
    client = as_user(cast.csm)
    first = client.get(urls("queue"), {"q": "northwind", "view": "unowned"})
    second = client.get(urls("queue") + link(first, "Next"))
    assert shown(second) == "26 to 50 of 60"
    assert 'value="northwind"' in second.content.decode()


def test_a_place_after_all_cases_shows_the_first_page(cast, case, as_user):
    page = as_user(cast.csm).get(urls("queue"), {"after": str(END)})
    assert keys(page) == [case.key]
    assert shown(page) == "1 to 1 of 1"


def test_the_file_has_the_order_of_the_list(cast, sixty, as_user):
    client = as_user(cast.csm)
    text = b"".join(client.get(urls("queue_csv")).streaming_content).decode()
    listed = [line.split(",")[0] for line in text.splitlines()[1:]]
    assert listed[:25] == keys(client.get(urls("queue")))
    assert len(set(listed)) == 60


def test_the_file_says_whom_a_case_waits_for_as_the_list_does(cast, case, as_user):
    client = as_user(cast.csm)
    [row] = queue.every_row(cast.csm, queue.Filters(), now())
    text = b"".join(client.get(urls("queue_csv")).streaming_content).decode()
    [line] = csv.DictReader(text.lstrip("\ufeff").splitlines())
    assert line["waiting on"] == row.waits_for
    assert row.waits_for in client.get(urls("queue")).content.decode()


def test_the_list_has_the_status_of_the_chip(cast, sixty):
    at = now()
    for row in queue.every_row(cast.csm, queue.Filters(), at):
        assert row.status == (Escalation.objects.get(pk=row.pk).sla_status(at) or "none")


def asked(client, address, **headers):
    """The questions of one request to the database."""
    client.get(address, headers=headers)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address, headers=headers).status_code == 200
    return [query["sql"] for query in seen]


@pytest.mark.parametrize("person", ["csm", "director", "sponsor"])
def test_a_page_asks_at_most_eight_questions_however_many_rows_it_has(cast, open_case, as_user, person):
    client, counts = as_user(getattr(cast, person)), []
    deep = f"?after={Cursor(0, days(-400), Decimal(0), 0)}"
    for number in (1, 2, 47):
        copies(open_case(), number - 1)
        pages = ("", "?view=mine", "?q=esc&status=grn&tier=red&level=executive", deep)
        counts.append([len(asked(client, urls("queue") + query)) for query in pages])
    assert shown(client.get(urls("queue"))) == "1 to 25 of 50"
    assert counts[0] == counts[1] == counts[2], counts
    assert max(counts[0]) <= 8, asked(client, urls("queue"))


def test_a_refresh_asks_for_the_rows_alone(cast, open_case, as_user):
    client = as_user(cast.sponsor)
    for number in (1, 2, 47):
        copies(open_case(), number - 1)
        seen = asked(client, urls("queue"), **{"HX-Request": "true"})
        assert sum("escalations_escalation" in sql for sql in seen) == 1
        assert len(seen) <= 4, seen


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


def test_without_a_running_clock_nothing_is_next_to_breach(cast, case, as_user):
    tune(case, sla_due_at=None)
    page = as_user(cast.csm).get(urls("queue")).content.decode()
    assert "No clock runs" in page.split("Next to breach")[1][:200]


@pytest.mark.parametrize(
    "place", ["x", "1_2_3", "0__0_x", "9__0_1", "0__NaN_1", "0_99999999999999999999_0_1", "0__1e99_1"]
)
def test_a_place_that_is_none_shows_the_first_page(cast, case, as_user, place):
    assert keys(as_user(cast.csm).get(urls("queue"), {"after": place, "before": place})) == [case.key]


def test_a_place_reads_as_it_was_written():
    for place in (Cursor(2, days(3), Decimal("1200.50"), 1042), END):
        assert Cursor.read(str(place)) == place
