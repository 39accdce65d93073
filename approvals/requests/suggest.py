"""Suggestions: made with a request, answered by the decision. Nothing acts on a suggestion."""

from datetime import datetime, timedelta
from decimal import Decimal

from approvals.matrix.rules.units import MONEY
from approvals.matrix.totals import arr_usd
from approvals.models import ApprovalRequest, Suggestion
from approvals.requests.rules import suggestions as rules
from approvals.requests.rules.verdicts import (
    APPROVED,
    DECLINED,
    as_recommended,
    recommended_conditions,
    recommended_verdict,
)

LOOK_BACK = timedelta(days=365)
MOST = 200


def suggest(request: ApprovalRequest, at: datetime) -> Suggestion | None:
    """Store the suggestion of the rules for this request, in the caller's transaction; None if nothing is certain
    enough."""
    found = rules.propose(_ask(request, at), _past(request, at))
    if request.log_count:
        # It is for terms that were changed since, and was not answered.
        request.suggestions.filter(outcome=Suggestion.SHOWN).delete()
    if found is None:
        return None
    return Suggestion.objects.create(
        request=request,
        rule=found.rule,
        rule_version=rules.VERSION,
        authority=request.authority,
        verdict=found.verdict,
        amount=found.amount,
        conditions=found.conditions,
        reasons=list(found.reasons),
        certainty=found.certainty,
        made_at=at,
    )


def goes_against(request: ApprovalRequest, verdict: str, conditions: str) -> bool:
    """Whether a decision rejects or changes the suggestion; it then needs a reason. `conditions`: one per line."""
    shown = next((each for each in request.suggestions.all() if each.outcome == Suggestion.SHOWN), None)
    return shown is not None and _outcome(shown, request, verdict, conditions) != Suggestion.ACCEPTED


def _outcome(shown: Suggestion, request: ApprovalRequest, verdict: str, conditions: str) -> str:
    follows = as_recommended(verdict, request.options, conditions)
    return rules.outcome(shown.verdict, verdict, as_recommended=follows)


def answer(request: ApprovalRequest, at: datetime) -> None:
    """Store on the suggestion how the decision answered it. After an undo a new decision answers it again."""
    for each in request.suggestions.all():
        each.outcome = _outcome(each, request, request.state, request.conditions)
        each.answered_at, each.answered_by, each.reason = at, request.decided_by, request.reason
        each.save(update_fields=["outcome", "answered_at", "answered_by", "reason"])


def take_back(request: ApprovalRequest) -> None:
    """After an undo the suggestion is shown again, unanswered."""
    request.suggestions.update(outcome=Suggestion.SHOWN, answered_at=None, answered_by=None, reason="")


def _ask(request: ApprovalRequest, at: datetime) -> rules.Ask:
    up_to = request.rule.get("up_to") or "None"
    verdict = recommended_verdict(request.options) if request.options else APPROVED
    return rules.Ask(
        unit=request.unit,
        amount=request.amount_usd if request.unit == MONEY else request.amount,
        total=request.total_usd,
        limit=None if up_to == "None" else Decimal(up_to),
        arr=arr_usd(request.account, at),
        recommended=verdict,
        conditions="" if verdict == DECLINED else "\n".join(recommended_conditions(request.options)),
    )


def _past(request: ApprovalRequest, at: datetime) -> list[rules.Past]:
    """Decisions on the same concession in the last year, for accounts of the same segment."""
    rows = ApprovalRequest.objects.filter(
        concession=request.concession,
        unit=request.unit,
        state__in=ApprovalRequest.DECIDED,
        by_rule=False,
        confidential=False,
        account__segment=request.account.segment,
        decided_at__gt=at - LOOK_BACK,
    ).exclude(pk=request.pk)
    column = "amount_usd" if request.unit == MONEY else "amount"
    found = rows.order_by("-decided_at").values_list("state", column)[:MOST]
    return [rules.Past(state, amount) for state, amount in found]
