"""Filling a database for measurements: copies of finished cases that hold as the cases themselves."""

from collections import Counter
from datetime import datetime
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Count, F

from accounts.models import Account, User
from approvals.models import ApprovalRequest, DecisionEntry
from demo.companies import DEMO
from demo.fill import fill
from escalations import states
from escalations.cases import intake
from escalations.clocks.audit import differences
from escalations.models import CasePerson, Clock, Escalation, Event, HandOff, Review
from ledger import chain
from ledger.now import now
from ledger.search.index import differences as words_differ
from ledger.search.index import indexes
from tests.support import databases

CASES = 200


@pytest.fixture(scope="module")
def filled(django_db_setup, django_db_blocker):
    """The demo and 200 copies, made once for this module and taken back at its end."""
    with django_db_blocker.unblock():
        django_db_setup.use(databases.DEMO)
    with django_db_blocker.unblock(), transaction.atomic():
        fill(CASES, 5, lambda progress: None)
        yield
        transaction.set_rollback(True)


@pytest.fixture
def copies(filled, db):
    """The copied cases."""
    return Escalation.objects.exclude(account__source=DEMO)


def test_as_many_cases_as_asked_and_three_of_a_hundred_open(copies):
    assert copies.count() == CASES
    assert copies.open().count() == round(CASES * 0.03)
    assert copies.filter(opened_at__gt=now()).count() == 0
    assert (copies.latest("opened_at").opened_at - copies.earliest("opened_at").opened_at).days > 900


def test_accounts_and_people_are_in_proportion(copies):
    assert Account.objects.exclude(source=DEMO).count() == CASES / 5
    assert User.objects.filter(email__endswith="@filled.example").count() == 4
    assert copies.values("account").distinct().count() > 30


def test_every_copy_is_found_by_its_words(filled, db):
    assert [str(each) for index in indexes() for each in words_differ(index)] == []


def test_every_row_of_a_copy_refers_to_a_row_that_exists(filled, db):
    connection.check_constraints()


def test_ids_of_entries_grow_with_the_cases(copies):
    entries = Event.objects.filter(case__in=copies).order_by("pk")
    cases = list(entries.values_list("case_id", flat=True))
    assert cases == sorted(cases)


def test_every_copy_has_one_accountable_and_its_whole_log(copies):
    letters = Counter(CasePerson.objects.filter(letter="A", case__in=copies).values_list("case_id", flat=True))
    assert set(letters.values()) == {1}
    assert len(letters) == CASES
    assert copies.annotate(entries=Count("events")).exclude(entries=F("log_count")).count() == 0


def test_live_clocks_belong_to_open_copies_and_are_some_five_each(copies):
    live = Clock.objects.live().filter(case__in=copies)
    assert not live.filter(case__state__in=states.ENDED).exists()
    assert 2 <= live.count() / copies.open().count() <= 9
    assert not HandOff.objects.filter(state=HandOff.WAITING, case__in=copies, case__state__in=states.ENDED).exists()


def test_closed_copies_have_a_settled_review(copies):
    closed = copies.filter(state=states.CLOSED)
    assert Review.objects.filter(case__in=closed, signed_at__isnull=False).count() == closed.count() > 0


def test_decided_requests_of_copies_have_their_seats(copies):
    decided = ApprovalRequest.objects.filter(cases__in=copies, decided_by__isnull=False)
    assert decided.exists()
    assert all(each.seats.decided().exists() for each in decided)


def test_all_logs_hold_and_every_clock_is_what_its_history_says(copies):
    broken = [each for case in copies for each in chain.breaks_in(case, case.events.order_by("seq"))]
    for made in ApprovalRequest.objects.filter(cases__in=copies):
        broken += chain.breaks_in(made, made.log.order_by("seq"))
    assert broken == []
    assert [str(each) for each in differences()] == []


@pytest.mark.parametrize(
    ("rows", "case", "column", "names"),
    [
        (Event.objects.filter(kind="deadline"), "case", "data", ("before", "after")),
        (DecisionEntry.objects.all(), "request__cases", "facts", ("wished_deadline",)),
    ],
)
def test_deadlines_in_the_logs_of_copies_are_moved_back_with_them(copies, rows, case, column, names):
    def until(entries):
        """How long after its entry each deadline is: the same in a copy and in its template."""
        found = [(getattr(entry, column).get(name), entry.at) for entry in entries for name in names]
        return {datetime.fromisoformat(text) - at for text, at in found if text}

    copied = until(rows.filter(**{f"{case}__in": copies}))
    assert copied
    assert copied <= until(rows.exclude(**{f"{case}__in": copies}))


def test_the_desk_goes_on_behind_the_copies(copies):
    last = copies.latest("pk")
    account = last.account
    form = intake.Intake(account=account, issue_type="renewal-at-risk", issue="They do not answer any more.")
    assert intake.open_case(form, by=account.csm).pk > last.pk
    call_command("seed_demo", cases=10, seed=6, stdout=StringIO())
    assert copies.count() == CASES + 11


def test_the_same_seed_makes_the_same_titles(copies):
    first = list(copies.order_by("pk").values_list("title", flat=True)[:20])
    assert len(set(first)) > 12
    fill(CASES, 5, lambda progress: None)
    assert list(copies.order_by("pk").values_list("title", flat=True)[CASES : CASES + 20]) == first
