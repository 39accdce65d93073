"""What an account's family has been granted so far."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from accounts.models import Account
from approvals.matrix.totals import Ask, concession_of, earlier, version_at
from ledger.now import now


def granted(
    account: Account, concession: str = "refund", at: datetime | None = None, without: Collection[int] = ()
) -> Decimal:
    """What was granted to the account's family in the window (USD for money)."""
    at = at or now()
    version = version_at(at)
    ask = Ask(concession, None, "USD", account)
    return earlier(ask, version, concession_of(version, concession).unit, at, without=without).total
