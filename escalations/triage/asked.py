"""What a customer asks for, with what was granted before: read once for triage and routing."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from accounts.models import Account
from approvals.matrix.totals import Ask, AskTotal, ask_total
from ledger.errors import Invalid


@dataclass(frozen=True)
class Asked:
    """The concession a customer asks for; an empty slug means none. Money with its currency."""

    concession: str = ""
    amount: Decimal | None = None
    currency: str = "USD"


@dataclass(frozen=True)
class Measured:
    """The ask with earlier grants. Without a total: nothing is asked for, or it cannot be measured because of `problem`."""

    total: AskTotal | None = None
    problem: str = ""


def measure(asked: Asked, account: Account | None, at: datetime) -> Measured:
    """The total of an ask by the authority matrix in force."""
    if not asked.concession:
        return Measured()
    try:
        return Measured(ask_total(Ask(asked.concession, asked.amount, asked.currency, account), at))
    except Invalid as error:
        return Measured(problem=error.message)
