"""Filling a database: counts that add up and logs that hold."""

from collections import Counter
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import transaction
from django.db.models import Count, F, Q

from accounts.models import Account
from approvals.models import ApprovalRequest, DecisionEntry, Seat
from escalations import states
from escalations.cases import intake
from escalations.models import Action, CasePerson, Clock, Escalation, Event, HandOff, Review
from ledger import chain
from ledger.now import now
from tests.support.databases import EMPTY

CASES = 200


@pytest.fixture(scope="module")
def filled(django_db_setup, django_db_blocker):
    """200 cases, made once for this module and taken back at its end."""
    with django_db_blocker.unblock():
        django_db_setup.use(EMPTY)
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("seed_demo", cases=CASES, seed=5, stdout=StringIO())
        yield
        transaction.set_rollback(True)


@pytest.fixture
def cases(filled, db):
    """The cases of the filled database."""
    return Escalation.objects.all()


def test_as_many_cases_as_asked_and_some_of_them_open(cases):
    assert cases.count() == CASES
    assert 1 <= cases.exclude(state__in=states.ENDED).count() <= CASES * 0.05
    assert cases.filter(opened_at__gt=now()).count() == 0
    assert (cases.latest("opened_at").opened_at - cases.earliest("opened_at").opened_at).days > 900


def test_every_case_has_one_accountable_and_an_opening_entry(cases):
    letters = Counter(CasePerson.objects.filter(letter="A").values_list("case_id", flat=True))
    assert set(letters.values()) == {1}
    assert len(letters) == CASES
    assert Event.objects.filter(kind="opened").count() == CASES
    assert cases.annotate(entries=Count("events")).exclude(entries=F("log_count")).count() == 0


def test_ended_cases_have_no_live_clock_but_of_commitments_and_closed_ones_a_settled_review(cases):
    left = Clock.objects.live().filter(case__state__in=states.ENDED)
    assert set(left.values_list("kind", flat=True)) <= {states.COMMITMENT}
    assert not Clock.objects.live().filter(parked=True).exists()
    closed = cases.filter(state=states.CLOSED)
    settled = Review.objects.filter(case__in=closed, state__in=[Review.DONE, Review.WAIVED], signed_at__isnull=False)
    assert settled.count() == closed.count() > 0
    assert closed.filter(Q(closed_at=None) | Q(resolved_at=None) | Q(outcome="") | Q(root_cause="")).count() == 0
    assert not HandOff.objects.filter(state=HandOff.WAITING, case__state__in=states.ENDED).exists()


def test_every_state_is_the_last_move_of_its_log(cases):
    for case in cases:
        assert case.events.filter(kind="moved").last().data["to"] == case.state


def test_every_clock_starts_in_the_log_and_every_ended_one_stops_there(cases):
    started = set(Event.objects.filter(kind="clock.start").values_list("clock_id", flat=True))
    stopped = set(Event.objects.filter(kind="clock.stop").values_list("clock_id", flat=True))
    breached = set(Event.objects.filter(kind="clock.breach").values_list("clock_id", flat=True))
    assert started == set(Clock.objects.values_list("pk", flat=True))
    assert stopped == set(Clock.objects.exclude(stopped_at=None).values_list("pk", flat=True))
    assert breached == set(Clock.objects.exclude(breached_at=None).values_list("pk", flat=True))
    assert not Clock.objects.filter(state=Clock.MET, breached_at__isnull=False).exists()


def test_every_decided_request_has_its_entries_and_its_step(cases):
    decided = ApprovalRequest.objects.exclude(decided_at=None)
    assert decided.count() > CASES / 2
    for made in decided:
        kinds = list(made.log.order_by("seq").values_list("kind", flat=True))
        assert kinds[0] == DecisionEntry.ASKED
        assert made.state in kinds
        assert made.decided_by_id != made.requester_id
        if not made.by_rule:
            seat = made.authority_seat
            assert (seat.state, seat.person_id) == (Seat.DECIDED, made.decided_by_id)
    assert not ApprovalRequest.objects.open().filter(cases__state__in=states.ENDED).exists()


def test_what_was_granted_was_carried_out_with_a_proof(cases):
    open_actions = Action.objects.filter(execution=True, case__state=states.CLOSED).exclude(state=Action.DONE)
    assert not open_actions.exists()
    assert not Action.objects.filter(execution=True, state=Action.DONE, proof="").exists()


def test_all_logs_hold(cases):
    broken = [each for case in cases for each in chain.breaks_in(case, case.events.order_by("seq"))]
    for made in ApprovalRequest.objects.all():
        broken += chain.breaks_in(made, made.log.order_by("seq"))
    assert broken == []


def test_nothing_old_is_left_to_fire(cases):
    assert Clock.objects.past_due(now()).count() <= 2


def test_the_desk_goes_on_behind_the_filled_cases(cases):
    last = cases.latest("pk")
    account = Account.objects.filter(csm__isnull=False).first()
    form = intake.Intake(account=account, issue_type="renewal-at-risk", issue="They do not answer any more.")
    assert intake.open_case(form, by=account.csm).pk == last.pk + 1
    call_command("seed_demo", cases=10, seed=6, stdout=StringIO())
    assert Escalation.objects.count() == CASES + 11


def test_the_same_seed_makes_the_same_titles(cases):
    first = list(cases.order_by("pk").values_list("title", flat=True)[:20])
    assert len(set(first)) > 12
    call_command("seed_demo", cases=CASES, seed=5, stdout=StringIO())
    assert list(Escalation.objects.order_by("pk").values_list("title", flat=True)[CASES : CASES + 20]) == first
