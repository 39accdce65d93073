"""Levels are rows of the policy: one that is added needs no code, and figures add up when ranks change."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role, User
from approvals.models import ApprovalRequest
from config.home import landing
from escalations import states
from escalations.cases.escalate import escalate
from escalations.cases.handoffs import Notes
from escalations.models import Escalation, PolicyVersion
from escalations.policy.versions import check_draft, publish
from ledger.now import now
from reports.facts.follow import rebuild
from reports.queries.kpis import figures
from reports.queries.scope import Scope
from reports.rules.periods import Period, read
from tests.escalations.cases.builders import asked, opened
from tests.support.cast import PASSWORD, Cast, person

DAY = 24 * 60


@pytest.fixture
def board(policy: PolicyVersion) -> Role:
    return Role.objects.create(slug="board", name="Board", level="board", sees=Role.ALL, start_page=Role.INBOX)


@pytest.fixture
def chair(board: Role, cast: Cast) -> User:
    return person("bea@desk.example", "Bea Stone", "board")


@pytest.fixture
def with_board(draft: PolicyVersion, second: User, board: Role, chair: User) -> PolicyVersion:
    """A published policy with a fourth level to which one issue type goes straight."""
    draft.levels.create(slug="board", rank=4, name="Board", counts_as_executive=True, role=board)
    draft.targets.create(clock=states.DECISION, level=4, amount=5 * DAY, unit="clock", on_breach="escalate")
    draft.matrixrows.filter(issue_type="vip-at-risk").update(level=4, role=board)
    return publish(version=draft, by=second, note="The board decides on its accounts")


@pytest.fixture
def period() -> Period:
    return read({}, now() + timedelta(days=2))


def signed_in(user: User) -> Client:
    client = Client()
    client.login(username=user.email, password=PASSWORD)
    return client


def vip(cast: Cast) -> Escalation:
    return opened(cast, issue_type="vip-at-risk", concession="", amount=None)


def decided_at_level(case: Escalation, slug: str) -> None:
    """The case's request was decided at this level an hour after it was opened."""
    made = case.requests.get()
    ApprovalRequest.objects.filter(pk=made.pk).update(
        state=ApprovalRequest.APPROVED, decided_level=slug, decided_at=made.opened_at + timedelta(hours=1)
    )


def test_an_added_level_is_routed_to_and_shown_in_the_queue_and_on_the_case(
    cast: Cast, with_board: PolicyVersion, chair: User
) -> None:
    case, other = vip(cast), opened(cast)
    assert case.get_level_display() == "Board"
    assert case.people.get(duty="authority").user == chair
    assert case.clocks.get(kind=states.DECISION).label == "Board decision"
    client = signed_in(cast.sponsor)
    queue = client.get(reverse("escalations:queue"), {"level": "board"}).content.decode()
    assert "4 Board" in queue
    assert case.key in queue
    assert other.key not in queue
    assert "Level 4 · Board" in client.get(reverse("escalations:case", args=[case.key])).content.decode()


def test_the_executives_escalate_to_an_added_level_and_nobody_beyond(
    cast: Cast, with_board: PolicyVersion, chair: User
) -> None:
    case = opened(cast, amount=Decimal(30))
    assert case.level == 3
    escalate(case_id=case.pk, by=cast.csm, notes=Notes(tried="Talks", open_points="Price", ask="Decide"))
    case.refresh_from_db()
    assert case.level == 4
    assert case.handoffs.latest("number").to_user == chair
    assert not case.policy.ladder.goes_up(case.level)


def test_an_added_level_has_a_figure_of_its_own_and_counts_as_executive(
    cast: Cast, with_board: PolicyVersion, period: Period
) -> None:
    case = asked(cast)
    decided_at_level(case, "board")
    Escalation.objects.filter(pk=case.pk).update(resolved_at=now())
    rebuild()
    found = figures(Scope(), period)
    assert found["decision-board"].definition.name == "Time to decision, Board"
    assert found["decision-board"].definition.target == 120
    assert found["decision-board"].cases == 1
    assert found["without-executive"].value == 0
    page = signed_in(cast.sponsor).get(reverse("reports:dashboard")).content.decode()
    assert "Time to decision, Board" in page
    assert signed_in(cast.sponsor).get(reverse("reports:behind", args=["decision-board"])).status_code == 200


def test_figures_add_up_when_a_level_gets_another_rank(
    cast: Cast, draft: PolicyVersion, second: User, period: Period
) -> None:
    before = asked(cast, amount=30)
    decided_at_level(before, "executive")
    vp = Role.objects.create(slug="vp", name="VP", level="vp", rank=3)
    draft.levels.filter(slug="executive").update(rank=4)
    draft.levels.create(slug="vp", rank=3, name="VP", role=vp)
    draft.matrixrows.filter(level=3).update(level=4)
    for target in draft.targets.filter(level=3):
        target.level = 4
        target.save()
    draft.targets.create(clock=states.DECISION, level=3, amount=3 * DAY, unit="clock", on_breach="escalate")
    publish(version=draft, by=second, note="A level between director and executive")
    after = asked(cast, amount=30)
    decided_at_level(after, "executive")
    assert (before.level, after.level) == (3, 4)
    assert before.get_level_display() == after.get_level_display() == "Executive"
    rebuild()
    assert figures(Scope(), period)["decision-executive"].cases == 2
    assert Role.objects.get(slug="executive-sponsor").rank == 4
    assert signed_in(cast.sponsor).get(reverse("escalations:queue"), {"level": "executive"}).status_code == 200


def test_a_level_without_a_role_or_that_rows_still_name_is_refused(draft: PolicyVersion) -> None:
    draft.levels.create(slug="board", rank=4, name="Board")
    assert "Board: enter the role that decides" in check_draft(draft)[0]
    draft.levels.filter(slug="board").delete()
    draft.levels.filter(slug="director").delete()
    problems = check_draft(PolicyVersion.objects.get(pk=draft.pk))
    assert any("names level 2, which does not exist" in problem for problem in problems)
    assert any("The role Director decides at the level “director”" in problem for problem in problems)


def test_what_a_new_role_can_do_is_set_in_its_fields(cast: Cast) -> None:
    Role.objects.create(slug="revops", name="RevOps", operations=True, sees=Role.ALL, start_page=Role.DASHBOARD)
    Role.objects.create(slug="vp-sales", name="VP sales", level="director", rank=2, start_page=Role.INBOX)
    operator, manager = person("ro@desk.example", "Ro", "revops"), person("vera@desk.example", "Vera", "vp-sales")
    assert (operator.is_ops, operator.is_senior, landing(operator)) == (True, False, "reports:dashboard")
    assert (manager.is_ops, manager.is_senior, landing(manager)) == (False, True, "approvals:inbox")
