"""Short ways to a case at a certain point, by the real verbs."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from escalations.cases import brief as briefing
from escalations.cases import handoffs, intake
from escalations.cases import requests as asking
from escalations.models import Escalation, HandOff
from ledger.now import now
from tests.support.cast import Cast

OPTIONS: list[dict[str, Any]] = [
    {"name": "Grant 18 percent", "trade_off": "Margin of the year", "recommended": True, "status_quo": False},
    {"name": "Keep the price", "trade_off": "The renewal is lost", "recommended": False, "status_quo": True},
]
TEXTS = {
    "summary": "Northwind will not renew at list price.",
    "facts": "Two competitors offered 20 percent less.",
    "recommendation": "Grant 18 percent for a three-year term.",
    "ask": "A decision by 15:00 ET Wednesday to protect the renewal.",
    "next_step": "Call with the COO on Thursday at 10:00.",
}


def opened(cast: Cast, **extra: Any) -> Escalation:
    """A case just opened by the CSM: a discount beyond the team lead's limit."""
    values: dict[str, Any] = {
        "account": cast.northwind,
        "issue_type": "discount-beyond-limit",
        "issue": "Northwind asks for 18 percent. They will not sign otherwise.",
        "impact": "The renewal of 180,000 USD is at risk.",
        "requested_support": "A decision on the discount.",
        "deadline": now() + timedelta(days=5),
        "concession": "discount",
        "amount": Decimal(18),
        "blocker": True,
    }
    return intake.open_case(intake.Intake(**{**values, **extra}), by=cast.csm)


def waiting_handoff(case: Escalation) -> HandOff:
    """The hand-off of the owner duty that waits for an answer."""
    return HandOff.objects.select_related("to_user").get(case=case, state=HandOff.WAITING, duty="owner")


def accepted(cast: Cast, **extra: Any) -> Escalation:
    """A case whose owner accepted."""
    case = opened(cast, **extra)
    handoff = waiting_handoff(case)
    return handoffs.accept(case_id=case.pk, handoff_id=handoff.pk, by=handoff.to_user)


def briefed(cast: Cast, **extra: Any) -> Escalation:
    """An accepted case whose brief is complete."""
    case = accepted(cast, **extra)
    assert case.owner is not None
    briefing.save_parts(case_id=case.pk, by=case.owner, texts=TEXTS, options=OPTIONS, versions={})
    return Escalation.objects.get(pk=case.pk)


def asked(cast: Cast, amount: int = 18, **extra: Any) -> Escalation:
    """A case that waits for a decision on a discount."""
    case = briefed(cast, **extra)
    question = f"Approve a {amount} percent discount for Northwind?"
    wanted = asking.CaseAsk("discount", Decimal(amount), "USD", question)
    asking.ask(wanted, case_id=case.pk, by=cast.csm)
    return Escalation.objects.get(pk=case.pk)
