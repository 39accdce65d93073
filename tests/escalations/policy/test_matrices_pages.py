"""The matrices pages: everybody reads what is published, asks what would happen, and writes nothing."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from escalations.clocks.rules.kinds import CHOICES
from escalations.models import Escalation, PolicyVersion
from escalations.policy import versions
from escalations.policy.rows import published_rows

PAGES = ("matrices", "matrix_escalation", "matrix_authority", "matrix_raci", "matrix_sla")


@pytest.fixture
def read(client, cast):
    """`read("matrix_sla", tier="red")` as the CSM: the page as text."""

    def get(name, who=None, **asked):
        # Some tests change rows of the published version, which nothing else can do.
        published_rows.cache_clear()
        client.force_login(who or cast.csm)
        answer = client.get(reverse(f"escalations:{name}"), asked)
        assert answer.status_code == 200
        return " ".join(answer.content.decode().split())

    return get


def marked_rows(page):
    return [row.split("</th>")[0] for row in page.split('<tr class="me">')[1:]]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("who", ["csm", "legal", "sponsor", "outsider"])
def test_everybody_in_the_field_reads_every_matrix(read, cast, name, who):
    assert "Published version 1" in read(name, getattr(cast, who))


@pytest.mark.parametrize("name", PAGES)
def test_a_visitor_who_is_not_signed_in_is_sent_to_sign_in(client, policy, name):
    assert client.get(reverse(f"escalations:{name}")).status_code == 302


@pytest.mark.parametrize("name", PAGES)
def test_the_matrices_only_answer_to_reading(client, cast, name):
    client.force_login(cast.admin)
    assert client.post(reverse(f"escalations:{name}")).status_code == 405


def test_the_head_names_number_and_publisher_of_the_version_in_force(read, draft, second):
    versions.publish(version=draft, by=second, note="Quarterly review")
    assert "Published version 2" in read("matrices")
    assert f"by {second.name}" in read("matrices")


def test_a_draft_is_not_shown(read, draft):
    draft.issuetypes.filter(slug="billing-dispute").update(name="Draft words")
    assert "Draft words" not in read("matrices")


@pytest.mark.parametrize("name", ["matrices", "matrix_raci", "matrix_sla"])
def test_without_a_published_policy_the_pages_say_so(read, policy, name):
    PolicyVersion.objects.update(state=PolicyVersion.DRAFT)
    assert "No version is in force" in read(name)


def test_the_table_shows_where_each_issue_goes_in_the_chosen_tier(read):
    red, green = read("matrices"), read("matrices", show="green")
    assert "Issue types in red tier" in red
    assert "Issue types in green tier" in green
    line = next(part for part in green.split("<tr>") if "Renewal at risk" in part)
    assert "Team lead" in line
    assert "24h" in line


def test_testing_a_case_marks_the_row_that_fires(read):
    page = read("matrices", issue_type="payment-terms-dispute", tier="yellow")
    marked = marked_rows(page)
    assert len(marked) == 2
    assert all("Payment terms dispute" in row and "Fires" in row for row in marked)
    assert "Level 1 · Finance lead" in page


def test_an_ask_above_the_authority_of_the_level_goes_up(read):
    page = read("matrices", issue_type="discount-beyond-limit", tier="green", concession="discount", amount="30")
    assert "Level 3 · Executive" in page
    assert "Therefore the case is escalated to Level 3" in page


def test_an_account_gives_the_tier_and_the_people(read, cast):
    cast.northwind.health = 20
    cast.northwind.save(update_fields=["health"])
    page = read("matrices", issue_type="renewal-at-risk", account="northwind")
    assert "Account health 20 is within 0 to 39" in page
    assert f"Owned by {cast.director} as Director. {cast.sponsor} decides." in page
    assert Escalation.objects.count() == 0


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"issue_type": "renewal-at-risk"}, "Choose a tier, or an account whose facts give the tier."),
        ({"issue_type": "renewal-at-risk", "account": "Harbor Health"}, "You have no account with that name."),
        ({"issue_type": "no-such-type", "tier": "red"}, "Select a valid choice."),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(read, asked, problem):
    page = read("matrices", **asked)
    assert "There is a problem" in page
    assert problem in page
    assert "Fires" not in page


def test_the_authority_matrix_marks_my_row_and_answers_who_approves(read, cast):
    page = read("matrix_authority", concession="discount", amount="15", currency="USD", account=cast.northwind.pk)
    [mine] = marked_rows(page)
    assert "CSM" in mine
    assert f"Director: {cast.director}" in page
    assert page.count("answers your question") == 1


def test_my_column_of_the_stakeholders_is_marked_and_open_cases_are_mine_to_see(read):
    page = read("matrix_raci")
    assert page.count('<span class="tag tag-you">You</span>') == 1
    assert "Real-time alerts, daily check-in of 15 minutes" in page
    assert "Health under 40" in page
    assert "0 open" in page


def test_targets_are_listed_by_clock_and_tier_with_their_calendar(read):
    page = read("matrix_sla")
    line = next(part for part in page.split("<tr>") if "First response" in part)
    assert [words in line for words in ("1h", "4h", "1 business day")] == [True] * 3
    assert "Business hours, New York: Mon to Fri 9 AM to 5 PM; Sat to Sun Closed." in page
    assert "Around the clock" in read("matrix_sla", calendar="round-the-clock")


def test_due_times_are_worked_out_from_now_with_their_reason(read):
    page = read("matrix_sla", issue_type="payment-terms-dispute", tier="red")
    assert "Decision, level 1" in page
    assert "2 hours, around the clock" in page
    # A business day is one of the business calendar even where the issue runs around the clock, as on the case itself.
    assert "5 business days, Business hours, New York" in page
    assert "Factors are not included" in page


def line_of(page, words):
    return next(part for part in page.split("<tr>") if words in part)


def test_every_kind_of_clock_stands_among_the_targets(read):
    page = read("matrix_sla")
    for _, name in CHOICES:
        assert f'<th scope="row"> {name}' in page, name
    assert "4h" in line_of(page, "Next internal update")
    assert "Date given" in line_of(page, "Customer deadline")
    assert [words in line_of(page, "Time to escalate") for words in ("4h", "12h", "24h")] == [True] * 3


def test_further_warnings_stand_beside_the_first(read, policy):
    policy.targets.filter(clock="response").update(also_warn_at="50, 90")
    assert "50%, 75% and 90%, then people are notified" in line_of(read("matrix_sla"), "First response")


def test_a_target_for_internal_updates_goes_before_the_rhythm(read, policy):
    policy.targets.create(clock="internal_update", amount=90, unit="clock")
    assert line_of(read("matrix_sla"), "Next internal update").count("1h 30m") == 3


def test_factors_read_as_sentences_and_say_whether_they_are_on(read):
    page = read("matrix_sla").split("What changes a target")[1]
    first, general = page.split("Every clock with a target")
    assert "Renewal under 30 days: 80% of the time" in first
    assert "ARR at risk $250,000 to under $500,000: 90% of the time" in first
    assert "First act" in first
    assert "Off" in general


def test_without_factors_the_page_says_so(read, policy):
    policy.targetfactors.all().delete()
    assert "No factor: every case of a tier gets the same time." in read("matrix_sla")


def test_the_matrix_says_how_often_people_are_told_again(read, policy):
    page = read("matrices")
    assert "Past SLA: reminded every 1h, 3 times" in page
    assert "Past SLA: reminded every 4h, 3 times" in page
    policy.matrixrows.update(repeat_minutes=30, repeat_times=1)
    assert "Past SLA: reminded every 30m, once" in read("matrices")
    policy.matrixrows.update(repeat_times=0)
    assert "Past SLA: no reminder" in read("matrices")


def test_the_preview_shows_rhythm_and_check_in_of_the_tier_and_no_clock_that_is_over_when_it_starts(read):
    page = read("matrix_sla", issue_type="billing-dispute", tier="red").split("Starting now")[1]
    assert "Next internal update" in page
    assert "Next check-in" in page
    assert "Time to escalate" not in page


@pytest.mark.parametrize("name", PAGES)
def test_pages_ask_the_same_number_of_queries_however_long_the_policy_is(client, cast, policy, name):
    client.force_login(cast.csm)
    url = reverse(f"escalations:{name}")
    client.get(url)
    with CaptureQueriesContext(connection) as before:
        client.get(url)
    role = policy.matrixrows.first().role
    for number in range(3):
        policy.issuetypes.create(slug=f"more-{number}", name=f"More {number}")
        policy.matrixrows.create(
            issue_type=f"more-{number}", level=1, role=role, owner_role=role, then_role=role, wait_minutes=60
        )
        policy.targets.create(clock="first_act", issue_type=f"more-{number}", amount=30)
        policy.targetfactors.create(clock="decision", part="tier", from_value=number, to_value=number + 1, percent=90)
    with CaptureQueriesContext(connection) as after:
        client.get(url)
    assert len(after) == len(before) <= 22
