"""Assess a case: collect the facts, apply the policy's rules, keep score, tier, lane and reasons on the case."""

from datetime import datetime, timedelta
from decimal import Decimal

from accounts.customers.rates import usd
from accounts.models import Signal, User
from approvals.matrix.authority import band_for
from approvals.matrix.concessions import is_money_back
from escalations import states
from escalations.cases.log import Entry, record
from escalations.clocks import verbs as clocks
from escalations.clocks.book import together
from escalations.clocks.targets import Targets
from escalations.models import Escalation, IssueType, PolicyVersion
from escalations.policy.rows import rows_of
from escalations.triage.asked import Asked, Measured, measure
from escalations.triage.rules import triage
from escalations.triage.rules.triggers import RefundOver
from ledger import chain
from ledger.errors import Invalid
from ledger.format import money
from ledger.json_types import JsonObject

REFUND_LIMIT_USD = Decimal(RefundOver.example)  # if the policy has no refund trigger


def evaluate(policy: PolicyVersion, issue_type: IssueType, facts: triage.Facts) -> triage.Assessment:
    """The result of the policy for these facts; writes nothing. The intake preview uses this too."""
    rows = rows_of(policy)
    return triage.assess(
        facts,
        bands=rows.bands,
        weights=rows.weights,
        usual_lane=issue_type.lane,
        minimum_tier=issue_type.minimum_tier,
    )


def facts_of(targets: Targets, asked: Measured) -> triage.Facts:
    """The facts for triage of the case of these targets, read from the case, its account and its signals of the last 30 days.
    `asked`: what it asks for."""
    case, at = targets.case, targets.at
    account = case.account
    signals = list(Signal.objects.filter(account=account, at__gte=at - timedelta(days=30)).order_by("-at")[:20])
    phrases = tuple((phrase["kind"], phrase["text"]) for signal in signals for phrase in signal.phrases)
    tones = [signal.sentiment for signal in signals]
    return triage.Facts(
        # A missing rate must not stop triage.
        arr=targets.arr_usd or Decimal(0),
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
        earlier_cases=targets.earlier_cases,
        stalled_hours=max(0.0, (at - case.impasse_at).total_seconds() / 3600),
        hard_threshold=hard_threshold(case, asked, at),
        in_band=asked.total is not None and band_for(asked.total, states.GREEN) is not None,
    )


def hard_threshold(case: Escalation, asked: Measured, at: datetime) -> str:
    """The hard threshold that the ask exceeds, as text, or ''. An unknown currency counts as above it, so that a person
    checks it."""
    if not case.concession or case.amount is None:
        return ""
    if not (asked.total.concession.money_back if asked.total else is_money_back(case.concession, at)):
        return ""
    limit = refund_limit(case.policy)
    try:
        value = usd(case.amount, case.currency, at.date())
    except Invalid:
        return f"Amount in {case.currency} cannot be converted, so it counts as over the refund threshold"
    return f"Refund or credit of {money(value)} is above {money(limit)}" if value > limit else ""


def refund_limit(policy: PolicyVersion) -> Decimal:
    """The amount in USD above which a refund is serious for any tone: that of the policy's refund trigger."""
    rules = rows_of(policy).triggers
    return next((rule.threshold for rule in rules if rule.condition == RefundOver.slug), REFUND_LIMIT_USD)


def assess(case: Escalation, *, at: datetime, actor: User | None = None) -> triage.Assessment:
    """Triage a locked case again, because the facts changed; its clocks are re-targeted."""
    asked = measure(Asked(case.concession, case.amount, case.currency), case.account, at)
    targets = Targets(case, at)
    found = evaluate(case.policy, case.issue_type, facts_of(targets, asked))
    with together(case, targets):
        keep(case, found, at=at, actor=actor)
        clocks.retarget(case, at=at)
    return found


def keep(case: Escalation, found: triage.Assessment, *, at: datetime, actor: User | None) -> None:
    """Keep an assessment on a locked case, with its reasons."""
    case.score, case.tier, case.lane = found.score, found.tier, found.lane
    case.score_parts = [vars(part) for part in found.parts]
    case.triage_reasons = [found.sentence, *found.tier_reasons, found.lane_reason]
    chain.save(case, ["score", "tier", "lane", "score_parts", "triage_reasons"])
    data: JsonObject = {"score": found.score, "tier": found.tier, "lane": found.lane, "policy": case.policy.number}
    record(case, [Entry(kind="triaged", summary=found.sentence, actor=actor, data=data)], at=at)
