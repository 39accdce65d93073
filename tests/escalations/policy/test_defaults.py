"""The shipped policy is complete, says what the scope says, and is written once."""

import pytest

from escalations import states
from escalations.clocks.rules import factors, targets
from escalations.models import MatrixRow, PolicyVersion, Stakeholder, Target
from escalations.policy import defaults, rows, versions
from escalations.policy.rules.checks import PARTS
from escalations.triage.rules import routing
from ledger.now import now


def goes_to(policy: PolicyVersion, issue_type: str, tier: str) -> tuple[int, str, str]:
    row = routing.pick_row([row for row, _ in rows.matrix(policy)], issue_type, tier)
    return row.level, row.role, row.then_role


def promise(policy: PolicyVersion, clock: str, tier: str = "green", level: int = 1, issue_type: str = "x") -> str:
    row = targets.pick(rows.targets(policy), clock=clock, tier=tier, level=level, issue_type=issue_type)
    return targets.in_words(row) if row else "none"


def test_the_shipped_policy_passes_every_check(policy):
    assert versions.check_draft(policy) == []
    assert PolicyVersion.objects.current(now()) == policy


def test_a_second_run_writes_nothing(policy):
    counts = [model.objects.count() for model in versions.ROWS]
    assert defaults.ensure_defaults() == policy
    assert [model.objects.count() for model in versions.ROWS] == counts
    assert PolicyVersion.objects.count() == 1


def test_a_second_run_leaves_what_an_administrator_changed(policy):
    Target.objects.filter(version=policy, clock=states.RESPONSE, tier="red").update(amount=45)
    defaults.ensure_defaults()
    assert Target.objects.get(version=policy, clock=states.RESPONSE, tier="red").amount == 45


@pytest.mark.parametrize(
    ("issue_type", "tier", "expected"),
    [
        ("payment-terms-dispute", "green", (1, "finance-lead", "finance-director")),
        ("compliance-exception", "red", (3, "legal-sponsor", "")),
        ("vip-at-risk", "yellow", (3, "executive-sponsor", "")),
        ("scope-cost-variance", "yellow", (2, "procurement-director", "executive-sponsor")),
        ("supplier-remediation", "yellow", (1, "vendor-lead", "executive-committee")),
        ("renewal-at-risk", "green", (1, "team-lead", "director")),
        ("renewal-at-risk", "yellow", (2, "director", "executive-sponsor")),
        ("a-type-of-next-year", "red", (3, "executive-sponsor", "")),
    ],
)
def test_each_issue_goes_where_the_scope_says(policy, issue_type, tier, expected):
    assert goes_to(policy, issue_type, tier) == expected


def test_first_response_is_an_hour_four_hours_or_a_business_day(policy):
    found = [promise(policy, states.RESPONSE, tier) for tier in ("red", "yellow", "green")]
    assert found == ["1 hour", "4 business hours", "1 business day"]


def test_decisions_take_48_hours_at_level_two_and_72_at_level_three(policy):
    assert promise(policy, states.DECISION, level=2) == "48 hours"
    assert promise(policy, states.DECISION, level=3) == "72 hours"
    assert promise(policy, states.DECISION, issue_type="payment-terms-dispute") == "2 hours"


def test_support_issues_are_fixed_in_four_hours_and_in_one(policy):
    assert promise(policy, states.RESOLUTION, level=2, issue_type="technical-outage") == "4 hours"
    assert promise(policy, states.RESOLUTION, level=3, issue_type="technical-outage") == "1 hour"
    assert promise(policy, states.RESOLUTION, level=3, issue_type="renewal-at-risk") == "10 business days"


def test_a_breached_decision_or_acceptance_moves_on_and_a_late_update_only_tells_people(policy):
    told = dict(Target.objects.filter(version=policy).values_list("clock", "on_breach"))
    assert told[states.DECISION] == told[states.ACCEPTANCE] == told[states.RESOLUTION] == "escalate"
    assert told[states.CUSTOMER_UPDATE] == told[states.REVIEW_DUE] == "remind"


def test_the_accountable_role_is_the_one_that_decides_at_the_level_of_the_tier(policy):
    for tier, _ in states.TIERS:
        accountable = Stakeholder.objects.get(version=policy, tier=tier, letter="A")
        assert accountable.role.slug == goes_to(policy, "anything", tier)[1]


def test_cases_of_level_three_are_owned_by_a_director(policy):
    owners = MatrixRow.objects.filter(version=policy, level=3).values_list("owner_role__slug", flat=True)
    assert set(owners) == {"director"}


def test_every_part_of_the_score_has_a_weight_and_they_add_up_to_100(policy):
    weights = dict(rows.weights(policy))
    assert weights.keys() == PARTS
    assert sum(weights.values()) == 100


def test_triggers_open_issue_types_of_the_policy_at_the_shipped_thresholds(policy):
    found = {rule.condition: (rule.threshold, rule.issue_type) for rule in policy.triggerrules.all()}
    assert found["refund_over"] == (10_000, "refund-credit")
    assert found["risk_language_renewal"] == (60, "renewal-at-risk")
    assert found["no_concession"][0] == 3


def test_a_payment_terms_dispute_runs_on_clock_hours(policy):
    assert policy.issuetypes.get(slug="payment-terms-dispute").calendar.always_open


def test_what_an_issue_type_or_a_concession_means_is_a_field_of_its_row(policy):
    assert set(policy.issuetypes.filter(outage=True).values_list("slug", flat=True)) == {"technical-outage"}
    needs = policy.issuetypes.filter(needs_risk_acceptance=True)
    assert set(needs.values_list("slug", flat=True)) == {"compliance-exception"}


def test_time_to_escalate_is_under_a_day_by_tier(policy):
    found = [promise(policy, states.TIME_TO_ESCALATE, tier) for tier in ("red", "yellow", "green")]
    assert found == ["4 hours", "12 hours", "24 hours"]


def test_red_cases_are_checked_daily_yellow_ones_twice_a_week_and_green_ones_not(policy):
    found = [promise(policy, states.CHECK_IN, tier) for tier in ("red", "yellow", "green")]
    assert found == ["1 business day", "3 business days", "none"]


def test_factors_are_on_only_where_the_number_is_ours_and_wait_to_be_switched_on_elsewhere(policy):
    on = set(policy.targetfactors.filter(active=True).values_list("clock", flat=True))
    assert on == {states.FIRST_ACT, states.RESOLUTION, states.INTERNAL_UPDATE}
    assert set(policy.targetfactors.filter(active=False).values_list("clock", flat=True)) == {""}


def test_the_shipped_factors_name_every_part_and_only_tighten(policy):
    assert set(policy.targetfactors.values_list("part", flat=True)) == {part.slug for part in factors.PARTS}
    assert all(0 < row.percent < 100 for row in policy.targetfactors.all())


def test_red_rows_tell_people_again_every_hour_and_others_every_four_three_times(policy):
    found = set(policy.matrixrows.values_list("tier", "repeat_minutes", "repeat_times"))
    assert found == {("red", 60, 3), ("yellow", 240, 3), ("green", 240, 3), ("", 240, 3)}
