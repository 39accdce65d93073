"""The demo desk: people for every role, cases in every state, figures, and nothing old left to fire."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.customers.portfolio import trends
from accounts.models import Account, Role, User
from approvals.models import ApprovalRequest, DecisionEntry, Seat
from demo import acts
from demo.people import PASSWORD, address
from demo.scenes import ENDED_DAYS, TODAY
from demo.stories import STORIES
from escalations import states
from escalations.clocks.audit import differences
from escalations.clocks.rules.kinds import CHOICES
from escalations.models import Clock, Commitment, Escalation, HandOff, PolicyVersion, Review
from ledger import chain
from ledger.now import now
from messaging.models import InboundMail, Message, Notice
from reports.queries import lines
from reports.queries.kpis import Counting, catalogue, figures
from reports.queries.scope import Scope
from reports.queries.trends import decision_trends, ended_clocks, promises
from reports.rules import periods

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo")]


def test_every_shipped_role_is_held_by_somebody_who_can_sign_in():
    held = set(Role.objects.filter(holdings__user__is_active=True).values_list("slug", flat=True))
    assert held == set(Role.objects.values_list("slug", flat=True))
    assert User.objects.get(email=address("priya")).check_password(PASSWORD)
    admins = User.objects.filter(is_superuser=True)
    assert [admin.email for admin in admins] == [address("rita")]
    assert User.objects.get(email=address("priya")).pk in User.objects.get(email=address("lena")).tree_ids


def test_there_is_a_case_in_every_state_a_case_can_rest_in():
    # New and triaged are passed through while a case is opened: no verb leaves one there.
    resting = {slug for slug, _ in states.STATES} - {states.NEW, states.TRIAGED}
    assert set(Escalation.objects.values_list("state", flat=True)) == resting
    # A test before this one may have used up numbers: PostgreSQL gives back none, and gaps are allowed.
    first = Escalation.objects.order_by("pk").first()
    assert (first.pk >= 1001, first.key) == (True, f"ESC-{first.pk}")


def test_the_clocks_look_alive():
    at = now()
    colours = {case.sla_status(at) for case in Escalation.objects.open()}
    assert {"red", "yel", "grn"} <= colours
    # A waiting case still owes the customer its next word, so the case goes on while most of its clocks are paused.
    assert Clock.objects.filter(state=Clock.PAUSED, case__waiting_on="customer").exists()
    assert Clock.objects.filter(state=Clock.PAUSED, case__waiting_on="third_party").exists()
    assert HandOff.objects.filter(state=HandOff.WAITING, duty="owner").count() >= 3
    for slug in ("dana", "lena"):
        asked = Seat.objects.filter(state=Seat.ASKED, person__email=address(slug))
        assert ApprovalRequest.objects.open().filter(seats__in=asked).exists()


def test_every_kind_of_clock_is_there_and_its_rows_are_what_their_history_says():
    live = set(Clock.objects.live().values_list("kind", flat=True))
    assert live >= {slug for slug, _ in CHOICES} - {states.TIME_TO_ESCALATE}
    assert Clock.objects.filter(kind=states.TIME_TO_ESCALATE, state__in=[Clock.MET, Clock.MISSED]).exists()
    assert [str(each) for each in differences()] == []


def test_an_open_commitment_has_a_clock_whatever_became_of_its_case():
    made = Commitment.objects.filter(state=Commitment.OPEN, case__isnull=False)
    about = Clock.objects.live().filter(kind=states.COMMITMENT).values_list("about", flat=True)
    assert set(about) == set(made.values_list("pk", flat=True))


def test_the_engine_finds_next_to_nothing_to_fire():
    assert Clock.objects.past_due(now()).count() <= 3
    assert acts.fire_due() <= 3


def test_every_log_of_the_demo_holds():
    breaks = [each for case in Escalation.objects.all() for each in chain.breaks_in(case, case.events.order_by("seq"))]
    breaks += [
        each for made in ApprovalRequest.objects.all() for each in chain.breaks_in(made, made.log.order_by("seq"))
    ]
    assert breaks == []


def test_every_issue_type_and_every_end_of_a_request_is_there():
    assert set(Escalation.objects.values_list("issue_type__slug", flat=True)) == set(STORIES)
    ends = set(ApprovalRequest.objects.values_list("state", flat=True))
    assert ends == {"open", "approved", "conditions", "declined", "recalled"}
    assert ApprovalRequest.objects.filter(by_rule=True).exists()
    kinds = set(DecisionEntry.objects.values_list("kind", flat=True))
    assert {"question", "answer", "delegated", "vote", "comment", "sealed"} <= kinds


def test_nobody_opened_a_case_but_the_scenes_and_one_refund():
    assert Escalation.objects.count() == len(ENDED_DAYS) + len(TODAY) + 3
    unplanned = Escalation.objects.exclude(trigger="").filter(account__name="Foundry Tools")
    assert unplanned.count() == 1


def test_health_moves_by_what_was_said_not_by_one_figure():
    changes = [each.change for each in trends(Account.objects.values_list("pk", flat=True), now()).values()]
    assert len(set(changes)) >= 8
    assert max(changes) > 0 > min(changes)


def test_no_week_of_breaches_dwarfs_the_others():
    period = periods.read({"period": "90", "from": "", "to": ""}, now())
    ended = ended_clocks(Counting(Scope(), period, (lines.ENDED, lines.TALLIES)))
    reds = sorted(week.red for week in promises(ended, 13))
    assert reds[-1] <= 4 * max(3, reds[len(reds) // 2])


def test_both_lines_of_the_decision_chart_join():
    period = periods.read({"period": "90", "from": "", "to": ""}, now())
    for line in decision_trends(Counting(Scope(), period)):
        assert sum(point is None for point in line.points) <= 2, line


def test_the_five_figures_are_not_empty():
    found = figures(Scope(), periods.read({"period": "90", "from": "", "to": ""}, now()))
    assert [slug for slug in catalogue().main if found[slug].shown is None] == []


def test_word_and_mail_lie_around():
    assert Notice.objects.filter(user__email=address("dana")).exists()
    assert Message.objects.filter(kind="approval", user__email=address("dana")).exists()
    assert InboundMail.objects.waiting().count() >= 3
    assert Commitment.objects.filter(state=Commitment.OPEN).exists()
    assert PolicyVersion.objects.filter(state=PolicyVersion.DRAFT).exists()
    assert Review.objects.filter(state=Review.DONE).count() >= 20
    assert Escalation.objects.exclude(trigger="").exists()


def test_nothing_of_the_past_is_mailed_to_anybody():
    waiting = Message.objects.filter(state=Message.PENDING)
    assert all((now() - message.created_at).total_seconds() < 300 for message in waiting)
    assert waiting.count() < 12


def test_a_second_run_changes_nothing():
    before = (Account.objects.count(), User.objects.count(), Escalation.objects.count())
    said = StringIO()
    call_command("seed_demo", if_empty=True, stdout=said)
    assert "no demo data" in said.getvalue()
    assert (Account.objects.count(), User.objects.count(), Escalation.objects.count()) == before
    with pytest.raises(CommandError, match="empty database"):
        call_command("seed_demo")


def test_the_sign_ins_are_printed_with_the_password():
    said = StringIO()
    call_command("demo_signins", stdout=said)
    assert PASSWORD in said.getvalue()
    assert "dana@desk.example" in said.getvalue()


def test_a_changed_password_is_not_given_away():
    user = User.objects.get(email=address("tom"))
    user.set_password("something else entirely")
    user.save()
    said = StringIO()
    call_command("demo_signins", stdout=said)
    assert "tom@desk.example" not in said.getvalue()
