"""Assess a case: collect the facts, apply the policy's rules, keep score, tier, lane and reasons on the case."""

from datetime import datetime, timedelta
from decimal import Decimal

from accounts.customers.rates import usd
from accounts.models import Account, Signal, User
from approvals.matrix.authority import is_in_band
from approvals.matrix.concessions import is_money_back
from approvals.matrix.totals import Ask
from escalations.cases.lifecycle import move
from escalations.cases.log import Entry, record
from escalations.clocks import verbs as clocks
from escalations.models import Escalation, IssueType, PolicyVersion, ScoreWeight, TriggerRule
from escalations.policy.rows import tiers
from escalations.triage.rules import triage
from escalations.triage.rules.triggers import RefundOver
from ledger.errors import Invalid
from ledger.format import money
from ledger.json_types import JsonObject

REFUND_LIMIT_USD = Decimal(RefundOver.example)  # if the policy has no refund trigger


def policy_weights(policy: PolicyVersion) -> dict[str, tuple[str, int]]:
    """Part → (name, points) of a policy."""
    return {row.part: (row.name, row.points) for row in ScoreWeight.objects.filter(version=policy)}


def evaluate(policy: PolicyVersion, issue_type: IssueType, facts: triage.Facts) -> triage.Assessment:
    """The result of the policy for these facts; writes nothing. The intake preview uses this too."""
    return triage.assess(
        facts,
        bands=tiers(policy),
        weights=policy_weights(policy),
        usual_lane=issue_type.lane,
        minimum_tier=issue_type.minimum_tier,
    )


def facts_of(case: Escalation, at: datetime) -> triage.Facts:
    """The facts for triage, read from the case, its account and its signals of the last 30 days."""
    account = case.account
    signals = list(Signal.objects.filter(account=account, at__gte=at - timedelta(days=30)).order_by("-at")[:20])
    phrases = tuple((phrase["kind"], phrase["text"]) for signal in signals for phrase in signal.phrases)
    tones = [signal.sentiment for signal in signals]
    return triage.Facts(
        arr=usd_or_zero(case.arr_at_risk, case.arr_currency, at),
        health=account.health,
        renewal_days=(account.renewal_date - at.date()).days if account.renewal_date else None,
        sentiment=min(tones) if tones else 0.0,
        phrases=phrases,
        blocker=case.blocker,
        legal=case.legal,
        security=case.security,
        executive_complaint=case.executive_complaint,
        outage=case.issue_type.outage,
        strategic=account.strategic,
        reopens=case.reopened_count,
        earlier_cases=earlier_cases(account, at, case.pk),
        stalled_hours=max(0.0, (at - case.impasse_at).total_seconds() / 3600),
        hard_threshold=hard_threshold(case, at),
        in_band=in_band(case, account, at),
    )


def usd_or_zero(amount: Decimal, currency: str, at: datetime) -> Decimal:
    """Amount in USD; 0 when the currency has no rate (a missing rate must not stop triage)."""
    try:
        return usd(amount, currency, at.date())
    except Invalid:
        return Decimal(0)


def earlier_cases(account: Account, at: datetime, besides: int | None) -> int:
    """Cases of the account in the last 12 months, without this one."""
    return account.escalations.filter(opened_at__gte=at - timedelta(days=365)).exclude(pk=besides or 0).count()


def hard_threshold(case: Escalation, at: datetime) -> str:
    """The hard threshold that the ask exceeds, as text, or ''. An unknown currency counts as above it, so that a person
    checks it."""
    if not case.concession or case.amount is None or not is_money_back(case.concession, at):
        return ""
    limit = refund_limit(case.policy)
    try:
        value = usd(case.amount, case.currency, at.date())
    except Invalid:
        return f"Amount in {case.currency} cannot be converted, so it counts as over the refund threshold"
    return f"Refund or credit of {money(value)} is above {money(limit)}" if value > limit else ""


def refund_limit(policy: PolicyVersion) -> Decimal:
    """The amount in USD above which a refund is serious for any tone: that of the policy's refund trigger."""
    rule = TriggerRule.objects.filter(version=policy, condition=RefundOver.slug).first()
    return rule.threshold if rule else REFUND_LIMIT_USD


def in_band(case: Escalation, account: Account, at: datetime) -> bool:
    """Whether a Green case with this ask would be granted by rule."""
    if not case.concession or case.amount is None:
        return False
    return is_in_band(Ask(case.concession, case.amount, case.currency, account), "green", at)


def assess(case: Escalation, *, at: datetime, actor: User | None = None) -> triage.Assessment:
    """Triage a locked case: first time from state new, later again when the facts changed (clocks are re-targeted)."""
    found = evaluate(case.policy, case.issue_type, facts_of(case, at))
    case.score, case.tier, case.lane = found.score, found.tier, found.lane
    case.score_parts = [vars(part) for part in found.parts]
    case.triage_reasons = [found.sentence, *found.tier_reasons, found.lane_reason]
    case.save(update_fields=["score", "tier", "lane", "score_parts", "triage_reasons"])
    data: JsonObject = {"score": found.score, "tier": found.tier, "lane": found.lane, "policy": case.policy.number}
    record(case, [Entry(kind="triaged", summary=found.sentence, actor=actor, data=data)], at=at)
    if case.state == "new":
        move(case, "triage", at=at, actor=actor)
    else:
        clocks.retarget(case, at=at)
    return found
